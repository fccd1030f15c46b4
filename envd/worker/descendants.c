#include "worker/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"

#define FAMILY_MAX 4096

struct process {
	pid_t pid;
	pid_t parent;
	bool is_zombie;
};

static bool read_process(const char *name, struct process *process)
{
	char path[300], content[512];
	AUTO(close) int fd = -1;
	const char *after_name;
	ssize_t length;
	char state;

	snprintf(path, sizeof(path), "/proc/%s/stat", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
	if (length <= 0)
		return false;
	content[length] = '\0';
	after_name = strrchr(content, ')');
	if (!after_name || sscanf(after_name + 1, " %c %d", &state, &process->parent) != 2)
		return false;
	process->pid = (pid_t)atoi(name);
	process->is_zombie = state == 'Z' || state == 'X';
	return true;
}

/* Calls `visit` for every process that /proc shows. */
static void each_process(void (*visit)(void *arg, const struct process *process), void *arg)
{
	AUTO(closedir) DIR *folder = opendir("/proc");
	struct dirent *entry;
	struct process process;

	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_process(entry->d_name, &process))
			visit(arg, &process);
}

static void kill_child(void *arg, const struct process *process)
{
	int *killed = arg;

	if (process->parent != getpid() || process->is_zombie)
		return;
	kill(process->pid, SIGKILL);
	++*killed;
}

/* One round. As the init of a namespace, /proc may be the machine's and its numbers not ours; but
 * then -1 is exactly the family. */
static int kill_all(void)
{
	int killed = 0;

	if (getpid() == 1)
		return kill(-1, SIGKILL) == 0;
	each_process(kill_child, &killed);
	return killed;
}

int descendants_kill(void)
{
	int ended = 0;
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return ended;
		if (pid > 0) {
			/* What had ended by itself before was not left over. */
			ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
			continue;
		}
		kill_all();
		/* Blocks until one of them is gone; the next round finds what it left behind. */
		if (waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOWAIT) < 0 && errno == ECHILD)
			return ended;
	}
}

struct family {
	struct process *members;
	size_t count, allocated;
};

static void collect(void *arg, const struct process *process)
{
	struct family *all = arg;

	if (all->count == all->allocated) {
		all->allocated = all->allocated ? all->allocated * 2 : 256;
		all->members = xrealloc(all->members, all->allocated, sizeof(*all->members));
	}
	all->members[all->count++] = *process;
}

static int64_t memory_bytes_of(pid_t pid)
{
	char path[64], content[128];
	AUTO(close) int fd = -1;
	ssize_t length;
	long long pages = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
	if (length <= 0)
		return 0;
	content[length] = '\0';
	if (sscanf(content, "%*s %lld", &pages) != 1)
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}

struct pids {
	pid_t items[FAMILY_MAX];
	size_t count;
};

/* False where the kernel has no such file (CONFIG_PROC_CHILDREN), or the process is gone. */
static bool add_children_of_thread(pid_t pid, const char *thread, struct pids *family)
{
	char path[320], content[4096], *at = content, *end;
	AUTO(close) int fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
	if (length < 0)
		return false;
	content[length] = '\0';
	for (long child; family->count < FAMILY_MAX && (child = strtol(at, &end, 10)) > 0; at = end)
		family->items[family->count++] = (pid_t)child;
	return true;
}

static bool add_children(pid_t pid, struct pids *family)
{
	char path[64];
	AUTO(closedir) DIR *folder = NULL;
	struct dirent *entry;
	bool is_known = false;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]))
			is_known |= add_children_of_thread(pid, entry->d_name, family);
	return is_known;
}

/* From the list of all processes, which grows with what runs on the machine. */
static void find_by_parent(struct pids *family)
{
	struct family all = { 0 };

	each_process(collect, &all);
	for (size_t i = 0; i < family->count; i++)
		for (size_t j = 0; j < all.count && family->count < FAMILY_MAX; j++)
			if (all.members[j].parent == family->items[i])
				family->items[family->count++] = all.members[j].pid;
	free(all.members);
}

int64_t descendants_memory_bytes(pid_t root)
{
	struct pids family = { .items = { root }, .count = 1 };
	int64_t bytes = 0;

	if (!add_children(root, &family))
		find_by_parent(&family);
	else
		for (size_t i = 1; i < family.count; i++)
			add_children(family.items[i], &family);
	for (size_t i = 0; i < family.count; i++)
		bytes += memory_bytes_of(family.items[i]);
	return bytes;
}
