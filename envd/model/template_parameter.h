/*
 * template_parameter.h - a typed value that an environment can be asked with.
 */
#ifndef ENVD_MODEL_TEMPLATE_PARAMETER_H
#define ENVD_MODEL_TEMPLATE_PARAMETER_H

#include <jansson.h>
#include <stdint.h>

#include "base/yaml_read.h"

enum parameter_type {
	PARAMETER_STRING,
	PARAMETER_INTEGER,
	PARAMETER_NUMBER,
	PARAMETER_BOOLEAN,
	PARAMETER_DURATION,
};

struct template_parameter {
	char *name;
	char *description; /* may be "" */
	char *variable;    /* its name in the engine's file; the upper-cased name unless given */
	enum parameter_type type;
	json_t *default_value; /* of the type (a duration is its text); NULL: must be given */
	json_t *minimum;       /* integer, number, duration (as text); NULL: none */
	json_t *maximum;
	json_t *choices; /* `enum`: array of strings; NULL: any. Only string */
	char *pattern; /* POSIX extended regular expression, whole value; NULL: any. Only string */
	int64_t length_max; /* bytes; 1024 unless given. Only string */
};

const char *parameter_type_name(enum parameter_type type);

/* `map` is what stands under the key `name`. On failure `parameter` is released. */
NODISCARD bool template_parameter_read(const struct yaml_document *document,
				       const struct yaml_node *name, const struct yaml_node *map,
				       struct template_parameter *parameter, struct error *err);
void template_parameter_release(struct template_parameter *parameter);

/*
 * `given` as a value of the parameter's type, inside its bounds; text is taken for a number or a
 * boolean. New reference. Error: ERR_INVALID, slug parameter_invalid.
 */
NODISCARD bool template_parameter_value(const struct template_parameter *parameter,
					const json_t *given, json_t **value, struct error *err);

#endif
