#include "engine/pulumi/pulumi_config.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_secret.h"
#include "engine/pulumi/pulumi_state.h"
#include "model/placeholder.h"

enum { CONFIG_BYTES_MAX = 4 << 20 };

/* ---- plain values ---- */

/* "${lists.NAME}" and nothing else. */
static bool is_list(const char *text)
{
	return text_starts_with(text, "${lists.") && strchr(text, '}') == text + strlen(text) - 1;
}

static bool fill(const struct pulumi_place *place, const json_t *value, json_t **filled,
		 struct error *err)
{
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(free) char *text = NULL;
	json_t *item, *inner;
	const char *key;
	size_t i;

	if (json_is_string(value)) {
		if (!place_fill(place, json_string_value(value), &text, err))
			return false;
		*filled = is_list(json_string_value(value)) ? json_loads(text, 0, NULL)
							    : json_string(text);
		return *filled || error_set_as(err, ERR_INVALID, "config_invalid",
					       "%.80s is an empty list", json_string_value(value));
	}
	if (!json_is_object(value) && !json_is_array(value)) {
		*filled = json_deep_copy(value);
		return true;
	}
	whole = json_is_object(value) ? json_object() : json_array();
	json_object_foreach_const(json_is_object(value) ? value : NULL, key, item) {
		if (!fill(place, item, &inner, err))
			return false;
		json_object_set_new(whole, key, inner);
	}
	json_array_foreach((json_t *)(uintptr_t)value, i, item) {
		if (!fill(place, item, &inner, err))
			return false;
		json_array_append_new(whole, inner);
	}
	*filled = TAKE(whole);
	return true;
}

static bool is_whole_number(const char *text)
{
	size_t digits = strspn(text + (*text == '-'), "0123456789");

	return digits && !text[digits + (*text == '-')];
}

static bool fits(const json_t *value, const char *type)
{
	const char *text = json_string_value(value);

	if (strcmp(type, "integer") == 0)
		return json_is_integer(value) || (text && is_whole_number(text));
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value) ||
		       (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0));
	if (strcmp(type, "array") == 0)
		return json_is_array(value);
	if (strcmp(type, "object") == 0)
		return json_is_object(value);
	return !json_is_array(value) && !json_is_object(value);
}

/* Another file would be looked at by nobody before something is removed from its cluster. */
static bool check_kubeconfig(const struct pulumi_place *place, const json_t *values,
			     struct error *err)
{
	const char *path = json_get_string(values, "kubernetes:kubeconfig", NULL);
	AUTO(free) char *own = place_path(place, "kubeconfig");

	return !path || strcmp(path, own) == 0 ||
	       error_set_as(
		   err, ERR_INVALID, "config_invalid",
		   "\"kubernetes:kubeconfig\" must be ${kubeconfig}, the environment's own "
		   "file (got \"%.100s\")",
		   path);
}

static bool check_types(const struct pulumi_project *project, const char *layer,
			const json_t *values, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach_const(values, key, value) {
		const char *type = json_get_string(project->config_types, key, NULL);

		if (type && !fits(value, type))
			return error_set_as(
			    err, ERR_INVALID, "config_invalid",
			    "layer \"%s\": \"%s\" must be of type %s (got %.60s)", layer, key, type,
			    json_is_string(value) ? json_string_value(value) : "another one");
	}
	return true;
}

/* Has it a placeholder that nothing fills? */
struct gap {
	const struct pulumi_place *place;
	bool is_open;
	struct error *err;
};

static void on_name(void *arg, const char *name)
{
	struct gap *gap = arg;
	AUTO(free) char *whole = xasprintf("${%s}", name);
	AUTO(free) char *filled = NULL;

	/* An unknown one is told when the value is filled. */
	if (place_fill(gap->place, whole, &filled, gap->err) && !*filled)
		gap->is_open = true;
}

static bool has_gap(const struct pulumi_place *place, const json_t *value)
{
	struct error ignored; /* told when the value is filled */
	struct gap gap = { place, false, &ignored };
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		return placeholder_names(json_string_value(value), on_name, &gap, &ignored) &&
		       gap.is_open;
	json_object_foreach_const(json_is_object(value) ? value : NULL, key, item)
		if (has_gap(place, item))
			return true;
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
		if (has_gap(place, item))
			return true;
	return false;
}

static void add_optional(const struct pulumi_place *place, const json_t *optional, json_t *merged)
{
	const char *key;
	json_t *value;

	json_object_foreach_const(optional, key, value)
		if (!has_gap(place, value))
			json_object_set(merged, key, value);
}

