#include "compose/compose_variables.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_env_file.h"
#include "compose/compose_origin.h"

#define ENV_FILES_MAX 20

bool compose_environment_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	return compose_pairs(reader, node, "environment", true, &service->variables, err);
}

/* One entry of `env_file:`. */
struct env_file {
	char *path;
	bool is_required;
	bool is_raw;
};

static bool read_format(struct compose_reader *reader, const struct yaml_node *node, bool *is_raw,
			struct error *err)
{
	AUTO(free) char *format = NULL;

	if (!compose_text(reader, node, "env_file.format", &format, err))
		return false;
	*is_raw = strcmp(format, "raw") == 0;
	return *is_raw ||
	       compose_wrong(reader, node, err,
			     "\"env_file.format\": \"%.40s\" is not known (expected raw)", format);
}

static bool read_entry(struct compose_reader *reader, const struct yaml_node *node,
		       struct env_file *file, struct error *err)
{
	static const char *const known[] = { "path", "required", "format", NULL };
	const struct yaml_node *path, *required, *format;

	if (node->kind != YAML_MAP)
		return compose_text(reader, node, "env_file", &file->path, err);
	if (!compose_only_keys(reader, node, "env_file", known, err))
		return false;
	path = compose_get(node, "path");
	required = compose_get(node, "required");
	format = compose_get(node, "format");
	if (!path)
		return compose_wrong(reader, node, err, "\"env_file.path\" is missing");
	return compose_text(reader, path, "env_file.path", &file->path, err) &&
	       (!required ||
		compose_bool(reader, required, "env_file.required", &file->is_required, err)) &&
	       (!format || read_format(reader, format, &file->is_raw, err));
}

static bool read_pairs(struct compose_reader *reader, const struct yaml_node *at,
		       const struct env_file *file, json_t *pairs, struct error *err)
{
	AUTO(free) char *path = compose_path(reader, at, file->path);
	AUTO(free) char *bytes = NULL;
	struct compose_env_source source = {
		.path = path,
		.variables = compose_origin_of(reader, at)->variables,
		.used = reader->variables_used,
		.is_raw = file->is_raw,
	};
	struct error wrong;
	size_t length;

	if (!compose_read_bytes(reader, at, "env_file", path, &bytes, &length, &wrong)) {
		if (wrong.code == ERR_NOT_FOUND && !file->is_required)
			return true;
		*err = wrong;
		return false;
	}
	source.bytes = bytes;
	return compose_env_parse(&source, pairs, err);
}

static bool read_file(struct compose_reader *reader, const struct yaml_node *node, json_t *pairs,
		      struct error *err)
{
	struct env_file file = { .is_required = true };
	bool fine =
	    read_entry(reader, node, &file, err) && read_pairs(reader, node, &file, pairs, err);

	free(file.path);
	return fine;
}

static void add_missing(struct compose_pairs *variables, const json_t *pairs,
			struct compose_place at)
{
	size_t own = variables->count;
	const char *name;
	const json_t *value;

	json_object_foreach_const(pairs, name, value) {
		size_t i = 0;

		while (i < own && strcmp(variables->items[i].name, name) != 0)
			i++;
		if (i < own)
			continue;
		variables->items =
		    xrealloc(variables->items, variables->count + 1, sizeof(*variables->items));
		variables->items[variables->count++] =
		    (struct compose_pair){ xstrdup(name), xstrdup(json_string_value(value)), at };
	}
}

bool compose_env_file_read(struct compose_reader *reader, const struct yaml_node *node,
			   struct compose_service *service, struct error *err)
{
	AUTO(json_decref) json_t *pairs = json_object();

	if (node->kind == YAML_LIST && node->count > ENV_FILES_MAX)
		return compose_wrong(reader, node, err, "\"env_file\": more than %d files",
				     ENV_FILES_MAX);
	if (node->kind != YAML_LIST && !read_file(reader, node, pairs, err))
		return false;
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++)
		if (!read_file(reader, node->items[i], pairs, err))
			return false;
	add_missing(&service->variables, pairs, compose_place_of(node));
	return true;
}
