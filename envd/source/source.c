#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "source/git_checkout.h"

static bool read_limits(const json_t *json, struct source_limits *limits, struct error *err)
{
	return json_read_int64(json, "time_ms", &limits->time_ms, err) &&
	       json_read_int64(json, "wire_bytes", &limits->wire_bytes, err) &&
	       json_read_int64(json, "objects", &limits->objects, err) &&
	       json_read_int64(json, "files", &limits->files, err) &&
	       json_read_int64(json, "checkout_bytes", &limits->checkout_bytes, err) &&
	       json_read_int64(json, "trees", &limits->trees, err) &&
	       json_read_int64(json, "keep_ms", &limits->keep_ms, err);
}

bool source_spec_read(const json_t *json, struct source_spec *spec, struct error *err)
{
	const json_t *limits;

	*spec = (struct source_spec){
		.ref = json_get_string(json, "ref", NULL),
		.path = json_get_string(json, "path", ""),
		.user = json_get_string(json, "user", "git"),
		.token_file = json_get_string(json, "token_file", NULL),
		.ssh_key_file = json_get_string(json, "ssh_key_file", NULL),
		.known_hosts = json_get_string(json, "known_hosts", NULL),
		.ca_file = json_get_string(json, "ca_file", NULL),
		.with_submodules = json_get_bool(json, "submodules", false),
		.submodule_hosts = json_object_get(json, "submodule_hosts"),
	};
	if (!json_read_string(json, "name", &spec->name, err) ||
	    !json_read_string(json, "repository", &spec->repository, err) ||
	    !json_read_string(json, "folder", &spec->folder, err) ||
	    !json_read_object(json, "limits", &limits, err) ||
	    !read_limits(limits, &spec->limits, err))
		return false;
	spec->deadline_at_ms = clock_mono_ms() + spec->limits.time_ms;
	return !spec->ref || git_ref_check(spec->ref, err);
}

/* Between workers. A holder that was killed lets go; one that hangs is ended by its time limit. */
static bool lock(const struct source_spec *spec, int *fd, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	AUTO(free) char *path = path_join(spec->folder, "lock");

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(err, errno, "cannot lock \"%s\"", path);
		if (clock_mono_ms() > spec->deadline_at_ms)
			return error_set_as(err, ERR_EXTERNAL, "source_timeout",
					    "other fetches of source \"%s\" did not end in time",
					    spec->name);
		nanosleep(&pause, NULL);
	}
	return true;
}

/* What the configuration says of a tree is part of its name: with another one it is another tree.
 */
static char *tree_path(const struct source_spec *spec, const char *commit)
{
	AUTO(free)
	char *how = xasprintf("%s\n%s\n%d", spec->repository, spec->path, spec->with_submodules);
	char hash[SHA256_TEXT_SIZE];

	sha256_text(how, strlen(how), hash);
	return xasprintf("%s/trees/%s-%.12s", spec->folder, commit, hash);
}

/* ---- trees that nobody needs any more ---- */

struct old_tree {
	char *path;
	int64_t used_at_ms;
};

static int newest_first(const void *a, const void *b)
{
	int64_t left = ((const struct old_tree *)a)->used_at_ms;
	int64_t right = ((const struct old_tree *)b)->used_at_ms;

	return left < right ? 1 : left > right ? -1 : 0;
}

static size_t list_trees(const char *folder, struct old_tree **trees)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	*trees = NULL;
	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);
		struct stat status;

		if (entry->d_name[0] == '.' || lstat(path, &status) != 0)
			continue;
		*trees = xrealloc(*trees, count + 1, sizeof(**trees));
		(*trees)[count++] =
		    (struct old_tree){ TAKE(path), (int64_t)status.st_mtim.tv_sec * 1000 };
	}
	return count;
}

/* A queued environment copies its tree only when it is built: what was used lately stays. */
static void remove_old_trees(const struct source_spec *spec)
{
	AUTO(free) char *folder = path_join(spec->folder, "trees");
	AUTO(free) struct old_tree *trees = NULL;
	size_t count = list_trees(folder, &trees);
	struct error ignored; /* the next fetch tries again */

	qsort(trees, count, sizeof(*trees), newest_first);
	for (size_t i = 0; i < count; i++) {
		bool is_old = trees[i].used_at_ms < clock_wall_ms() - spec->limits.keep_ms;
		bool is_half = text_ends_with(trees[i].path, ".tmp");

		if (is_half || (is_old && (int64_t)i >= spec->limits.trees))
			(void)!folder_remove(trees[i].path, &ignored);
		free(trees[i].path);
	}
}

