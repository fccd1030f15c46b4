/*
 * build_context.h - a folder as the archive that a runtime builds an image from.
 *
 * Regular files and folders in byte order, without owners and times: the same tree makes the same
 * archive. What .dockerignore names stays behind. A link or special file is an error that names it;
 * no link is followed on the way to any file.
 */
#ifndef ENVD_ENGINE_CONTAINER_BUILD_CONTEXT_H
#define ENVD_ENGINE_CONTAINER_BUILD_CONTEXT_H

#include "base/error.h"
#include "base/text.h"

#define BUILD_FILES_MAX 20000
#define BUILD_BYTES_MAX ((size_t)128 * 1024 * 1024)

/* Without the archive's end (tar_end()), so that more can be put into it. `dockerfile` is always
 * in it, ignored or not; NULL: there is none in the folder. Errors: ERR_INVALID and ERR_LIMIT, slug
 * "build_context". */
NODISCARD bool build_context_read(const char *folder, const char *dockerfile, struct text *tar,
				  struct error *err);

#endif
