#include "model/template.h"

#include <string.h>

#include "base/byte_size.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/target.h"
#include "model/template_read.h"

#define LEASE_SHORTEST_MS ((int64_t)10 * 1000)
#define LEASE_LONGEST_MS ((int64_t)90 * 24 * 3600 * 1000)
#define PROVISION_LONGEST_MS ((int64_t)24 * 3600 * 1000)
#define SOURCES_MAX 10

/* ---- maps of parts ------------------------------------------------------------------------- */

/* The map at `key`; NULL if it is not there. */
static bool read_map(const struct yaml_document *document, const char *key,
		     const struct yaml_node **map, struct error *err)
{
	*map = yaml_get(document->root, key);
	if (*map && (*map)->kind != YAML_MAP)
		return yaml_error(document, *map, err, "\"%s\" must be a map (got %s)", key,
				  yaml_kind_name(*map));
	if (*map && (*map)->count > TEMPLATE_ITEMS_MAX)
		return yaml_error(document, *map, err, "\"%s\": more than %d", key,
				  TEMPLATE_ITEMS_MAX);
	return true;
}

static bool read_parameters(const struct yaml_document *document, struct template *template,
			    struct error *err)
{
	const struct yaml_node *map;

	if (!read_map(document, "parameters", &map, err) || !map)
		return !map;
	template->parameters = xcalloc(map->count + 1, sizeof(*template->parameters));
	for (size_t i = 0; i < map->count; i++, template->parameter_count++)
		if (!template_parameter_read(document, map->keys[i], map->items[i],
					     &template->parameters[i], err))
			return false;
	return true;
}

static bool read_outputs(const struct yaml_document *document, struct template *template,
			 struct error *err)
{
	const struct yaml_node *map;

	if (!read_map(document, "outputs", &map, err) || !map)
		return !map;
	template->outputs = xcalloc(map->count + 1, sizeof(*template->outputs));
	for (size_t i = 0; i < map->count; i++, template->output_count++)
		if (!template_output_read(document, map->keys[i], map->items[i],
					  &template->outputs[i], err))
			return false;
	return true;
}

/* A group's members are components that can be pinned themselves, to any version of the group. */
static bool check_group(const struct yaml_document *document, const struct template *template,
			const struct template_component *group, const struct yaml_node *map,
			struct error *err)
{
	const struct yaml_node *members = yaml_get(map, "members");

	for (size_t i = 0; group->members[i]; i++) {
		const struct template_component *member =
		    template_component_find(template, group->members[i]);

		if (!member)
			return yaml_error(document, members->items[i], err,
					  "member \"%s\" of \"%s\" is no component",
					  group->members[i], group->name);
		if (template_component_is_group(member))
			return yaml_error(document, members->items[i], err,
					  "member \"%s\" of \"%s\" is a group itself", member->name,
					  group->name);
		for (size_t j = 0; group->versions[j]; j++)
			if (!template_component_takes(member, group->versions[j]))
				return yaml_error(
				    document, members->items[i], err,
				    "\"%s\" has version \"%s\", which its member \"%s\" has not",
				    group->name, group->versions[j], member->name);
	}
	return true;
}

static bool read_components(const struct yaml_document *document, struct template *template,
			    struct error *err)
{
	const struct yaml_node *map;

	if (!read_map(document, "components", &map, err) || !map)
		return !map;
	template->components = xcalloc(map->count + 1, sizeof(*template->components));
	for (size_t i = 0; i < map->count; i++, template->component_count++)
		if (!template_component_read(document, map->keys[i], map->items[i],
					     &template->components[i], err))
			return false;
	for (size_t i = 0; i < map->count; i++)
		if (!check_group(document, template, &template->components[i], map->items[i], err))
			return false;
	return true;
}

/* Whose variable is it? NULL: nobody's among the parameters and the first `count` components. */
static const char *variable_owner(const struct template *template, size_t parameters,
				  size_t components, const char *variable)
{
	for (size_t i = 0; i < parameters; i++)
		if (strcmp(template->parameters[i].variable, variable) == 0)
			return template->parameters[i].name;
	for (size_t i = 0; i < components; i++)
		if (text_equal(template->components[i].variable, variable))
			return template->components[i].name;
	return NULL;
}

