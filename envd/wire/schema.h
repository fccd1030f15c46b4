/*
 * schema.h - the shapes of wire/ as JSON Schema (2020-12), for the OpenAPI document.
 *
 * A shape is a table of its fields, kept beside the code that writes it. The types:
 *
 *	string integer number boolean object any    as JSON has them ("object": of any content)
 *	time uuid name duration                     strings of these forms
 *	scalar                                      a string, a boolean or a number of 64 bits
 *	labels                                      an object of strings, with labels' names
 *	=queued|ready                               one of these strings
 *	Cost                                        another shape
 *	[T]  {T}                                    a list of T, an object whose values are T
 *	[T]2                                        a list of one or two T
 *	T?                                          T or null
 *	A|B                                         one of two shapes; their "kind" tells which
 *
 * An object has no other fields than those of its table, unless it is OPEN_SCHEMA; of
 * ONE_OF_SCHEMA, whose fields are strings, it has one.
 */
#ifndef ENVD_WIRE_SCHEMA_H
#define ENVD_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct schema_field {
	const char *name; /* "hint?": it may be missing */
	const char *type;
	const char *about;
};

struct schema {
	const char *name; /* "Environment" */
	const char *about;
	const struct schema_field *fields;
	size_t field_count;
	bool is_open; /* an engine may add more */
	bool has_one; /* of its fields, exactly */
};

#define SCHEMA(variable, text, description, table)                                                 \
	const struct schema variable = { text,  description,                                       \
					 table, sizeof(table) / sizeof(*(table)),                  \
					 false, false }

#define ONE_OF_SCHEMA(variable, text, description, table)                                          \
	const struct schema variable = { text,  description,                                       \
					 table, sizeof(table) / sizeof(*(table)),                  \
					 false, true }

#define OPEN_SCHEMA(variable, text, description, table)                                            \
	const struct schema variable = {                                                           \
		text, description, table, sizeof(table) / sizeof(*(table)), true, false            \
	}

/* All of them; ends with NULL. */
extern const struct schema *const schemas[];

/* New references. */
json_t *schema_json(const struct schema *schema);
json_t *schema_of_type(const char *type);

#endif
