#include "source/git_mirror.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"

enum { TIPS_MAX = 10000 };

/* ---- opening ---- */

/* Under the lock nobody works on it: a lock file or half a pack is left by one that was killed. */
static int clear_leftover(const char *path, const struct stat *status, int type, struct FTW *at)
{
	const char *name = path + at->base;
	bool in_packs = strstr(path, "/objects/pack/") != NULL;

	(void)status;
	if (type == FTW_F &&
	    (text_ends_with(name, ".lock") ||
	     (in_packs && !text_ends_with(name, ".pack") && !text_ends_with(name, ".idx"))))
		unlink(path);
	return 0;
}

static bool make_bare(const char *folder, struct error *err)
{
	git_repository_init_options options;
	AUTO(git_repository_free) git_repository *repository = NULL;
	AUTO(free) char *temporary = xasprintf("%s.tmp", folder);

	git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
	if (!folder_remove(temporary, err))
		return false;
	if (git_repository_init_ext(&repository, temporary, &options) < 0)
		return git_library_error(err, "making a mirror");
	if (rename(temporary, folder) != 0)
		return error_set_errno(err, errno, "cannot rename \"%s\"", temporary);
	return true;
}

bool git_mirror_open(struct git_mirror *mirror, const char *folder, struct error *err)
{
	*mirror = (struct git_mirror){ .folder = xstrdup(folder) };
	if (file_exists(folder)) {
		nftw(folder, clear_leftover, 16, FTW_PHYS);
		if (git_repository_open_bare(&mirror->repository, folder) == 0)
			return true;
		/* It is only a copy: what cannot be read any more is fetched again. */
		if (!folder_remove(folder, err))
			return false;
	}
	if (!make_bare(folder, err))
		return false;
	return git_repository_open_bare(&mirror->repository, folder) == 0 ||
	       git_library_error(err, "opening a mirror");
}

void git_mirror_release(struct git_mirror *mirror)
{
	git_repository_free(mirror->repository);
	free(mirror->folder);
	*mirror = (struct git_mirror){ NULL, NULL };
}

/* ---- what is there ---- */

/* The commit that an object is, or that a tag names. */
static bool peel(const struct git_mirror *mirror, const git_oid *id, size_t digits, git_oid *commit,
		 int *problem)
{
	AUTO(git_object_free) git_object *object = NULL;
	AUTO(git_object_free) git_object *peeled = NULL;

	*problem =
	    git_object_lookup_prefix(&object, mirror->repository, id, digits, GIT_OBJECT_ANY);
	if (*problem == 0)
		*problem = git_object_peel(&peeled, object, GIT_OBJECT_COMMIT);
	if (*problem == 0)
		git_oid_cpy(commit, git_object_id(peeled));
	return *problem == 0;
}

static bool has_commit(const struct git_mirror *mirror, const git_oid *id, git_oid *commit)
{
	int problem;

	return peel(mirror, id, GIT_OID_HEXSZ, commit, &problem);
}

/* Refs that somebody who may write to the repository has put there. */
static bool is_reviewed_name(const char *ref)
{
	return text_starts_with(ref, "refs/heads/") || text_starts_with(ref, "refs/tags/");
}

static size_t list_tips(const struct git_mirror *mirror, git_oid *tips)
{
	AUTO(git_reference_iterator_free) git_reference_iterator *iterator = NULL;
	git_reference *reference;
	size_t count = 0;

	if (git_reference_iterator_new(&iterator, mirror->repository) < 0)
		return 0;
	while (count < TIPS_MAX && git_reference_next(&reference, iterator) == 0) {
		const git_oid *target = git_reference_target(reference);

		if (target && is_reviewed_name(git_reference_name(reference)) &&
		    has_commit(mirror, target, &tips[count]))
			count++;
		git_reference_free(reference);
	}
	return count;
}

static bool is_on_a_branch(const struct git_mirror *mirror, const git_oid *commit)
{
	AUTO(free) git_oid *tips = xcalloc(TIPS_MAX, sizeof(*tips));
	size_t count = list_tips(mirror, tips);

	return count && git_graph_reachable_from_any(mirror->repository, commit, tips, count) == 1;
}

