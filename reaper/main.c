/*
 * envd-reaper: ends leases, destroys, proves, sweeps. Works with envd dead or hung; never listens
 * on the network and never creates.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/log.h"
#include "control/control.h"
#include "control/peer.h"
#include "control/program.h"
#include "control/scheduler.h"
#include "control/turn.h"
#include "loop/child.h"
#include "loop/timer.h"
#include "settings/settings.h"
#include "sweep_command.h"
#include "target_clean.h"
#include "target_watch.h"

enum { LOOK_MS = 500 };

static const char about[] =
    "Ends leases, destroys environments and proves that they are gone; works with envd dead or "
    "hung.\n"
    "Usually started by envd. `envd-reaper sweep --help` tells about looking for left-overs.";

struct reaper {
	struct control control;
	struct program *program;
	struct timer *look;
	bool envd_was_running;
	struct timer *sweep_timer;
	struct child *sweep;
	struct target_watch *targets;
	bool is_done; /* envd is gone, and nothing is owed */
};

/* What a dead envd was at work on is ours at once, and not at the next scan: it costs money. */
static void look_at_envd(void *arg)
{
	struct reaper *reaper = arg;
	bool is_running = peer_is_running(reaper->control.other);

	if (reaper->envd_was_running && !is_running)
		turn_want_pass(reaper->control.turn);
	reaper->envd_was_running = is_running;
	if (!reaper->control.settings->stay && !is_running &&
	    scheduler_is_idle(reaper->control.scheduler) && !reaper->sweep &&
	    !target_watch_is_busy(reaper->targets))
		reaper->is_done = true;
	timer_set_ms(reaper->look, LOOK_MS);
}

static void on_sweep_line(void *arg, int stream, const char *line, size_t length)
{
	(void)arg;
	(void)length;
	if (stream == 1)
		log_info("sweep: %s", line);
	else
		log_warn("%s", line);
}

static void on_sweep_end(void *arg, const struct child_end *end)
{
	struct reaper *reaper = arg;

	if (end->status != 0)
		log_warn("the sweep did not get through (status %d), trying again later",
			 end->status);
	reaper->sweep = NULL;
	timer_set_ms(reaper->sweep_timer, reaper->control.settings->sweep_interval_ms);
}

static void start_sweep(void *arg)
{
	struct reaper *reaper = arg;
	const struct settings *settings = reaper->control.settings;
	const struct target *target = settings_target_for(settings, "container");
	AUTO(free) char *folder = path_of_program_folder();
	AUTO(free) char *program = path_join(folder, "envd-reaper");
	AUTO(free)
	char *interval =
	    xasprintf("--sweep-interval=%lldms", (long long)settings->sweep_interval_ms);
	AUTO(free)
	char *keep = xasprintf("--keep-ended=%lldms", (long long)settings->keep_ended_ms);
	AUTO(free)
	char *keep_max = xasprintf("--keep-ended-max=%lld", (long long)settings->keep_ended_max);
	AUTO(free)
	char *image_keep = xasprintf("--image-keep=%lldms", (long long)settings->image_keep_ms);
	AUTO(free)
	char *image_gib = xasprintf("--image-keep-gib=%lld", (long long)settings->image_keep_gib);
	AUTO(free) char *data = xasprintf("--data=%s", settings->data);
	AUTO(free)
	char *runtime = xasprintf("--runtime=%s", target && target->socket ? target->socket : "");
	AUTO(free)
	char *config = xasprintf("--config=%s", settings->config ? settings->config : "");
	AUTO(free)
	char *targets =
	    settings->targets_file ? xasprintf("--targets-file=%s", settings->targets_file) : NULL;
	const char *argv[] = { program,
			       "sweep",
			       "--scheduled",
			       data,
			       runtime,
			       interval,
			       keep,
			       keep_max,
			       image_keep,
			       image_gib,
			       targets ? targets : data, /* saying it twice does no harm */
			       settings->config ? config : NULL,
			       NULL };
	struct child_spec spec = {
		.argv = argv,
		.variables = (const char *const *)environ,
		.time_limit_ms = 600000,
		.grace_ms = 5000,
		.on_line = on_sweep_line,
		.on_end = on_sweep_end,
		.arg = reaper,
	};
	struct error err;

	if (child_start(reaper->control.loop, &spec, &reaper->sweep, &err))
		return;
	log_error("the sweep cannot be started: %s", err.message);
	timer_set_ms(reaper->sweep_timer, settings->sweep_interval_ms);
}

static void run(struct reaper *reaper)
{
	reaper->program = program_new(&reaper->control);
	reaper->look = timer_new(reaper->control.loop, look_at_envd, reaper);
	reaper->envd_was_running = true; /* it may be dead before the first look */
	reaper->targets = target_watch_new(&reaper->control);
	reaper->sweep_timer = timer_new(reaper->control.loop, start_sweep, reaper);
	timer_set_ms(reaper->look, LOOK_MS);
	timer_set_ms(reaper->sweep_timer, reaper->control.settings->sweep_interval_ms);
	log_info("looking after \"%s\", instance %s", reaper->control.settings->data,
		 store_instance(reaper->control.store));
	while (!program_is_ending(reaper->program) && !reaper->is_done)
		control_turn(&reaper->control);
	if (reaper->is_done)
		log_info("envd is gone and nothing is owed: ending");
	if (reaper->sweep)
		child_drop(reaper->sweep);
	target_watch_free(reaper->targets);
	timer_free(reaper->sweep_timer);
	timer_free(reaper->look);
	program_free(reaper->program);
}

static int fail(const struct error *err)
{
	fprintf(stderr, "envd-reaper: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
	return err->code == ERR_INVALID ? 2 : 1;
}

static bool wants(int argc, char **argv, const char *word, const char *letter)
{
	return argc == 2 && (strcmp(argv[1], word) == 0 || strcmp(argv[1], letter) == 0);
}

static int print_help(const struct settings_usage *usage)
{
	AUTO(free) char *help = settings_help(usage);

	fputs(help, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings_usage usage = { "envd-reaper", about, NULL };
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	struct reaper reaper = { .is_done = false };
	struct settings settings;
	enum log_level level;
	struct error err;

	log_set_program("envd-reaper");
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "sweep") == 0)
		return sweep_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "clean") == 0)
		return target_clean_main(argc - 1, argv + 1);
	if (wants(argc, argv, "--help", "-h"))
		return print_help(&usage);
	if (wants(argc, argv, "--version", "-V")) {
		puts("envd-reaper " ENVD_VERSION);
		return 0;
	}
	if (!settings_read(&settings, &usage, argc, argv, &arguments, &err))
		return fail(&err);
	if (arguments.count)
		return fail((error_set(&err, ERR_INVALID,
				       "unknown command \"%s\" (expected sweep, clean, or none)",
				       arguments.items[0]),
			     &err));
	if (!log_level_parse(settings.log_level, &level, &err))
		return fail(&err);
	log_set_level(level);
	if (!control_open(&reaper.control, CONTROL_DESTROYER, &settings, &err)) {
		settings_release(&settings);
		return fail(&err);
	}
	run(&reaper);
	control_close(&reaper.control);
	settings_release(&settings);
	return 0;
}
