#include "cli/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"

/* ---- the terminal ---- */

static bool is_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* -1 where it is not ours to give: none, in the background, or shared with a pipeline. */
static int terminal_to_give(void)
{
	int fd;

	if (!isatty(STDIN_FILENO) || is_pipe(STDOUT_FILENO))
		return -1;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && tcgetpgrp(fd) != getpgrp()) {
		close(fd);
		return -1;
	}
	return fd;
}

/* From the background this would stop us (SIGTTOU), which is why the signal is blocked. */
static void give_terminal(const struct run_child *child, pid_t group)
{
	sigset_t out, before;

	if (child->terminal_fd < 0)
		return;
	sigemptyset(&out);
	sigaddset(&out, SIGTTOU);
	sigprocmask(SIG_BLOCK, &out, &before);
	/* A terminal that hung up is noticed by everybody who reads from it. */
	if (tcsetpgrp(child->terminal_fd, group) == 0 && group == getpgrp() &&
	    (!child->has_ended || WIFSIGNALED(child->status)))
		tcsetattr(child->terminal_fd, TCSADRAIN, &child->modes);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- starting it ---- */

/* What is passed on waits until there is somebody to pass it on to: the program may be running, and
 * have said so, before we have come to note its pid. */
static void hold_signals(sigset_t *before)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

static void watch_children(struct run_child *child, sigset_t *before)
{
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, before);
	child->signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* In the child. What cannot be executed is told through `told_fd`, which execution closes. */
static void become(const char *const *argv, const json_t *variables, const struct run_child *child,
		   const sigset_t *mask, int told_fd)
{
	const char *name;
	json_t *value;
	int problem;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	give_terminal(child, getpid());
	sigprocmask(SIG_SETMASK, mask, NULL);
	signal(SIGPIPE, SIG_DFL);
	json_object_foreach((json_t *)(uintptr_t)variables, name, value) {
		setenv(name, json_string_value(value), 1);
	}
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	problem = errno;
	if (write(told_fd, &problem, sizeof(problem)) < 0)
		_exit(EXIT_RUN_FAILED);
	_exit(EXIT_NO_COMMAND);
}

static bool not_started(const char *program, int problem, struct error *err)
{
	if (problem == ENOENT || problem == ENOTDIR) {
		error_set_as(err, ERR_NOT_FOUND, SLUG_NO_COMMAND, "there is no program \"%s\"",
			     program);
		return error_hint(err, "a line for the shell needs one: -- sh -c 'LINE'");
	}
	return error_set_as(err, ERR_INVALID, SLUG_NOT_EXECUTABLE, "cannot execute \"%s\": %s",
			    program, strerror(problem));
}

static bool await_execution(struct run_child *child, int told_fd, const char *program,
			    struct error *err)
{
	int problem;
	ssize_t length;

	do {
		length = read(told_fd, &problem, sizeof(problem));
	} while (length < 0 && errno == EINTR);
	if (length != (ssize_t)sizeof(problem))
		return true;
	waitpid(child->pid, &child->status, 0);
	child->has_ended = true;
	interrupt_forward_to(0);
	give_terminal(child, getpgrp());
	return not_started(program, problem, err);
}

bool run_child_start(const char *const *argv, const json_t *variables, struct run_child *child,
		     struct error *err)
{
	AUTO(close) int told_fd = -1;
	int pipe_fds[2];
	sigset_t mask, unheld;

	*child = (struct run_child)RUN_CHILD_NONE;
	child->terminal_fd = terminal_to_give();
	if (child->terminal_fd >= 0)
		tcgetattr(child->terminal_fd, &child->modes);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	told_fd = pipe_fds[0];
	watch_children(child, &mask);
	fflush(NULL);
	hold_signals(&unheld);
	child->pid = fork();
	if (child->pid == 0)
		become(argv, variables, child, &mask, pipe_fds[1]);
	close(pipe_fds[1]);
	if (child->pid > 0) {
		/* Both do it, so that neither has to wait for the other. */
		setpgid(child->pid, child->pid);
		give_terminal(child, child->pid);
		interrupt_forward_to(child->pid);
	}
	sigprocmask(SIG_SETMASK, &unheld, NULL);
	if (child->pid < 0)
		return error_set_errno(err, errno, "cannot start a process");
	return await_execution(child, told_fd, argv[0], err);
}

/* ---- while it runs ---- */

/* As if Ctrl-Z had reached our group; whoever continues us continues the program. */
static void stop_with(struct run_child *child)
{
	give_terminal(child, getpgrp());
	kill(0, SIGTSTP);
	if (child->terminal_fd >= 0 && tcgetpgrp(child->terminal_fd) == getpgrp())
		give_terminal(child, child->pid);
	kill(-child->pid, SIGCONT);
}

void run_child_look(struct run_child *child)
{
	struct signalfd_siginfo seen;
	int status;

	while (read(child->signal_fd, &seen, sizeof(seen)) > 0)
		;
	while (!child->has_ended &&
	       waitpid(child->pid, &status, WNOHANG | WUNTRACED) == child->pid) {
		if (WIFSTOPPED(status)) {
			stop_with(child);
			continue;
		}
		child->status = status;
		child->has_ended = true;
		interrupt_forward_to(0);
		give_terminal(child, getpgrp());
	}
}

int run_child_exit_status(const struct run_child *child)
{
	return WIFEXITED(child->status) ? WEXITSTATUS(child->status)
					: 128 + WTERMSIG(child->status);
}

void run_child_release(struct run_child *child)
{
	if (child->signal_fd >= 0)
		close(child->signal_fd);
	if (child->terminal_fd >= 0)
		close(child->terminal_fd);
}
