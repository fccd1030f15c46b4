#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

static volatile sig_atomic_t noted;
static volatile pid_t forwarded_to;
static int wake[2] = { -1, -1 };

static void die_of(int signal_number)
{
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void on_signal(int signal_number)
{
	static const char leaving[] = "\nleaving at once; the lease ends what is still up\n";
	int saved = errno;

	/* It may have ended already. */
	if (forwarded_to && kill(-forwarded_to, signal_number) < 0)
		errno = saved;
	if (noted) {
		if (forwarded_to)
			return;
		/* What cannot be said is not worth staying for. */
		if (write(STDERR_FILENO, leaving, sizeof(leaving) - 1) < 0)
			errno = saved;
		die_of(signal_number);
		return;
	}
	noted = signal_number;
	/* The pipe is empty, so this cannot fill it. */
	if (write(wake[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

bool interrupt_install(struct error *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	/* SA_NODEFER: the second signal re-raises itself in the handler. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set_errno(err, errno, "cannot make a pipe for signals");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction before;

		/* nohup and background shells ignore signals on purpose: leave that as it is. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return true;
}

static void forward(int signal_number)
{
	int saved = errno;

	if (forwarded_to && kill(-forwarded_to, signal_number) < 0)
		errno = saved;
}

void interrupt_forward_to(pid_t group)
{
	static const int signals[] = { SIGQUIT, SIGUSR1, SIGUSR2 };

	forwarded_to = group;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], group ? forward : SIG_DFL);
}

int interrupt_signal(void)
{
	return noted;
}

int interrupt_fd(void)
{
	return wake[0];
}

void interrupt_die(void)
{
	int signal_number = noted;

	fflush(NULL);
	die_of(signal_number);
	/* Only if the signal is blocked in whoever started us. */
	_exit(128 + signal_number);
}
