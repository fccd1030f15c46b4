#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"

void signals_reset(void)
{
	sigset_t none;

	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool descriptors_place(const int *fds, size_t fd_count)
{
	int safe[SPAWN_FDS_MAX];

	/* First out of the way of the places, so that filling one does not close another's source.
	 */
	for (size_t i = 0; i < fd_count; i++) {
		int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

		safe[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
		if (safe[i] < 0)
			return false;
	}
	for (size_t i = 0; i < fd_count; i++)
		if (dup2(safe[i], (int)i) < 0)
			return false;
	return true;
}

/* In the child: everything up to exec. Returns only when something failed, with errno set. */
static void become(const struct spawn_spec *spec, pid_t parent)
{
	signals_reset();
	if (!descriptors_place(spec->fds, spec->fd_count) ||
	    close_range((unsigned)spec->fd_count, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
		return;
	if (spec->new_session ? setsid() < 0 : setpgid(0, 0) != 0)
		return;
	if (spec->dies_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
			return;
		/* It may have died before the request was in place. */
		if (getppid() != parent)
			_exit(1);
	}
	if (spec->directory && chdir(spec->directory) != 0)
		return;
	umask(022);
	execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv,
	       (char *const *)(uintptr_t)spec->variables);
}

/* What the child needs, and what it leaves: its memory is ours until it has executed. */
struct launch {
	const struct spawn_spec *spec;
	pid_t parent;
	int failure; /* errno of what kept it from executing */
};

static int child_main(void *arg)
{
	struct launch *launch = arg;

	become(launch->spec, launch->parent);
	launch->failure = errno;
	_exit(127);
}

/* As vfork(), whose child may call nothing, with a stack of its own: a program of many megabytes
 * starts another without a copy of its page tables, and goes on without faulting in each page that
 * it writes to next. */
static pid_t fork_to_execute(struct launch *launch)
{
	_Alignas(16) char stack[65536];

	return clone(child_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
}

bool spawn(const struct spawn_spec *spec, pid_t *pid, struct error *err)
{
	struct launch launch = { .spec = spec, .parent = getpid() };
	sigset_t all, before;
	int failure;
	pid_t child;

	/* Our handlers must not run in the child, which has our memory. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork_to_execute(&launch);
	failure = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return error_set_errno(err, failure, "cannot start \"%s\"", spec->argv[0]);
	failure = launch.failure;
	if (failure == 0) {
		*pid = child;
		return true;
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return error_set_as(err, ERR_EXTERNAL, "program_not_found", "cannot run \"%s\": %s",
			    spec->argv[0], strerror(failure));
}

char **variables_pick(const char *const *names)
{
	size_t count = 0;
	char **picked;

	while (environ[count])
		count++;
	picked = xcalloc(count + 1, sizeof(*picked));
	count = 0;
	for (char **variable = environ; *variable; variable++) {
		size_t length = strcspn(*variable, "=");

		for (const char *const *name = names; *name; name++) {
			size_t wanted = strcspn(*name, "*");
			bool is_prefix = (*name)[wanted] == '*';

			if ((is_prefix ? length >= wanted : length == wanted) &&
			    strncmp(*variable, *name, wanted) == 0) {
				picked[count++] = *variable;
				break;
			}
		}
	}
	return picked;
}

/* The first is for our own workers alone. */
static const char *const *worker_names(void)
{
	static const char *const names[] = {
		"ENVD_SECRET_*",
		"PATH",
		"HOME",
		"USER",
		"LANG",
		"LC_ALL",
		"TZ",
		"TMPDIR",
		"XDG_RUNTIME_DIR",
		"DOCKER_CONFIG",
		"REGISTRY_AUTH_FILE",
		"SSL_CERT_FILE",
		"SSL_CERT_DIR",
		"ENVD_EXTERNAL_*",
		"ASAN_OPTIONS",
		"UBSAN_OPTIONS",
		NULL,
	};
	return names;
}

const char *const *variables_of_workers(void)
{
	return worker_names();
}

const char *const *variables_of_programs(void)
{
	return worker_names() + 1;
}

/* The state letter and field 22 of /proc/PID/stat. */
static bool read_stat(pid_t pid, char *state, long long *start_ticks)
{
	char path[64], content[1024];
	AUTO(close) int fd = -1;
	const char *after_name;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
	if (length <= 0)
		return false;
	content[length] = '\0';
	/* The name may hold blanks and parentheses itself: fields count from the last one. */
	after_name = strrchr(content, ')');
	return after_name &&
	       sscanf(after_name + 1,
		      " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
		      " %*d %*d %lld",
		      state, start_ticks) == 2;
}

bool process_identity_of(pid_t pid, struct process_identity *identity)
{
	long long start_ticks;
	char state;

	if (pid <= 0 || !read_stat(pid, &state, &start_ticks) || state == 'Z' || state == 'X')
		return false;
	identity->pid = pid;
	identity->start_ticks = start_ticks;
	snprintf(identity->boot_id, sizeof(identity->boot_id), "%s", clock_boot_id());
	return true;
}

bool process_is_alive(const struct process_identity *identity)
{
	struct process_identity now;

	return process_identity_of(identity->pid, &now) &&
	       now.start_ticks == identity->start_ticks &&
	       strcmp(now.boot_id, identity->boot_id) == 0;
}

int process_open(const struct process_identity *identity)
{
	int fd;

	if (!process_is_alive(identity))
		return -1;
	fd = pidfd_open(identity->pid, 0);
	/* The number may have passed to somebody else in between: only what is the same after
	 * opening is what was opened. */
	if (fd >= 0 && !process_is_alive(identity)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool process_signal(const struct process_identity *identity, int signal_number)
{
	AUTO(close) int fd = process_open(identity);

	return fd >= 0 && pidfd_send_signal(fd, signal_number, NULL, 0) == 0;
}
