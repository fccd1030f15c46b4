/*
 * git_transport.h - one connection to one repository: who we are, whom we trust, and how much we
 * take. Everything that libgit2 asks back is answered here.
 */
#ifndef ENVD_SOURCE_GIT_TRANSPORT_H
#define ENVD_SOURCE_GIT_TRANSPORT_H

#include <git2.h>

#include "model/git_address.h"
#include "source/source.h"

struct git_transport_state {
	const struct source_spec *spec;
	struct git_address address;
	char *token;
	char *known_hosts;
	int questions; /* for credentials, on this connection */
	bool has_failed;
	struct error failure; /* what a callback found; libgit2 only knows that it said no */
};

/* Reads the secrets of `spec`, if they are meant for this address: a submodule on another host gets
 * none. */
NODISCARD bool git_transport_open(struct git_transport_state *state, const struct source_spec *spec,
				  const char *url, struct error *err);
void git_transport_release(struct git_transport_state *state);

static inline void auto_git_transport_release(struct git_transport_state *state)
{
	git_transport_release(state);
}

git_remote_callbacks git_transport_callbacks(struct git_transport_state *state);

/* After a call that failed: what a callback said, else what libgit2 says. Returns false. */
bool git_transport_error(struct git_transport_state *state, struct error *err);

/* libgit2 itself, with no configuration but ours. Repeatable. */
NODISCARD bool git_library_start(struct error *err);

/* Of libgit2 itself, for all of this process. Errors name `doing`. */
NODISCARD bool git_library_open(const struct source_spec *spec, struct error *err);
bool git_library_error(struct error *err, const char *doing);

DEFINE_AUTO(git_repository *, git_repository_free)
DEFINE_AUTO(git_remote *, git_remote_free)
DEFINE_AUTO(git_object *, git_object_free)
DEFINE_AUTO(git_tree *, git_tree_free)
DEFINE_AUTO(git_blob *, git_blob_free)
DEFINE_AUTO(git_tree_entry *, git_tree_entry_free)
DEFINE_AUTO(git_reference_iterator *, git_reference_iterator_free)

#endif
