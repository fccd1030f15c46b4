/*
 * pins.h - which version of each component an environment gets.
 *
 * Pins are what was asked: {"bank": "1.1", "nginx": "1.22"}. Versions are the answer: every
 * component that is not a group, with its pin, else the pin of the group it is a member of, else
 * its default. A pin may also be a branch ("@main") or a pull request ("pr:12") where the component
 * has a pattern for it (model/template_component.h).
 */
#ifndef ENVD_MODEL_PINS_H
#define ENVD_MODEL_PINS_H

#include <jansson.h>

#include "model/template.h"

/*
 * Error: ERR_INVALID, slugs unknown_component (hint: did you mean, or the list), unknown_version
 * (hint: the versions there are), pin_invalid (not a string, of a strange form, or of a
 * kind that the component has no pattern for).
 * `pins` may be NULL: none.
 */
NODISCARD bool pins_check(const struct template *template, const json_t *pins, struct error *err);

/* {"nginx": "1.22", ...} in the template's order. The same errors; two groups that are both pinned
 * and share a member which is not pinned itself are pin_invalid. New reference. */
NODISCARD bool pins_resolve(const struct template *template, const json_t *pins, json_t **versions,
			    struct error *err);

/*
 * Variables for the engine's file: {"NGINX_IMAGE": "localhost/envd/nginx:1.22", "SEED_USERS":
 * "10"}, all strings. `versions` from pins_resolve(), `parameters` from
 * template_resolve_parameters(); either may be NULL. New reference.
 */
json_t *pins_variables(const struct template *template, const json_t *versions,
		       const json_t *parameters);

#endif
