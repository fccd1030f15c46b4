/*
 * layer_select.h - which of the layers that a layers.yaml could have an environment does have: by
 * its parameters ("when"), and by the order that its checkout itself knows ("order").
 *
 * A need on a layer that is not there is none. A project of the checkout's order that the list does
 * not know becomes a layer of its own, after everything that comes before it there and before
 * everything that comes later: what it needs nobody has said.
 */
#ifndef ENVD_MODEL_LAYER_SELECT_H
#define ENVD_MODEL_LAYER_SELECT_H

#include "model/layer_list.h"

#define LAYERS_FOUND_MAX 100 /* of a checkout's order; each may be one that nobody listed */

/* Those whose conditions are not met go, and their providers into `left_out`: whoever had something
 * from one has nobody who could tell what is left of it. Before anything asks for an inventory.
 * ERR_INVALID "template_invalid". */
NODISCARD bool layer_list_choose_inventories(struct layer_list *list, const json_t *parameters,
					     struct error *err);

struct layer_choice {
	const json_t *parameters; /* {NAME: value} */
	const json_t *order; /* ["infrastructure/aws/vpc", ...]; NULL: everything of the list */

	/* Placeholders of a layer's project. The caller frees `filled`. */
	bool (*fill)(void *arg, const char *text, char **filled, struct error *err);
	void *arg;
};

/* Are its conditions met? ERR_INVALID "template_invalid": a parameter that there is none of. */
NODISCARD bool layer_when_holds(const json_t *when, const json_t *parameters, bool *holds,
				struct error *err);

/* `list` is changed: layers that are not wanted go, unknown ones come. ERR_INVALID
 * "template_invalid", "layer_cycle", "order_invalid". */
NODISCARD bool layer_list_select(struct layer_list *list, const struct layer_choice *choice,
				 struct error *err);

#endif
