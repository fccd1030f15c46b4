#include "source/git_checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "model/git_modules.h"

enum { DEPTH_MAX = 32, PATH_BYTES_MAX = 1000, LINK_BYTES_MAX = 1000, MODULE_DEPTH_MAX = 3 };

/* Over the whole checkout, submodules included. */
struct checkout {
	const struct source_spec *spec;
	int64_t files;
	int64_t bytes;
};

/* One repository in it. */
struct level {
	struct checkout *checkout;
	git_repository *repository;
	const char *url;
	struct git_modules *modules;
	int module_depth;
};

/* One folder being written. */
struct place {
	int fd;
	int depth;          /* below the root of the checkout */
	const char *path;   /* for errors: "" or "a/b/" */
	const char *inside; /* the same, in this repository: .gitmodules speaks of it */
};

static bool write_tree(struct level *level, const git_tree *tree, const struct place *place,
		       struct error *err);

/* ---- judging ---- */

bool git_checkout_name_is_safe(const char *name)
{
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcasecmp(name, ".git") == 0 || strcasecmp(name, "git~1") == 0)
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '/' || *c == '\\')
			return false;
	return text_is_utf8(name, strlen(name));
}

bool git_checkout_link_is_safe(const char *target, size_t length, int depth)
{
	AUTO(free) char *copy = xstrndup(target, length);
	bool is_climbing = true;
	char *rest = copy;

	if (!length || length > LINK_BYTES_MAX || strlen(copy) != length || *copy == '/')
		return false;
	for (char *part; (part = strsep(&rest, "/"));) {
		if (strcmp(part, "..") != 0)
			is_climbing = false;
		/* After a name, which may be a link itself, nobody knows what ".." is. */
		else if (!is_climbing || --depth < 0)
			return false;
		else
			continue;
		if (strcasecmp(part, ".git") == 0)
			return false;
	}
	return true;
}

static bool unsafe(const struct place *place, const char *name, const char *why, struct error *err)
{
	char shown[200];
	AUTO(free) char *path = xasprintf("%s%s", place->path, name);

	return error_set_as(err, ERR_INVALID, "source_unsafe", "\"%s\" in the repository %s",
			    text_printable(path, shown, sizeof(shown)), why);
}

static bool count(struct checkout *checkout, int64_t bytes, struct error *err)
{
	const struct source_limits *limits = &checkout->spec->limits;

	checkout->files++;
	checkout->bytes += bytes;
	if (checkout->files > limits->files)
		return error_set_as(err, ERR_LIMIT, "source_too_large",
				    "the repository is too large: more than %lld files",
				    (long long)limits->files);
	if (checkout->bytes > limits->checkout_bytes)
		return error_set_as(err, ERR_LIMIT, "source_too_large",
				    "the repository is too large: more than %lld MiB of files",
				    (long long)(limits->checkout_bytes >> 20));
	return clock_mono_ms() <= checkout->spec->deadline_at_ms ||
	       error_set_as(err, ERR_EXTERNAL, "source_timeout", "fetching took longer than %lld s",
			    (long long)limits->time_ms / 1000);
}

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

static bool write_file(const struct place *place, const char *name, const git_blob *blob,
		       mode_t mode, struct error *err)
{
	AUTO(close)
	int fd =
	    openat(place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 || !write_all(fd, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)))
		return error_set_errno(err, errno, "cannot write \"%s%s\"", place->path, name);
	return true;
}

static bool write_link(const struct place *place, const char *name, const git_blob *blob,
		       struct error *err)
{
	size_t length = (size_t)git_blob_rawsize(blob);
	AUTO(free) char *target = NULL;

	if (!git_checkout_link_is_safe(git_blob_rawcontent(blob), length, place->depth))
		return unsafe(place, name, "is a link that leaves the tree", err);
	target = xstrndup(git_blob_rawcontent(blob), length);
	return symlinkat(target, place->fd, name) == 0 ||
	       error_set_errno(err, errno, "cannot link \"%s%s\"", place->path, name);
}

/* The size is asked first: one too large is never read. */
static bool write_blob(struct level *level, const git_tree_entry *entry, const struct place *place,
		       struct error *err)
{
	AUTO(git_blob_free) git_blob *blob = NULL;
	const char *name = git_tree_entry_name(entry);
	git_filemode_t mode = git_tree_entry_filemode(entry);
	git_object_t type;
	git_odb *odb;
	size_t size = 0;
	int result;

