#include "model/layer_list.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "base/yaml_read.h"
#include "model/layer_outside.h"

#define LAYERS_LISTED_MAX 100
#define PARALLEL_MAX 32

/* ---- layers ---- */

static bool check_kind(const struct layer_reading *reading, const struct yaml_node *map,
		       const struct layer_spec *layer)
{
	if (!layer->project == !layer->up)
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\" needs either \"project\" or \"up\"", layer->name);
	if (layer->project && layer->down)
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\": \"down\" is for layers with \"up\"", layer->name);
	if (layer->up && (json_object_size(layer->config.plain) || layer->config.secret_count ||
			  json_object_size(layer->config.optional)))
		return yaml_error(reading->document, map, reading->err,
				  "layer \"%s\": configuration is for layers with a project",
				  layer->name);
	return true;
}

static bool read_layer(const struct layer_reading *reading, const struct yaml_node *map,
		       struct layer_spec *layer)
{
	static const char *const known[] = { "name",      "project", "up",       "down",
					     "needs",     "config",  "optional", "secrets",
					     "variables", "when",    "limit",    NULL };
	const struct yaml_document *document = reading->document;

	if (!layer_expect_map(reading, map, "a layer") ||
	    !yaml_only_keys(document, map, known, reading->err) ||
	    !yaml_copy_string(document, map, "name", NULL, &layer->name, reading->err))
		return false;
	if (!layer->name || !*layer->name || strlen(layer->name) > 60 || *layer->name == '.' ||
	    strspn(layer->name, layer_name_letters) != strlen(layer->name))
		return yaml_error(
		    document, map, reading->err,
		    "a layer needs a \"name\" of 1 to 60 letters, digits, \"_\", \".\""
		    " and \"-\"");
	return layer_read_path(reading, map, "project", NULL, &layer->project) &&
	       layer_read_command(reading, map, "up", &layer->up) &&
	       layer_read_command(reading, map, "down", &layer->down) &&
	       layer_read_words(reading, map, "needs", &layer->needs) &&
	       layer_read_when(reading, map, &layer->when) &&
	       layer_config_read(reading, map, &layer->config) &&
	       layer_variables_read(reading, map, &layer->variables) &&
	       (!yaml_get(map, "limit") ||
		yaml_read_duration_ms(document, map, "limit", &layer->limit_ms, reading->err)) &&
	       check_kind(reading, map, layer);
}

/* Before layers are selected, those with conditions may be alternatives of each other. */
static bool may_share(const struct layer_list *list, size_t one, size_t other)
{
	return !list->is_selected && list->layers[one].when && list->layers[other].when;
}

static bool check_projects(const struct layer_list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; list->layers[i].project && j < i; j++)
			if (text_equal(list->layers[j].project, list->layers[i].project) &&
			    !may_share(list, i, j))
				return error_set_as(
				    err, ERR_INVALID, "template_invalid",
				    "project \"%s\" is that of layer \"%s\" already",
				    list->layers[i].project, list->layers[j].name);
	return true;
}

/* Is there another of the name, among the first `count`? */
static bool has_alternative(const struct layer_list *list, size_t index, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (i != index && text_equal(list->layers[i].name, list->layers[index].name) &&
		    may_share(list, i, index))
			return true;
	return false;
}

/* Of alternatives the needs are looked at when one of them was chosen: together they may go in a
 * circle. */
static bool connect_layer(const struct layer_list *list, size_t index, struct error *err)
{
	const struct layer_spec *layer = &list->layers[index];
	size_t ignored;

	for (char **need = layer->needs; need && *need; need++) {
		if (has_alternative(list, index, list->count) &&
		    layer_graph_find(list->graph, *need, &ignored))
			continue;
		if (!layer_graph_need(list->graph, layer->name, *need, err))
			return false;
	}
	return true;
}

