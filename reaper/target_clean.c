#include "target_clean.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/duration.h"
#include "control/job_request.h"
#include "engine_question.h"
#include "store/store_history.h"
#include "store/store_targets.h"

enum { EXIT_FINE = 0, EXIT_USAGE = 2, EXIT_NOT_DONE = 4 };
enum { BUSY_LIMIT_MS = 5000, BUSY_TRIES = 500, LISTINGS = 2, RETRY_FIRST_MS = 30000 };

struct clean_options {
	bool help;
	bool scheduled; /* not before its time */
};

#define AT(field) offsetof(struct clean_options, field)

// clang-format off
static const struct option rows[] = {
	{ "help", 'h', OPTION_ENDING, AT(help), NULL, NULL, "show this help", NULL },
	{ "scheduled", 0, OPTION_FLAG, AT(scheduled), NULL, NULL, "only if it is time to try again", NULL },
	OPTIONS_END,
};
// clang-format on

static const char about[] =
    "Clean a target of the targets file that is dirty, now: run its \"clean\" command unless its\n"
    "\"inventory\" is empty already, then list it twice. Only two empty listings make it clean.\n"
    "It must be dirty and nobody's; envctl targets shows that.";

struct cleaning {
	struct settings settings;
	struct store *store;
	const struct target *target;
};

bool target_list(const char *instance, const struct target *target, json_t **found,
		 struct error *err)
{
	AUTO(json_decref)
	json_t *request = job_request_target(instance, target, "target-inventory");

	return engine_question_ask(request, found, err);
}

/* ---- emptying, and looking ---- */

static bool run_clean(const struct cleaning *cleaning, struct error *err)
{
	AUTO(json_decref)
	json_t *request =
	    job_request_target(store_instance(cleaning->store), cleaning->target, "target-clean");
	AUTO(json_decref) json_t *data = NULL;

	json_object_set_new(json_object_get(request, "limits"), "deadline_ms",
			    json_integer(cleaning->target->clean_limit_ms));
	return engine_question_ask(request, &data, err);
}

static bool look(const struct cleaning *cleaning, bool *is_empty, struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;

	if (!target_list(store_instance(cleaning->store), cleaning->target, &found, err))
		return false;
	*is_empty = json_get_int64(found, "count", -1) == 0;
	return *is_empty ||
	       error_set_as(err, ERR_EXTERNAL, "left_over", "%lld things are on it: %s",
			    (long long)json_get_int64(found, "count", 0),
			    json_get_string(found, "words", "?"));
}

static void pause_ms(int64_t ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&pause, &pause) != 0)
		continue;
}

static bool prove_empty(const struct cleaning *cleaning, struct error *err)
{
	bool is_empty;

	for (int i = 0; i < LISTINGS; i++) {
		if (i)
			pause_ms(cleaning->target->settle_ms);
		if (!look(cleaning, &is_empty, err))
			return false;
	}
	return true;
}

static bool clean(const struct cleaning *cleaning, struct error *err)
{
	bool is_empty = false;

	if (!cleaning->target->inventory)
		return error_set_as(err, ERR_INVALID, "target_mute",
				    "target \"%s\" has no \"inventory\", so only a person can say "
				    "that it is clean: envctl target clean %s",
				    cleaning->target->name, cleaning->target->name);
	if (!look(cleaning, &is_empty, err) &&
	    (!cleaning->target->clean || !run_clean(cleaning, err)))
		return false;
	return prove_empty(cleaning, err);
}

/* ---- writing it down ---- */

typedef bool (*writing)(struct store_tx *tx, const struct cleaning *cleaning, void *arg,
			struct error *err);

static bool write_down(const struct cleaning *cleaning, writing write, void *arg, struct error *err)
{
	struct store_tx *tx;

	if (!store_begin_within(cleaning->store, BUSY_LIMIT_MS, &tx, err))
		return false;
	if (write(tx, cleaning, arg, err))
		return store_commit(tx, err);
	store_rollback(tx);
	return false;
}

struct begin {
	int64_t now_ms;
	bool done;
};

static bool begin(struct store_tx *tx, const struct cleaning *cleaning, void *arg,
		  struct error *err)
{
	struct begin *begin = arg;

	return store_target_clean_begin(tx, cleaning->target->name, begin->now_ms, &begin->done,
					err);
}