/* ---- one fetch ---- */

static bool write_tree(const struct source_spec *spec, struct git_mirror *mirror,
		       const git_oid *commit, const char *path, struct error *err)
{
	AUTO(free) char *temporary = xasprintf("%s.tmp", path);
	struct error ignored; /* left-overs go with the next fetch */

	if (file_exists(path))
		return utimensat(AT_FDCWD, path, NULL, 0) == 0 ||
		       error_set_errno(err, errno, "cannot touch \"%s\"", path);
	if (!folder_remove(temporary, err))
		return false;
	if (git_checkout_write(spec, mirror->repository, commit, temporary, err)) {
		if (rename(temporary, path) == 0)
			return true;
		error_set_errno(err, errno, "cannot rename \"%s\"", temporary);
	}
	(void)!folder_remove(temporary, &ignored);
	return false;
}

static bool fetch_once(const struct source_spec *spec, const char *mirror_folder,
		       struct git_resolved *resolved, char **tree, struct error *err)
{
	AUTO(git_transport_release) struct git_transport_state transport = { .spec = NULL };
	AUTO(git_mirror_release) struct git_mirror mirror = { NULL, NULL };
	AUTO(free) char *path = NULL;
	char commit[GIT_OID_HEXSZ + 1];

	if (!git_transport_open(&transport, spec, spec->repository, err) ||
	    !git_mirror_open(&mirror, mirror_folder, err) ||
	    !git_mirror_resolve(&mirror, &transport, spec->ref, resolved, err))
		return false;
	path = tree_path(spec, git_oid_tostr(commit, sizeof(commit), &resolved->commit));
	if (!write_tree(spec, &mirror, &resolved->commit, path, err))
		return false;
	*tree = TAKE(path);
	return true;
}

/* Trouble with the mirror itself, not with the server or with what was asked. */
static bool may_be_the_mirror(const struct error *err)
{
	const git_error *last = git_error_last();

	return strcmp(err->slug, "source_failed") == 0 && last &&
	       (last->klass == GIT_ERROR_ODB || last->klass == GIT_ERROR_REFERENCE ||
		last->klass == GIT_ERROR_OBJECT || last->klass == GIT_ERROR_ZLIB ||
		last->klass == GIT_ERROR_REPOSITORY);
}

static bool fetch_locked(const struct source_spec *spec, struct worker_lines *lines,
			 struct git_resolved *resolved, char **tree, struct error *err)
{
	AUTO(free) char *address = NULL;
	char hash[SHA256_TEXT_SIZE];

	/* Another repository under the same name is another mirror. */
	sha256_text(spec->repository, strlen(spec->repository), hash);
	address = xasprintf("%s/mirror-%.12s", spec->folder, hash);
	if (fetch_once(spec, address, resolved, tree, err))
		return true;
	if (!may_be_the_mirror(err))
		return false;
	worker_say_log(lines, "warn", "the mirror of source \"%s\" is made anew: %s", spec->name,
		       err->message);
	return folder_remove(address, err) && fetch_once(spec, address, resolved, tree, err);
}

bool source_fetch(const struct source_spec *spec, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	AUTO(free) char *trees = path_join(spec->folder, "trees");
	AUTO(free) char *modules = path_join(spec->folder, "modules");
	AUTO(free) char *tree = NULL;
	AUTO(close) int lock_fd = -1;
	char commit[GIT_OID_HEXSZ + 1];
	struct git_resolved resolved;

	if (!folder_make(trees, 0700, err) || !folder_make(modules, 0700, err) ||
	    !lock(spec, &lock_fd, err) || !git_library_open(spec, err) ||
	    !fetch_locked(spec, lines, &resolved, &tree, err))
		return false;
	remove_old_trees(spec);
	*data = json_pack("{s:s?, s:s, s:s, s:b}", "ref", *resolved.ref ? resolved.ref : NULL,
			  "commit", git_oid_tostr(commit, sizeof(commit), &resolved.commit),
			  "folder", tree, "reviewed", resolved.is_reviewed);
	return true;
}
