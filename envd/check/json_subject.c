#include "check/json_subject.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

/* Into an object "[key]" leads as well, and may have dots: "[tls.crt]". */
static const json_t *step_bracketed(const json_t *json, const char *inside, size_t length)
{
	AUTO(free) char *key = xstrndup(inside, length);

	return json_is_object(json) ? json_object_get(json, key)
				    : json_array_get(json, strtoul(key, NULL, 10));
}

/* One step of a path: a key, "[3]" or "#". */
static const json_t *step_into(const json_t *json, const char **path)
{
	const char *at = *path;
	size_t length;

	if (*at == '[') {
		length = strcspn(at, "]");
		*path = at + length + (at[length] == ']');
		return step_bracketed(json, at + 1, length - 1);
	}
	length = strcspn(at, ".[");
	*path = at + length;
	{
		AUTO(free) char *key = xstrndup(at, length);

		return json_object_get(json, key);
	}
}

static struct observed observed_json(const json_t *json)
{
	AUTO(free) char *text = NULL;

	switch (json_typeof(json)) {
	case JSON_STRING:
		return observed_bytes(json_string_value(json), json_string_length(json));
	case JSON_INTEGER:
		return observed_number(json_integer_value(json));
	case JSON_REAL:
		text = xasprintf("%.9f", json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		return observed_boolean(json_is_true(json));
	case JSON_NULL:
		return observed_text("null");
	default:
		text = json_to_text(json);
	}
	return observed_text(text);
}

struct observed json_subject(const json_t *json, const char *path)
{
	const char *at = path;
	AUTO(free) char *note = NULL;

	while (json && *at) {
		if (strcmp(at, "#") == 0)
			return observed_number(json_is_array(json)
						   ? (int64_t)json_array_size(json)
						   : (int64_t)json_object_size(json));
		json = step_into(json, &at);
		at += *at == '.';
	}
	if (json)
		return observed_json(json);
	note = xasprintf("there is no \"%.60s\" in the JSON", path);
	return observed_nothing(note);
}

/* base64url without padding, as tokens have it. NULL when it is something else. */
static char *decode(const char *text, size_t length, size_t *decoded_length)
{
	AUTO(free) char *padded = xcalloc(length + 4, 1);
	AUTO(free) unsigned char *decoded = xcalloc(length + 4, 1);
	size_t padded_length = (length + 3) / 4 * 4;
	int got;

	memset(padded, '=', padded_length);
	for (size_t i = 0; i < length; i++)
		padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	got = EVP_DecodeBlock(decoded, (unsigned char *)padded, (int)padded_length);
	if (got < 0 || length % 4 == 1)
		return NULL;
	*decoded_length = (size_t)got - (padded_length - length);
	return (char *)TAKE(decoded);
}

static json_t *payload_of(const char *token)
{
	const char *first = strchr(token, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	AUTO(free) char *text = NULL;
	struct error ignored; /* whoever asks is told "not a token", whatever the reason */
	json_t *json = NULL;
	size_t length = 0;

	if (!second || strchr(second + 1, '.') || second - first > 65536)
		return NULL;
	text = decode(first + 1, (size_t)(second - first - 1), &length);
	if (!text || !json_parse(text, length, "token", &json, &ignored))
		return NULL;
	return json;
}

struct observed jwt_subject(const char *token, const char *path)
{
	AUTO(json_decref) json_t *payload = token ? payload_of(token) : NULL;
	struct observed whole;

	if (!token)
		return observed_nothing("there is no such cookie or capture");
	if (!payload)
		return observed_nothing("it is not a token of three parts with JSON inside");
	if (*path)
		return json_subject(payload, path);
	whole = observed_text(token);
	whole.is_secret = true;
	return whole;
}
