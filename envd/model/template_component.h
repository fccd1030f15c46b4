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

/* In its list, or the list is empty. */
bool template_component_has_version(const struct template_component *component,
				    const char *version);

/* 1 to 128 of letters, digits, "_", and after the first also ".", "-", "+": whatever a list says, a
 * version ends up in an image's name. */
bool template_version_is_valid(const char *version);

/* What its variable holds at `version`: the image with {version} filled in, or the version itself.
 * The caller frees. */
char *template_component_value(const struct template_component *component, const char *version);

#endif
