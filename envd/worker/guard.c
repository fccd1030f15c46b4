#include "worker/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/spawn.h"
#include "worker/descendants.h"

enum { ASK_TASK_TO_END = 'T', END_EVERYTHING = 'K' };

/* As fork(), into a new pid namespace if that is allowed. */
static pid_t fork_into_namespace(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	return pid < 0 ? fork() : pid;
}

/* When memory is short, a task goes before the daemon does. */
static void volunteer_for_out_of_memory(void)
{
	AUTO(close) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* Best effort: without it the kernel chooses by size alone. */
	if (fd >= 0 && write(fd, "500", 3) < 0)
		return;
}

static int task_main(const struct guard_spec *spec)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	signals_reset();
	volunteer_for_out_of_memory();
	if (!descriptors_place((const int[]){ -1, spec->stdout_fd, spec->stderr_fd }, 3) ||
	    close_range(3, UINT_MAX, 0) != 0)
		return 125;
	status = spec->task(spec->arg);
	fflush(NULL);
	return status;
}

struct watch {
	pid_t task;
	int control_fd;
	int signals_fd;
	int wait_status;
	bool is_over; /* the task ended */
	bool must_end;
};

static void reap(struct watch *watch)
{
	struct signalfd_siginfo signals[8];
	pid_t pid;
	int status;

	if (read(watch->signals_fd, signals, sizeof(signals)) < 0 && errno != EAGAIN)
		watch->must_end = true;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != watch->task)
			continue;
		watch->is_over = true;
		watch->wait_status = status;
	}
}

static void obey(struct watch *watch)
{
	char order;
	ssize_t got = read(watch->control_fd, &order, 1);

	if (got < 0 && errno == EINTR)
		return;
	if (got == 1 && order == ASK_TASK_TO_END)
		kill(-watch->task, SIGTERM);
	else
		/* Told to, or nobody is left to tell us. */
		watch->must_end = true;
}

static void watch_task(struct watch *watch)
{
	while (!watch->is_over && !watch->must_end) {
		struct pollfd fds[] = {
			{ .fd = watch->control_fd, .events = POLLIN },
			{ .fd = watch->signals_fd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			reap(watch);
		if (fds[0].revents && !watch->is_over)
			obey(watch);
	}
}

/* The task ends first, so that its own status is known. */
static void end_task(struct watch *watch)
{
	if (watch->is_over)
		return;
	kill(watch->task, SIGKILL);
	while (waitpid(watch->task, &watch->wait_status, 0) < 0 && errno == EINTR)
		;
}

/* Only what is named stays open: the streams would keep their readers waiting for ever. */
static void close_others(const int *keep, size_t count)
{
	unsigned from = 0;

	for (;;) {
		unsigned next = UINT_MAX;

		for (size_t i = 0; i < count; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from)
			close_range(from, next == UINT_MAX ? UINT_MAX : next - 1, 0);
		if (next == UINT_MAX)
			return;
		from = next + 1;
	}
}

static void guard_main(const struct guard_spec *spec, int control_fd, int report_fd)
{
	struct watch watch = { .control_fd = control_fd };
	struct guard_report report = { .has_status = true };
	sigset_t signals;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "envd-guard");
	setpgid(0, 0);
	sigfillset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	watch.signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	watch.task = fork();
	if (watch.task == 0)
		_exit(task_main(spec));
	if (watch.task < 0 || watch.signals_fd < 0)
		_exit(1);
	/* As the task does for itself: whoever is first, an order to end finds the group. */
	setpgid(watch.task, watch.task);
	close_others((const int[]){ control_fd, report_fd, watch.signals_fd, spec->keep_fd }, 4);
	watch_task(&watch);
	end_task(&watch);
	report.wait_status = watch.wait_status;
	report.leftover_processes = descendants_kill();
	_exit(write(report_fd, &report, sizeof(report)) == sizeof(report) ? 0 : 1);
}

bool guard_start(struct guard *guard, const struct guard_spec *spec, struct error *err)
{
	int control[2], report[2], failure;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe2(control, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	if (pipe2(report, O_CLOEXEC) != 0) {
		error_set_errno(err, errno, "cannot make a pipe");
		close(control[0]);
		close(control[1]);
		return false;
	}
	pid = fork_into_namespace();
	if (pid == 0) {
		close(control[1]);
		close(report[0]);
		guard_main(spec, control[0], report[1]);
	}
	failure = errno;
	close(control[0]);
	close(report[1]);
	if (pid < 0) {
		close(control[1]);
		close(report[0]);
		return error_set_errno(err, failure, "cannot start a task");
	}
	*guard = (struct guard){ pid, control[1], report[0] };
	return true;
}

static void order(struct guard *guard, char what)
{
	/* A guard that is gone has nothing left to end; SIGPIPE is blocked or ignored by every
	 * caller. */
	if (write(guard->control_fd, &what, 1) < 0)
		return;
}

void guard_ask_task_to_end(struct guard *guard)
{
	order(guard, ASK_TASK_TO_END);
}

void guard_end_everything(struct guard *guard)
{
	order(guard, END_EVERYTHING);
}

void guard_finish(struct guard *guard, struct guard_report *report)
{
	struct guard_report said;
	ssize_t got;

	do
		got = read(guard->report_fd, &said, sizeof(said));
	while (got < 0 && errno == EINTR);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	guard->pid = 0;
	close(TAKE_FD(guard->control_fd));
	close(TAKE_FD(guard->report_fd));
	*report = (struct guard_report){ .has_status = false };
	if (got == sizeof(said))
		*report = said;
	report->leftover_processes += descendants_kill();
}
