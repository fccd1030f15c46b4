#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/files.h"
#include "wire/job_files.h"
#include "worker/guard.h"
#include "worker/task.h"
#include "worker/worker.h"

static int run_request(void *arg)
{
	return task_run(arg);
}

/* Until the task is over; SIGTERM is passed on, and so is that nobody reads any more. */
static void watch_direct(struct guard *guard, int signals_fd)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = guard->report_fd, .events = POLLIN },
			{ .fd = signals_fd, .events = POLLIN },
			{ .fd = STDOUT_FILENO, .events = 0 },
		};
		struct signalfd_siginfo info;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (fds[1].revents && read(signals_fd, &info, sizeof(info)) == sizeof(info))
			guard_ask_task_to_end(guard);
		if (fds[2].revents & (POLLERR | POLLNVAL)) {
			guard_end_everything(guard);
			return;
		}
	}
}

static volatile pid_t passed_to;

/* We stay until the task is over. */
static void pass_on(int signal_number)
{
	kill(passed_to, signal_number);
}

/*
 * A task with a client has something to clean up elsewhere, so it is out of reach of whoever kills
 * our process group, and learns that we are gone by a signal that it can heed. It starts nothing,
 * so it needs no guard; and it is in no other pid namespace, from which it could signal nobody.
 */
static int run_apart(const json_t *request)
{
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid < 0)
		return 2;
	if (pid == 0) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		/* It may have happened before that was asked for. */
		return getppid() == self ? task_run(request) : 1;
	}
	passed_to = pid;
	signal(SIGTERM, pass_on);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool read_request(const char *path, json_t **request)
{
	struct error err;

	if (json_read_file(path, JOB_REQUEST_BYTES_MAX, request, &err))
		return true;
	dprintf(STDERR_FILENO, "envd worker: %s\n", err.message);
	return false;
}

static int run_task(const char *path)
{
	AUTO(json_decref) json_t *request = NULL;

	return read_request(path, &request) ? task_run(request) : 2;
}

static int run_direct(const char *path)
{
	AUTO(json_decref) json_t *request = NULL;
	AUTO(close) int signals_fd = -1;
	struct guard guard;
	struct guard_report report;
	struct error err;
	sigset_t stop;

	if (!read_request(path, &request))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (task_has_client(request))
		return run_apart(request);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!guard_start(&guard,
			 &(struct guard_spec){ .task = run_request,
					       .arg = request,
					       .stdout_fd = STDOUT_FILENO,
					       .stderr_fd = STDERR_FILENO,
					       .keep_fd = -1 },
			 &err)) {
		dprintf(STDERR_FILENO, "envd worker: %s\n", err.message);
		return 2;
	}
	watch_direct(&guard, signals_fd);
	guard_finish(&guard, &report);
	return report.has_status && WIFEXITED(report.wait_status) ? WEXITSTATUS(report.wait_status)
								  : 1;
}

/* How an envd asks that was started before its program file was replaced by this one: it runs jobs
 * until somebody starts it again. */
static int run_job(const char *folder)
{
	AUTO(free) char *programs = path_of_program_folder();
	AUTO(free) char *program = path_join(programs, "envd-worker");

	execl(program, program, folder, NULL);
	dprintf(JOB_READY_FD, "cannot run \"%s\": %s\n", program, strerror(errno));
	return 1;
}

int worker_main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--direct") == 0)
		return run_direct(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--task") == 0)
		return run_task(argv[2]);
	if (argc == 2 && argv[1][0] == '/')
		return run_job(argv[1]);
	dprintf(STDERR_FILENO, "usage: envd worker --task | --direct REQUEST.json\n");
	return 2;
}
