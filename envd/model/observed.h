/*
 * observed.h - what a subject of an expectation turned out to be.
 */
#ifndef ENVD_MODEL_OBSERVED_H
#define ENVD_MODEL_OBSERVED_H

#include <stdint.h>

#include "base/cleanup.h"

enum observed_kind {
	OBSERVED_NOTHING, /* `note` may say why */
	OBSERVED_TEXT,
	OBSERVED_NUMBER, /* `text` holds it */
	OBSERVED_BOOLEAN,
	OBSERVED_DURATION, /* microseconds */
	OBSERVED_LIST,     /* `text` holds one item a line */
};

struct observed {
	enum observed_kind kind;
	char *text;
	size_t length; /* of text: a body may hold NUL bytes */
	int64_t us;
	bool is_true;
	bool is_secret; /* told by its length only */
	char *note;     /* said after what was seen: "frontend: connection refused" */
};

/* Makers copy. A NULL text or note is fine: nothing, and no note. */
struct observed observed_nothing(const char *note);
struct observed observed_text(const char *text);
struct observed observed_bytes(const char *bytes, size_t length);
struct observed observed_number(int64_t number);
struct observed observed_boolean(bool is_true);
struct observed observed_duration(int64_t us);
struct observed observed_list(const char *lines);

void observed_release(struct observed *observed);
static inline void auto_observed_release(struct observed *observed)
{
	observed_release(observed);
}

/* The text that is compared and captured: "302", "true", "1500us"; the caller frees. NULL for
 * nothing. */
char *observed_to_text(const struct observed *observed);

#endif
