/*
 * source_patch.h - a unified diff ("git diff") applied to the files of a folder. Worker side.
 */
#ifndef ENVD_SOURCE_SOURCE_PATCH_H
#define ENVD_SOURCE_SOURCE_PATCH_H

#include "base/error.h"

/* All of it or nothing. `scratch` is a folder that is not there and that is not there afterwards.
 * ERR_INVALID "patch_invalid" (it is none), "patch_failed" (it does not fit these files). */
NODISCARD bool source_patch(const char *patch, size_t length, const char *folder,
			    const char *scratch, struct error *err);

#endif
