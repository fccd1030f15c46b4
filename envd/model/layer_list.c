#include "model/layer_list.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "model/layer_read.h"

#define LAYERS_LISTED_MAX 100
#define WORDS_MAX 50
#define PARALLEL_MAX 32

/* ---- small parts ---- */

bool layer_read_words(const struct reading *reading, const struct yaml_node *map, const char *key,
		      char ***words)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (node->kind != YAML_LIST || node->count > WORDS_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "\"%s\" must be a list of at most %d words", key, WORDS_MAX);
	*words = xcalloc(node->count + 1, sizeof(**words));
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR || !*node->items[i]->text)
			return yaml_error(reading->document, node->items[i], reading->err,
					  "\"%s\" must be a list of words", key);
		(*words)[i] = xstrdup(node->items[i]->text);
	}
	return true;
}

/* Something to run: never an empty list. */
bool layer_read_command(const struct reading *reading, const struct yaml_node *map, const char *key,
			char ***words)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (node && node->kind == YAML_LIST && !node->count)
		return yaml_error(reading->document, node, reading->err, "\"%s\" names no program",
				  key);
	return layer_read_words(reading, map, key, words);
}

static bool leaves_folder(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return true;
	return *path == '/';
}

static bool read_path(const struct reading *reading, const struct yaml_node *map, const char *key,
		      const char *otherwise, char **path)
{
	if (!yaml_copy_string(reading->document, map, key, otherwise, path, reading->err))
		return false;
	return !*path || !leaves_folder(*path) ||
	       yaml_error(reading->document, yaml_get(map, key), reading->err,
			  "\"%s\" must be a path inside of the checkout (got \"%.80s\")", key,
			  *path);
}

bool layer_expect_map(const struct reading *reading, const struct yaml_node *node, const char *what)
{
	return node->kind == YAML_MAP ||
	       yaml_error(reading->document, node, reading->err, "%s must be a map (got %s)", what,
			  yaml_kind_name(node));
}

/* ---- configuration ---- */

static const char key_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* "NAMESPACE:NAME": with a point in place of the colon Pulumi refuses the whole file. */
static bool check_config_key(const struct reading *reading, const struct yaml_node *key)
{
	size_t before = strspn(key->text, key_letters);
	const char *name = key->text + before + (key->text[before] == ':');
	size_t after = strspn(name, key_letters);

	return (before && name != key->text + before && after && !name[after]) ||
	       yaml_error(reading->document, key, reading->err,
			  "\"%.80s\" is no key of a configuration (expected NAMESPACE:NAME)",
			  key->text);
}

/* 1.20 without quotes is the number 1.2 by the time that Pulumi reads it. */
static bool check_scalar(const struct reading *reading, const struct yaml_node *node)
{
	return !(node->kind == YAML_SCALAR && node->is_plain && strchr(node->text, '.') &&
		 strspn(node->text, "0123456789.") == strlen(node->text)) ||
	       yaml_error(reading->document, node, reading->err,
			  "write \"%.40s\" in quotes: without them it is a number", node->text);
}

static bool read_plain(const struct reading *reading, const struct yaml_node *map, json_t **plain)
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

bool layer_read_secret(const struct reading *reading, const struct yaml_node *key,
		       const struct yaml_node *map, struct layer_secret *secret)
{
	static const char *const known[] = { "variable", "file", "command", "random", NULL };
	const struct yaml_document *document = reading->document;

	secret->key = xstrdup(key->text);
	if (!check_config_key(reading, key) || !layer_expect_map(reading, map, "a secret") ||
	    !yaml_only_keys(document, map, known, reading->err))
		return false;
	if (map->count != 1)
		return yaml_error(document, map, reading->err,
				  "a secret needs one of variable, file, command and random");
	if (yaml_get(map, "random")) {
		secret->kind = LAYER_SECRET_RANDOM;
		if (!yaml_read_int64(document, map, "random", &secret->length, reading->err))
			return false;
		return (secret->length >= 8 && secret->length <= 128) ||
		       yaml_error(document, map, reading->err,
				  "\"random\" must be between 8 and 128 characters");
	}
	if (yaml_get(map, "command")) {
		secret->kind = LAYER_SECRET_COMMAND;
		return layer_read_command(reading, map, "command", &secret->command);
	}
	secret->kind = yaml_get(map, "file") ? LAYER_SECRET_FILE : LAYER_SECRET_VARIABLE;
	if (!yaml_copy_string(document, map, map->keys[0]->text, NULL, &secret->from, reading->err))
		return false;
	/* Nothing else of ours is passed on to workers. */
	return secret->kind == LAYER_SECRET_FILE ||
	       text_starts_with(secret->from, "ENVD_SECRET_") ||
	       yaml_error(document, map, reading->err,
			  "the variable of a secret must begin with ENVD_SECRET_");
}

