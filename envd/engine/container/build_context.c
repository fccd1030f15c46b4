#include "engine/container/build_context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "engine/container/container_tar.h"
#include "engine/container/ignore_rules.h"

#define IGNORE_FILE ".dockerignore"
#define IGNORE_BYTES_MAX ((size_t)64 * 1024)
#define DEPTH_MAX 64
#define SLUG "build_context"

struct walk {
	const char *dockerfile;
	struct ignore_rules *rules;
	struct text *tar;
	size_t files;
};

static bool is_left_out(const struct walk *walk, const char *path)
{
	return !text_equal(path, walk->dockerfile) && strcmp(path, IGNORE_FILE) != 0 &&
	       ignore_rules_fit(walk->rules, path);
}

static bool count_one(struct walk *walk, size_t bytes, struct error *err)
{
	if (++walk->files > BUILD_FILES_MAX)
		return error_set_as(err, ERR_LIMIT, SLUG,
				    "more than %d files and folders; name what is not needed in "
				    "its %s",
				    BUILD_FILES_MAX, IGNORE_FILE);
	if (walk->tar->length + bytes > BUILD_BYTES_MAX)
		return error_set_as(err, ERR_LIMIT, SLUG,
				    "more than %zu MiB; name what is not needed in its %s",
				    BUILD_BYTES_MAX >> 20, IGNORE_FILE);
	return true;
}

static bool add_file(struct walk *walk, int folder, const char *name, const char *path,
		     struct error *err)
{
	AUTO(close) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO(free) char *bytes = NULL;
	struct stat status;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &status) != 0)
		return error_set_errno(err, errno, "\"%s\"", path);
	if (!count_one(walk, (size_t)status.st_size, err))
		return false;
	bytes = xcalloc((size_t)status.st_size + 1, 1);
	while (got < (size_t)status.st_size) {
		ssize_t part = read(fd, bytes + got, (size_t)status.st_size - got);

		if (part <= 0)
			return error_set_as(err, ERR_INVALID, SLUG,
					    "\"%s\" changed while it was read", path);
		got += (size_t)part;
	}
	return tar_add_file(
	    walk->tar,
	    &(struct tar_file){
		.name = path, .bytes = bytes, .length = got, .mode = (int)(status.st_mode & 0777) },
	    err);
}

static bool walk_folder(struct walk *walk, int fd, const char *path, int depth, struct error *err);

static bool add_folder(struct walk *walk, int folder, const char *name, const char *path, int depth,
		       struct error *err)
{
	bool is_out = is_left_out(walk, path);
	/* The Dockerfile may lie in a folder that is left out. */
	bool may_hold_more = ignore_rules_take_back(walk->rules) ||
			     (walk->dockerfile && text_starts_with(walk->dockerfile, path));
	int fd;

	if (is_out && !may_hold_more)
		return true;
	if (depth > DEPTH_MAX)
		return error_set_as(err, ERR_LIMIT, SLUG, "\"%s\" is over %d folders deep", path,
				    DEPTH_MAX);
	if (!is_out && (!count_one(walk, 0, err) || !tar_add_folder(walk->tar, path, err)))
		return false;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_set_errno(err, errno, "\"%s\"", path)
		      : walk_folder(walk, fd, path, depth, err);
}

static bool add_entry(struct walk *walk, int folder, const char *name, const char *above, int depth,
		      struct error *err)
{
	AUTO(free) char *path = above[0] ? path_join(above, name) : xstrdup(name);
	struct stat status;
	char shown[200];

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return error_set_errno(err, errno, "\"%s\"", path);
	if (S_ISDIR(status.st_mode))
		return add_folder(walk, folder, name, path, depth + 1, err);
	if (is_left_out(walk, path))
		return true;
	if (S_ISREG(status.st_mode))
		return add_file(walk, folder, name, path, err);
	return error_set_as(err, ERR_INVALID, SLUG,
			    "\"%s\" is %s; only files and folders can be sent to a build",
			    text_printable(path, shown, sizeof(shown)),
			    S_ISLNK(status.st_mode) ? "a link" : "a special file");
}

/* Takes `fd` over. Names in byte order. */
static bool walk_folder(struct walk *walk, int fd, const char *path, int depth, struct error *err)
{
	struct dirent **entries = NULL;
	int count = scandirat(fd, ".", &entries, NULL, NULL);
	bool is_good = count >= 0 || error_set_errno(err, errno, "\"%s\"", path);

	if (count > 1)
		qsort(entries, (size_t)count, sizeof(*entries),
		      (int (*)(const void *, const void *))alphasort);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (is_good && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			is_good = add_entry(walk, fd, name, path, depth, err);
		free(entries[i]);
	}
	free(entries);
	close(fd);
	return is_good;
}

static bool read_rules(const char *folder, struct ignore_rules **rules, struct error *err)
{
	AUTO(free) char *path = path_join(folder, IGNORE_FILE);
	AUTO(free) char *text = NULL;

	if (file_exists(path) && !file_read(path, IGNORE_BYTES_MAX, &text, NULL, err))
		return false;
	*rules = ignore_rules_new(text ? text : "");
	return true;
}

bool build_context_read(const char *folder, const char *dockerfile, struct text *tar,
			struct error *err)
{
	struct walk walk = { .dockerfile = dockerfile, .tar = tar };
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_good;

	if (fd < 0)
		return error_set_errno(err, errno, "build context \"%s\"", folder);
	if (!read_rules(folder, &walk.rules, err)) {
		close(fd);
		return false;
	}
	is_good = walk_folder(&walk, fd, "", 0, err);
	ignore_rules_free(walk.rules);
	return is_good || error_wrap(err, "build context");
}