bool layer_list_connect(struct layer_list *list, struct error *err)
{
	layer_graph_free(list->graph);
	list->graph = layer_graph_new();
	for (size_t i = 0; i < list->count; i++)
		if (!has_alternative(list, i, i) &&
		    !layer_graph_add(list->graph, list->layers[i].name, err))
			return false;
	for (size_t i = 0; i < list->count; i++)
		if (!connect_layer(list, i, err))
			return false;
	return check_projects(list, err) && layer_graph_sort(list->graph, err);
}

/* Before they are connected, because here the place is known. */
static bool check_needs(const struct layer_reading *reading, const struct yaml_node *items,
			const struct layer_list *list)
{
	AUTO(free) const char **names = xcalloc(list->count + 1, sizeof(*names));

	for (size_t i = 0; i < list->count; i++)
		names[i] = list->layers[i].name;
	for (size_t i = 0; i < list->count; i++) {
		for (char **need = list->layers[i].needs; need && *need; need++) {
			if (text_is_among(*need, names))
				continue;
			yaml_error(reading->document, yaml_get(items->items[i], "needs"),
				   reading->err, "layer \"%s\" needs \"%.60s\", which is not there",
				   names[i], *need);
			return error_hint_known(reading->err, *need, names);
		}
	}
	return true;
}

static bool read_layers(const struct layer_reading *reading, const struct yaml_node *root,
			struct layer_list *list)
{
	const struct yaml_node *items = yaml_get(root, "layers");
	struct error inner;

	if (!items || items->kind != YAML_LIST || !items->count || items->count > LAYERS_LISTED_MAX)
		return yaml_error(reading->document, items ? items : root, reading->err,
				  "\"layers\" must be a list of 1 to %d layers", LAYERS_LISTED_MAX);
	list->layers = xcalloc(items->count, sizeof(*list->layers));
	for (size_t i = 0; i < items->count; i++)
		if (!read_layer(reading, items->items[i], &list->layers[list->count++]))
			return false;
	if (!check_needs(reading, items, list))
		return false;
	if (layer_list_connect(list, &inner))
		return true;
	if (strcmp(inner.slug, "layer_cycle") == 0) {
		*reading->err = inner;
		return false;
	}
	return yaml_error(reading->document, items, reading->err, "%s", inner.message);
}

/* ---- the rest of the file ---- */

static bool read_expected(const struct layer_reading *reading, const struct yaml_node *map,
			  struct layer_list *list)
{
	static const char *const known[] = { "path", "why", "when", NULL };
	const struct yaml_document *document = reading->document;
	const struct yaml_node *items = yaml_get(map, "expects");

	if (!items)
		return true;
	if (items->kind != YAML_LIST || items->count > LAYERS_LISTED_MAX)
		return yaml_error(document, items, reading->err,
				  "\"expects\" must be a list of at most %d", LAYERS_LISTED_MAX);
	list->expected = xcalloc(items->count + 1, sizeof(*list->expected));
	for (size_t i = 0; i < items->count; i++) {
		struct layer_expectation *one = &list->expected[list->expected_count++];

		if (!layer_expect_map(reading, items->items[i], "what is expected") ||
		    !yaml_only_keys(document, items->items[i], known, reading->err) ||
		    !layer_read_path(reading, items->items[i], "path", NULL, &one->path) ||
		    !yaml_copy_string(document, items->items[i], "why", NULL, &one->why,
				      reading->err) ||
		    !layer_read_when(reading, items->items[i], &one->when))
			return false;
		if (!one->path || !one->why)
			return yaml_error(document, items->items[i], reading->err,
					  "what is expected needs \"path\" and \"why\"");
	}
	return true;
}

static bool read_checkout(const struct layer_reading *reading, const struct yaml_node *root,
			  struct layer_list *list)
{
	static const char *const known[] = { "folder", "source", "ref",     "pin",
					     "root",   "ignore", "expects", NULL };
	const struct yaml_node *map = yaml_get(root, "checkout");

