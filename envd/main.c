/*
 * envd: serves the API, decides, builds and checks environments. `envd worker` is the slow side.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "api/api.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/control.h"
#include "control/history_feed.h"
#include "control/meter.h"
#include "control/peer.h"
#include "control/program.h"
#include "control/tracer.h"
#include "model/env_state.h"
#include "settings/settings.h"
#include "worker/worker.h"

static const char about[] =
    "Gives every CI run its own short-lived environment, checks it, reports, and takes it away "
    "again.\n"
    "\n"
    "Listens on a unix socket; its own user and root may do everything, group \"envd\" may use "
    "it.\n"
    "With --listen HOST:PORT also on TCP, with TLS, for who has a token: envctl token create.\n"
    "Starts envd-reaper beside it, which outlives it and ends what it built.";

static int fail(const struct error *err)
{
	fprintf(stderr, "envd: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
	return err->code == ERR_INVALID ? 2 : 1;
}

static int print_help(const struct settings_usage *usage)
{
	AUTO(free) char *help = settings_help(usage);

	fputs(help, stdout);
	return 0;
}

static int print_lifecycle(void)
{
	AUTO(free) char *graph = env_state_graph();

	fputs(graph, stdout);
	return 0;
}

static int print_metrics(void)
{
	AUTO(free) char *table = metric_table_markdown();

	fputs(table, stdout);
	return 0;
}

/* The reaper reads the same settings: it gets our command line, without what is ours alone. */
static void keep_reaper(struct program *program, int argc, char **argv)
{
	AUTO(free) const char **given = xcalloc((size_t)argc + 1, sizeof(*given));
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		given[count++] = argv[i];
	program_keep_reaper(program, given);
}

static void open_templates(struct control *control)
{
	struct settings *settings = (struct settings *)(uintptr_t)control->settings;

	/* Lists of options have no end mark; the registry's do. */
	option_list_add(&settings->templates, NULL);
	option_list_add(&settings->untrusted_templates, NULL);
	control->templates =
	    template_registry_new(settings->templates.items, settings->untrusted_templates.items);
}

/* Beside connections: the store, jobs that are followed, questions, the standard streams. */
enum { DESCRIPTORS_OF_OUR_OWN = 512 };

static void allow_descriptors(const struct settings *settings)
{
	rlim_t needed = (rlim_t)settings->connections_max + DESCRIPTORS_OF_OUR_OWN;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < needed)
		log_warn("at most %llu descriptors may be open, %llu are needed for "
			 "--connections=%lld: some will wait",
			 (unsigned long long)limit.rlim_cur, (unsigned long long)needed,
			 (long long)settings->connections_max);
}

/* A page of 500 environments and a burst of creates come and go: without this the heap is given
 * back and asked for again a hundred times a second. */
static void keep_heap(void)
{
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	mallopt(M_TOP_PAD, 256 << 10);
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
}

static int serve(struct control *control, int argc, char **argv)
{
	const struct settings *settings = control->settings;
	struct program *program;
	struct api *api;
	struct error err;

	keep_heap();
	allow_descriptors(settings);
	open_templates(control);
	control->feed = history_feed_new(control->store);
	control->meter = meter_new(control);
	if (!tracer_new(control, &control->tracer, &err) ||
	    !price_shelf_open(&settings->price_books, &control->prices, &err))
		return fail(&err);
	turn_on_commit(control->turn, history_feed_pump, control->feed);
	program = program_new(control);
	/* Before anybody can ask for anything: what is made must have somebody who takes it away.
	 */
	if (!settings->no_reaper)
		keep_reaper(program, argc, argv);
	if (!api_open(control, &api, &err)) {
		program_free(program);
		return fail(&err);
	}
	log_info("serving on %s, data in \"%s\", instance %s", settings->unix_socket,
		 settings->data, store_instance(control->store));
	while (!program_is_ending(program))
		control_turn(control);
	/* What was asked and not yet committed was not done, and the client hears so. */
	turn_abandon(control->turn);
	api_close(api);
	program_free(program);
	peer_wake(control->other);
	return 0;
}

static int run(const struct settings *settings, int argc, char **argv)
{
	struct control control;
	enum log_level level;
	struct error err;
	int status;

	if (!log_level_parse(settings->log_level, &level, &err))
		return fail(&err);
	log_set_level(level);
	if (!control_open(&control, CONTROL_BUILDER, settings, &err))
		return fail(&err);
	status = serve(&control, argc, argv);
	control_close(&control);
	return status;
}

static bool is_only(int argc, char **argv, const char *word, const char *letter)
{
	return argc == 2 && (strcmp(argv[1], word) == 0 || strcmp(argv[1], letter) == 0);
}

int main(int argc, char **argv)
{
	struct settings_usage usage = { "envd", about, NULL };
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	struct settings settings;
	struct error err;
	int status;

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_main(argc - 1, argv + 1);
	if (is_only(argc, argv, "--help", "-h"))
		return print_help(&usage);
	if (is_only(argc, argv, "--version", "-V")) {
		puts("envd " ENVD_VERSION);
		return 0;
	}
	if (is_only(argc, argv, "--print-lifecycle", "--print-lifecycle"))
		return print_lifecycle();
#ifdef ENVD_FAULTS
	if (is_only(argc, argv, "--print-fault-points", "--print-fault-points")) {
		fault_print_points();
		return 0;
	}
#endif
	if (is_only(argc, argv, "--print-metrics", "--print-metrics"))
		return print_metrics();
	if (!settings_read(&settings, &usage, argc, argv, &arguments, &err))
		return fail(&err);
	if (arguments.count)
		status = fail(
		    (error_set(&err, ERR_INVALID, "unexpected argument \"%s\"", arguments.items[0]),
		     &err));
	else
		status = run(&settings, argc, argv);
	settings_release(&settings);
	return status;
}
