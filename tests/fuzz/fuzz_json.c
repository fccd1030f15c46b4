/*
 * JSON bodies: what our reader takes is what jansson takes without any leniency, not too deep, and
 * written and read again it is the same.
 */
#include <string.h>

#include "base/json_read.h"
#include "tests/fuzz/fuzz.h"

enum { DEPTH_MAX = 32 };

static int depth_of(const json_t *json)
{
	int deepest = 0;
	const char *key;
	json_t *item;
	size_t i;

	if (!json_is_object(json) && !json_is_array(json))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)json, key, item)
		if (depth_of(item) > deepest)
			deepest = depth_of(item);
	json_array_foreach((json_t *)(uintptr_t)json, i, item)
		if (depth_of(item) > deepest)
			deepest = depth_of(item);
	return deepest + 1;
}

static void read_fields(const json_t *json)
{
	static const char *const known[] = { "template", "name", "ttl", "labels", NULL };
	const json_t *object;
	const char *text;
	int64_t number;
	struct error err;
	bool is_true;

	if (json_only_keys(json, known, &err))
		CLAIM(json_object_size(json) <= 4);
	else
		CLAIM(err.message[0]);
	if (json_read_string(json, "template", &text, &err))
		CLAIM(strlen(text) == json_string_length(json_object_get(json, "template")));
	if (json_read_duration_ms(json, "ttl", &number, &err))
		CLAIM(number >= 0);
	if (json_read_int64(json, "name", &number, &err))
		CLAIM(json_is_integer(json_object_get(json, "name")));
	if (json_read_bool(json, "name", &is_true, &err))
		CLAIM(json_is_boolean(json_object_get(json, "name")));
	if (json_read_object(json, "labels", &object, &err))
		CLAIM(json_is_object(object));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	AUTO(json_decref) json_t *json = NULL, *again = NULL, *plain = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	plain = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_parse(bytes, size, "body", &json, &err)) {
		CLAIM(err.message[0]);
		return 0;
	}
	CLAIM(plain && json_equal(plain, json));
	CLAIM(depth_of(json) <= DEPTH_MAX);
	text = json_to_text(json);
	CLAIM(json_parse(text, strlen(text), "body", &again, &err));
	if (json_is_object(json))
		read_fields(json);
	return 0;
}
