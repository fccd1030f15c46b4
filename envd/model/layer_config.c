#include "model/layer_config.h"

#include <string.h>

#include "base/text.h"

#define ALTERNATIVES_MAX 5

/* ---- plain values ---- */

/* "NAMESPACE:NAME": with a point in place of the colon Pulumi refuses the whole file. */
static bool check_config_key(const struct layer_reading *reading, const struct yaml_node *key)
{
	size_t before = strspn(key->text, layer_name_letters);
	const char *name = key->text + before + (key->text[before] == ':');
	size_t after = strspn(name, layer_name_letters);

	return (before && name != key->text + before && after && !name[after]) ||
	       yaml_error(reading->document, key, reading->err,
			  "\"%.80s\" is no key of a configuration (expected NAMESPACE:NAME)",
			  key->text);
}

/* 1.20 without quotes is the number 1.2 by the time that Pulumi reads it. */
static bool check_scalar(const struct layer_reading *reading, const struct yaml_node *node)
{
	return !(node->kind == YAML_SCALAR && node->is_plain && strchr(node->text, '.') &&
		 strspn(node->text, "0123456789.") == strlen(node->text)) ||
	       yaml_error(reading->document, node, reading->err,
			  "write \"%.40s\" in quotes: without them it is a number", node->text);
}

bool layer_plain_read(const struct layer_reading *reading, const struct yaml_node *map,
		      json_t **plain)
{
	*plain = json_object();
	if (!map)
		return true;
	if (!layer_expect_map(reading, map, "\"config\""))
		return false;
	for (size_t i = 0; i < map->count; i++) {
		if (!check_config_key(reading, map->keys[i]) ||
		    !check_scalar(reading, map->items[i]))
			return false;
		json_object_set_new(*plain, map->keys[i]->text, yaml_to_json(map->items[i]));
	}
	return true;
}

/* ---- secrets ---- */

static bool read_random(const struct layer_reading *reading, const struct yaml_node *map,
			struct layer_secret *secret)
{
	secret->kind = LAYER_SECRET_RANDOM;
	if (!yaml_read_int64(reading->document, map, "random", &secret->length, reading->err))
		return false;
	return (secret->length >= 8 && secret->length <= 128) ||
	       yaml_error(reading->document, map, reading->err,
			  "\"random\" must be between 8 and 128 characters");
}

static bool read_none(const struct layer_reading *reading, const struct yaml_node *map,
		      struct layer_secret *secret)
{
	bool is_none;

	secret->kind = LAYER_SECRET_NONE;
	if (!yaml_read_bool(reading->document, map, "none", &is_none, reading->err))
		return false;
	return is_none ||
	       yaml_error(reading->document, map, reading->err, "\"none\" can only be true");
}

static bool read_reference(const struct layer_reading *reading, const struct yaml_node *map,
			   struct layer_secret *secret)
{
	const char *kind = yaml_get(map, "file")   ? "file"
			   : yaml_get(map, "text") ? "text"
						   : "variable";

	secret->kind = yaml_get(map, "file")   ? LAYER_SECRET_FILE
		       : yaml_get(map, "text") ? LAYER_SECRET_TEXT
					       : LAYER_SECRET_VARIABLE;
	if (!yaml_copy_string(reading->document, map, kind, NULL, &secret->from, reading->err))
		return false;
	/* Nothing else of ours is passed on to workers. */
	return secret->kind != LAYER_SECRET_VARIABLE ||
	       text_starts_with(secret->from, "ENVD_SECRET_") ||
	       yaml_error(reading->document, map, reading->err,
			  "the variable of a secret must begin with ENVD_SECRET_");
}

static bool read_one(const struct layer_reading *reading, const struct yaml_node *map,
		     struct layer_secret *secret)
{
	static const char *const known[] = { "variable", "file", "command", "random",
					     "text",     "none", "when",    NULL };

	if (!layer_expect_map(reading, map, "a secret") ||
	    !yaml_only_keys(reading->document, map, known, reading->err) ||
	    !layer_read_when(reading, map, &secret->when))
		return false;
	if (map->count - (secret->when != NULL) != 1)
		return yaml_error(
		    reading->document, map, reading->err,
		    "a secret needs one of variable, file, command, random, text and none");
	if (yaml_get(map, "random"))
		return read_random(reading, map, secret);
	if (yaml_get(map, "none"))
		return read_none(reading, map, secret);
	if (yaml_get(map, "command")) {
		secret->kind = LAYER_SECRET_COMMAND;
		return layer_read_command(reading, map, "command", &secret->command);
	}
	return read_reference(reading, map, secret);
}

