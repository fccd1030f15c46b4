/*
 * git_mirror.h - what was fetched from one repository so far, and which commit a ref means now.
 */
#ifndef ENVD_SOURCE_GIT_MIRROR_H
#define ENVD_SOURCE_GIT_MIRROR_H

#include "source/git_transport.h"

struct git_mirror {
	char *folder; /* of the bare repository */
	git_repository *repository;
};

struct git_resolved {
	git_oid commit;
	char ref[256];    /* "refs/heads/main"; "" for a commit */
	bool is_reviewed; /* on a branch or in a tag */
};

/* Opens FOLDER, or makes it. What a killed fetch left behind is cleared away; the caller holds the
 * lock of the source. */
NODISCARD bool git_mirror_open(struct git_mirror *mirror, const char *folder, struct error *err);
void git_mirror_release(struct git_mirror *mirror);

static inline void auto_git_mirror_release(struct git_mirror *mirror)
{
	git_mirror_release(mirror);
}

/* Asks the server what `ref` (NULL: its default branch) is, and fetches what is missing. A whole
 * commit id that the mirror has needs no server. */
NODISCARD bool git_mirror_resolve(struct git_mirror *mirror, struct git_transport_state *transport,
				  const char *ref, struct git_resolved *resolved,
				  struct error *err);

/* As git_mirror_resolve() for the whole id of a commit, whoever put it there: a submodule's. */
NODISCARD bool git_mirror_need(struct git_mirror *mirror, struct git_transport_state *transport,
			       const git_oid *commit, struct error *err);

#endif