static bool refuse_variable(const struct yaml_document *document, const char *part, size_t index,
			    const char *variable, const char *owner, struct error *err)
{
	return yaml_error(document, yaml_get(document->root, part)->keys[index], err,
			  "variable \"%s\" is that of \"%s\" already", variable, owner);
}

static bool check_variables(const struct yaml_document *document, const struct template *template,
			    struct error *err)
{
	const char *variable, *owner;

	for (size_t i = 0; i < template->parameter_count; i++) {
		variable = template->parameters[i].variable;
		owner = variable_owner(template, i, 0, variable);
		if (owner)
			return refuse_variable(document, "parameters", i, variable, owner, err);
	}
	for (size_t i = 0; i < template->component_count; i++) {
		variable = template->components[i].variable;
		owner = variable ? variable_owner(template, template->parameter_count, i, variable)
				 : NULL;
		if (owner)
			return refuse_variable(document, "components", i, variable, owner, err);
	}
	return true;
}

/* ---- limits -------------------------------------------------------------------------------- */

/* A duration between two bounds, if the key is there. */
static bool read_limit_ms(const struct yaml_document *document, const struct yaml_node *map,
			  const char *key, int64_t longest_ms, int64_t *ms, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (!yaml_read_duration_ms(document, map, key, ms, err))
		return false;
	if (*ms < LEASE_SHORTEST_MS || *ms > longest_ms)
		return yaml_error(document, node, err, "\"%s\" must be between 10s and %dh", key,
				  (int)(longest_ms / 3600000));
	return true;
}

/* The default follows the bounds where it is not given itself. */
static bool read_lease(const struct yaml_document *document, const struct yaml_node *map,
		       struct template_limits *limits, struct error *err)
{
	static const char *const known[] = { "default", "minimum", "maximum", NULL };

	if (!yaml_only_keys(document, map, known, err) ||
	    !read_limit_ms(document, map, "minimum", LEASE_LONGEST_MS, &limits->lease_min_ms,
			   err) ||
	    !read_limit_ms(document, map, "maximum", LEASE_LONGEST_MS, &limits->lease_max_ms, err))
		return false;
	if (limits->lease_default_ms > limits->lease_max_ms)
		limits->lease_default_ms = limits->lease_max_ms;
	if (limits->lease_default_ms < limits->lease_min_ms)
		limits->lease_default_ms = limits->lease_min_ms;
	if (!read_limit_ms(document, map, "default", LEASE_LONGEST_MS, &limits->lease_default_ms,
			   err))
		return false;
	if (limits->lease_min_ms > limits->lease_max_ms)
		return yaml_error(document, map, err,
				  "the shortest lease is longer than the longest");
	if (limits->lease_default_ms < limits->lease_min_ms ||
	    limits->lease_default_ms > limits->lease_max_ms)
		return yaml_error(document, yaml_get(map, "default"), err,
				  "\"default\" is not between \"minimum\" and \"maximum\"");
	return true;
}

static bool read_memory(const struct yaml_document *document, const struct yaml_node *node,
			int64_t *bytes, struct error *err)
{
	struct error inner;

	return !node ||
	       byte_size_parse(node->kind == YAML_SCALAR ? node->text : "", "memory", bytes,
			       &inner) ||
	       yaml_error(document, node, err, "%s", inner.message);
}

static bool read_limits(const struct yaml_document *document, struct template_limits *limits,
			struct error *err)
{
	static const char *const known[] = { "provision", "lease", "attempts", "memory", NULL };
	const struct yaml_node *map, *lease, *attempts;

