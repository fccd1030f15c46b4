#include "worker/redact.h"

#include <ctype.h>
#include <string.h>

enum { VALUE_BYTES_MIN = 6, VALUES_MAX = 200, NAME_BYTES_MAX = 128 };

#define HIDDEN "***"

struct redactor {
	char **values; /* longest first: one may be the beginning of another */
	size_t count;
	bool begins[256]; /* some value begins with this byte */
};

/* Parts of names. "key" alone is too common a word. */
static const char *const secret_words[] = {
	"password",  "passwd",     "passphrase",  "secret",         "token",      "apikey",
	"api_key",   "api-key",    "private_key", "private-key",    "credential", "access_key",
	"accesskey", "auth_key",   "signing_key", "encryption_key", "_pwd",       "authorization",
	"cookie",    "session_id", "client_key",
};

/* The rest of the line is what they are. */
static const char *const secret_headers[] = {
	"authorization:", "proxy-authorization:", "cookie:",
	"set-cookie:",    "x-api-key:",           "x-auth-token:",
};

/* A word that begins so is a secret by its own shape. */
static const struct {
	const char *prefix;
	size_t bytes_min;
} shapes[] = {
	{ "ghp_", 20 },  { "gho_", 20 }, { "ghs_", 20 }, { "github_pat_", 20 }, { "glpat-", 16 },
	{ "xoxb-", 16 }, { "AKIA", 20 }, { "eyJ", 40 },  { "sk_live_", 16 },    { "dckr_pat_", 16 },
};

struct redactor *redactor_new(void)
{
	return xcalloc(1, sizeof(struct redactor));
}

void redactor_free(struct redactor *redactor)
{
	if (!redactor)
		return;
	for (size_t i = 0; i < redactor->count; i++)
		free(redactor->values[i]);
	free(redactor->values);
	free(redactor);
}

static bool redact_name_is_secret(const char *name, size_t length)
{
	char lower[NAME_BYTES_MAX + 1];

	if (length == 0 || length > NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[length] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(secret_words); i++)
		if (strstr(lower, secret_words[i]))
			return true;
	return false;
}

void redactor_learn(struct redactor *redactor, const char *value)
{
	size_t length = strlen(value), at = 0;

	if (length < VALUE_BYTES_MIN || redactor->count >= VALUES_MAX)
		return;
	for (size_t i = 0; i < redactor->count; i++)
		if (strcmp(redactor->values[i], value) == 0)
			return;
	redactor->values =
	    xrealloc(redactor->values, redactor->count + 1, sizeof(*redactor->values));
	while (at < redactor->count && strlen(redactor->values[at]) >= length)
		at++;
	memmove(redactor->values + at + 1, redactor->values + at,
		(redactor->count - at) * sizeof(*redactor->values));
	redactor->values[at] = xstrdup(value);
	redactor->begins[(unsigned char)*value] = true;
	redactor->count++;
}

static size_t assignment_name(const char *text)
{
	size_t length =
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return length && text[length] == '=' ? length : 0;
}

static void learn_named(struct redactor *redactor, const char *name, const json_t *value)
{
	if (json_is_string(value) && redact_name_is_secret(name, strlen(name)))
		redactor_learn(redactor, json_string_value(value));
	redactor_learn_json(redactor, value);
}

void redactor_learn_json(struct redactor *redactor, const json_t *json)
{
	const char *text = json_string_value(json), *key;
	size_t name = text ? assignment_name(text) : 0, i;
	json_t *value;

	if (name && redact_name_is_secret(text, name))
		redactor_learn(redactor, text + name + 1);
	json_array_foreach((json_t *)(uintptr_t)json, i, value)
		redactor_learn_json(redactor, value);
	json_object_foreach_const(json, key, value)
		learn_named(redactor, key, value);
}

/* ---- text: a cursor over one line ---- */

struct cursor {
	const char *at;
	const char *end;
	const char *begin;
	struct text *into;
};

static size_t left_of(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static bool starts_with(const struct cursor *c, const char *word)
{
	size_t length = strlen(word);

	return left_of(c) >= length && strncasecmp(c->at, word, length) == 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool is_at_word(const struct cursor *c)
{
	return c->at == c->begin || !is_word(c->at[-1]);
}

static size_t value_length(const struct cursor *c)
{
	size_t length = 0;

	while (length < left_of(c) && !strchr(" \t\"'&,;<>)}]", c->at[length]) &&
	       c->at[length] != '\0')
		length++;
	return length;
}

static void copy(struct cursor *c, size_t length)
{
	text_add_bytes(c->into, c->at, length);
	c->at += length;
}

static void hide(struct cursor *c, size_t length)
{
	text_add(c->into, HIDDEN);
	c->at += length;
}

static bool hide_known(const struct redactor *redactor, struct cursor *c)
{
	if (!redactor->begins[(unsigned char)*c->at])
		return false;
	for (size_t i = 0; i < redactor->count; i++) {
		size_t length = strlen(redactor->values[i]);

		if (left_of(c) >= length && memcmp(c->at, redactor->values[i], length) == 0) {
			hide(c, length);
			return true;
		}
	}
	return false;
}

static bool hide_header(struct cursor *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_headers); i++)
		if (starts_with(c, secret_headers[i])) {
			copy(c, strlen(secret_headers[i]));
			text_add_char(c->into, ' ');
			hide(c, left_of(c));
			return true;
		}
	return false;
}

