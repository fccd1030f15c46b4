/*
 * stop_in_syscall.h - for failure tests: stop a living program, as it is installed, at the moment
 * at which it makes a certain system call (ptrace), and leave it stopped.
 */
#ifndef TESTS_SUPPORT_STOP_IN_SYSCALL_H
#define TESTS_SUPPORT_STOP_IN_SYSCALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns when `pid` (single-threaded) is about to make one of the calls and `is_moment` (may be
 * NULL) agrees; it is then stopped as by SIGSTOP and no longer traced. `provoke` (may be NULL) is
 * called once it is being watched. False when `limit_ms` passed: it runs on. */
bool stop_in_syscall(pid_t pid, const long *numbers, size_t count, bool (*is_moment)(void *arg),
		     void (*provoke)(void *arg), void *arg, int64_t limit_ms);

#endif
