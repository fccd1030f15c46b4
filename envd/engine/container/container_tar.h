/*
 * container_tar.h - the few files that go into a container or come out of one, as a tar archive
 * (ustar, which both runtimes read). Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_TAR_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_TAR_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct tar_file {
	const char *name; /* relative; at most 100 bytes in its last part and 155 before */
	const void *bytes;
	size_t length;
	int mode;
	int64_t uid;
	int64_t gid;
};

NODISCARD bool tar_add_file(struct text *tar, const struct tar_file *file, struct error *err);
/* 0755, owned by root. */
NODISCARD bool tar_add_folder(struct text *tar, const char *name, struct error *err);
void tar_end(struct text *tar);

/* The first regular file in an archive, borrowed from it. ERR_EXTERNAL if there is none. */
NODISCARD bool tar_first_file(const char *tar, size_t tar_length, const char **bytes,
			      size_t *length, struct error *err);

#endif
