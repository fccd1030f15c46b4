#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "base/text.h"

bool fd_write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

bool fd_read_all(int fd, const char *path, size_t bytes_max, struct text *content,
		 struct error *err)
{
	char block[65536];

	for (;;) {
		ssize_t got = read(fd, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "cannot read \"%s\"", path);
		if (got == 0)
			return true;
		if (content->length + (size_t)got > bytes_max)
			return error_set(err, ERR_LIMIT, "\"%s\" is larger than %zu bytes", path,
					 bytes_max);
		text_add_bytes(content, block, (size_t)got);
	}
}

bool file_read(const char *path, size_t bytes_max, char **bytes, size_t *length, struct error *err)
{
	AUTO(text_release) struct text content = TEXT_EMPTY;
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	if (!fd_read_all(fd, path, bytes_max, &content, err))
		return false;
	if (length)
		*length = content.length;
	*bytes = text_take(&content);
	return true;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static bool sync_folder(const char *path, struct error *err)
{
	AUTO(close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return error_set_errno(err, errno, "cannot sync folder \"%s\"", path);
	return true;
}

static bool replace(const char *path, const void *bytes, size_t length, mode_t mode,
		    bool is_durable, struct error *err)
{
	AUTO(free) char *temporary = NULL;
	AUTO(close) int fd = -1;
	char suffix[9];

	random_hex(suffix, 8);
	temporary = xasprintf("%s.%s.tmp", path, suffix);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot create \"%s\"", temporary);
	if (!fd_write_all(fd, bytes, length) || (is_durable && fsync(fd) != 0) ||
	    rename(temporary, path) != 0) {
		error_set_errno(err, errno, "cannot write \"%s\"", path);
		unlink(temporary);
		return false;
	}
	return true;
}

bool file_write_atomically(const char *path, const void *bytes, size_t length, mode_t mode,
			   struct error *err)
{
	AUTO(free) char *folder = folder_of(path);

	return replace(path, bytes, length, mode, true, err) && sync_folder(folder, err);
}

bool file_replace(const char *path, const void *bytes, size_t length, mode_t mode,
		  struct error *err)
{
	return replace(path, bytes, length, mode, false, err);
}

static bool is_folder(const char *path)
{
	int before = errno;
	struct stat status;
	bool is = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

	errno = before;
	return is;
}

bool folder_make(const char *path, mode_t mode, struct error *err)
{
	AUTO(free) char *partial = xstrdup(path);

	if (!*path)
		return error_set(err, ERR_INVALID, "a folder's path must not be empty");
	/* Most are the last of their path to be made: asked for at once, not from the root down. */
	if (mkdir(path, mode) == 0 || (errno == EEXIST && is_folder(path)))
		return true;
	for (char *at = partial + 1;; at++) {
		char end = *at;

		if (end != '/' && end != '\0')
			continue;
		*at = '\0';
		if (mkdir(partial, mode) != 0 && !(errno == EEXIST && is_folder(partial)))
			return error_set_errno(err, errno, "cannot create folder \"%s\"", partial);
		*at = end;
		if (end == '\0')
			return true;
	}
}

static bool remove_at(int parent, const char *name, const char *path, struct error *err);

static bool remove_content(int fd, const char *path, struct error *err)
{
	AUTO(closedir) DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return error_set_errno(err, errno, "cannot list \"%s\"", path);
	}
	while ((entry = readdir(dir))) {
		AUTO(free) char *child = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		child = path_join(path, entry->d_name);
		if (!remove_at(dirfd(dir), entry->d_name, child, err))
			return false;
	}
	return true;
}

static bool remove_at(int parent, const char *name, const char *path, struct error *err)
{
	int fd;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return error_set_errno(err, errno, "cannot remove \"%s\"", path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open folder \"%s\"", path);
	if (!remove_content(fd, path, err))
		return false;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return error_set_errno(err, errno, "cannot remove folder \"%s\"", path);
	return true;
}

bool folder_remove(const char *path, struct error *err)
{
	return remove_at(AT_FDCWD, path, path, err);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *path_join(const char *folder, const char *name)
{
	return xasprintf("%s%s%s", folder, text_ends_with(folder, "/") ? "" : "/", name);
}

char *path_of_program_folder(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[length > 0 ? length : 0] = '\0';
	return folder_of(path);
}

/* Trees are visited in byte order, so that a digest does not depend on the file system. */