	*limits = (struct template_limits){ .provision_ms = 10 * 60 * 1000,
					    .lease_default_ms = 2 * 3600 * 1000,
					    .lease_min_ms = LEASE_SHORTEST_MS,
					    .lease_max_ms = 24 * 3600 * 1000,
					    .attempts = 2 };
	if (!read_map(document, "limits", &map, err) || !map)
		return !map;
	lease = yaml_get(map, "lease");
	attempts = yaml_get(map, "attempts");
	if (!yaml_only_keys(document, map, known, err) ||
	    !read_limit_ms(document, map, "provision", PROVISION_LONGEST_MS, &limits->provision_ms,
			   err) ||
	    (lease && !read_lease(document, lease, limits, err)) ||
	    (attempts && !yaml_read_int64(document, map, "attempts", &limits->attempts, err)) ||
	    !read_memory(document, yaml_get(map, "memory"), &limits->memory_bytes, err))
		return false;
	if (limits->attempts < 1 || limits->attempts > 2)
		return yaml_error(document, attempts, err, "\"attempts\" must be 1 or 2");
	return true;
}

static bool read_price(const struct yaml_document *document, struct template *template,
		       struct error *err)
{
	const struct template_parameters parameters = { template->parameters,
							template->parameter_count };
	const struct yaml_node *map;

	return read_map(document, "price", &map, err) &&
	       template_price_read(document, map, &parameters, &template->price, err);
}

/* ---- the template itself ------------------------------------------------------------------- */

static bool check_version(const struct yaml_document *document, struct error *err)
{
	const char *version;

	if (!yaml_read_string(document, document->root, "apiVersion", &version, err))
		return false;
	return strcmp(version, "envd/v1") == 0 ||
	       yaml_error(document, yaml_get(document->root, "apiVersion"), err,
			  "apiVersion \"%.40s\" is not known (expected envd/v1)", version);
}

static bool read_name(const struct yaml_document *document, const char *expected,
		      struct template *template, struct error *err)
{
	const struct yaml_node *node = yaml_get(document->root, "name");
	const char *name;
	struct error wrong;

	if (!yaml_read_string(document, document->root, "name", &name, err))
		return false;
	template->name = xstrdup(name);
	if (!name_check(name, "name", &wrong))
		return yaml_error(document, node, err, "%s", wrong.message);
	if (expected && strcmp(name, expected) != 0)
		return yaml_error(document, node, err,
				  "name \"%s\" must be that of its folder, \"%.60s\"", name,
				  expected);
	return true;
}

static bool leaves_folder(const char *path)
{
	const char *at = path;

	if (*path == '/' || !*path)
		return true;
	while ((at = strstr(at, ".."))) {
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return true;
		at += 2;
	}
	return false;
}

static bool read_path(const struct yaml_document *document, const char *key, const char *otherwise,
		      bool may_be_absolute, char **path, struct error *err)
{
	if (!yaml_copy_string(document, document->root, key, otherwise, path, err))
		return false;
	if (!*path || (may_be_absolute && **path == '/') || !leaves_folder(*path))
		return true;
	return yaml_error(document, yaml_get(document->root, key), err,
			  "\"%s\" must be a path inside the template's folder (got \"%.80s\")", key,
			  *path);
}

/* One file, or a list of them for the engine whose users know such lists. */
static bool read_sources(const struct yaml_document *document, struct template *template,
			 struct error *err)
{
	const struct yaml_node *node = yaml_get(document->root, "source");
	bool is_list =
	    node && node->kind == YAML_LIST && strcmp(template->engine, "container") == 0;
	size_t count = is_list ? node->count : 1;

	if (is_list && (count < 1 || count > SOURCES_MAX))
		return yaml_error(document, node, err, "\"source\" must name 1 to %d files",
				  SOURCES_MAX);
	template->sources = xcalloc(count + 1, sizeof(*template->sources));
	for (size_t i = 0; is_list && i < count; i++) {
		if (node->items[i]->kind != YAML_SCALAR || !*node->items[i]->text ||
		    leaves_folder(node->items[i]->text))
			return yaml_error(document, node->items[i], err,
					  "\"source\" must be paths inside the template's folder");
		template->sources[i] = xstrdup(node->items[i]->text);
	}
	if (!is_list &&
	    !read_path(document, "source", "compose.yaml",
		       strcmp(template->engine, "external") == 0, &template->sources[0], err))
		return false;
	template->source = xstrdup(template->sources[0]);
	return true;
}

const char *const template_engines[] = { "container", "external", "pulumi", NULL };

