#include "cli/command.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/duration.h"
#include "cli/creation.h"
#include "cli/env_format.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/run_child.h"

struct run_options {
	struct creation_options creation;
	int64_t keep_alive_ms;
	int64_t heartbeat_ms;
	int64_t grace_ms;
	bool is_kept_on_failure;
};

/* 2.5 s and the 2.2 s of a call that cleans up: within 5 s of the signal. */
static const struct run_options defaults = {
	.creation = { .ttl_ms = -1, .on_timeout = "destroy", .progress = "auto" },
	.keep_alive_ms = 300000,
	.heartbeat_ms = 300000,
	.grace_ms = 2500,
};

// clang-format off
static const struct option rows[] = {
	CREATION_ROWS(run_options, creation),
	{ "keep-alive",      0, OPTION_DURATION, offsetof(struct run_options, keep_alive_ms),      "DURATION", "ENVCTL_KEEP_ALIVE", "while CMD runs, the lease has at least about half of this left (5m); 0: it is not extended", NULL },
	{ "heartbeat",       0, OPTION_DURATION, offsetof(struct run_options, heartbeat_ms),       "DURATION", "ENVCTL_HEARTBEAT",  "how often a line says that CMD still runs, where stderr is no terminal (5m); 0: never", NULL },
	{ "grace",           0, OPTION_DURATION, offsetof(struct run_options, grace_ms),           "DURATION", "ENVCTL_GRACE",      "how long CMD may use the environment after SIGINT, SIGTERM or SIGHUP came to envctl (2500ms)", NULL },
	{ "keep-on-failure", 0, OPTION_FLAG,     offsetof(struct run_options, is_kept_on_failure), NULL,       NULL,                "when CMD fails, leave the environment to its lease", NULL },
	OPTIONS_END,
};
// clang-format on

enum { EXTEND_CALL_MS = 2000, TRY_AGAIN_MS = 15000, NEVER_MS = 3600000 };

/* One CMD in its environment. Times are monotonic. */
struct sitting {
	struct creation *creation;
	const struct run_options *options;
	const char *program;
	struct run_child child;
	int64_t began_ms;
	int64_t said_at_ms;      /* the newest heartbeat */
	int64_t lease_ends_ms;   /* 0: unknown, or nothing can be done about it */
	int64_t extend_at_ms;    /* not before */
	int64_t signalled_at_ms; /* 0: no signal came yet */
	bool is_given_up;        /* the environment's end was asked for while CMD still runs */
};

static bool is_quiet(const struct sitting *sitting)
{
	return text_equal(sitting->options->creation.progress, "quiet");
}

static void say(const struct sitting *sitting, const char *words)
{
	if (!is_quiet(sitting))
		fprintf(stderr, "env/%s: %s\n", sitting->creation->name, words);
}

/* ---- the lease ---- */

static void note_lease(struct sitting *sitting, const json_t *environment)
{
	int64_t left_ms =
	    json_get_int64(json_object_get(environment, "clocks"), "lease_left_ms", 0);

	sitting->lease_ends_ms = left_ms > 0 ? clock_mono_ms() + left_ms : 0;
	sitting->extend_at_ms = sitting->lease_ends_ms - sitting->options->keep_alive_ms / 2;
}

static bool ask_for_longer(struct sitting *sitting, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/lease", sitting->creation->id);
	AUTO(free)
	char *wanted = xasprintf("%lldms", (long long)sitting->options->keep_alive_ms);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "at_least", wanted);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "PATCH",
		.path = path,
		.body = body,
		.timeout_ms = EXTEND_CALL_MS,
		.is_single = true,
	};

	if (!api_call(sitting->creation->client, &request, &answer, err))
		return false;
	note_lease(sitting, answer.json);
	return true;
}

/* CMD's end or a signal interrupt the call; then there is no hurry, or no need. */
static void extend(struct sitting *sitting)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	struct error err;

	api_client_set_wake_fd(sitting->creation->client, sitting->child.signal_fd);
	if (!ask_for_longer(sitting, &err)) {
		sitting->extend_at_ms = clock_mono_ms() + TRY_AGAIN_MS;
		if (!error_is_transient(&err)) {
			sitting->lease_ends_ms = 0;
			text_format(&words, "its lease cannot be extended: %s", err.message);
			say(sitting, text_get(&words));
		}
	}
	api_client_set_wake_fd(sitting->creation->client, interrupt_fd());
}

