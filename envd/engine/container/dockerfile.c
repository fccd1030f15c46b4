#include "engine/container/dockerfile.h"

#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "engine/container/image_reference.h"

#define BASES_MAX 100

/* Is the word in the array already? */
static bool holds(const json_t *words, const char *word)
{
	const json_t *item;
	size_t i;

	json_array_foreach(words, i, item)
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	return false;
}

/* The word behind the flags, and the name of the stage if it gets one. */
static void take_from(char *line, json_t *bases, json_t *stages)
{
	char *rest = NULL, *base = strtok_r(line, " \t\r", &rest), *word;

	while (base && text_starts_with(base, "--"))
		base = strtok_r(NULL, " \t\r", &rest);
	if (!base)
		return;
	if (!strchr(base, '$') && strcmp(base, "scratch") != 0 && !holds(stages, base) &&
	    !holds(bases, base) && image_reference_is_valid(base) &&
	    json_array_size(bases) < BASES_MAX)
		json_array_append_new(bases, json_string(base));
	word = strtok_r(NULL, " \t\r", &rest);
	if (word && strcasecmp(word, "AS") == 0 && (word = strtok_r(NULL, " \t\r", &rest)))
		json_array_append_new(stages, json_string(word));
}

json_t *dockerfile_bases(const char *text)
{
	AUTO(json_decref) json_t *stages = json_array();
	json_t *bases = json_array();

	while (*text) {
		size_t length = strcspn(text, "\n");
		AUTO(free) char *line = xstrndup(text, length);
		char *at = line + strspn(line, " \t");

		if (strncasecmp(at, "FROM", 4) == 0 && strchr(" \t", at[4]) && at[4])
			take_from(at + 5, bases, stages);
		text += length + (text[length] == '\n');
	}
	return bases;
}

static bool deny(struct error *err, int line, const char *what)
{
	error_set_as(err, ERR_DENIED, "template_not_trusted",
		     "line %d of its Dockerfile: %s needs a trusted template", line, what);
	return error_hint(err, "an admin can list the template's source as trusted");
}

static bool begins_with_word(const char *at, const char *word)
{
	size_t length = strlen(word);

	return strncasecmp(at, word, length) == 0 && (strchr(" \t\\", at[length]) || !at[length]);
}

static bool check_line(const char *line, int number, struct error *err)
{
	const char *at = line + strspn(line, " \t");

	/* Another escape character would join lines in a way that is not looked for here. */
	if (*at == '#')
		return !strcasestr(at, "escape") || !strchr(at, '=') ||
		       deny(err, number, "the escape directive");
	if (begins_with_word(at, "ONBUILD"))
		return deny(err, number, "ONBUILD");
	if (begins_with_word(at, "ADD"))
		return deny(err, number, "ADD (COPY does not)");
	if (begins_with_word(at, "FROM") && (strchr(at, '$') || strchr(at, '\\')))
		return deny(err, number, "FROM with a variable or over several lines");
	return true;
}

bool dockerfile_check_untrusted(const char *text, struct error *err)
{
	for (int number = 1; *text; number++) {
		size_t length = strcspn(text, "\n");
		AUTO(free) char *line = xstrndup(text, length);

		if (!check_line(line, number, err))
			return false;
		text += length + (text[length] == '\n');
	}
	return true;
}
