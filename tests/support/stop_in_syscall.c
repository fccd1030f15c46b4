#include "tests/support/stop_in_syscall.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/clock.h"

static bool is_wanted(pid_t pid, const long *numbers, size_t count)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	for (size_t i = 0; i < count; i++)
		if ((long)info.entry.nr == numbers[i])
			return true;
	return false;
}

/* A signal that arrives meanwhile is its own business: handed on. */
static int signal_to_hand_on(int status)
{
	int number = WSTOPSIG(status);

	return number == (SIGTRAP | 0x80) || number == SIGTRAP || number == SIGSTOP ? 0 : number;
}

/* Wait for the next stop; false when there is none until `until_ms`. */
static bool next_stop(pid_t pid, int *status, int64_t until_ms)
{
	while (clock_mono_ms() < until_ms) {
		pid_t got = waitpid(pid, status, WNOHANG | __WALL);

		if (got == pid)
			return WIFSTOPPED(*status);
		if (got < 0 && errno != EINTR)
			return false;
	}
	return false;
}

bool stop_in_syscall(pid_t pid, const long *numbers, size_t count, bool (*is_moment)(void *arg),
		     void (*provoke)(void *arg), void *arg, int64_t limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || !next_stop(pid, &status, until_ms))
		return false;
	if (provoke)
		provoke(arg);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal_to_hand_on(status)) != 0)
			return false;
		if (!next_stop(pid, &status, until_ms))
			break;
		if (is_wanted(pid, numbers, count) && (!is_moment || is_moment(arg))) {
			ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)SIGSTOP);
			return true;
		}
	}
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	if (next_stop(pid, &status, clock_mono_ms() + 1000))
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return false;
}
