/*
 * layer_change.h - what a template changes in an environment's own checkout before anything is
 * built from it ("changes" of layers.yaml), each with its reason:
 *
 *	rewrite  the values of a key in files, such as the image of a container, by a pin
 *	patch    a unified diff of the template's
 *	copy     a file or folder of the template's
 *	config   configuration that nobody else sets
 */
#ifndef ENVD_MODEL_LAYER_CHANGE_H
#define ENVD_MODEL_LAYER_CHANGE_H

#include <jansson.h>

#include "model/layer_reading.h"

enum layer_change_kind {
	LAYER_CHANGE_REWRITE,
	LAYER_CHANGE_PATCH,
	LAYER_CHANGE_COPY,
	LAYER_CHANGE_CONFIG,
};

struct layer_change {
	enum layer_change_kind kind;
	char *what; /* rewrite: pattern of files of the checkout; patch, copy: a path of the
		       template */
	char *reason;
	json_t *when;   /* as of a layer */
	char *key;      /* rewrite */
	char *matching; /* rewrite: pattern of the values that are meant */
	char *pin;      /* rewrite: a component; its default leaves the value as it is */
	char *to;       /* rewrite: text in place of `pin`; copy: a path of the checkout */
	json_t *config; /* config */
};

/* "changes" of a map. */
NODISCARD bool layer_changes_read(const struct layer_reading *reading, const struct yaml_node *map,
				  struct layer_change **changes, size_t *count);
void layer_changes_free(struct layer_change *changes, size_t count);

#endif
