/*
 * compose_load.h - the files of a template as one tree: parsed, their `include` and `extends`
 * followed, merged. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_LOAD_H
#define ENVD_COMPOSE_COMPOSE_LOAD_H

#include "base/yaml_edit.h"
#include "compose/compose_reader.h"

/* Of one call of compose_load(): what it may still copy, and what it is inside of. */
struct compose_loading {
	struct compose_reader *reader;
	size_t nodes_left;
	int depth; /* of files that include or extend each other */
};

/* What is asked for, and by what. `path` as compose_path() made it. */
struct compose_wanted {
	const struct yaml_node *at;
	const char *key;
	const char *path;
	const char *folder; /* where its relative paths start */
	json_t *variables;  /* borrowed */
};

/* The tree of one file, its own `include` and `extends` followed. */
NODISCARD bool compose_load_file(struct compose_loading *loading,
				 const struct compose_wanted *wanted, struct yaml_node **root,
				 struct error *err);

/* The part of a path that is a folder; "" for none. The caller frees. */
char *compose_folder_of(const char *path);

#endif
