#include "engine/pulumi/pulumi_diff.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { DEPTH_MAX = 24, SECRET_BYTES_MIN = 6 };

/* Pulumi's mark of a secret, whose value events show as "[secret]". */
#define SECRET_MARK "4dabf18193072939515e22adb298388d"

struct differ {
	const json_t *secrets;
	bool is_about_secret; /* a Kubernetes secret: its data is one, whatever it is called */
	json_t *attributes;
	size_t left_out;
};

/* ---- what is nobody's business ---- */

static const char *const secret_words[] = {
	"password",   "passwd",     "passphrase",   "secret", "token",
	"kubeconfig", "credential", "privatekey",   "apikey", "accesskey",
	"clientkey",  "userdata",   "dockerconfig", "jwt",    "stringdata",
};

/* "adminPassword", "kubeconfig" */
static bool name_is_secret(const char *name)
{
	AUTO(text_release) struct text plain = TEXT_EMPTY;

	for (const char *at = name; *at; at++)
		if (*at != '_' && *at != '-' && *at != '.')
			text_add_char(&plain, (char)tolower((unsigned char)*at));
	for (size_t i = 0; i < ARRAY_SIZE(secret_words); i++)
		if (strstr(text_get(&plain), secret_words[i]))
			return true;
	return false;
}

static bool text_is_secret(const struct differ *differ, const char *text)
{
	size_t i;
	json_t *value;

	if (strstr(text, "PRIVATE KEY-----") || strstr(text, "client-key-data"))
		return true;
	json_array_foreach((json_t *)(uintptr_t)differ->secrets, i, value) {
		const char *secret = json_string_value(value);

		if (secret && strlen(secret) >= SECRET_BYTES_MIN && strstr(text, secret))
			return true;
	}
	return false;
}

static bool is_masked(const json_t *value)
{
	return json_is_object(value) && json_object_get(value, SECRET_MARK);
}

/* A copy in which nothing is anybody's secret. */
static json_t *masked(const struct differ *differ, const json_t *value, bool is_secret, int depth)
{
	const char *key;
	json_t *member, *copy;
	size_t i;

	if (is_secret || is_masked(value) || depth > DEPTH_MAX ||
	    (json_is_string(value) && text_is_secret(differ, json_string_value(value))))
		return json_string(DIFF_MASK);
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach((json_t *)(uintptr_t)value, i, member)
			json_array_append_new(copy, masked(differ, member, false, depth + 1));
		return copy;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);
	copy = json_object();
	json_object_foreach_const(value, key, member)
		json_object_set_new(copy, key,
				    masked(differ, member, name_is_secret(key), depth + 1));
	return copy;
}

static void shorten(char *text)
{
	if (strlen(text) <= DIFF_VALUE_BYTES_MAX)
		return;
	text[DIFF_VALUE_BYTES_MAX - 3] = '\0';
	text_make_utf8(text); /* a character that was cut in the middle goes */
	strcat(text, "...");
}

/* Text or null; `is_secret`: by its name, or the name of what it is in. */
static json_t *shown(const struct differ *differ, const json_t *value, bool is_secret)
{
	AUTO(json_decref) json_t *open = NULL;
	AUTO(free) char *text = NULL;

	if (!value)
		return json_null();
	open = masked(differ, value, is_secret, 0);
	text = json_is_string(open) ? xstrdup(json_string_value(open))
				    : json_dumps(open, JSON_ENCODE_ANY | JSON_COMPACT);
	shorten(text);
	return json_string(text);
}

/* ---- comparing ---- */

struct place_in {
	const char *path;
	bool is_secret;
	int depth;
};

static void add(struct differ *differ, const struct place_in *at, const json_t *from,
		const json_t *to)
{
	if (json_array_size(differ->attributes) >= DIFF_ATTRIBUTES_MAX) {
		differ->left_out++;
		return;
	}
	json_array_append_new(differ->attributes,
			      json_pack("{s:s, s:o, s:o}", "path", *at->path ? at->path : ".",
					"from", shown(differ, from, at->is_secret), "to",
					shown(differ, to, at->is_secret)));
}

static void compare(struct differ *differ, const struct place_in *at, const json_t *from,
		    const json_t *to);

static void compare_member(struct differ *differ, const struct place_in *at, const char *key,
			   const json_t *from, const json_t *to)
{
	AUTO(free)
	char *path =
	    xasprintf("%s%s%.*s", at->path, *at->path ? "." : "", DIFF_PATH_BYTES_MAX, key);
	bool is_data = differ->is_about_secret && (strcmp(key, "data") == 0);
	struct place_in below = { path, at->is_secret || is_data || name_is_secret(key),
				  at->depth + 1 };

	/* How a dynamic provider is stored: its own code. */
	if (text_starts_with(key, "__"))
		return;
	if (strlen(path) > DIFF_PATH_BYTES_MAX)
		below.path = at->path;
	compare(differ, &below, from, to);
}

