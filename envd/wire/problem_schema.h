/*
 * problem_schema.h - what problem_json.c writes, as a table for schema.h.
 */
#ifndef ENVD_WIRE_PROBLEM_SCHEMA_H
#define ENVD_WIRE_PROBLEM_SCHEMA_H

#include "wire/schema.h"

/* Every code that the sources of envd set, sorted, as a list of strings; new reference. An external
 * engine may say others. */
json_t *problem_codes(void);

extern const struct schema problem_schema;

#endif