static bool hide_scheme(struct cursor *c)
{
	static const char *const schemes[] = { "bearer ", "basic " };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		struct cursor after = *c;

		if (!starts_with(c, schemes[i]))
			continue;
		after.at += strlen(schemes[i]);
		if (value_length(&after) < 8)
			continue;
		copy(c, strlen(schemes[i]));
		hide(c, value_length(c));
		return true;
	}
	return false;
}

static bool hide_shape(struct cursor *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (starts_with(c, shapes[i].prefix) && value_length(c) >= shapes[i].bytes_min) {
			hide(c, value_length(c));
			return true;
		}
	return false;
}

/* name=value, name: value, "name": "value" */
static bool hide_assignment(struct cursor *c)
{
	struct cursor after = *c;
	size_t name = 0;

	while (name < left_of(c) && is_word(c->at[name]))
		name++;
	if (!redact_name_is_secret(c->at, name))
		return false;
	after.at += name;
	while (after.at < after.end && strchr("\"' ", *after.at))
		after.at++;
	if (after.at == after.end || (*after.at != '=' && *after.at != ':'))
		return false;
	after.at++;
	while (after.at < after.end && strchr("\"' ", *after.at))
		after.at++;
	if (value_length(&after) == 0)
		return false;
	copy(c, (size_t)(after.at - c->at));
	hide(c, value_length(c));
	return true;
}

/* scheme://user:password@host */
static bool hide_userinfo(struct cursor *c)
{
	const char *at, *colon;
	size_t length;

	if (!starts_with(c, "://"))
		return false;
	length = 3;
	while (length < left_of(c) && !strchr("/?# \t\"'", c->at[length]) && c->at[length] != '@')
		length++;
	at = c->at + length;
	if (at == c->end || *at != '@')
		return false;
	colon = memchr(c->at + 3, ':', length - 3);
	copy(c, colon ? (size_t)(colon + 1 - c->at) : 3);
	hide(c, (size_t)(at - c->at));
	return true;
}

static void add_line(const struct redactor *redactor, struct cursor *c)
{
	while (c->at < c->end) {
		if (hide_known(redactor, c) || hide_userinfo(c))
			continue;
		if (is_at_word(c) &&
		    (hide_header(c) || hide_scheme(c) || hide_shape(c) || hide_assignment(c)))
			continue;
		copy(c, 1);
	}
}

static bool has(const char *line, size_t length, const char *words)
{
	return memmem(line, length, words, strlen(words)) != NULL;
}

/* A value of several lines is hidden as its lines: none of it stands whole in one line of a log. */
static void add_known_or_line(const struct redactor *redactor, const char *line, size_t length,
			      bool *in_key, struct text *into)
{
	struct cursor cursor = { .at = line, .end = line + length, .begin = line, .into = into };
	bool begins = has(line, length, "-----BEGIN ") && has(line, length, "PRIVATE KEY");

	if (begins && !*in_key)
		text_add(into, HIDDEN);
	*in_key = *in_key || begins;
	if (!*in_key)
		add_line(redactor, &cursor);
	else if (has(line, length, "-----END "))
		*in_key = false;
}

void redactor_add(const struct redactor *redactor, const char *text, size_t length,
		  struct text *into)
{
	const char *end = text + length;
	bool in_key = false;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		add_known_or_line(redactor, text, (size_t)(stop - text), &in_key, into);
		if (newline && !in_key)
			text_add_char(into, '\n');
		text = newline ? newline + 1 : end;
	}
}

/* ---- JSON ---- */

static json_t *redacted_string(const struct redactor *redactor, const json_t *json)
{
	AUTO(text_release) struct text clean = TEXT_EMPTY;
	const char *text = json_string_value(json);
	size_t name = assignment_name(text);

	if (name && redact_name_is_secret(text, name)) {
		text_add_bytes(&clean, text, name + 1);
		text_add(&clean, HIDDEN);
	} else {
		redactor_add(redactor, text, json_string_length(json), &clean);
	}
	return json_string(text_get(&clean));
}

json_t *redactor_json(const struct redactor *redactor, const json_t *json)
{
	const char *key;
	json_t *value, *made;
	size_t i;

	if (json_is_string(json))
		return redacted_string(redactor, json);
	if (json_is_array(json)) {
		made = json_array();
		json_array_foreach((json_t *)(uintptr_t)json, i, value)
			json_array_append_new(made, redactor_json(redactor, value));
		return made;
	}
	if (!json_is_object(json))
		return json_deep_copy(json);
	made = json_object();
	json_object_foreach_const(json, key, value)
		json_object_set_new(made, key,
				    json_is_string(value) && redact_name_is_secret(key, strlen(key))
					? json_string(HIDDEN)
					: redactor_json(redactor, value));
	return made;
}
