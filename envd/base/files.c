#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/ids.h"
#include "base/text.h"

static bool write_all(int fd, const char *bytes, size_t length)
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

/* Everything that `fd` still has, at most `bytes_max`. */
static bool read_all(int fd, const char *path, size_t bytes_max, struct text *content,
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
	if (!read_all(fd, path, bytes_max, &content, err))
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
	if (!write_all(fd, bytes, length) || (is_durable && fsync(fd) != 0) ||
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

struct visit {
	const struct copy_limits *limits;
	size_t files; /* and folders */
	size_t bytes;
	bool (*on_folder)(void *arg, const char *relative, mode_t mode, struct error *err);
	bool (*on_file)(void *arg, const char *relative, mode_t mode, const struct text *content,
			struct error *err);
	/* Instead of these two, and then no file is opened. */
	void (*on_look)(void *arg, const char *relative, const struct stat *status);
	void *arg;
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names)
{
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}
DEFINE_AUTO(char **, free_names)

static bool too_many(const struct visit *visit, const char *path, struct error *err)
{
	return error_set(err, ERR_LIMIT, "\"%s\": more than %zu files and folders", path,
			 visit->limits->files_max);
}

static bool list_names(const struct visit *visit, const char *path, char ***names,
		       struct error *err)
{
	AUTO(closedir) DIR *dir = opendir(path);
	AUTO(free_names) char **found = xcalloc(1, sizeof(*found));
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return error_set_errno(err, errno, "cannot list \"%s\"", path);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (count == visit->limits->files_max)
			return too_many(visit, path, err);
		found = xrealloc(found, count + 2, sizeof(*found));
		found[count++] = xstrdup(entry->d_name);
		found[count] = NULL;
	}
	qsort(found, count, sizeof(*found), by_bytes);
	*names = TAKE(found);
	return true;
}

static bool visit_file(struct visit *visit, const char *path, const char *relative,
		       struct error *err)
{
	AUTO(text_release) struct text content = TEXT_EMPTY;
	AUTO(close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERR_INVALID, "\"%s\" is neither a file nor a folder", path);
	if (!read_all(fd, path, visit->limits->bytes_max - visit->bytes, &content, err))
		return false;
	visit->bytes += content.length;
	return visit->on_file(visit->arg, relative, status.st_mode & 0777, &content, err);
}

static bool visit_folder(struct visit *visit, const char *path, const char *relative,
			 struct error *err)
{
	AUTO(free_names) char **names = NULL;

	if (!list_names(visit, path, &names, err))
		return false;
	for (size_t i = 0; names[i]; i++) {
		AUTO(free) char *child = path_join(path, names[i]);
		AUTO(free)
		char *below = *relative ? path_join(relative, names[i]) : xstrdup(names[i]);
		struct stat status;
		bool fine;

		if (++visit->files > visit->limits->files_max)
			return too_many(visit, child, err);
		if (lstat(child, &status) != 0)
			return error_set_errno(err, errno, "cannot look at \"%s\"", child);
		if (S_ISLNK(status.st_mode))
			return error_set(err, ERR_INVALID,
					 "\"%s\" is a link, and links are not followed", child);
		if (visit->on_look)
			visit->on_look(visit->arg, below, &status);
		if (S_ISDIR(status.st_mode) && visit->on_look)
			fine = visit_folder(visit, child, below, err);
		else if (visit->on_look)
			fine = true;
		else if (S_ISDIR(status.st_mode))
			fine = visit->on_folder(visit->arg, below, status.st_mode & 0777, err) &&
			       visit_folder(visit, child, below, err);
		else
			fine = visit_file(visit, child, below, err);
		if (!fine)
			return false;
	}
	return true;
}

static bool copy_folder(void *arg, const char *relative, mode_t mode, struct error *err)
{
	AUTO(free) char *path = path_join(arg, relative);

	return folder_make(path, mode | 0700, err);
}

static bool copy_file(void *arg, const char *relative, mode_t mode, const struct text *content,
		      struct error *err)
{
	AUTO(free) char *path = path_join(arg, relative);
	AUTO(close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 || !write_all(fd, text_get(content), content->length))
		return error_set_errno(err, errno, "cannot write \"%s\"", path);
	return true;
}

bool folder_copy(const char *from, const char *to, const struct copy_limits *limits,
		 struct error *err)
{
	AUTO(free) char *into = xstrdup(to);
	struct visit visit = {
		.limits = limits, .on_folder = copy_folder, .on_file = copy_file, .arg = into
	};

	return folder_make(to, 0700, err) && visit_folder(&visit, from, "", err);
}

static bool digest_folder(void *arg, const char *relative, mode_t mode, struct error *err)
{
	(void)arg;
	(void)relative;
	(void)mode;
	(void)err;
	return true;
}

static bool digest_file(void *arg, const char *relative, mode_t mode, const struct text *content,
			struct error *err)
{
	char size[32];

	(void)mode;
	(void)err;
	snprintf(size, sizeof(size), "%zu", content->length);
	EVP_DigestUpdate(arg, relative, strlen(relative) + 1);
	EVP_DigestUpdate(arg, size, strlen(size) + 1);
	EVP_DigestUpdate(arg, text_get(content), content->length);
	return true;
}

static void digest_to_text(EVP_MD_CTX *context, char into[SHA256_TEXT_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	EVP_DigestFinal_ex(context, bytes, &length);
	for (unsigned i = 0; i < 32; i++)
		snprintf(into + (size_t)i * 2, 3, "%02x", bytes[i]);
}

void sha256_text(const void *bytes, size_t length, char into[SHA256_TEXT_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	EVP_DigestUpdate(context, bytes, length);
	digest_to_text(context, into);
	EVP_MD_CTX_free(context);
}

bool folder_digest(const char *path, const struct copy_limits *limits, char into[SHA256_TEXT_SIZE],
		   struct error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct visit visit = {
		.limits = limits, .on_folder = digest_folder, .on_file = digest_file, .arg = context
	};
	bool done;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	done = visit_folder(&visit, path, "", err);
	if (done)
		digest_to_text(context, into);
	EVP_MD_CTX_free(context);
	return done;
}

struct looking {
	uint64_t hash;
	struct timespec newest;
};

/* FNV-1a. */
static void mix(struct looking *looking, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		looking->hash = (looking->hash ^ at[i]) * UINT64_C(0x100000001b3);
}

static void look_at(void *arg, const char *relative, const struct stat *status)
{
	struct looking *looking = arg;
	const int64_t numbers[] = { (int64_t)status->st_dev,  (int64_t)status->st_ino,
				    (int64_t)status->st_mode, (int64_t)status->st_size,
				    status->st_mtim.tv_sec,   status->st_mtim.tv_nsec,
				    status->st_ctim.tv_sec,   status->st_ctim.tv_nsec };

	mix(looking, relative, strlen(relative) + 1);
	mix(looking, numbers, sizeof(numbers));
	if (status->st_ctim.tv_sec > looking->newest.tv_sec ||
	    (status->st_ctim.tv_sec == looking->newest.tv_sec &&
	     status->st_ctim.tv_nsec > looking->newest.tv_nsec))
		looking->newest = status->st_ctim;
}

bool folder_look(const char *path, const struct copy_limits *limits, struct folder_look *look,
		 struct error *err)
{
	struct looking looking = { .hash = UINT64_C(0xcbf29ce484222325) };
	struct visit visit = { .limits = limits, .on_look = look_at, .arg = &looking };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!visit_folder(&visit, path, "", err))
		return false;
	look->hash = looking.hash;
	/* What lies in the future tells nothing, either. */
	look->is_settled = now.tv_sec - looking.newest.tv_sec > 1;
	return true;
}
