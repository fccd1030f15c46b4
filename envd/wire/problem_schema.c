#include "wire/problem_schema.h"

/* Made from the sources by the Makefile. */
static const char *const codes[] = {
#include "problem_codes.inc"
};

json_t *problem_codes(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		json_array_append_new(list, json_string(codes[i]));
	return list;
}

// clang-format off
static const struct schema_field problem_fields[] = {
	{ "type", "string", "about:blank# and the code" },
	{ "title", "string", "the code in words" },
	{ "status", "integer", "the status of the answer" },
	{ "code", "string", "stable: what programs should look at" },
	{ "detail", "string", "what was wrong, and what was expected" },
	{ "hint?", "string", "what can be done" },
	{ "request_id", "string", "for the server's log" },
};
SCHEMA(problem_schema, "Problem",
       "why not (RFC 9457)",
       problem_fields);
// clang-format on
