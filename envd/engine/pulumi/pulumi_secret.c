#include "engine/pulumi/pulumi_secret.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_cli.h"
#include "model/layer_select.h"

enum { SECRET_BYTES_MAX = 64 << 10 };

static bool read_variable(const struct layer_secret *secret, char **value, struct error *err)
{
	const char *text = getenv(secret->from);

	if (!text || !*text) {
		error_set_as(err, ERR_INVALID, "secret_missing",
			     "secret \"%s\": the server has no variable %s", secret->key,
			     secret->from);
		return error_hint(err, "set it where envd is started");
	}
	*value = xstrdup(text);
	return true;
}

static void trim_end(char *text)
{
	size_t length = strlen(text);

	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
}

static bool read_secret_file(const struct pulumi_place *place, const struct layer_secret *secret,
			     char **value, struct error *err)
{
	AUTO(free) char *filled = NULL;
	AUTO(free) char *path = NULL;

	if (!place_fill(place, secret->from, &filled, err))
		return false;
	path =
	    *filled == '/' ? xstrdup(filled) : path_join(place->request->template_folder, filled);
	if (!file_read(path, SECRET_BYTES_MAX, value, NULL, err)) {
		err->code = ERR_INVALID;
		err->slug = "secret_missing";
		return error_wrap(err, "secret \"%s\"", secret->key);
	}
	trim_end(*value);
	return true;
}

static char *make_up(int64_t length)
{
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
	char *text = xcalloc((size_t)length + 1, 1);

	random_bytes(text, (size_t)length);
	for (int64_t i = 0; i < length; i++)
		text[i] = letters[(unsigned char)text[i] % (sizeof(letters) - 1)];
	return text;
}

static bool read_one(const struct pulumi_place *place, const struct layer_secret *secret,
		     char **value, struct error *err)
{
	switch (secret->kind) {
	case LAYER_SECRET_VARIABLE:
		return read_variable(secret, value, err);
	case LAYER_SECRET_FILE:
		return read_secret_file(place, secret, value, err);
	case LAYER_SECRET_COMMAND:
		if (!hook_run(place, secret->command, NULL, value, err))
			return error_wrap(err, "secret \"%s\"", secret->key);
		trim_end(*value);
		return true;
	case LAYER_SECRET_RANDOM:
		*value = make_up(secret->length);
		return true;
	case LAYER_SECRET_TEXT:
		return place_fill(place, secret->from, value, err);
	case LAYER_SECRET_NONE:
		*value = NULL;
		return true;
	}
	return error_set(err, ERR_INTERNAL, "secret \"%s\" is of no kind", secret->key);
}

/* A command that fails is no reason to take something else: it is broken, not absent. */
static bool is_absent(const struct error *err)
{
	return strcmp(err->slug, "secret_missing") == 0;
}

static bool nowhere(const struct layer_secret *first, struct error *err)
{
	AUTO(text_release) struct text places = TEXT_EMPTY;

	for (const struct layer_secret *one = first; one; one = one->otherwise)
		if (one->from)
			text_format(&places, "%s%s %s", places.length ? " nor " : "",
				    one->kind == LAYER_SECRET_FILE ? "file" : "variable",
				    one->from);
	error_set_as(err, ERR_INVALID, "secret_missing", "secret \"%s\": the server has neither %s",
		     first->key, text_get(&places));
	return error_hint(err, "a variable must be set where envd is started");
}

bool secret_read(const struct pulumi_place *place, const struct layer_secret *first, char **value,
		 struct error *err)
{
	const struct layer_secret *secret = first;
	bool holds = true;

	for (; secret; secret = secret->otherwise) {
		if (secret->when &&
		    !layer_when_holds(secret->when, place->request->parameters, &holds, err))
			return error_wrap(err, "secret \"%s\"", first->key);
		holds = holds || !secret->when;
		*value = NULL;
		if (!holds && !secret->otherwise)
			return true;
		if (!holds)
			continue;
		if (read_one(place, secret, value, err) && (!*value || **value))
			return true;
		if (*value) {
			free(*value);
			*value = NULL;
			error_set_as(err, ERR_INVALID, "secret_missing", "secret \"%s\" is empty",
				     first->key);
		}
		if (!is_absent(err) || (!secret->otherwise && secret == first))
			return false;
	}
	return nowhere(first, err);
}