/* ---- the server ---- */

static bool connect_to(struct git_transport_state *transport, git_remote *remote, struct error *err)
{
	git_remote_connect_options options;

	git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
	options.callbacks = git_transport_callbacks(transport);
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options.proxy_opts.type = GIT_PROXY_NONE;
	return git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options) == 0 ||
	       git_transport_error(transport, err);
}

static bool fetch(struct git_transport_state *transport, git_remote *remote,
		  const char *const *refs, size_t count, struct error *err)
{
	git_fetch_options options;
	char *specs[2] = { NULL, NULL };
	git_strarray wanted = { specs, count };
	bool done;

	for (size_t i = 0; i < count; i++)
		specs[i] = xasprintf("+%s:%s", refs[i], refs[i]);
	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks = git_transport_callbacks(transport);
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options.proxy_opts.type = GIT_PROXY_NONE;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.prune = GIT_FETCH_NO_PRUNE;
	options.update_fetchhead = 0;
	done = git_remote_download(remote, &wanted, &options) == 0 &&
	       git_remote_update_tips(remote, &options.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE,
				      NULL) == 0;
	if (!done)
		git_transport_error(transport, err);
	free(specs[0]);
	free(specs[1]);
	return done;
}

static bool fetch_branches_and_tags(struct git_transport_state *transport, git_remote *remote,
				    struct error *err)
{
	static const char *const all[] = { "refs/heads/*", "refs/tags/*" };

	return fetch(transport, remote, all, ARRAY_SIZE(all), err);
}

static bool not_found(const struct git_transport_state *transport, const char *ref,
		      struct error *err)
{
	error_set_as(err, ERR_INVALID, "ref_not_found",
		     "source \"%s\" has no branch, tag or commit \"%s\"", transport->spec->name,
		     ref);
	return error_hint(err, "repository \"%s\"", transport->address.url);
}

static const git_remote_head *head_named(const git_remote_head **heads, size_t count,
					 const char *folder, const char *ref)
{
	AUTO(free) char *name = xasprintf("%s%s", folder, ref);

	for (size_t i = 0; i < count; i++)
		if (strcmp(heads[i]->name, name) == 0)
			return heads[i];
	return NULL;
}

/* `*head` NULL: no such name. */
static bool find_head(git_remote *remote, struct git_transport_state *transport, const char *ref,
		      const git_remote_head **head, struct error *err)
{
	const git_remote_head **heads, *branch, *tag;
	size_t count = 0;

	if (git_remote_ls(&heads, &count, remote) < 0)
		return git_transport_error(transport, err);
	if (text_starts_with(ref, "refs/")) {
		*head = head_named(heads, count, "", ref);
		return true;
	}
	branch = head_named(heads, count, "refs/heads/", ref);
	tag = head_named(heads, count, "refs/tags/", ref);
	if (branch && tag) {
		error_set_as(err, ERR_INVALID, "ref_ambiguous",
			     "\"%s\" is a branch and a tag of source \"%s\"", ref,
			     transport->spec->name);
		return error_hint(err, "say refs/heads/%s or refs/tags/%s", ref, ref);
	}
	*head = branch ? branch : tag;
	return true;
}

static bool default_branch(git_remote *remote, struct git_transport_state *transport, char ref[256],
			   struct error *err)
{
	git_buf name = GIT_BUF_INIT;
	int result = git_remote_default_branch(&name, remote);

	if (result == 0)
		snprintf(ref, 256, "%s", name.ptr);
	git_buf_dispose(&name);
	if (result == 0)
		return true;
	error_set_as(err, ERR_INVALID, "ref_not_found",
		     "source \"%s\" has no default branch (is the repository empty?)",
		     transport->spec->name);
	return error_hint(err, "repository \"%s\"", transport->address.url);
}

