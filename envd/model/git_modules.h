/*
 * git_modules.h - what .gitmodules says: which repository belongs to which folder. Read by
 * ourselves, because git's own reader of such files follows includes to other files. No I/O.
 */
#ifndef ENVD_MODEL_GIT_MODULES_H
#define ENVD_MODEL_GIT_MODULES_H

#include "base/error.h"

#define GIT_MODULES_MAX 100

struct git_modules; /* opaque */

/* Sections [submodule "NAME"] with `path` and `url`; other keys are skipped. A line that is
 * neither, or more than GIT_MODULES_MAX of them, is ERR_INVALID "submodules_invalid". */
NODISCARD bool git_modules_parse(const char *bytes, size_t length, struct git_modules **modules,
				 struct error *err);
void git_modules_free(struct git_modules *modules);
DEFINE_AUTO(struct git_modules *, git_modules_free)

/* The address for a folder, as it was written; NULL: there is none. */
const char *git_modules_url(const struct git_modules *modules, const char *path);

#endif
