#include "engine/pulumi/pulumi_rewrite.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Where the value stands in a line, or NULL: it is no line of this key. Quotes are no part of it.
 */
static const char *find_value(const char *line, size_t length, const char *key,
			      size_t *value_length)
{
	const char *at = line + strspn(line, " "), *end = line + length;
	size_t key_length = strlen(key);
	char quote;

	while (at + 1 < end && at[0] == '-' && at[1] == ' ')
		at += 1 + strspn(at + 1, " ");
	if ((size_t)(end - at) < key_length + 2 || strncmp(at, key, key_length) != 0 ||
	    at[key_length] != ':' || at[key_length + 1] != ' ')
		return NULL;
	at += key_length + 1;
	at += strspn(at, " ");
	if (at >= end)
		return NULL;
	quote = *at == '"' || *at == '\'' ? *at++ : '\0';
	*value_length = quote ? strcspn(at, quote == '"' ? "\"\n" : "'\n") : strcspn(at, " \r\n");
	return *value_length && at + *value_length <= end ? at : NULL;
}

/* "ghcr.io:5000/a/b:v1@sha256:..." without tag and digest. */
static size_t repository_length(const char *image)
{
	size_t length = strcspn(image, "@");
	AUTO(free) char *named = xstrndup(image, length);
	const char *slash = strrchr(named, '/');
	const char *colon = strchr(slash ? slash : named, ':');

	return colon ? (size_t)(colon - named) : length;
}

static char *new_value(const struct rewrite *rewrite, const char *old)
{
	bool is_tag = strcmp(rewrite->key, "image") == 0 && !strpbrk(rewrite->value, "/:");

	return is_tag ? xasprintf("%.*s:%s", (int)repository_length(old), old, rewrite->value)
		      : xstrdup(rewrite->value);
}

char *rewrite_values(const struct rewrite *rewrite, const char *text, json_t *found)
{
	struct text changed = TEXT_EMPTY;

	while (*text) {
		size_t length = strcspn(text, "\n"), value_length = 0;
		const char *at = find_value(text, length, rewrite->key, &value_length);
		AUTO(free) char *old = at ? xstrndup(at, value_length) : NULL;
		AUTO(free) char *now = NULL;

		length += text[length] == '\n';
		if (!old || fnmatch(rewrite->matching, old, 0) != 0) {
			text_add_bytes(&changed, text, length);
			text += length;
			continue;
		}
		now = rewrite->value ? new_value(rewrite, old) : xstrdup(old);
		json_array_append_new(found, json_string(now));
		text_add_bytes(&changed, text, (size_t)(at - text));
		text_add(&changed, now);
		text_add_bytes(&changed, at + value_length,
			       (size_t)(text + length - at) - value_length);
		text += length;
	}
	return text_take(&changed);
}