	if (!map)
		return yaml_error(reading->document, root, reading->err,
				  "\"checkout\" is missing: where are the projects?");
	if (!layer_expect_map(reading, map, "\"checkout\"") ||
	    !yaml_only_keys(reading->document, map, known, reading->err) ||
	    !layer_read_path(reading, map, "folder", NULL, &list->folder) ||
	    !yaml_copy_string(reading->document, map, "source", NULL, &list->source,
			      reading->err) ||
	    !yaml_copy_string(reading->document, map, "ref", NULL, &list->ref, reading->err) ||
	    !yaml_copy_string(reading->document, map, "pin", NULL, &list->pin, reading->err) ||
	    !layer_read_path(reading, map, "root", "", &list->root) ||
	    !layer_read_words(reading, map, "ignore", &list->ignored) ||
	    !read_expected(reading, map, list))
		return false;
	if (!list->folder == !list->source || ((list->ref || list->pin) && !list->source) ||
	    (list->ref && list->pin))
		return yaml_error(reading->document, map, reading->err,
				  "\"checkout\" needs either \"folder\", or \"source\" and perhaps "
				  "\"ref\" or \"pin\"");
	return true;
}

static bool read_plugins(const struct layer_reading *reading, const struct yaml_node *root,
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

static bool read_python(const struct layer_reading *reading, const struct yaml_node *root,
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
	    !layer_read_path(reading, map, "requirements", "requirements.txt",
			     &list->requirements) ||
	    !layer_read_path(reading, map, "venv", NULL, &list->venv_link))
		return false;
	return strstr(list->python, "${") ||
	       strspn(list->python, "0123456789.") == strlen(list->python) ||
	       yaml_error(reading->document, map, reading->err,
			  "\"version\" must be a version of Python in quotes, such as \"3.11\"");
}

static bool read_verify(const struct layer_reading *reading, const struct yaml_node *root,
			struct layer_list *list)
{
	static const char *const known[] = { "pin", "image", "where", "release", "layer", NULL };
	const struct yaml_document *document = reading->document;
	const struct yaml_node *items = yaml_get(root, "verify");

	if (!items)
		return true;
	if (items->kind != YAML_LIST || items->count > LAYERS_LISTED_MAX)
		return yaml_error(document, items, reading->err,
				  "\"verify\" must be a list of at most %d", LAYERS_LISTED_MAX);
	list->verify = xcalloc(items->count + 1, sizeof(*list->verify));
	for (size_t i = 0; i < items->count; i++) {
		const struct yaml_node *map = items->items[i];
		struct layer_verify *verify = &list->verify[list->verify_count++];

		if (!layer_expect_map(reading, map, "what is to be verified") ||
		    !yaml_only_keys(document, map, known, reading->err) ||
		    !yaml_copy_string(document, map, "pin", NULL, &verify->pin, reading->err) ||
		    !yaml_copy_string(document, map, "image", NULL, &verify->image, reading->err) ||
		    !yaml_copy_string(document, map, "where", "*", &verify->where, reading->err) ||
		    !yaml_copy_string(document, map, "release", NULL, &verify->release,
				      reading->err) ||
		    !yaml_copy_string(document, map, "layer", NULL, &verify->layer, reading->err))
			return false;
		if (!verify->pin || !verify->image == !verify->release)
			return yaml_error(
			    document, map, reading->err,
			    "what is to be verified needs \"pin\", and either \"image\" "
			    "or \"release\"");
	}
	return true;
}

/* "3.259.0", or "3.260.0-alpha.1" */
static bool is_exact_version(const char *version)
{
	int length = 0;

	sscanf(version, "%*3[0-9].%*6[0-9].%*6[0-9]%n", &length);
	return length && (!version[length] || version[length] == '-' || version[length] == '+');
}

static bool read_root(const struct layer_reading *reading, const struct yaml_node *root,
		      struct layer_list *list)
{
	static const char *const known[] = { "pulumi",    "checkout", "python",   "kubeconfig",
					     "variables", "config",   "optional", "secrets",
					     "plugins",   "parallel", "layers",   "inventory",
					     "order",     "changes",  "verify",   "backend",
					     "policies",  "forwards", NULL };
	const struct yaml_document *document = reading->document;

