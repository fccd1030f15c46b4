/*
 * template_registry.h - the templates that can be asked for: the folders given with --templates
 * (all of them trusted) and those listed under `trusted_sources:`, read anew each time; and git
 * sources, of which it knows the head that was fetched last. Nothing here fetches:
 * api/api_sources.h.
 */
#ifndef ENVD_CONTROL_TEMPLATE_REGISTRY_H
#define ENVD_CONTROL_TEMPLATE_REGISTRY_H

#include "control/template_checkout.h"
#include "model/template.h"

struct template_registry;

/* `folders` ends with NULL; each holds template folders. `untrusted_folders` likewise, may be NULL.
 */
struct template_registry *template_registry_new(const char *const *folders,
						const char *const *untrusted_folders);
void template_registry_free(struct template_registry *registry);

/* What is asked between the two is answered by one look at each folder: what a transaction applies
 * together sees the same template. Outside, every question looks. */
void template_registry_begin_turn(struct template_registry *registry);
void template_registry_end_turn(struct template_registry *registry);

struct template_entry {
	const struct template *template;
	const char *folder;
	const char *digest;
	bool is_trusted;
	const struct template_checkout *checkout; /* NULL: from a folder of this machine */
};

/* ERR_NOT_FOUND "template_not_found" with "did you mean"; a template that cannot be parsed is
 * ERR_INVALID with file:line:column. Valid until the next call of any function here. */
NODISCARD bool template_registry_find(struct template_registry *registry, const char *name,
				      struct template_entry *entry, struct error *err);

/* ---- git sources ---- */

void template_registry_add_source(struct template_registry *registry, const char *source);

/* What was fetched of the source's own ref, or why it could not be; the last good head stays. */
void template_registry_set_head(struct template_registry *registry, const char *source,
				const struct template_checkout *head, const struct error *failure);

/*
 * Which source `name` ("SOURCE/NAME" or "NAME") is of; `*source` NULL: it is a folder's. A bare
 * name is looked for in the folders, then in the heads in the order of the configuration. With
 * `has_ref` a folder's is ERR_INVALID "ref_without_source". ERR_NOT_FOUND "template_not_found".
 */
NODISCARD bool template_registry_source_of(struct template_registry *registry, const char *name,
					   bool has_ref, const char **source, struct error *err);

/* As template_registry_find(), in this commit. A repository that is one template (template.yaml at
 * its path) has that template alone. */
NODISCARD bool template_registry_find_in(struct template_registry *registry,
					 const struct template_checkout *checkout, const char *name,
					 struct template_entry *entry, struct error *err);

/* Names, sorted; those of git sources as "SOURCE/NAME", and "SOURCE/" for one that could not be
 * fetched yet, whose look-up tells why. The array ends with NULL and is valid until the next call.
 */
const char *const *template_registry_names(struct template_registry *registry);

#endif