static bool note(struct store_tx *tx, const char *message, struct error *err)
{
	struct history_entry entry = { .kind = HISTORY_SWEEP, .message = message };

	return store_history_append(tx, NULL, clock_wall_ms(), &entry, err);
}

static bool succeed(struct store_tx *tx, const struct cleaning *cleaning, void *arg,
		    struct error *err)
{
	AUTO(free)
	char *message = xasprintf("target \"%s\" is clean again: two listings are empty",
				  cleaning->target->name);
	bool done;

	(void)arg;
	return store_target_cleaned(tx, cleaning->target->name, clock_wall_ms(), &done, err) &&
	       (!done || note(tx, message, err));
}

static bool fail_cleaning(struct store_tx *tx, const struct cleaning *cleaning, void *arg,
			  struct error *err)
{
	const struct error *why = arg;
	char shown[DURATION_TEXT_SIZE];
	AUTO(free) char *message = NULL;
	struct target_row row;
	int64_t pause;

	if (!store_target_read(cleaning->store, cleaning->target->name, &row, err))
		return false;
	pause = target_clean_pause_ms(row.attempts) * cleaning->settings.retry_first_ms /
		RETRY_FIRST_MS;
	message = xasprintf("target \"%s\" is still dirty (attempt %lld), trying again in %s: %s",
			    cleaning->target->name, (long long)row.attempts,
			    duration_format(pause, shown), why->message);
	return store_target_clean_failed(tx, cleaning->target->name, why->message,
					 clock_wall_ms() + pause, err) &&
	       note(tx, message, err);
}

/* ---- all of it ---- */

static int fail(const struct error *err)
{
	fprintf(stderr, "envd-reaper: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
	return err->code == ERR_INVALID ? EXIT_USAGE : EXIT_NOT_DONE;
}

static bool open_store(struct cleaning *cleaning, struct error *err)
{
	for (int i = 0; !store_open(cleaning->settings.data, false, &cleaning->store, err); i++) {
		if (strcmp(err->slug, "store_busy") != 0 || i == BUSY_TRIES)
			return false;
		pause_ms(10);
	}
	return true;
}

static bool find_target(struct cleaning *cleaning, const char *name, struct error *err)
{
	cleaning->target = settings_target_named(&cleaning->settings, name);
	return (cleaning->target && cleaning->target->is_listed) ||
	       error_set_as(err, ERR_INVALID, "target_not_found",
			    "there is no target \"%.60s\" in the targets file", name);
}

static int clean_named(struct cleaning *cleaning, const char *name, bool is_scheduled)
{
	struct begin beginning = { .now_ms = is_scheduled ? clock_wall_ms() : INT64_MAX };
	struct error why, err;

	if (!find_target(cleaning, name, &err) || !write_down(cleaning, begin, &beginning, &err))
		return fail(&err);
	if (!beginning.done) {
		error_set(&err, ERR_CONFLICT,
			  "target \"%s\" is not dirty and nobody's: it is left alone", name);
		return is_scheduled ? EXIT_FINE : fail(&err);
	}
	if (clean(cleaning, &why)) {
		printf("target \"%s\" is clean again\n", name);
		return write_down(cleaning, succeed, NULL, &err) ? EXIT_FINE : fail(&err);
	}
	if (!write_down(cleaning, fail_cleaning, &why, &err))
		return fail(&err);
	why.code = ERR_EXTERNAL;
	error_wrap(&why, "target \"%s\" is still dirty", name);
	return fail(&why);
}

int target_clean_main(int argc, char **argv)
{
	struct clean_options options = { .help = false };
	struct option_group group = { "Clean", rows, &options };
	struct settings_usage usage = { "envd-reaper clean", about, &group };
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	struct cleaning cleaning = { .store = NULL };
	int status = EXIT_FINE;
	struct error err;

	if (!settings_read(&cleaning.settings, &usage, argc, argv, &arguments, &err))
		return fail(&err);
	if (options.help) {
		AUTO(free) char *help = settings_help(&usage);

		fputs(help, stdout);
	} else if (arguments.count != 1) {
		error_set(&err, ERR_INVALID, "which target? (expected one name)");
		status = fail(&err);
	} else if (!open_store(&cleaning, &err)) {
		status = fail(&err);
	} else {
		status = clean_named(&cleaning, arguments.items[0], options.scheduled);
	}
	store_close(cleaning.store);
	settings_release(&cleaning.settings);
	return status;
}
