/*
 * template_registry.h - the templates that can be asked for: the folders given with --templates
 * (all of them trusted) and those listed under `trusted_sources:`. Read when first asked for and
 * again when their files change.
 */
#ifndef ENVD_CONTROL_TEMPLATE_REGISTRY_H
#define ENVD_CONTROL_TEMPLATE_REGISTRY_H

#include "model/template.h"

struct template_registry;

/* `folders` ends with NULL; each holds template folders. `untrusted_folders` likewise, may be NULL.
 */
struct template_registry *template_registry_new(const char *const *folders,
						const char *const *untrusted_folders);
void template_registry_free(struct template_registry *registry);

struct template_entry {
	const struct template *template;
	const char *folder;
	const char *digest;
	bool is_trusted;
};

/* ERR_NOT_FOUND "template_not_found" with "did you mean"; a template that cannot be parsed is
 * ERR_INVALID with file:line:column. Valid until the next call of any function here. */
NODISCARD bool template_registry_find(struct template_registry *registry, const char *name,
				      struct template_entry *entry, struct error *err);

/* Names, sorted; the array ends with NULL and is valid until the next call. */
const char *const *template_registry_names(struct template_registry *registry);

#endif