static bool sets(const struct pulumi_place *place, const struct layer_config *config,
		 const char *key)
{
	const json_t *optional = json_object_get(config->optional, key);

	return json_object_get(config->plain, key) || (optional && !has_gap(place, optional));
}

/* By any layer: those that share a file share its keys. */
static bool is_set(const struct pulumi_place *place, const char *key)
{
	for (size_t i = 0; i < place->list->count; i++)
		if (sets(place, &place->list->layers[i].config, key))
			return true;
	return sets(place, &place->list->config, key);
}

static void add_overrides(const struct pulumi_place *place, json_t *merged)
{
	const char *key;
	json_t *value;

	json_object_foreach_const(place->list->overrides, key, value)
		if (!is_set(place, key))
			json_object_set(merged, key, value);
}

/* What is said for all layers, and over it what is said for this one. New reference. */
static bool plain_of(const struct pulumi_place *place, size_t layer, json_t **values,
		     struct error *err)
{
	const struct layer_config *own = &place->list->layers[layer].config;
	AUTO(json_decref) json_t *merged = json_copy(place->list->config.plain);

	add_optional(place, place->list->config.optional, merged);
	json_object_update(merged, own->plain);
	add_optional(place, own->optional, merged);
	add_overrides(place, merged);
	return fill(place, merged, values, err);
}

/* ---- secrets ---- */

static bool check_secrets(const struct pulumi_place *place, const struct layer_secret *secrets,
			  size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *value = NULL;

		/* A command may cost something: it is run when its word is needed. */
		if (secrets[i].kind == LAYER_SECRET_COMMAND)
			continue;
		if (!secret_read(place, &secrets[i], &value, err))
			return false;
	}
	return true;
}

bool config_check(const struct pulumi_place *place, struct error *err)
{
	if (!check_secrets(place, place->list->config.secrets, place->list->config.secret_count,
			   err))
		return false;
	for (size_t i = 0; i < place->list->count; i++) {
		AUTO(json_decref) json_t *values = NULL;

		if (!place->projects[i].name)
			continue;
		if (!plain_of(place, i, &values, err) || !check_kubeconfig(place, values, err) ||
		    !check_types(&place->projects[i], place->list->layers[i].name, values, err) ||
		    !check_secrets(place, place->list->layers[i].config.secrets,
				   place->list->layers[i].config.secret_count, err))
			return false;
	}
	return true;
}

/* In a file or a variable, itself or one that it may be replaced by: what else there is is made up,
 * or costs the run of a program. */
static bool lies_somewhere(const struct layer_secret *secret)
{
	for (; secret; secret = secret->otherwise)
		if (secret->kind != LAYER_SECRET_VARIABLE && secret->kind != LAYER_SECRET_FILE)
			return false;
	return true;
}

static void add_known(const struct pulumi_place *place, const struct layer_secret *secrets,
		      size_t count, json_t *values)
{
	for (size_t i = 0; i < count; i++) {
		struct layer_secret first = secrets[i];
		AUTO(free) char *value = NULL;
		struct error ignored; /* one that cannot be read is not in use either */

		if (!lies_somewhere(&first))
			first.otherwise = NULL;
		if (lies_somewhere(&first) && secret_read(place, &first, &value, &ignored) && value)
			json_array_append_new(values, json_string(value));
	}
}

json_t *config_known_secrets(const struct pulumi_place *place)
{
	const struct layer_list *list = place->list;
	json_t *values = json_array();

	add_known(place, list->config.secrets, list->config.secret_count, values);
	add_known(place, list->variables.secrets, list->variables.secret_count, values);
	for (size_t i = 0; i < list->count; i++) {
		const struct layer_spec *layer = &list->layers[i];

		add_known(place, layer->config.secrets, layer->config.secret_count, values);
		add_known(place, layer->variables.secrets, layer->variables.secret_count, values);
	}
	return values;
}

bool config_hash(const struct pulumi_place *place, size_t layer, char *into, struct error *err)
{
	/* Two environments of the same configuration have the same hash. */
	struct pulumi_place general = *place;
	AUTO(json_decref) json_t *values = NULL;
	AUTO(free) char *text = NULL;

	general.hides_own = true;
	if (!plain_of(&general, layer, &values, err))
		return false;
	text = json_dumps(values, JSON_SORT_KEYS);
	sha256_text(text, strlen(text), into);
	return true;
}

/* ---- one file ---- */

/* The keys that an earlier attempt made must stay: a stack may be locked with them. Each with its
 * newline. */
