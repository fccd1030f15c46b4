/*
 * fail_nth.c - the n-th call of one kind fails, in whichever program makes it. Linked into the
 * programs of a test build (make FAULTS=1), where its functions take the place of libc's, also for
 * SQLite.
 *
 *	ENVD_EXTERNAL_FAIL="KIND ERRNO NTH MANY FOLDER"
 *
 * KIND is write, fsync, open or fork; MANY calls fail from the NTH on, counted over all programs in
 * FOLDER/calls. Only calls that concern files below FOLDER count (fork: all), so that what fails is
 * ours and not the loader's. FOLDER/failed gets a byte for each call that failed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
	bool is_read;
	char kind[16];
	int error;
	long nth, many;
	char folder[200];
} plan;

static void read_plan(void)
{
	const char *text = getenv("ENVD_EXTERNAL_FAIL");

	plan.is_read = true;
	if (!text || sscanf(text, "%15s %d %ld %ld %199s", plan.kind, &plan.error, &plan.nth,
			    &plan.many, plan.folder) != 5)
		plan.kind[0] = '\0';
}

/* By system call alone: our own calls are not to be counted. */
static long count_call(void)
{
	char path[256], text[24] = "";
	long count = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/calls", plan.folder);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 0;
	syscall(SYS_flock, fd, LOCK_EX);
	if (syscall(SYS_pread64, fd, text, sizeof(text) - 1, 0L) >= 0)
		count = strtol(text, NULL, 10) + 1;
	snprintf(text, sizeof(text), "%ld", count);
	syscall(SYS_pwrite64, fd, text, strlen(text), 0L);
	syscall(SYS_close, fd);
	return count;
}

static void note_failure(void)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/failed", plan.folder);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0600);
	syscall(SYS_write, fd, "x", 1L);
	syscall(SYS_close, fd);
}

static bool is_ours(const char *path)
{
	char below[220];
	int length = snprintf(below, sizeof(below), "%s/data/", plan.folder);

	return path && strncmp(path, below, (size_t)length) == 0;
}

static bool is_ours_fd(int fd)
{
	char link[64], path[512];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return is_ours(path);
}

static bool is_kind(const char *kind)
{
	if (!plan.is_read)
		read_plan();
	return strcmp(plan.kind, kind) == 0;
}

static bool fails(void)
{
	long count = count_call();

	if (count < plan.nth || count >= plan.nth + plan.many)
		return false;
	note_failure();
	errno = plan.error;
	return true;
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		*(void **)&real = next("write");
	if (is_kind("write") && is_ours_fd(fd) && fails())
		return -1;
	return real(fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (!real)
		*(void **)&real = next("pwrite64");
	if (is_kind("write") && is_ours_fd(fd) && fails())
		return -1;
	return real(fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	return pwrite64(fd, bytes, length, at);
}

static int sync_with(const char *name, int fd)
{
	int (*real)(int);

	*(void **)&real = next(name);
	if (is_kind("fsync") && is_ours_fd(fd) && fails())
		return -1;
	return real(fd);
}

int fsync(int fd)
{
	return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", fd);
}

int open64(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (!real)
		*(void **)&real = next("open64");
	if (is_kind("open") && is_ours(path) && fails())
		return -1;
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return open64(path, flags, mode);
}

pid_t fork(void)
{
	static pid_t (*real)(void);

	if (!real)
		*(void **)&real = next("fork");
	if (is_kind("fork") && fails())
		return -1;
	return real();
}

/* How base/spawn.c forks; without the arguments that it does not use. */
int clone(int (*start)(void *), void *stack, int flags, void *arg, ...)
{
	static int (*real)(int (*)(void *), void *, int, void *, ...);

	if (!real)
		*(void **)&real = next("clone");
	if (is_kind("fork") && fails())
		return -1;
	return real(start, stack, flags, arg);
}
