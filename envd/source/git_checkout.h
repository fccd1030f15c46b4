/*
 * git_checkout.h - write the tree of one commit into a new folder, believing nothing that it says.
 *
 * Done by ourselves rather than by libgit2's checkout: no filters, attributes or line endings
 * change what the commit holds, every limit is seen before a byte is written, and nothing is
 * written through a link.
 */
#ifndef ENVD_SOURCE_GIT_CHECKOUT_H
#define ENVD_SOURCE_GIT_CHECKOUT_H

#include "source/git_mirror.h"

/* Into FOLDER, which is made. Errors: ERR_INVALID "source_path_missing", "source_unsafe" (naming
 * the path: a link that leaves the tree, ".git", a name that is none), ERR_LIMIT
 * "source_too_large", ERR_EXTERNAL "submodule_refused". What was written stays: the caller removes
 * it. */
NODISCARD bool git_checkout_write(const struct source_spec *spec, git_repository *repository,
				  const git_oid *commit, const char *folder, struct error *err);

/* What a link at `depth` folders below the tree's root may point to: relative, "../" at its
 * beginning only, and never above the root. */
bool git_checkout_link_is_safe(const char *target, size_t length, int depth);

/* A name in a tree that can be made into a file: not "", ".", "..", ".git" in any spelling that a
 * file system may take for it; no "/", "\" or control bytes. */
bool git_checkout_name_is_safe(const char *name);

#endif