static bool read_config(const struct reading *reading, const struct yaml_node *map,
			struct layer_config *config)
{
	const struct yaml_node *secrets = yaml_get(map, "secrets");

	if (!read_plain(reading, yaml_get(map, "config"), &config->plain))
		return false;
	if (!secrets)
		return true;
	if (!layer_expect_map(reading, secrets, "\"secrets\""))
		return false;
	config->secrets = xcalloc(secrets->count + 1, sizeof(*config->secrets));
	for (size_t i = 0; i < secrets->count; i++)
		if (!layer_read_secret(reading, secrets->keys[i], secrets->items[i],
				       &config->secrets[config->secret_count++]))
			return false;
	return true;
}

/* ---- layers ---- */

static bool check_kind(const struct reading *reading, const struct yaml_node *map,
		       const struct layer_spec *layer)
{
	if (!layer->project == !layer->up)
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\" needs either \"project\" or \"up\"", layer->name);
	if (layer->project && layer->down)
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\": \"down\" is for layers with \"up\"", layer->name);
	if (layer->up && (json_object_size(layer->config.plain) || layer->config.secret_count))
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\": configuration is for layers with a project",
				  layer->name);
	return true;
}

static bool read_layer(const struct reading *reading, const struct yaml_node *map,
		       struct layer_spec *layer)
{
	static const char *const known[] = { "name",   "project", "up",    "down", "needs",
					     "config", "secrets", "limit", NULL };
	const struct yaml_document *document = reading->document;

	if (!layer_expect_map(reading, map, "a layer") ||
	    !yaml_only_keys(document, map, known, reading->err) ||
	    !yaml_copy_string(document, map, "name", NULL, &layer->name, reading->err))
		return false;
	if (!layer->name || !*layer->name || strlen(layer->name) > 60 || *layer->name == '.' ||
	    strspn(layer->name, key_letters) != strlen(layer->name))
		return yaml_error(
		    document, map, reading->err,
		    "a layer needs a \"name\" of 1 to 60 letters, digits, \"_\", \".\""
		    " and \"-\"");
	return read_path(reading, map, "project", NULL, &layer->project) &&
	       layer_read_command(reading, map, "up", &layer->up) &&
	       layer_read_command(reading, map, "down", &layer->down) &&
	       layer_read_words(reading, map, "needs", &layer->needs) &&
	       read_config(reading, map, &layer->config) &&
	       (!yaml_get(map, "limit") ||
		yaml_read_duration_ms(document, map, "limit", &layer->limit_ms, reading->err)) &&
	       check_kind(reading, map, layer);
}

static bool add_to_graph(const struct reading *reading, const struct yaml_node *map,
			 struct layer_list *list, const struct layer_spec *layer)
{
	struct error inner;

	for (size_t i = 0; layer->project && i + 1 < list->count; i++)
		if (text_equal(list->layers[i].project, layer->project))
			return yaml_error(reading->document, map, reading->err,
					  "project \"%s\" is that of layer \"%s\" already",
					  layer->project, list->layers[i].name);
	return layer_graph_add(list->graph, layer->name, &inner) ||
	       yaml_error(reading->document, map, reading->err, "%s", inner.message);
}

static bool connect(const struct reading *reading, const struct yaml_node *items,
		    struct layer_list *list)
{
	struct error inner;

	for (size_t i = 0; i < list->count; i++)
		for (char **need = list->layers[i].needs; need && *need; need++)
			if (!layer_graph_need(list->graph, list->layers[i].name, *need, &inner))
				return yaml_error(reading->document, items->items[i], reading->err,
						  "layer \"%s\": %s", list->layers[i].name,
						  inner.message);
	return layer_graph_sort(list->graph, reading->err);
}

static bool read_layers(const struct reading *reading, const struct yaml_node *root,
			struct layer_list *list)
{
	const struct yaml_node *items = yaml_get(root, "layers");

	if (!items || items->kind != YAML_LIST || !items->count || items->count > LAYERS_LISTED_MAX)
		return yaml_error(reading->document, items ? items : root, reading->err,
				  "\"layers\" must be a list of 1 to %d layers", LAYERS_LISTED_MAX);
	list->layers = xcalloc(items->count, sizeof(*list->layers));
	list->graph = layer_graph_new();
	for (size_t i = 0; i < items->count; i++) {
		struct layer_spec *layer = &list->layers[list->count++];

		if (!read_layer(reading, items->items[i], layer) ||
		    !add_to_graph(reading, items->items[i], list, layer))
			return false;
	}
	return connect(reading, items, list);
}