static bool read_engine(const struct yaml_document *document, struct template *template,
			struct error *err)
{
	const struct yaml_node *node = yaml_get(document->root, "engine");
	bool is_container;

	if (!yaml_copy_string(document, document->root, "engine", "container", &template->engine,
			      err))
		return false;
	if (!text_is_among(template->engine, template_engines)) {
		yaml_error(document, node, err, "there is no engine \"%.40s\"", template->engine);
		return error_hint_known(err, template->engine, template_engines);
	}
	is_container = strcmp(template->engine, "container") == 0;
	if (!is_container && !yaml_get(document->root, "source"))
		return yaml_error(document, document->root, err, "\"source\" is missing");
	return read_sources(document, template, err);
}

/* "NAME", "LABEL=VALUE,...", or a map of labels. */
static bool read_targets(const struct yaml_document *document, struct template *template,
			 struct error *err)
{
	const struct yaml_node *node = yaml_get(document->root, "targets");
	AUTO(json_decref) json_t *labels = NULL;
	struct error wrong;

	if (!node)
		return true;
	if (node->kind == YAML_SCALAR)
		return target_wish_parse(node->text, &template->targets, &wrong) ||
		       yaml_error(document, node, err, "\"targets\": %s", wrong.message);
	if (node->kind != YAML_MAP)
		return yaml_error(document, node, err,
				  "\"targets\" must be a target's name or a map of labels");
	labels = json_object();
	for (size_t i = 0; i < node->count; i++)
		json_object_set_new(labels, node->keys[i]->text,
				    node->items[i]->kind == YAML_SCALAR
					? json_string(node->items[i]->text)
					: json_null());
	if (!target_labels_check(labels, &wrong))
		return yaml_error(document, node, err, "\"targets\": %s", wrong.message);
	template->targets = json_pack("{s:O}", "labels", labels);
	return true;
}

static bool read_template(const struct yaml_document *document, const char *name,
			  struct template *template, struct error *err)
{
	static const char *const known[] = { "apiVersion", "name",    "description", "engine",
					     "source",     "targets", "checks",      "parameters",
					     "components", "limits",  "price",       "outputs",
					     NULL };

	return yaml_only_keys(document, document->root, known, err) &&
	       check_version(document, err) && read_name(document, name, template, err) &&
	       yaml_copy_string(document, document->root, "description", "", &template->description,
				err) &&
	       read_engine(document, template, err) && read_targets(document, template, err) &&
	       read_path(document, "checks", NULL, false, &template->checks, err) &&
	       read_parameters(document, template, err) &&
	       read_components(document, template, err) &&
	       check_variables(document, template, err) &&
	       read_limits(document, &template->limits, err) &&
	       read_price(document, template, err) && read_outputs(document, template, err);
}

bool template_parse(const char *bytes, size_t length, const char *path, const char *name,
		    struct template **template, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(template_free) struct template *read = xcalloc(1, sizeof(*read));

	if (!yaml_parse(bytes, length, path, &document, err))
		return false;
	if (!read_template(document, name, read, err)) {
		err->slug = "template_invalid";
		return false;
	}
	*template = TAKE(read);
	return true;
}

static bool check_file(const char *folder, const char *key, const char *path, struct error *err)
{
	AUTO(free) char *whole = path && *path != '/' ? path_join(folder, path) : NULL;

	if (!path || file_exists(whole ? whole : path))
		return true;
	return error_set_as(err, ERR_INVALID, "template_invalid",
			    TEMPLATE_FILE ": \"%s\" names \"%.200s\", which is not there", key,
			    path);
}

static bool check_sources(const char *folder, const struct template *template, struct error *err)
{
	for (size_t i = 0; template->sources[i]; i++)
		if (!check_file(folder, "source", template->sources[i], err))
			return false;
	return true;
}

bool template_load(const char *folder, const char *name, struct template **template,
		   struct error *err)
{
	AUTO(free) char *path = path_join(folder, TEMPLATE_FILE);
	AUTO(free) char *bytes = NULL;
	AUTO(template_free) struct template *read = NULL;
	size_t length;

