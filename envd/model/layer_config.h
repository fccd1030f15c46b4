/*
 * layer_config.h - configuration as layers.yaml has it: plain values, values that are left out when
 * nothing fills them, and secrets by reference.
 */
#ifndef ENVD_MODEL_LAYER_CONFIG_H
#define ENVD_MODEL_LAYER_CONFIG_H

#include <jansson.h>
#include <stdint.h>

#include "model/layer_reading.h"

enum layer_secret_kind {
	LAYER_SECRET_VARIABLE, /* of the server: ENVD_SECRET_... */
	LAYER_SECRET_FILE,
	LAYER_SECRET_COMMAND,
	LAYER_SECRET_RANDOM, /* made up once, for this environment */
	LAYER_SECRET_TEXT,   /* no secret of ours: what everybody knows, where a secret is wanted */
	LAYER_SECRET_NONE,   /* then there is none */
};

/* A value that is never written down in clear. */
struct layer_secret {
	char *key; /* of the configuration, or the name of a variable */
	enum layer_secret_kind kind;
	char *from;                     /* variable, file, text */
	char **command;                 /* ends with NULL */
	int64_t length;                 /* random: letters and digits */
	json_t *when;                   /* as of a layer: there is none otherwise */
	struct layer_secret *otherwise; /* where this one is not there; NULL: then it is missing */
};

/* JSON: text, numbers, booleans, lists, objects by their keys "NAMESPACE:NAME". */
struct layer_config {
	json_t *plain;
	json_t *optional; /* left out when a placeholder in it comes out empty */
	struct layer_secret *secrets;
	size_t secret_count;
};

/* One, or a list: the first that is there. */
NODISCARD bool layer_secret_read(const struct layer_reading *reading, const struct yaml_node *key,
				 const struct yaml_node *node, struct layer_secret *secret);
void layer_secret_release(struct layer_secret *secret);

/* "config", "optional" and "secrets" of a map. */
NODISCARD bool layer_config_read(const struct layer_reading *reading, const struct yaml_node *map,
				 struct layer_config *config);
/* {"NAMESPACE:NAME": value}; never NULL. New reference. */
NODISCARD bool layer_plain_read(const struct layer_reading *reading, const struct yaml_node *map,
				json_t **plain);
void layer_config_release(struct layer_config *config);

/* For programs: `plain` is {NAME: text}, secrets have the variable's name as their key. */
struct layer_variables {
	json_t *plain;
	struct layer_secret *secrets;
	size_t secret_count;
};

/* "variables" of a map. */
NODISCARD bool layer_variables_read(const struct layer_reading *reading,
				    const struct yaml_node *map, struct layer_variables *variables);
void layer_variables_release(struct layer_variables *variables);
/* Moves those of `more` over; it is empty then. */
void layer_variables_add(struct layer_variables *variables, struct layer_variables *more);

#endif
