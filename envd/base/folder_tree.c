/*
 * folder_tree.c - what base/files.h offers for whole trees, and SHA-256. A file of its own: the
 * worker's light half does without the library that has the digests (worker/main.c).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/files.h"
#include "base/text.h"

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
	if (!fd_read_all(fd, path, visit->limits->bytes_max - visit->bytes, &content, err))
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

	if (fd < 0 || !fd_write_all(fd, text_get(content), content->length))
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
