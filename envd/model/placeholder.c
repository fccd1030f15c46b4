#include "model/placeholder.h"

#include <string.h>

#include "base/text.h"

size_t placeholder_name_length(const char *text)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char more[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-";

	return *text && strchr(first, *text) ? strspn(text, more) : 0;
}

/* The next piece of `*at`: plain text (is_name false) or a name. False at the end, or on error. */
static bool next_piece(const char **at, const char **piece, size_t *length, bool *is_name,
		       struct error *err)
{
	const char *text = *at;

	*is_name = false;
	if (strncmp(text, "$${", 3) == 0) {
		*piece = text + 1;
		*length = 2;
		*at = text + 3;
		return true;
	}
	if (strncmp(text, "${", 2) != 0) {
		*piece = text;
		*length = 1;
		while (text[*length] && text[*length] != '$')
			++*length;
		*at = text + *length;
		return true;
	}
	*is_name = true;
	*piece = text + 2;
	*length = placeholder_name_length(*piece);
	*at = *piece + *length + 1;
	if (*length == 0 || *length > PLACEHOLDER_NAME_MAX || (*piece)[*length] != '}')
		return error_set(err, ERR_INVALID,
				 "\"%.40s\" is not ${name} (a plain \"${\" is written \"$${\")",
				 text);
	return true;
}

bool placeholder_names(const char *text, void (*on_name)(void *arg, const char *name), void *arg,
		       struct error *err)
{
	while (*text) {
		const char *piece;
		size_t length;
		bool is_name;

		if (!next_piece(&text, &piece, &length, &is_name, err))
			return false;
		if (is_name) {
			AUTO(free) char *name = xstrndup(piece, length);

			on_name(arg, name);
		}
	}
	return true;
}

bool placeholder_fill(const char *text, char *(*value)(void *arg, const char *name), void *arg,
		      char **filled, struct error *err)
{
	AUTO(text_release) struct text result = TEXT_EMPTY;

	while (*text) {
		const char *piece;
		size_t length;
		bool is_name;

		if (!next_piece(&text, &piece, &length, &is_name, err))
			return false;
		if (is_name) {
			AUTO(free) char *name = xstrndup(piece, length);
			AUTO(free) char *found = value(arg, name);

			if (!found)
				return error_set(err, ERR_NOT_FOUND, "nothing is called \"%s\"",
						 name);
			text_add(&result, found);
		} else {
			text_add_bytes(&result, piece, length);
		}
	}
	*filled = text_take(&result);
	return true;
}
