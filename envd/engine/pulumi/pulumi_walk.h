/*
 * pulumi_walk.h - all layers of an environment up, or down: each as soon as those it depends on
 * are, several at once, each judged by what Pulumi said and by its state.
 *
 * Up, a failure ends the walk once what runs has ended. Down, it goes on with what does not depend
 * on the layer that failed: what must go first was not gone, so what it stands on stays.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_WALK_H
#define ENVD_ENGINE_PULUMI_PULUMI_WALK_H

#include "engine/pulumi/pulumi_record.h"

struct walk_spec {
	const struct pulumi_place *place;
	struct pulumi_record *record;
	struct worker_lines *lines;
	bool is_down;
};

/* ERR_EXTERNAL "layer_failed" naming the layer and the error that matters; ERR_UNAVAILABLE
 * "job_stopped". `changed` counts resources made, changed or removed; it is set in either case. */
NODISCARD bool walk_layers(const struct walk_spec *spec, int64_t *changed, struct error *err);

/* `pulumi refresh` and the like, for one layer: judged in the same way. `words` end with NULL. */
NODISCARD bool walk_one(const struct walk_spec *spec, size_t layer, const char *const *words,
			struct error *err);

#endif