static void compare_objects(struct differ *differ, const struct place_in *at, const json_t *from,
			    const json_t *to)
{
	const char *key;
	json_t *value;

	json_object_foreach_const(from, key, value)
		compare_member(differ, at, key, value, json_object_get(to, key));
	json_object_foreach_const(to, key, value)
		if (!json_object_get(from, key))
			compare_member(differ, at, key, NULL, value);
}

static void compare_arrays(struct differ *differ, const struct place_in *at, const json_t *from,
			   const json_t *to)
{
	size_t count = json_array_size(from) > json_array_size(to) ? json_array_size(from)
								   : json_array_size(to);

	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *path = xasprintf("%s[%zu]", at->path, i);
		struct place_in below = { path, at->is_secret, at->depth + 1 };

		compare(differ, &below, json_array_get(from, i), json_array_get(to, i));
	}
}

static bool can_descend(const json_t *from, const json_t *to, bool (*is)(const json_t *value))
{
	return (from || to) && (!from || is(from)) && (!to || is(to)) && !is_masked(from) &&
	       !is_masked(to);
}

static bool is_object(const json_t *value)
{
	return json_is_object(value) && json_object_size(value);
}

static bool is_array(const json_t *value)
{
	return json_is_array(value) && json_array_size(value);
}

static bool is_empty(const json_t *value)
{
	return !value || (json_is_object(value) && !json_object_size(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

static void compare(struct differ *differ, const struct place_in *at, const json_t *from,
		    const json_t *to)
{
	/* That something empty is there now says nothing. */
	if ((from && to && json_equal(from, to)) || (!from && is_empty(to)) ||
	    (!to && is_empty(from)))
		return;
	if (at->depth < DEPTH_MAX && can_descend(from, to, is_object))
		compare_objects(differ, at, from, to);
	else if (at->depth < DEPTH_MAX && can_descend(from, to, is_array))
		compare_arrays(differ, at, from, to);
	else
		add(differ, at, from, to);
}

/* ---- what Pulumi says and masking hides ---- */

static bool is_listed(const json_t *attributes, const char *path)
{
	size_t i;
	json_t *attribute;

	json_array_foreach((json_t *)(uintptr_t)attributes, i, attribute) {
		const char *known = json_get_string(attribute, "path", "");

		if (text_starts_with(known, path) || text_starts_with(path, known))
			return true;
	}
	return false;
}

/* A secret that changed looks the same before and after. */
static void add_hidden(struct differ *differ, const json_t *metadata)
{
	const char *path;
	json_t *value;
	size_t i;

	json_object_foreach_const(json_object_get(metadata, "detailedDiff"), path, value) {
		struct place_in at = { path, true, 0 };

		if (!is_listed(differ->attributes, path) && !text_starts_with(path, "__") &&
		    strlen(path) <= DIFF_PATH_BYTES_MAX)
			add(differ, &at, value, value);
	}
	json_array_foreach(json_object_get(metadata, "diffs"), i, value) {
		struct place_in at = { json_string_value(value), true, 0 };

		if (at.path && !is_listed(differ->attributes, at.path) &&
		    !text_starts_with(at.path, "__") && strlen(at.path) <= DIFF_PATH_BYTES_MAX)
			add(differ, &at, value, value);
	}
}

json_t *diff_attributes(const json_t *metadata, const json_t *secrets, size_t *left_out)
{
	const json_t *from = json_object_get(metadata, "old"),
		     *to = json_object_get(metadata, "new");
	struct differ differ = {
		.secrets = secrets,
		.is_about_secret = text_ends_with(json_get_string(metadata, "type", ""), ":Secret"),
		.attributes = json_array(),
	};
	const struct place_in top = { "", false, 0 };
	bool is_stack = strcmp(json_get_string(metadata, "type", ""), "pulumi:pulumi:Stack") == 0;

	*left_out = 0;
	/* Of what goes nothing changes. */
	if (!json_is_object(to))
		return differ.attributes;
	compare(&differ, &top, json_object_get(from, "inputs"), json_object_get(to, "inputs"));
	/* What a refresh found, and what a program exports, is an output. */
	if (!json_array_size(differ.attributes) && (json_is_object(from) || is_stack))
		compare(&differ, &top, json_object_get(from, "outputs"),
			json_object_get(to, "outputs"));
	if (json_is_object(from))
		add_hidden(&differ, metadata);
	*left_out = differ.left_out;
	return differ.attributes;
}