static bool take_head(struct git_mirror *mirror, struct git_transport_state *transport,
		      git_remote *remote, const git_remote_head *head,
		      struct git_resolved *resolved, struct error *err)
{
	const char *name = resolved->ref;
	git_oid id;

	git_oid_cpy(&id, &head->oid); /* the list is the connection's */
	snprintf(resolved->ref, sizeof(resolved->ref), "%s", head->name);
	resolved->is_reviewed = is_reviewed_name(resolved->ref);
	if (has_commit(mirror, &id, &resolved->commit))
		return true;
	if (!fetch(transport, remote, &name, 1, err))
		return false;
	return has_commit(mirror, &id, &resolved->commit) ||
	       error_set_as(err, ERR_INVALID, "ref_not_found",
			    "\"%s\" of source \"%s\" is no commit", resolved->ref,
			    transport->spec->name);
}

static bool take_commit(struct git_mirror *mirror, struct git_transport_state *transport,
			const char *ref, struct git_resolved *resolved, struct error *err)
{
	int problem;
	git_oid id;

	git_oid_fromstrn(&id, ref, strlen(ref));
	if (!peel(mirror, &id, strlen(ref), &resolved->commit, &problem)) {
		if (problem != GIT_EAMBIGUOUS)
			return not_found(transport, ref, err);
		error_set_as(err, ERR_INVALID, "ref_ambiguous",
			     "\"%s\" is the beginning of several commits of source \"%s\"", ref,
			     transport->spec->name);
		return error_hint(err, "give more digits");
	}
	resolved->is_reviewed = is_on_a_branch(mirror, &resolved->commit);
	return true;
}

static bool ask_server(struct git_mirror *mirror, struct git_transport_state *transport,
		       git_remote *remote, const char *ref, struct git_resolved *resolved,
		       struct error *err)
{
	const git_remote_head *head = NULL;
	char fallback[256];

	if (!connect_to(transport, remote, err) ||
	    (!ref && !default_branch(remote, transport, fallback, err)) ||
	    !find_head(remote, transport, ref ? ref : fallback, &head, err))
		return false;
	if (head)
		return take_head(mirror, transport, remote, head, resolved, err);
	if (!ref || !git_ref_is_commit(ref))
		return not_found(transport, ref ? ref : fallback, err);
	return fetch_branches_and_tags(transport, remote, err) &&
	       take_commit(mirror, transport, ref, resolved, err);
}

static bool open_remote(const struct git_mirror *mirror,
			const struct git_transport_state *transport, git_remote **remote,
			struct error *err)
{
	return git_remote_create_anonymous(remote, mirror->repository, transport->address.url) ==
		   0 ||
	       git_library_error(err, "opening a connection");
}

bool git_mirror_resolve(struct git_mirror *mirror, struct git_transport_state *transport,
			const char *ref, struct git_resolved *resolved, struct error *err)
{
	AUTO(git_remote_free) git_remote *remote = NULL;
	git_oid id;

	*resolved = (struct git_resolved){ .ref = "" };
	if (ref && strlen(ref) == GIT_OID_HEXSZ && git_ref_is_commit(ref) &&
	    git_oid_fromstr(&id, ref) == 0 && has_commit(mirror, &id, &resolved->commit)) {
		resolved->is_reviewed = is_on_a_branch(mirror, &resolved->commit);
		return true;
	}
	return open_remote(mirror, transport, &remote, err) &&
	       ask_server(mirror, transport, remote, ref, resolved, err);
}

bool git_mirror_need(struct git_mirror *mirror, struct git_transport_state *transport,
		     const git_oid *commit, struct error *err)
{
	AUTO(git_remote_free) git_remote *remote = NULL;
	char digits[GIT_OID_HEXSZ + 1];
	git_oid found;

	if (has_commit(mirror, commit, &found))
		return true;
	if (!open_remote(mirror, transport, &remote, err) || !connect_to(transport, remote, err) ||
	    !fetch_branches_and_tags(transport, remote, err))
		return false;
	return has_commit(mirror, commit, &found) ||
	       not_found(transport, git_oid_tostr(digits, sizeof(digits), commit), err);
}
