/*
 * pulumi_rewrite.h - the values of one key in text that is YAML, by lines and nothing else touched:
 * comments, order and quotes stay, and so do files of several documents and templates in braces.
 * Pure.
 *
 * A line is `key: value` or `- key: value`, with or without quotes, and perhaps a comment.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_REWRITE_H
#define ENVD_ENGINE_PULUMI_PULUMI_REWRITE_H

#include <jansson.h>

struct rewrite {
	const char *key;
	const char *matching; /* fnmatch() of the old value */
	const char *value;    /* NULL: only look. Without a "/" or ":" where the old value is an
				 image, it is the image's tag */
};

/* The text afterwards; the caller frees. Values that it has then are appended to `found`. */
char *rewrite_values(const struct rewrite *rewrite, const char *text, json_t *found);

#endif