/* ---- what is due while CMD runs ---- */

static void heartbeat(struct sitting *sitting)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	char elapsed[DURATION_TEXT_SIZE];
	int64_t now_ms = clock_mono_ms();

	sitting->said_at_ms = now_ms;
	text_format(&words, "%s still runs after %s", sitting->program,
		    duration_format((now_ms - sitting->began_ms) / 1000 * 1000, elapsed));
	if (sitting->lease_ends_ms)
		text_format(
		    &words, "; its lease has %s left",
		    duration_format((sitting->lease_ends_ms - now_ms) / 1000 * 1000, elapsed));
	say(sitting, text_get(&words));
}

static bool says_heartbeats(const struct sitting *sitting)
{
	return sitting->options->heartbeat_ms && !is_quiet(sitting) &&
	       !sitting->creation->cli->err.is_terminal;
}

static bool extends(const struct sitting *sitting)
{
	return sitting->options->keep_alive_ms && sitting->lease_ends_ms &&
	       !sitting->signalled_at_ms && !sitting->creation->is_foreign;
}

/* When there is something to do next, of itself. */
static int64_t next_ms(const struct sitting *sitting)
{
	int64_t next = clock_mono_ms() + NEVER_MS;

	if (says_heartbeats(sitting) && sitting->said_at_ms + sitting->options->heartbeat_ms < next)
		next = sitting->said_at_ms + sitting->options->heartbeat_ms;
	if (extends(sitting) && sitting->extend_at_ms < next)
		next = sitting->extend_at_ms;
	if (sitting->signalled_at_ms && !sitting->is_given_up &&
	    sitting->signalled_at_ms + sitting->options->grace_ms < next)
		next = sitting->signalled_at_ms + sitting->options->grace_ms;
	return next;
}

static void do_what_is_due(struct sitting *sitting)
{
	int64_t now_ms = clock_mono_ms();

	if (sitting->signalled_at_ms && !sitting->is_given_up &&
	    now_ms >= sitting->signalled_at_ms + sitting->options->grace_ms) {
		/* Whoever signalled may kill us next. */
		creation_clean_up(sitting->creation);
		sitting->is_given_up = true;
	}
	if (extends(sitting) && now_ms >= sitting->extend_at_ms)
		extend(sitting);
	if (says_heartbeats(sitting) &&
	    now_ms >= sitting->said_at_ms + sitting->options->heartbeat_ms)
		heartbeat(sitting);
}

static void sit(struct sitting *sitting)
{
	while (!sitting->child.has_ended) {
		/* Once there was a signal, the second stays readable. */
		struct pollfd fds[] = {
			{ .fd = sitting->child.signal_fd, .events = POLLIN },
			{ .fd = interrupt_signal() ? -1 : interrupt_fd(), .events = POLLIN },
		};
		int64_t wait_ms;

		/* It may have come at any time, in the middle of a call too. */
		if (fds[1].fd < 0 && !sitting->signalled_at_ms)
			sitting->signalled_at_ms = clock_mono_ms();
		wait_ms = next_ms(sitting) - clock_mono_ms();
		poll(fds, ARRAY_SIZE(fds), wait_ms > 0 ? (int)wait_ms : 0);
		run_child_look(&sitting->child);
		if (!sitting->child.has_ended)
			do_what_is_due(sitting);
	}
}

/* ---- before and after ---- */

static void end(struct sitting *sitting)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	int status = run_child_exit_status(&sitting->child);

	if (WIFSIGNALED(sitting->child.status))
		text_format(&words, "%s was ended by signal %d", sitting->program,
			    WTERMSIG(sitting->child.status));
	else
		text_format(&words, "%s ended with %d", sitting->program, status);
	say(sitting, text_get(&words));
	sitting->creation->cli->status = status;
	if (sitting->is_given_up)
		return;
	if (status && sitting->options->is_kept_on_failure && !interrupt_signal())
		fprintf(stderr, "env/%s stays until its lease ends: envctl destroy %s\n",
			sitting->creation->name, sitting->creation->name);
	else
		creation_end(sitting->creation);
}

