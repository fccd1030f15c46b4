/*
 * compose_origin.h - where a part of a Compose file comes from: which of its files, where that
 * one's relative paths start, and which variables it is filled in with. `include` and `extends`
 * bring parts of other files, and each keeps its own. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_ORIGIN_H
#define ENVD_COMPOSE_COMPOSE_ORIGIN_H

#include "compose/compose_reader.h"

#define COMPOSE_FILES_MAX 50

/* All texts are the origin's own. */
struct compose_origin {
	char *file;        /* as named in errors; the nodes of its tree point to this very text */
	char *folder;      /* below the template's folder; "": itself */
	json_t *variables; /* may be NULL */
};

struct compose_origins {
	struct compose_origin items[COMPOSE_FILES_MAX];
	size_t count;
};

void compose_origins_free(struct compose_origins *origins);

/* Of the file that the node stands in. */
const struct compose_origin *compose_origin_of(const struct compose_reader *reader,
					       const struct yaml_node *node);

/* A path as the node's file has it, as a path from the template's folder; the caller frees. */
char *compose_path(const struct compose_reader *reader, const struct yaml_node *node,
		   const char *path);

/*
 * A file of the template's folder, by what compose_path() made. `key` is what asks for it.
 * ERR_DENIED, slug template_not_trusted, for a path that an untrusted template may not read;
 * ERR_NOT_FOUND; ERR_INVALID where there is no folder at all.
 */
NODISCARD bool compose_read_bytes(const struct compose_reader *reader, const struct yaml_node *at,
				  const char *key, const char *path, char **bytes, size_t *length,
				  struct error *err);

#endif
