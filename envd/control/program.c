#include "control/program.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fault.h"
#include "base/files.h"
#include "base/log.h"
#include "base/spawn.h"
#include "control/peer.h"
#include "loop/timer.h"

enum { LOOK_MS = 1000, SLOWEST_LOOK_MS = 30000, START_LIMIT_MS = 5000 };

struct program {
	struct control *control;
	bool is_ending;
	struct timer *keeper;
	char **reaper_argv;
	pid_t reaper; /* the last one that we started, to be reaped */
	int64_t look_ms;
};

static void on_end_signal(void *arg)
{
	struct program *program = arg;

	log_info("ending");
	program->is_ending = true;
}

struct program *program_new(struct control *control)
{
	struct program *program = xcalloc(1, sizeof(*program));

	program->control = control;
	program->look_ms = LOOK_MS;
	signal(SIGPIPE, SIG_IGN);
	/* A terminal that closes takes nobody's environments along. */
	signal(SIGHUP, SIG_IGN);
	loop_on_signal(control->loop, SIGINT, on_end_signal, program);
	loop_on_signal(control->loop, SIGTERM, on_end_signal, program);
	return program;
}

void program_free(struct program *program)
{
	if (!program)
		return;
	timer_free(program->keeper);
	for (size_t i = 0; program->reaper_argv && program->reaper_argv[i]; i++)
		free(program->reaper_argv[i]);
	free(program->reaper_argv);
	free(program);
}

bool program_is_ending(const struct program *program)
{
	return program->is_ending;
}

static void start_reaper(struct program *program)
{
	struct spawn_spec spec = {
		.argv = (const char *const *)program->reaper_argv,
		.variables = (const char *const *)environ,
		.fds = (const int[]){ -1, -1, STDERR_FILENO },
		.fd_count = 3,
		.new_session = true,
	};
	struct error err;

	if (spawn(&spec, &program->reaper, &err)) {
		log_info("started envd-reaper, pid %d", (int)program->reaper);
		fault_point(POINT_REAPER_STARTED);
		return;
	}
	log_error("envd-reaper cannot be started, trying again in %lld s: %s",
		  (long long)program->look_ms / 1000, err.message);
}

static void look_after_reaper(void *arg)
{
	struct program *program = arg;

	if (program->reaper > 0 && waitpid(program->reaper, NULL, WNOHANG) == program->reaper)
		program->reaper = 0;
	if (peer_is_running(program->control->other)) {
		program->look_ms = LOOK_MS;
	} else if (!program->reaper) {
		start_reaper(program);
		/* One that dies at once is not started again and again without a pause. */
		if (program->look_ms < SLOWEST_LOOK_MS)
			program->look_ms *= 2;
	}
	timer_set_ms(program->keeper, program->look_ms);
}

/* Blocks, but nothing is served yet. */
static void wait_for_reaper(struct program *program)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (int i = 0; i < START_LIMIT_MS / 5 && !peer_is_running(program->control->other); i++)
		nanosleep(&pause, NULL);
	if (!peer_is_running(program->control->other))
		log_error("envd-reaper is not running yet: going on, and trying again");
}

void program_keep_reaper(struct program *program, const char *const *argv)
{
	AUTO(free) char *folder = path_of_program_folder();
	size_t count = 0;

	while (argv[count])
		count++;
	program->reaper_argv = xcalloc(count + 2, sizeof(*program->reaper_argv));
	program->reaper_argv[0] = path_join(folder, "envd-reaper");
	for (size_t i = 0; i < count; i++)
		program->reaper_argv[i + 1] = xstrdup(argv[i]);
	program->keeper = timer_new(program->control->loop, look_after_reaper, program);
	look_after_reaper(program);
	wait_for_reaper(program);
}