/* ---- the rest of the file ---- */

static bool read_checkout(const struct reading *reading, const struct yaml_node *root,
			  struct layer_list *list)
{
	static const char *const known[] = { "folder", "source", "ref", "root", "ignore", NULL };
	const struct yaml_node *map = yaml_get(root, "checkout");

	if (!map)
		return yaml_error(reading->document, root, reading->err,
				  "\"checkout\" is missing: where are the projects?");
	if (!layer_expect_map(reading, map, "\"checkout\"") ||
	    !yaml_only_keys(reading->document, map, known, reading->err) ||
	    !read_path(reading, map, "folder", NULL, &list->folder) ||
	    !yaml_copy_string(reading->document, map, "source", NULL, &list->source,
			      reading->err) ||
	    !yaml_copy_string(reading->document, map, "ref", NULL, &list->ref, reading->err) ||
	    !read_path(reading, map, "root", "", &list->root) ||
	    !layer_read_words(reading, map, "ignore", &list->ignored))
		return false;
	if (!list->folder == !list->source || (list->ref && !list->source))
		return yaml_error(reading->document, map, reading->err,
				  "\"checkout\" needs either \"folder\", or \"source\" and perhaps "
				  "\"ref\"");
	return true;
}

static bool read_plugins(const struct reading *reading, const struct yaml_node *root,
			 struct layer_list *list)
{
	static const char *const known[] = { "needed", "acquire", NULL };
	const struct yaml_node *map = yaml_get(root, "plugins");

	return !map || (layer_expect_map(reading, map, "\"plugins\"") &&
			yaml_only_keys(reading->document, map, known, reading->err) &&
			layer_read_words(reading, map, "needed", &list->plugins) &&
			(!yaml_get(map, "acquire") ||
			 yaml_read_bool(reading->document, map, "acquire", &list->acquires_plugins,
					reading->err)));
}

static bool read_python(const struct reading *reading, const struct yaml_node *root,
			struct layer_list *list)
{
	static const char *const known[] = { "version", "requirements", "venv", NULL };
	const struct yaml_node *map = yaml_get(root, "python");

	if (!map)
		return true;
	if (!layer_expect_map(reading, map, "\"python\"") ||
	    !yaml_only_keys(reading->document, map, known, reading->err) ||
	    !yaml_copy_string(reading->document, map, "version", "3", &list->python,
			      reading->err) ||
	    !read_path(reading, map, "requirements", "requirements.txt", &list->requirements) ||
	    !read_path(reading, map, "venv", NULL, &list->venv_link))
		return false;
	return strspn(list->python, "0123456789.") == strlen(list->python) ||
	       yaml_error(reading->document, map, reading->err,
			  "\"version\" must be a version of Python in quotes, such as \"3.11\"");
}

