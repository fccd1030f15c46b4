#include "base/fault.h"

#ifdef ENVD_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

enum { KILLED_STATUS = 137, STALL_MS = 500 };

static const char *const names[] = {
#define X(point, name) [point] = name,
	FAULT_POINTS(X)
#undef X
};

static void note(const char *folder, const char *file, const char *line)
{
	AUTO(free) char *path = xasprintf("%s/%s", folder, file);
	AUTO(close) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		_exit(1); /* a test that cannot be counted is none */
}

/* Which pass this is, counted over all programs. */
static long count_pass(const char *folder)
{
	AUTO(free) char *path = xasprintf("%s/count", folder);
	AUTO(close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[24] = "";
	long count;

	if (fd < 0 || flock(fd, LOCK_EX) != 0 || pread(fd, text, sizeof(text) - 1, 0) < 0)
		_exit(1);
	count = strtol(text, NULL, 10) + 1;
	snprintf(text, sizeof(text), "%ld", count);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		_exit(1);
	return count;
}

static bool is_planned(const char *folder, enum fault_point point, char action[16])
{
	AUTO(free) char *path = xasprintf("%s/plan", folder);
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char plan[128] = "", name[64];
	long nth;

	if (fd < 0 || read(fd, plan, sizeof(plan) - 1) <= 0 ||
	    sscanf(plan, "%63s %15s %ld", name, action, &nth) != 3)
		return false;
	return strcmp(name, names[point]) == 0 && count_pass(folder) == nth;
}

static void stall(void)
{
	struct timespec left = { .tv_nsec = STALL_MS * 1000000L };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

/* True when it is to fail. */
static bool pass(enum fault_point point)
{
	const char *folder = getenv("ENVD_EXTERNAL_FAULTS");
	AUTO(free) char *line = xasprintf("%s\n", names[point]);
	char action[16];

	if (!folder)
		return false;
	note(folder, "passed", line);
	if (!is_planned(folder, point, action))
		return false;
	note(folder, "done", line);
	if (strcmp(action, "exit") == 0)
		_exit(KILLED_STATUS);
	if (strcmp(action, "stop") == 0)
		stall();
	return strcmp(action, "fail") == 0;
}

void fault_point(enum fault_point point)
{
	pass(point);
}

bool fault_fails(enum fault_point point, struct error *err)
{
	if (!pass(point))
		return false;
	error_set_as(err, ERR_UNAVAILABLE, "planned_fault", "it was told to fail at %s",
		     names[point]);
	return true;
}

int64_t fault_scaled_ms(int64_t limit_ms)
{
	return getenv("ENVD_EXTERNAL_SCALED") ? limit_ms / 40 : limit_ms;
}

void fault_print_points(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		puts(names[i]);
}

#endif
