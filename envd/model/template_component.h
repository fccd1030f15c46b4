/*
 * template_component.h - something of a template that can be pinned to a version.
 */
#ifndef ENVD_MODEL_TEMPLATE_COMPONENT_H
#define ENVD_MODEL_TEMPLATE_COMPONENT_H

#include "base/yaml_read.h"

/* Something that can be pinned. A group has members, and no default, variable or image. */
struct template_component {
	char *name;
	char *description;
	char *variable; /* NULL for a group */
	char *image;    /* "localhost/envd/nginx:{version}"; NULL: the variable is the version */
	char *branch;   /* "bank/frontend:{branch}"; NULL: no pin by branch */
	char *pull_request;    /* "bank/frontend:pr-{number}"; NULL: no pin by pull request */
	char *default_version; /* NULL for a group */
	char **versions;       /* ends with NULL; no entry: any version */
	char **members;        /* ends with NULL; no entry: not a group */
};

/* On failure `component` is released. */
NODISCARD bool template_component_read(const struct yaml_document *document,
				       const struct yaml_node *name, const struct yaml_node *map,
				       struct template_component *component, struct error *err);
void template_component_release(struct template_component *component);

bool template_component_is_group(const struct template_component *component);

/*
 * What a pin can say: a version ("1.22"), a branch ("@main") or a pull request ("pr:12").
 */
enum pin_kind { PIN_VERSION, PIN_BRANCH, PIN_PULL_REQUEST };

/* By its form alone. */
enum pin_kind template_pin_kind(const char *pin);

/* Of the right form for its kind: a branch is 1 to 100 letters, digits, "_", ".", "-" and "/", a
 * pull request 1 to 9 digits without a leading zero, a version 1 to 128 letters, digits,
 * "_", and after the first also ".", "-" and "+": whatever a list says, it ends up in an image's
 * name. */
bool template_pin_is_valid(const char *pin);

/* It can be pinned so: a version is in its list, or there is a pattern for the other kinds. */
bool template_component_takes(const struct template_component *component, const char *pin);

/* What its variable holds at `pin`: the pattern of its kind filled in, or the version itself where
 * there is no image. A branch becomes part of a tag: whatever a tag cannot hold is "-" in it, as
 * build tools do it. The caller frees. */
char *template_component_value(const struct template_component *component, const char *pin);

#endif