static bool is_ours(const char *name)
{
	static const char *const ours[] = { "HOME",       "TMPDIR",        "PATH",
					    "KUBECONFIG", "DOCKER_CONFIG", NULL };

	for (const char *const *one = ours; *one; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

static bool read_variables(const struct reading *reading, const struct yaml_node *root,
			   struct layer_list *list)
{
	const struct yaml_node *map = yaml_get(root, "variables");

	list->variables = json_object();
	if (!map)
		return true;
	if (!layer_expect_map(reading, map, "\"variables\""))
		return false;
	for (size_t i = 0; i < map->count; i++) {
		const char *name = map->keys[i]->text;

		if (map->items[i]->kind != YAML_SCALAR)
			return yaml_error(reading->document, map->items[i], reading->err,
					  "variable \"%.60s\" must be text", name);
		/* What keeps environments apart is not a template's to change. */
		if (text_starts_with(name, "PULUMI_") || text_starts_with(name, "ENVD_") ||
		    strpbrk(name, "= \t") || is_ours(name))
			return yaml_error(reading->document, map->keys[i], reading->err,
					  "variable \"%.60s\" cannot be set by a template", name);
		json_object_set_new(list->variables, name, json_string(map->items[i]->text));
	}
	return true;
}

static bool read_root(const struct reading *reading, const struct yaml_node *root,
		      struct layer_list *list)
{
	static const char *const known[] = { "pulumi",    "checkout", "python",    "kubeconfig",
					     "variables", "config",   "secrets",   "plugins",
					     "parallel",  "layers",   "inventory", "backend",
					     "policies",  "forwards", NULL };
	const struct yaml_document *document = reading->document;

	list->parallel = 4;
	if (!layer_expect_map(reading, root, "the file") ||
	    !yaml_only_keys(document, root, known, reading->err) ||
	    !yaml_copy_string(document, root, "pulumi", NULL, &list->pulumi_version,
			      reading->err) ||
	    !yaml_copy_string(document, root, "kubeconfig", NULL, &list->kubeconfig,
			      reading->err) ||
	    (yaml_get(root, "parallel") &&
	     !yaml_read_int64(document, root, "parallel", &list->parallel, reading->err)))
		return false;
	if (!list->pulumi_version)
		return yaml_error(document, root, reading->err,
				  "\"pulumi\" is missing: the exact version of its CLI, in quotes");
	if (list->parallel < 1 || list->parallel > PARALLEL_MAX)
		return yaml_error(document, yaml_get(root, "parallel"), reading->err,
				  "\"parallel\" must be between 1 and %d", PARALLEL_MAX);
	return read_checkout(reading, root, list) && read_plugins(reading, root, list) &&
	       read_python(reading, root, list) && read_variables(reading, root, list) &&
	       read_config(reading, root, &list->config) &&
	       layer_read_inventories(reading, root, list) &&
	       layer_read_backend(reading, root, list) &&
	       layer_read_words(reading, root, "policies", &list->policies) &&
	       layer_forwards_read(document, root, &list->forwards, reading->err) &&
	       read_layers(reading, root, list);
}

bool layer_list_parse(const char *bytes, size_t length, const char *path, struct layer_list **list,
		      struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(layer_list_free) struct layer_list *read = xcalloc(1, sizeof(*read));
	struct reading reading = { .err = err };

	if (!yaml_parse(bytes, length, path, &document, err))
		return false;
	reading.document = document;
	if (!read_root(&reading, document->root, read)) {
		if (strcmp(err->slug, "yaml_invalid") == 0)
			err->slug = "template_invalid";
		return false;
	}
	*list = TAKE(read);
	return true;
}

bool layer_list_load(const char *folder, const char *source, struct layer_list **list,
		     struct error *err)
{
	AUTO(free) char *path = path_join(folder, source);
	AUTO(free) char *bytes = NULL;
	size_t length;

	return file_read(path, LAYER_LIST_BYTES_MAX, &bytes, &length, err) &&
	       layer_list_parse(bytes, length, source, list, err);
}

const struct layer_inventory *layer_list_inventory(const struct layer_list *list,
						   const char *provider)
{
	for (size_t i = 0; list && i < list->inventory_count; i++)
		if (strcmp(list->inventories[i].provider, provider) == 0)
			return &list->inventories[i];
	return NULL;
}

static void words_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

static void secret_release(struct layer_secret *secret)
{
	free(secret->key);
	free(secret->from);
	words_free(secret->command);
}

static void inventory_release(struct layer_inventory *inventory)
{
	free(inventory->provider);
	words_free(inventory->list);
	words_free(inventory->remove);
	free(inventory->adapter);
	words_free(inventory->regions);
	words_free(inventory->clusters);
	words_free(inventory->tags);
	words_free(inventory->names);
	free(inventory->endpoint);
	secret_release(&inventory->credentials);
}

static void config_release(struct layer_config *config)
{
	for (size_t i = 0; i < config->secret_count; i++)
		secret_release(&config->secrets[i]);
	free(config->secrets);
	json_decref(config->plain);
}

static void layer_release(struct layer_spec *layer)
{
	free(layer->name);
	free(layer->project);
	words_free(layer->up);
	words_free(layer->down);
	words_free(layer->needs);
	config_release(&layer->config);
}

void layer_list_free(struct layer_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		layer_release(&list->layers[i]);
	for (size_t i = 0; i < list->inventory_count; i++)
		inventory_release(&list->inventories[i]);
	free(list->layers);
	free(list->inventories);
	free(list->pulumi_version);
	free(list->folder);
	free(list->source);
	free(list->ref);
	free(list->root);
	words_free(list->ignored);
	words_free(list->plugins);
	words_free(list->policies);
	free(list->backend.url);
	free(list->backend.secrets);
	free(list->backend.organization);
	secret_release(&list->backend.credentials);
	free(list->kubeconfig);
	free(list->python);
	free(list->requirements);
	free(list->venv_link);
	json_decref(list->variables);
	layer_forwards_release(&list->forwards);
	config_release(&list->config);
	layer_graph_free(list->graph);
	free(list);
}