static bool run_in(struct creation *creation, const struct run_options *options,
		   const char *const *argv, const json_t *environment, struct error *err)
{
	AUTO(json_decref) json_t *variables = env_variables(environment, ENV_PREFIX);
	struct sitting sitting = {
		.creation = creation,
		.options = options,
		.program = argv[0],
		.child = RUN_CHILD_NONE,
	};
	bool has_run;

	sitting.began_ms = sitting.said_at_ms = clock_mono_ms();
	note_lease(&sitting, environment);
	has_run = !interrupt_signal() && run_child_start(argv, variables, &sitting.child, err);
	if (has_run) {
		sit(&sitting);
		end(&sitting);
	} else {
		creation_end(creation);
	}
	run_child_release(&sitting.child);
	/* What CMD made of the signal is the answer, unless it simply died of it. */
	if (interrupt_signal() && (!has_run || WIFSIGNALED(sitting.child.status)))
		return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
	return has_run;
}

static bool make(struct creation *creation, const char *template, json_t **environment,
		 struct error *err)
{
	creation_announce(creation, template);
	if (creation_send(creation, environment, err) && creation_wait(creation, environment, err))
		return true;
	/* What failed ends by itself; what we cannot see any more may not. */
	if (interrupt_signal() || (error_is_transient(err) && !text_equal(err->slug, "timed_out")))
		creation_clean_up(creation);
	return false;
}

/* TEMPLATE, then CMD behind the dashes: its options must not be taken for ours. */
static bool check_arguments(const struct option_list *arguments, struct error *err)
{
	if (arguments->behind_dashes == arguments->count - 1)
		return true;
	error_set_as(err, ERR_INVALID, "argument_missing",
		     "envctl run needs TEMPLATE, then \"--\", then the command");
	return error_hint(err, "envctl run TEMPLATE --ttl 1h -- make test");
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct run_options *options = values;
	AUTO(creation_release)
	struct creation creation = { .cli = cli,
				     .options = &options->creation,
				     .began_ms = clock_mono_ms() };
	AUTO(json_decref) json_t *environment = NULL;
	AUTO(option_list_release) struct option_list command = OPTION_LIST_EMPTY;

	for (size_t i = 1; i < arguments->count; i++)
		option_list_add(&command, arguments->items[i]);
	option_list_add(&command, NULL);
	return check_arguments(arguments, err) &&
	       creation_prepare(&creation, arguments->items[0], err) &&
	       cli_client(cli, &creation.client, err) &&
	       make(&creation, arguments->items[0], &environment, err) &&
	       run_in(&creation, options, command.items, environment, err);
}

const struct command command_run = {
	.name = "run",
	.synopsis = "TEMPLATE [OPTIONS] -- CMD [ARGUMENT...]",
	.summary = "run a command in an environment of its own, gone afterwards",
	.about =
	    "Create an environment of TEMPLATE as `create` does, run CMD with $ENV_URL, $ENV_NAME "
	    "and\n"
	    "the like (see `envctl help env`), destroy it, and end as CMD did.\n\n"
	    "CMD has the terminal: Ctrl-C reaches it alone. A SIGINT, SIGTERM or SIGHUP that is "
	    "sent to\n"
	    "envctl is passed on to it; --grace later the environment is asked to be destroyed "
	    "even "
	    "if\n"
	    "CMD still runs. The lease is extended while CMD runs, a little at a time, so when "
	    "envctl is\n"
	    "killed it ends soon.\n\n"
	    "The exit status is CMD's, 128+N if signal N ended it; 125 when envctl itself failed, "
	    "126 when\n"
	    "CMD cannot be executed, 127 when it is not found. An environment that was made before "
	    "under the\n"
	    "same idempotency key is used, and left as it is.",
	.rows = rows,
	.values_size = sizeof(struct run_options),
	.defaults = &defaults,
	.arguments_min = 2,
	.arguments_max = ARGUMENTS_ANY,
	.failure_status = EXIT_RUN_FAILED,
	.completes = COMPLETES_TEMPLATES,
	.run = run,
};