	if (git_repository_odb(&odb, level->repository) < 0)
		return git_library_error(err, "reading the mirror");
	result = git_odb_read_header(&size, &type, odb, git_tree_entry_id(entry));
	git_odb_free(odb);
	if (result < 0)
		return git_library_error(err, "reading the mirror");
	if (!count(level->checkout, (int64_t)size, err))
		return false;
	if (git_blob_lookup(&blob, level->repository, git_tree_entry_id(entry)) < 0)
		return git_library_error(err, "reading the mirror");
	if (mode == GIT_FILEMODE_LINK)
		return write_link(place, name, blob, err);
	return write_file(place, name, blob, mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644,
			  err);
}

static bool enter(const struct place *place, const char *name, int *fd, struct error *err)
{
	if (mkdirat(place->fd, name, 0755) != 0)
		return error_set_errno(err, errno, "cannot make \"%s%s\"", place->path, name);
	*fd = openat(place->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 || error_set_errno(err, errno, "cannot open \"%s%s\"", place->path, name);
}

static bool write_folder(struct level *level, const git_tree_entry *entry,
			 const struct place *place, struct error *err)
{
	const char *name = git_tree_entry_name(entry);
	AUTO(git_tree_free) git_tree *tree = NULL;
	AUTO(free) char *path = xasprintf("%s%s/", place->path, name);
	AUTO(free) char *inside = xasprintf("%s%s/", place->inside, name);
	AUTO(close) int fd = -1;

	if (place->depth >= DEPTH_MAX)
		return unsafe(place, name, "lies too deep", err);
	if (git_tree_lookup(&tree, level->repository, git_tree_entry_id(entry)) < 0)
		return git_library_error(err, "reading the mirror");
	return count(level->checkout, 0, err) && enter(place, name, &fd, err) &&
	       write_tree(level, tree, &(struct place){ fd, place->depth + 1, path, inside }, err);
}

/* ---- submodules ---- */

static bool host_is_listed(const struct source_spec *spec, const char *host)
{
	size_t i;
	json_t *listed;

	json_array_foreach((json_t *)(uintptr_t)spec->submodule_hosts, i, listed)
		if (strcasecmp(json_string_value(listed), host) == 0)
			return true;
	return false;
}

static bool choose_module(const struct level *level, const struct place *place, const char *name,
			  char **url, struct error *err)
{
	AUTO(git_address_release) struct git_address base = { .url = NULL };
	AUTO(git_address_release) struct git_address address = { .url = NULL };
	AUTO(free) char *inside = xasprintf("%s%s", place->inside, name);
	const char *written = git_modules_url(level->modules, inside);

	if (!written)
		return unsafe(place, name, "is a submodule without an address in .gitmodules", err);
	if (!git_address_parse(level->url, &base, err) ||
	    !git_address_join(&base, written, url, err) || !git_address_parse(*url, &address, err))
		return error_wrap(err, "submodule \"%s%s\"", place->path, name);
	if (address.scheme != GIT_SCHEME_FILE &&
	    host_is_listed(level->checkout->spec, address.host))
		return true;
	error_set_as(err, ERR_EXTERNAL, "submodule_refused",
		     "submodule \"%s%s\" comes from \"%s\", which is not listed", place->path, name,
		     address.scheme == GIT_SCHEME_FILE ? "a file" : address.host);
	return error_hint(err, "list it in submodule_hosts of source \"%s\" if it is to be trusted",
			  level->checkout->spec->name);
}

static bool read_modules(struct level *level, const git_tree *root, struct error *err)
{
	const git_tree_entry *entry = git_tree_entry_byname(root, ".gitmodules");
	AUTO(git_blob_free) git_blob *blob = NULL;

	if (!entry || !level->checkout->spec->with_submodules)
		return true;
	if (git_tree_entry_filemode(entry) != GIT_FILEMODE_BLOB ||
	    git_blob_lookup(&blob, level->repository, git_tree_entry_id(entry)) < 0 ||
	    git_blob_rawsize(blob) > 65536)
		return error_set_as(err, ERR_INVALID, "source_unsafe",
				    ".gitmodules is not a small plain file");
	return git_modules_parse(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob),
				 &level->modules, err);
}

