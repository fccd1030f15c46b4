/*
 * layer_reading.h - what the readers of a layers.yaml's parts share.
 */
#ifndef ENVD_MODEL_LAYER_READING_H
#define ENVD_MODEL_LAYER_READING_H

#include "base/yaml_read.h"

struct layer_reading {
	const struct yaml_document *document;
	struct error *err;
};

/* Names of layers and of configuration keys. */
extern const char layer_name_letters[];

/* A list of words, each a copy; ends with NULL. Without the key `*words` stays as it is. */
NODISCARD bool layer_read_words(const struct layer_reading *reading, const struct yaml_node *map,
				const char *key, char ***words);
/* The same, of something to run: never empty. */
NODISCARD bool layer_read_command(const struct layer_reading *reading, const struct yaml_node *map,
				  const char *key, char ***words);
/* A path that stays inside of the folder it is about; a copy. */
NODISCARD bool layer_read_path(const struct layer_reading *reading, const struct yaml_node *map,
			       const char *key, const char *otherwise, char **path);
bool layer_path_stays_inside(const char *path);
NODISCARD bool layer_expect_map(const struct layer_reading *reading, const struct yaml_node *node,
				const char *what);

/* "when": {PARAMETER: ["value", ...]}; NULL without the key. New reference. */
NODISCARD bool layer_read_when(const struct layer_reading *reading, const struct yaml_node *map,
			       json_t **when);

void layer_words_free(char **words);

#endif