bool layer_secret_read(const struct layer_reading *reading, const struct yaml_node *key,
		       const struct yaml_node *node, struct layer_secret *secret)
{
	secret->key = xstrdup(key->text);
	if (node->kind != YAML_LIST)
		return read_one(reading, node, secret);
	if (!node->count || node->count > ALTERNATIVES_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "a secret can be one of 1 to %d", ALTERNATIVES_MAX);
	for (size_t i = 0; i < node->count; i++) {
		if (!read_one(reading, node->items[i], secret))
			return false;
		if (i + 1 == node->count)
			break;
		secret->otherwise = xcalloc(1, sizeof(*secret));
		secret->otherwise->key = xstrdup(key->text);
		secret = secret->otherwise;
	}
	return true;
}

void layer_secret_release(struct layer_secret *secret)
{
	free(secret->key);
	free(secret->from);
	json_decref(secret->when);
	layer_words_free(secret->command);
	if (secret->otherwise)
		layer_secret_release(secret->otherwise);
	free(secret->otherwise);
	*secret = (struct layer_secret){ .key = NULL };
}

static void secrets_free(struct layer_secret *secrets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		layer_secret_release(&secrets[i]);
	free(secrets);
}

bool layer_config_read(const struct layer_reading *reading, const struct yaml_node *map,
		       struct layer_config *config)
{
	const struct yaml_node *secrets = yaml_get(map, "secrets");

	if (!layer_plain_read(reading, yaml_get(map, "config"), &config->plain) ||
	    !layer_plain_read(reading, yaml_get(map, "optional"), &config->optional))
		return false;
	if (!secrets)
		return true;
	if (!layer_expect_map(reading, secrets, "\"secrets\""))
		return false;
	config->secrets = xcalloc(secrets->count + 1, sizeof(*config->secrets));
	for (size_t i = 0; i < secrets->count; i++)
		if (!check_config_key(reading, secrets->keys[i]) ||
		    !layer_secret_read(reading, secrets->keys[i], secrets->items[i],
				       &config->secrets[config->secret_count++]))
			return false;
	return true;
}

void layer_config_release(struct layer_config *config)
{
	secrets_free(config->secrets, config->secret_count);
	json_decref(config->plain);
	json_decref(config->optional);
	*config = (struct layer_config){ NULL, NULL, NULL, 0 };
}

/* ---- variables ---- */

static bool is_ours(const char *name)
{
	static const char *const ours[] = { "HOME",       "TMPDIR",        "PATH",
					    "KUBECONFIG", "DOCKER_CONFIG", NULL };

	for (const char *const *one = ours; *one; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

/* What keeps environments apart is not a template's to change. */
static bool check_variable(const struct layer_reading *reading, const struct yaml_node *key)
{
	const char *name = key->text;

	return (!text_starts_with(name, "PULUMI_") && !text_starts_with(name, "ENVD_") &&
		!strpbrk(name, "= \t") && !is_ours(name)) ||
	       yaml_error(reading->document, key, reading->err,
			  "variable \"%.60s\" cannot be set by a template", name);
}

bool layer_variables_read(const struct layer_reading *reading, const struct yaml_node *map,
			  struct layer_variables *variables)
{
	const struct yaml_node *node = yaml_get(map, "variables");

	variables->plain = json_object();
	if (!node)
		return true;
	if (!layer_expect_map(reading, node, "\"variables\""))
		return false;
	variables->secrets = xcalloc(node->count + 1, sizeof(*variables->secrets));
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *value = node->items[i];

		if (!check_variable(reading, node->keys[i]))
			return false;
		if (value->kind == YAML_SCALAR)
			json_object_set_new(variables->plain, node->keys[i]->text,
					    json_string(value->text));
		else if (!layer_secret_read(reading, node->keys[i], value,
					    &variables->secrets[variables->secret_count++]))
			return false;
	}
	return true;
}

void layer_variables_release(struct layer_variables *variables)
{
	secrets_free(variables->secrets, variables->secret_count);
	json_decref(variables->plain);
	*variables = (struct layer_variables){ NULL, NULL, 0 };
}

void layer_variables_add(struct layer_variables *variables, struct layer_variables *more)
{
	json_object_update(variables->plain, more->plain);
	variables->secrets =
	    xrealloc(variables->secrets, variables->secret_count + more->secret_count + 1,
		     sizeof(*variables->secrets));
	for (size_t i = 0; i < more->secret_count; i++)
		variables->secrets[variables->secret_count++] = more->secrets[i];
	more->secret_count = 0;
	layer_variables_release(more);
}
