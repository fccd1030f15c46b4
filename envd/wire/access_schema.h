/*
 * access_schema.h - tokens and the audit history, as tables for schema.h.
 */
#ifndef ENVD_WIRE_ACCESS_SCHEMA_H
#define ENVD_WIRE_ACCESS_SCHEMA_H

#include "wire/schema.h"

extern const struct schema token_schema;
extern const struct schema token_request_schema;
extern const struct schema audit_entry_schema;

#endif
