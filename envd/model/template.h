/*
 * template.h - what template.yaml says (templates/README.md is its manual): parameters, components,
 * limits, price, outputs, and which engine builds from which file.
 *
 * Everything is checked while reading, and an unknown key is an error: "template.yaml:7:3: unknown
 * key "component"", hint: did you mean "components"?
 */
#ifndef ENVD_MODEL_TEMPLATE_H
#define ENVD_MODEL_TEMPLATE_H

#include <jansson.h>
#include <stdint.h>

#include "model/template_component.h"
#include "model/template_output.h"
#include "model/template_parameter.h"
#include "model/template_price.h"

#define TEMPLATE_FILE "template.yaml"
#define TEMPLATE_BYTES_MAX ((size_t)256 * 1024)

struct template_limits {
	int64_t provision_ms;     /* 10 min */
	int64_t lease_default_ms; /* 2 h */
	int64_t lease_min_ms;     /* 10 s */
	int64_t lease_max_ms;     /* 24 h */
	int64_t attempts;         /* of creating: 1 or 2 */
	int64_t memory_bytes;     /* that one environment needs; 0: not said */
};

// clang-format off: it takes `template` for the keyword of another language
/* What may be said under "engine"; ends with NULL. */
extern const char *const template_engines[];

struct template {
	char *name;
	char *description;
	char *engine; /* "container", "external": whether it exists is the engine list's to say */
	char *source; /* relative to the folder, no ".."; external: may be absolute */
	char **sources; /* `source` and, for container, what is merged over it; ends with NULL */
	json_t *targets; /* which would do: a wish of model/target.h; NULL: any */
	char *checks; /* relative to the folder; NULL: none */
	struct template_parameter *parameters;
	size_t parameter_count;
	struct template_component *components;
	size_t component_count;
	struct template_limits limits;
	struct template_price price;
	struct template_output *outputs;
	size_t output_count;
};
// clang-format on

/*
 * `path` names the text in errors; `name` is what the template must be called (its folder's name),
 * or NULL for a snapshot, whose folder is called otherwise. Error: ERR_INVALID, slugs
 * yaml_malformed and template_invalid.
 */
NODISCARD bool template_parse(const char *bytes, size_t length, const char *path, const char *name,
			      struct template **template, struct error *err);

/* FOLDER/template.yaml. ERR_NOT_FOUND if there is none. Errors name the file without the folder.
 * The files named by `source` and `checks` must be there. */
NODISCARD bool template_load(const char *folder, const char *name, struct template **template,
			     struct error *err);

void template_free(struct template *template);
DEFINE_AUTO(struct template *, template_free)

/* NULL if there is none. */
const struct template_component *template_component_find(const struct template *template,
							 const char *name);

/*
 * Given values ({"users": 25}, NULL: none) and defaults together, each checked. A number, a boolean
 * and so on may be given as text ("25"): command lines have nothing else. The full object has every
 * parameter in the template's order, of its own type. New reference.
 * Error: ERR_INVALID, slugs unknown_parameter (with "did you mean"), parameter_missing,
 * parameter_invalid.
 */
NODISCARD bool template_resolve_parameters(const struct template *template, const json_t *given,
					   json_t **full, struct error *err);

/*
 * The outputs that are text, {{...}} filled in: {{environment.id}}, {{environment.name}},
 * {{SERVICE.host}}, {{SERVICE.port.443}}. `addresses` is [{"service","host","port",
 * "container_port"}]. Outputs read from a file are not in the result: the engine adds them.
 * Error: ERR_INVALID, slug output_invalid, naming the output and what is not there.
 */
NODISCARD bool template_outputs(const struct template *template,
				const struct template_subject *subject, json_t **outputs,
				struct error *err);

#endif
