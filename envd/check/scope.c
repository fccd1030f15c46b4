#include "check/scope.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/text.h"
#include "model/check_plan.h"
#include "model/placeholder.h"

/* Shorter values would turn half of a page into asterisks. */
#define SECRET_LENGTH_MIN 4

struct capture {
	char *name;
	char *text;
	bool is_secret;
};

struct scope {
	struct scope_source source;
	struct capture *captures;
	size_t capture_count;
	char **secrets;
	size_t secret_count;
};

struct scope *scope_new(const struct scope_source *source)
{
	struct scope *scope = xcalloc(1, sizeof(*scope));

	scope->source = *source;
	return scope;
}

void scope_clear(struct scope *scope)
{
	for (size_t i = 0; i < scope->capture_count; i++) {
		free(scope->captures[i].name);
		free(scope->captures[i].text);
	}
	for (size_t i = 0; i < scope->secret_count; i++)
		free(scope->secrets[i]);
	free(scope->captures);
	free(scope->secrets);
	*scope = (struct scope){ .source = scope->source };
}

void scope_free(struct scope *scope)
{
	if (!scope)
		return;
	scope_clear(scope);
	free(scope);
}

/* ---- captures and secrets ------------------------------------------------------------------ */

static void keep_secret(struct scope *scope, const char *text)
{
	if (strlen(text) < SECRET_LENGTH_MIN)
		return;
	for (size_t i = 0; i < scope->secret_count; i++)
		if (strcmp(scope->secrets[i], text) == 0)
			return;
	scope->secrets = xrealloc(scope->secrets, scope->secret_count + 1, sizeof(char *));
	scope->secrets[scope->secret_count++] = xstrdup(text);
}

static struct capture *find_capture(const struct scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->capture_count; i++)
		if (strcmp(scope->captures[i].name, name) == 0)
			return &scope->captures[i];
	return NULL;
}

void scope_capture(struct scope *scope, const char *name, const char *text, bool is_secret)
{
	struct capture *capture = find_capture(scope, name);

	if (!capture) {
		scope->captures =
		    xrealloc(scope->captures, scope->capture_count + 1, sizeof(*scope->captures));
		capture = &scope->captures[scope->capture_count++];
		*capture = (struct capture){ .name = xstrdup(name) };
	}
	free(capture->text);
	capture->text = xstrdup(text);
	capture->is_secret = is_secret;
	if (is_secret)
		keep_secret(scope, text);
}

const char *scope_captured(const struct scope *scope, const char *name, bool *is_secret)
{
	const struct capture *capture = find_capture(scope, name);

	*is_secret = capture && capture->is_secret;
	return capture ? capture->text : NULL;
}

void scope_note_field(struct scope *scope, const char *field, const char *value)
{
	static const char *const words[] = { "pass",   "secret",  "token", "pin",    "ssn",
					     "apikey", "api_key", "auth",  "cookie", "credential" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(field, words[i])) {
			keep_secret(scope, value);
			return;
		}
}

void scope_redact(const struct scope *scope, char *text)
{
	for (size_t i = 0; i < scope->secret_count; i++) {
		size_t length = strlen(scope->secrets[i]);

		for (char *at = text; (at = strstr(at, scope->secrets[i])); at += length)
			memset(at, '*', length);
	}
}

/* ---- names --------------------------------------------------------------------------------- */

static char *json_as_text(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_integer(value))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return xasprintf("%.15g", json_real_value(value));
	if (json_is_boolean(value))
		return xstrdup(json_is_true(value) ? "true" : "false");
	return NULL;
}

/* "SERVICE.host", "SERVICE.port.CONTAINER_PORT"; NULL when the address has no such name. */
static char *address_name(const json_t *address, bool is_host)
{
	const char *service = json_get_string(address, "service", "");

	if (is_host)
		return xasprintf("%s.host", service);
	return xasprintf("%s.port.%" PRId64, service, json_get_int64(address, "container_port", 0));
}

static char *address_value(const json_t *addresses, const char *name)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *address = json_array_get(addresses, i);
		AUTO(free) char *host_name = address_name(address, true);
		AUTO(free) char *port_name = address_name(address, false);

		if (strcmp(host_name, name) == 0)
			return xstrdup(json_get_string(address, "host", ""));
		if (strcmp(port_name, name) == 0)
			return xasprintf("%" PRId64, json_get_int64(address, "port", 0));
	}
	return NULL;
}

static char *new_uuid(const struct scope *scope)
{
	(void)scope;
	return xstrdup(env_id_new().text);
}

static char *new_random(const struct scope *scope)
{
	char hex[13];

	(void)scope;
	random_hex(hex, sizeof(hex) - 1);
	return xstrdup(hex);
}

static char *now_text(const struct scope *scope)
{
	(void)scope;
	return xasprintf("%" PRId64, clock_wall_ms() / 1000);
}

static char *environment_id(const struct scope *scope)
{
	return xstrdup(scope->source.environment_id);
}

static char *environment_name(const struct scope *scope)
{
	return xstrdup(scope->source.environment_name);
}

static const struct {
	const char *name;
	char *(*value)(const struct scope *scope);
} words[] = {
#define X(name, value) { name, value },
	CHECK_WORDS(X)
#undef X
};

char *scope_value(void *arg, const char *name)
{
	const struct scope *scope = arg;
	const struct capture *capture = find_capture(scope, name);
	const json_t *output = json_object_get(scope->source.outputs, name);
	char *found;

	if (capture)
		return xstrdup(capture->text);
	if (output)
		return json_as_text(output);
	found = address_value(scope->source.addresses, name);
	for (size_t i = 0; !found && i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, name) == 0)
			found = words[i].value(scope);
	return found;
}

bool scope_fill(struct scope *scope, const char *text, char **filled, struct error *err)
{
	struct error why;

	if (placeholder_fill(text, scope_value, scope, filled, &why))
		return true;
	return error_set_as(err, ERR_INVALID, "check_name_unknown", "%s", why.message);
}

static void name_add(char ***names, size_t *count, char *name)
{
	*names = xrealloc(*names, *count + 2, sizeof(char *));
	(*names)[(*count)++] = name;
	(*names)[*count] = NULL;
}

char **scope_names(const struct scope *scope)
{
	json_t *outputs = (json_t *)(uintptr_t)scope->source.outputs;
	char **names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		name_add(&names, &count, xstrdup(words[i].name));
	for (void *at = json_object_iter(outputs); at; at = json_object_iter_next(outputs, at)) {
		AUTO(free) char *text = json_as_text(json_object_iter_value(at));

		if (text)
			name_add(&names, &count, xstrdup(json_object_iter_key(at)));
	}
	for (size_t i = 0; i < json_array_size(scope->source.addresses); i++) {
		const json_t *address = json_array_get(scope->source.addresses, i);

		name_add(&names, &count, address_name(address, true));
		name_add(&names, &count, address_name(address, false));
	}
	return names;
}

void scope_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
