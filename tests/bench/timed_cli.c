/*
 * timed_cli: stands first on PATH as `pulumi` and runs the real one, FOLDER/real for FOLDER/pulumi.
 * A line for each run goes to FOLDER/runs: when it began and ended, what it cost with everything
 * that it has waited for, its words. It looks where it lies, as programs hand on no variables.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* Tabs between fields, one write: many of us share the file. */
static void note(const char *path, double began_s, const struct rusage *cost, char **words)
{
	char line[4096], folder[1024] = "?";
	size_t length;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || !getcwd(folder, sizeof(folder)))
		return;
	snprintf(line, sizeof(line), "%.6f\t%.6f\t%.6f\t%ld\t%s\t", began_s, now_s(),
		 seconds(&cost->ru_utime) + seconds(&cost->ru_stime), cost->ru_maxrss, folder);
	for (char **word = words; *word; word++) {
		length = strlen(line);
		snprintf(line + length, sizeof(line) - length, "%s ", *word);
	}
	length = strlen(line);
	line[length - 1] = '\n';
	if (write(fd, line, length) != (ssize_t)length)
		fprintf(stderr, "timed_cli: cannot write %s\n", path);
	close(fd);
}

static int run(const char *program, char **words, struct rusage *cost)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		execv(program, words);
		_exit(127);
	}
	while (wait4(pid, &status, 0, cost) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	char program[1024], log[1024];
	char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	struct rusage cost = { .ru_maxrss = 0 };
	double began_s = now_s();
	int status;

	if (!slash)
		return 127;
	snprintf(program, sizeof(program), "%.*s/real", (int)(slash - argv[0]), argv[0]);
	snprintf(log, sizeof(log), "%.*s/runs", (int)(slash - argv[0]), argv[0]);
	argv[0] = program;
	/* Whoever ends us ends the group; the real one takes its time, and we wait for it. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	status = run(program, argv, &cost);
	note(log, began_s, &cost, argv + 1);
	return status;
}