	if (!file_read(path, TEMPLATE_BYTES_MAX, &bytes, &length, err) ||
	    !template_parse(bytes, length, TEMPLATE_FILE, name, &read, err) ||
	    !check_sources(folder, read, err) || !check_file(folder, "checks", read->checks, err))
		return false;
	*template = TAKE(read);
	return true;
}

void template_free(struct template *template)
{
	if (!template)
		return;
	for (size_t i = 0; i < template->parameter_count; i++)
		template_parameter_release(&template->parameters[i]);
	for (size_t i = 0; i < template->component_count; i++)
		template_component_release(&template->components[i]);
	for (size_t i = 0; i < template->output_count; i++)
		template_output_release(&template->outputs[i]);
	free(template->parameters);
	free(template->components);
	free(template->outputs);
	json_decref(template->targets);
	free(template->name);
	free(template->description);
	free(template->engine);
	for (size_t i = 0; template->sources && template->sources[i]; i++)
		free(template->sources[i]);
	free(template->sources);
	free(template->source);
	free(template->checks);
	template_price_release(&template->price);
	free(template);
}

const struct template_component *template_component_find(const struct template *template,
							 const char *name)
{
	for (size_t i = 0; i < template->component_count; i++)
		if (strcmp(template->components[i].name, name) == 0)
			return &template->components[i];
	return NULL;
}

/* ---- asking with a template ---------------------------------------------------------------- */

static bool refuse_parameter(const struct template *template, const char *name, struct error *err)
{
	AUTO(free) const char **known = xcalloc(template->parameter_count + 1, sizeof(*known));
	char shown[64];

	for (size_t i = 0; i < template->parameter_count; i++)
		known[i] = template->parameters[i].name;
	error_set_as(err, ERR_INVALID, "unknown_parameter",
		     "template \"%s\" has no parameter \"%s\"", template->name,
		     text_printable(name, shown, sizeof(shown)));
	return known[0] ? error_hint_known(err, name, known)
			: error_hint(err, "it has no parameters");
}

static bool has_parameter(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->parameter_count; i++)
		if (strcmp(template->parameters[i].name, name) == 0)
			return true;
	return false;
}

static bool check_given(const struct template *template, const json_t *given, struct error *err)
{
	const char *name;
	json_t *value;

	if (given && !json_is_object(given))
		return error_set_as(err, ERR_INVALID, "parameter_invalid",
				    "parameters must be an object of names and values");
	json_object_foreach_const(given, name, value)
		if (!has_parameter(template, name))
			return refuse_parameter(template, name, err);
	return true;
}

static bool resolve_one(const struct template_parameter *parameter, const json_t *given,
			json_t *full, struct error *err)
{
	json_t *value = NULL;

	if (given && !template_parameter_value(parameter, given, &value, err))
		return false;
	if (!given)
		value = json_incref(parameter->default_value);
	if (!value) {
		error_set_as(err, ERR_INVALID, "parameter_missing",
			     "parameter \"%s\" must be given", parameter->name);
		return error_hint(err, "it is %s%s%.150s", parameter_type_name(parameter->type),
				  *parameter->description ? ": " : "", parameter->description);
	}
	json_object_set_new(full, parameter->name, value);
	return true;
}

bool template_resolve_parameters(const struct template *template, const json_t *given,
				 json_t **full, struct error *err)
{
	AUTO(json_decref) json_t *values = json_object();

	if (!check_given(template, given, err))
		return false;
	for (size_t i = 0; i < template->parameter_count; i++)
		if (!resolve_one(&template->parameters[i],
				 json_object_get(given, template->parameters[i].name), values, err))
			return false;
	*full = TAKE(values);
	return true;
}

bool template_outputs(const struct template *template, const struct template_subject *subject,
		      json_t **outputs, struct error *err)
{
	AUTO(json_decref) json_t *filled = json_object();

	for (size_t i = 0; i < template->output_count; i++) {
		AUTO(free) char *text = NULL;

		if (!template->outputs[i].text)
			continue;
		if (!template_output_text(&template->outputs[i], subject, &text, err))
			return false;
		json_object_set_new(filled, template->outputs[i].name, json_string(text));
	}
	*outputs = TAKE(filled);
	return true;
}