static char *old_keys(const char *path)
{
	static const char *const kept[] = { "encryptionsalt:", "encryptedkey:",
					    "secretsprovider:" };
	AUTO(free) char *bytes = NULL;
	struct text keys = TEXT_EMPTY;
	struct error ignored; /* there was none */

	if (!file_read(path, CONFIG_BYTES_MAX, &bytes, NULL, &ignored))
		return text_take(&keys);
	for (const char *line = bytes; *line;) {
		size_t length = strcspn(line, "\n");

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if (text_starts_with(line, kept[i]))
				text_format(&keys, "%.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	return text_take(&keys);
}

static bool collect(const struct pulumi_place *place, size_t layer, json_t *all, struct error *err)
{
	for (size_t i = 0; i < place->list->count; i++) {
		AUTO(json_decref) json_t *values = NULL;

		if (!text_equal(place->projects[i].config_folder,
				place->projects[layer].config_folder))
			continue;
		if (!plain_of(place, i, &values, err))
			return false;
		json_object_update(all, values);
	}
	return true;
}

static bool write_plain(const struct pulumi_place *place, size_t layer, struct error *err)
{
	AUTO(free)
	char *path =
	    xasprintf("%s/Pulumi.%s.yaml", place->projects[layer].config_folder, place->stack);
	AUTO(free) char *keys = old_keys(path);
	AUTO(json_decref) json_t *all = json_object();
	AUTO(text_release) struct text text = TEXT_EMPTY;
	const char *key;
	json_t *value;

	if (!collect(place, layer, all, err))
		return false;
	text_format(&text, "%sconfig:%s\n", keys, json_object_size(all) ? "" : " {}");
	json_object_foreach_const(all, key, value) {
		/* JSON is YAML, and text in it is in quotes. */
		AUTO(free) char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		text_format(&text, "  \"%s\": %s\n", key, shown);
	}
	return file_write_atomically(path, text_get(&text), text.length, 0600, err);
}

struct config_writing {
	const struct pulumi_place *place;
	size_t layer;
	bool needs_stack;
	const struct layer_secret **secrets;
	size_t count, next;
	const char *words[BACKEND_INIT_WORDS]; /* of the call under way */
};

static void add_secrets(struct config_writing *writing, const struct layer_config *config)
{
	writing->secrets = xrealloc(writing->secrets, writing->count + config->secret_count + 1,
				    sizeof(const struct layer_secret *));
	for (size_t i = 0; i < config->secret_count; i++)
		writing->secrets[writing->count++] = &config->secrets[i];
}

static struct config_writing *writing_new(const struct pulumi_place *place, size_t layer)
{
	struct config_writing *writing = xcalloc(1, sizeof(*writing));

	*writing = (struct config_writing){ .place = place, .layer = layer };
	add_secrets(writing, &place->list->config);
	for (size_t i = 0; i < place->list->count; i++)
		if (text_equal(place->projects[i].config_folder,
			       place->projects[layer].config_folder))
			add_secrets(writing, &place->list->layers[i].config);
	return writing;
}

void config_writing_free(struct config_writing *writing)
{
	if (!writing)
		return;
	free(writing->secrets);
	free(writing);
}

static char *fact_of(const struct pulumi_place *place, size_t layer)
{
	return xasprintf("configured:%s", place->projects[layer].config_folder);
}

bool config_begin(const struct pulumi_place *place, const struct pulumi_record *record,
		  size_t layer, struct config_writing **result, struct error *err)
{
	AUTO(free) char *fact = fact_of(place, layer);
	AUTO(state_release) struct pulumi_state state = { .exists = false };

	*result = NULL;
	if (record_fact(record, fact))
		return true;
	if (!write_plain(place, layer, err) || !state_read(place, layer, &state, err))
		return false;
	*result = writing_new(place, layer);
	(*result)->needs_stack = !state.exists;
	return true;
}

bool config_next(struct config_writing *writing, const char *const **words, char **input,
		 struct error *err)
{
	*words = writing->words;
	*input = NULL;
	if (writing->needs_stack) {
		writing->needs_stack = false;
		backend_init_words(writing->place, writing->words);
		return true;
	}
	while (writing->next < writing->count) {
		const struct layer_secret *secret = writing->secrets[writing->next++];

		if (!secret_read(writing->place, secret, input, err))
			return false;
		if (!*input)
			continue;
		memcpy(writing->words,
		       (const char *[]){ "config", "set", "--secret", secret->key, NULL },
		       5 * sizeof(*writing->words));
		return true;
	}
	*words = NULL;
	return true;
}

bool config_end(const struct config_writing *writing, struct pulumi_record *record,
		struct error *err)
{
	AUTO(free) char *fact = fact_of(writing->place, writing->layer);

	return record_set_fact(record, fact, "true", err);
}
