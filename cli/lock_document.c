#include "cli/lock_document.h"

#include <string.h>

#include "base/files.h"
#include "cli/command.h"

enum { LOCK_BYTES_MAX = 4 * 1024 * 1024 };

/* ---- reading ---- */

/* The hash of what was sent to the runtime, and a stack, have the environment's own name in it; and
 * by which branch a commit was asked for says nothing of what was built. */
static void drop_what_is_its_own(json_t *lock)
{
	const char *name;
	json_t *service;

	json_object_del(json_object_get(lock, "source"), "ref");
	json_object_del(json_object_get(lock, "checkout"), "ref");
	json_object_del(lock, "stack");
	json_object_foreach(json_object_get(lock, "services"), name, service) {
		json_object_del(service, "config_hash");
	}
}

bool lock_fetch(struct api_client *client, const char *name, json_t **lock, json_t **environment,
		struct error *err)
{
	const char *which = environment_argument(name);
	AUTO(free) char *path = api_path("/v1/environments/%s", which);
	AUTO(free) char *lock_path = api_path("/v1/environments/%s/lock", which);
	AUTO(json_decref) json_t *whole = NULL, *built = NULL;

	if (!api_get(client, path, &whole, err) || !api_get(client, lock_path, &built, err))
		return false;
	drop_what_is_its_own(built);
	*lock = json_pack("{s:s, s:s, s:O?, s:O}", "apiVersion", "envd/v1", "kind", "Lock",
			  "parameters", json_object_get(whole, "parameters"), "lock", built);
	if (environment)
		*environment = TAKE(whole);
	return true;
}

static bool looks_like_a_file(const char *name)
{
	return strchr(name, '/') ? !text_starts_with(name, "env/") || access(name, R_OK) == 0
				 : strchr(name, '.') != NULL;
}

static bool read_file(const char *file, json_t **lock, struct error *err)
{
	AUTO(free) char *text = NULL;
	AUTO(json_decref) json_t *json = NULL;
	size_t length;

	if (!file_read(file, LOCK_BYTES_MAX, &text, &length, err) ||
	    !json_parse(text, length, file, &json, err))
		return false;
	if (!text_equal(json_get_string(json, "kind", ""), "Lock") ||
	    !json_is_object(json_object_get(json, "lock"))) {
		error_set_as(err, ERR_INVALID, "lock_invalid", "\"%s\" is no lock", file);
		return error_hint(err, "envctl lock NAME -o json writes one");
	}
	drop_what_is_its_own(json_object_get(json, "lock"));
	*lock = TAKE(json);
	return true;
}

bool lock_read(struct api_client *client, const char *name_or_file, json_t **lock,
	       struct error *err)
{
	return looks_like_a_file(name_or_file) ? read_file(name_or_file, lock, err)
					       : lock_fetch(client, name_or_file, lock, NULL, err);
}

/* ---- comparing ---- */

static void differ(const json_t *a, const json_t *b, const char *path, json_t *into)
{
	json_array_append_new(into, json_pack("{s:s, s:O?, s:O?}", "path", path, "a", a, "b", b));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void compare(const json_t *a, const json_t *b, const char *path, json_t *into);

static void compare_objects(const json_t *a, const json_t *b, const char *path, json_t *into)
{
	AUTO(json_decref) json_t *all = json_copy((json_t *)(uintptr_t)a);
	AUTO(free) const char **keys = NULL;
	const char *key;
	size_t count = 0;
	json_t *value;

	json_object_update_missing(all, (json_t *)(uintptr_t)b);
	keys = xcalloc(json_object_size(all) + 1, sizeof(*keys));
	json_object_foreach(all, key, value) {
		keys[count++] = key;
	}
	qsort(keys, count, sizeof(*keys), by_text);
	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *below = xasprintf("%s%s%s", path, *path ? "." : "", keys[i]);

		compare(json_object_get(a, keys[i]), json_object_get(b, keys[i]), below, into);
	}
}

static void compare(const json_t *a, const json_t *b, const char *path, json_t *into)
{
	if (json_is_object(a) && json_is_object(b))
		compare_objects(a, b, path, into);
	else if (!json_equal(a, b) && !(json_is_null(a) && !b) && !(json_is_null(b) && !a))
		differ(a, b, path, into);
}

json_t *json_differences(const json_t *a, const json_t *b)
{
	json_t *differences = json_array();

	compare(a, b, "", differences);
	return differences;
}

static char *in_words(const json_t *value)
{
	if (!value || json_is_null(value))
		return xstrdup("nothing");
	return json_is_string(value) ? xstrdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

void json_differences_text(const json_t *differences, struct text *into)
{
	size_t i;
	json_t *item;

	json_array_foreach(differences, i, item) {
		AUTO(free) char *a = in_words(json_object_get(item, "a"));
		AUTO(free) char *b = in_words(json_object_get(item, "b"));

		text_format(into, "%s%s: %s, not %s", i ? "\n" : "",
			    json_get_string(item, "path", "?"), b, a);
	}
}
