/*
 * expectation_parts.h - the inside of an expectation: between expectation.c, which reads it, and
 * expectation_judge.c, which holds it against what was seen.
 */
#ifndef ENVD_MODEL_EXPECTATION_PARTS_H
#define ENVD_MODEL_EXPECTATION_PARTS_H

#include <regex.h>

#include "model/decimal.h"
#include "model/expectation.h"

enum operation {
	OPERATION_EQUAL,
	OPERATION_NOT_EQUAL,
	OPERATION_LESS,
	OPERATION_LESS_EQUAL,
	OPERATION_GREATER,
	OPERATION_GREATER_EQUAL,
	OPERATION_MATCHES,
	OPERATION_NOT_MATCHES,
	OPERATION_CONTAINS,
	OPERATION_NOT_CONTAINS,
	OPERATION_EXISTS,
	OPERATION_NOT_EXISTS,
};

enum value_kind {
	VALUE_NONE,
	VALUE_TEXT, /* may hold ${name} */
	VALUE_NUMBER,
	VALUE_DURATION,
	VALUE_BOOLEAN,
	VALUE_NOW,
	VALUE_NAME, /* ${name} or captured.name */
};

struct expectation {
	char *text;
	char *subject;
	enum operation operation;
	struct {
		enum value_kind kind;
		char *text; /* VALUE_TEXT, VALUE_NAME */
		struct decimal number;
		int64_t us;
		bool is_true;
		/* After a number, now or a name. In seconds if it was written as a duration. */
		bool has_offset;
		struct decimal offset;
	} value;
	regex_t regex; /* of OPERATION_MATCHES and OPERATION_NOT_MATCHES */
	bool has_regex;
	char **references;
	size_t reference_count;
};

#endif