static bool write_commit(struct level *level, const git_oid *id, const char *path,
			 const struct place *place, struct error *err)
{
	AUTO(git_object_free) git_object *commit = NULL;
	AUTO(git_tree_free) git_tree *root = NULL;
	AUTO(git_tree_entry_free) git_tree_entry *entry = NULL;
	AUTO(git_tree_free) git_tree *tree = NULL;

	if (git_object_lookup(&commit, level->repository, id, GIT_OBJECT_COMMIT) < 0 ||
	    git_commit_tree(&root, (const git_commit *)(const void *)commit) < 0)
		return git_library_error(err, "reading the mirror");
	if (!read_modules(level, root, err))
		return false;
	if (!*path)
		return write_tree(level, root, place, err);
	if (git_tree_entry_bypath(&entry, root, path) < 0 ||
	    git_tree_lookup(&tree, level->repository, git_tree_entry_id(entry)) < 0)
		return error_set_as(err, ERR_INVALID, "source_path_missing",
				    "source \"%s\" has no folder \"%s\" at this commit",
				    level->checkout->spec->name, path);
	return write_tree(level, tree, place, err);
}

static bool write_module(struct level *outer, const git_tree_entry *entry,
			 const struct place *place, const char *url, struct error *err)
{
	const struct source_spec *spec = outer->checkout->spec;
	AUTO(git_transport_release) struct git_transport_state transport = { .spec = NULL };
	AUTO(git_mirror_release) struct git_mirror mirror = { NULL, NULL };
	AUTO(free) char *folder = NULL;
	char hash[SHA256_TEXT_SIZE];
	struct level level = { .checkout = outer->checkout,
			       .url = url,
			       .module_depth = outer->module_depth + 1 };
	bool done;

	sha256_text(url, strlen(url), hash);
	folder = xasprintf("%s/modules/%.16s", spec->folder, hash);
	if (!git_transport_open(&transport, spec, url, err) ||
	    !git_mirror_open(&mirror, folder, err) ||
	    !git_mirror_need(&mirror, &transport, git_tree_entry_id(entry), err))
		return false;
	level.repository = mirror.repository;
	done = write_commit(&level, git_tree_entry_id(entry), "", place, err);
	git_modules_free(level.modules);
	return done;
}

/* Without being asked for, a submodule is an empty folder, as git leaves it. */
static bool write_gitlink(struct level *level, const git_tree_entry *entry,
			  const struct place *place, struct error *err)
{
	const char *name = git_tree_entry_name(entry);
	AUTO(free) char *path = xasprintf("%s%s/", place->path, name);
	AUTO(free) char *url = NULL;
	AUTO(close) int fd = -1;

	if (!count(level->checkout, 0, err) || !enter(place, name, &fd, err))
		return false;
	if (!level->checkout->spec->with_submodules)
		return true;
	if (level->module_depth >= MODULE_DEPTH_MAX)
		return unsafe(place, name, "is a submodule that lies too deep", err);
	return choose_module(level, place, name, &url, err) &&
	       (write_module(level, entry, &(struct place){ fd, place->depth + 1, path, "" }, url,
			     err) ||
		error_wrap(err, "submodule \"%s%s\"", place->path, name));
}

static bool write_entry(struct level *level, const git_tree_entry *entry, const struct place *place,
			struct error *err)
{
	const char *name = git_tree_entry_name(entry);

	if (!git_checkout_name_is_safe(name))
		return unsafe(place, name, "has a name that is not allowed", err);
	if (strlen(place->path) + strlen(name) > PATH_BYTES_MAX)
		return unsafe(place, name, "has a path that is too long", err);
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return write_folder(level, entry, place, err);
	case GIT_FILEMODE_COMMIT:
		return write_gitlink(level, entry, place, err);
	case GIT_FILEMODE_BLOB:
	case GIT_FILEMODE_BLOB_EXECUTABLE:
	case GIT_FILEMODE_LINK:
		return write_blob(level, entry, place, err);
	default:
		return unsafe(place, name, "is neither file, link nor folder", err);
	}
}

static bool write_tree(struct level *level, const git_tree *tree, const struct place *place,
		       struct error *err)
{
	size_t entries = git_tree_entrycount(tree);

	for (size_t i = 0; i < entries; i++)
		if (!write_entry(level, git_tree_entry_byindex(tree, i), place, err))
			return false;
	return true;
}

bool git_checkout_write(const struct source_spec *spec, git_repository *repository,
			const git_oid *commit, const char *folder, struct error *err)
{
	struct checkout checkout = { .spec = spec };
	struct level level = { .checkout = &checkout,
			       .repository = repository,
			       .url = spec->repository };
	AUTO(close) int fd = -1;
	bool done;

	if (!folder_make(folder, 0700, err))
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", folder);
	done = write_commit(&level, commit, spec->path, &(struct place){ fd, 0, "", "" }, err);
	git_modules_free(level.modules);
	return done &&
	       (syncfs(fd) == 0 || error_set_errno(err, errno, "cannot sync \"%s\"", folder));
}