	list->parallel = 4;
	list->overrides = json_object();
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
	if (!is_exact_version(list->pulumi_version))
		return yaml_error(document, yaml_get(root, "pulumi"), reading->err,
				  "\"pulumi\" must be the exact version of its CLI, such as "
				  "\"3.259.0\" (got \"%.40s\")",
				  list->pulumi_version);
	if (list->parallel < 1 || list->parallel > PARALLEL_MAX)
		return yaml_error(document, yaml_get(root, "parallel"), reading->err,
				  "\"parallel\" must be between 1 and %d", PARALLEL_MAX);
	return read_checkout(reading, root, list) && read_plugins(reading, root, list) &&
	       read_python(reading, root, list) &&
	       layer_read_command(reading, root, "order", &list->order) &&
	       layer_variables_read(reading, root, &list->variables) &&
	       layer_changes_read(reading, root, &list->changes, &list->change_count) &&
	       layer_config_read(reading, root, &list->config) &&
	       layer_read_inventories(reading, root, list) &&
	       layer_read_backend(reading, root, list) &&
	       layer_read_words(reading, root, "policies", &list->policies) &&
	       layer_forwards_read(document, root, &list->forwards, reading->err) &&
	       read_verify(reading, root, list) && read_layers(reading, root, list);
}

bool layer_list_parse(const char *bytes, size_t length, const char *path, struct layer_list **list,
		      struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(layer_list_free) struct layer_list *read = xcalloc(1, sizeof(*read));
	struct layer_reading reading = { .err = err };

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

void layer_spec_release(struct layer_spec *layer)
{
	free(layer->name);
	free(layer->project);
	layer_words_free(layer->up);
	layer_words_free(layer->down);
	layer_words_free(layer->needs);
	json_decref(layer->when);
	layer_config_release(&layer->config);
	layer_variables_release(&layer->variables);
}

void layer_inventory_release(struct layer_inventory *inventory)
{
	free(inventory->provider);
	json_decref(inventory->when);
	layer_words_free(inventory->list);
	layer_words_free(inventory->remove);
	layer_words_free(inventory->gone_with);
	free(inventory->adapter);
	layer_words_free(inventory->regions);
	layer_words_free(inventory->clusters);
	layer_words_free(inventory->tags);
	layer_words_free(inventory->names);
	free(inventory->endpoint);
	layer_secret_release(&inventory->credentials);
}

static void backend_release(struct layer_backend *backend)
{
	free(backend->url);
	free(backend->secrets);
	free(backend->organization);
	layer_secret_release(&backend->credentials);
}

void layer_list_free(struct layer_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		layer_spec_release(&list->layers[i]);
	for (size_t i = 0; i < list->inventory_count; i++)
		layer_inventory_release(&list->inventories[i]);
	for (size_t i = 0; i < list->verify_count; i++) {
		free(list->verify[i].pin);
		free(list->verify[i].image);
		free(list->verify[i].where);
		free(list->verify[i].release);
		free(list->verify[i].layer);
	}
	free(list->verify);
	for (size_t i = 0; i < list->expected_count; i++) {
		free(list->expected[i].path);
		free(list->expected[i].why);
		json_decref(list->expected[i].when);
	}
	free(list->expected);
	free(list->layers);
	free(list->inventories);
	free(list->pulumi_version);
	free(list->folder);
	free(list->source);
	free(list->ref);
	free(list->pin);
	free(list->root);
	layer_words_free(list->ignored);
	layer_words_free(list->left_out);
	layer_words_free(list->plugins);
	layer_words_free(list->policies);
	backend_release(&list->backend);
	free(list->kubeconfig);
	free(list->python);
	free(list->requirements);
	free(list->venv_link);
	layer_words_free(list->order);
	json_decref(list->overrides);
	layer_changes_free(list->changes, list->change_count);
	layer_forwards_release(&list->forwards);
	layer_variables_release(&list->variables);
	layer_config_release(&list->config);
	layer_graph_free(list->graph);
	free(list);
}
