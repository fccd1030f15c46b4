/*
 * interrupt.h - Ctrl-C and its relatives, as something to ask about and to wait for.
 *
 * The first SIGINT, SIGTERM or SIGHUP is noted: waiting calls return (interrupt_fd becomes
 * readable), and the command cleans up within its bound. The second one ends the program at once.
 * SIGPIPE is ignored: a reader that left shows as EPIPE.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <sys/types.h>

#include "base/error.h"

NODISCARD bool interrupt_install(struct error *err);

/* The signal that came, or 0. */
int interrupt_signal(void);

/* Readable once interrupted; stays so. -1 before interrupt_install(). */
int interrupt_fd(void);

/* While a program of somebody else's runs: signals go to its process group, and SIGQUIT, SIGUSR1
 * and SIGUSR2 too; none ends us. The first of the three is still noted. 0: no longer. */
void interrupt_forward_to(pid_t group);

/* After the clean-up: end as the signal would have ended us, so that the shell sees it. */
void interrupt_die(void) __attribute__((noreturn));

#endif
