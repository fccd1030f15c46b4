#include "compose/compose_include.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "compose/compose_env_file.h"
#include "compose/compose_merge.h"
#include "compose/compose_origin.h"

/* One entry of `include:`; paths from the template's folder. */
struct inclusion {
	struct compose_strings paths;
	struct compose_strings env_files;
	char *folder;
};

static void inclusion_release(struct inclusion *inclusion)
{
	compose_strings_release(&inclusion->paths);
	compose_strings_release(&inclusion->env_files);
	free(inclusion->folder);
}

char *compose_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
}

/* ---- variables ----------------------------------------------------------------------------- */

static bool is_there(const struct compose_reader *reader, const char *path)
{
	AUTO(free) char *whole = reader->folder ? path_join(reader->folder, path) : NULL;

	return whole && file_exists(whole);
}

bool compose_add_variables(struct compose_loading *loading, const struct compose_wanted *wanted,
			   json_t **variables, struct error *err)
{
	struct compose_reader *reader = loading->reader;
	AUTO(json_decref) json_t *pairs = json_object();
	AUTO(free) char *bytes = NULL;
	AUTO(free)
	char *usual = *wanted->folder ? path_join(wanted->folder, ".env") : xstrdup(".env");
	struct compose_env_source source = { .path = wanted->path ? wanted->path : usual,
					     .variables = wanted->variables,
					     .used = reader->variables_used };
	size_t length;

	if (wanted->path || is_there(reader, usual)) {
		if (!compose_read_bytes(reader, wanted->at, wanted->key, source.path, &bytes,
					&length, err))
			return false;
		source.bytes = bytes;
		if (!compose_env_parse(&source, pairs, err))
			return false;
	}
	if (wanted->variables)
		json_object_update(pairs, wanted->variables);
	*variables = TAKE(pairs);
	return true;
}

static bool include_variables(struct compose_loading *loading, const struct yaml_node *at,
			      const struct inclusion *inclusion, json_t **variables,
			      struct error *err)
{
	struct compose_wanted wanted = {
		.at = at,
		.key = "include.env_file",
		.folder = inclusion->folder,
		.variables = compose_origin_of(loading->reader, at)->variables,
	};
	AUTO(json_decref) json_t *read = NULL;

	if (!inclusion->env_files.count)
		return compose_add_variables(loading, &wanted, variables, err);
	/* The last file wins, so it is the first to be asked. */
	for (size_t i = inclusion->env_files.count; i-- > 0;) {
		json_t *more;

		wanted.path = inclusion->env_files.items[i];
		if (!compose_add_variables(loading, &wanted, &more, err))
			return false;
		json_decref(read);
		read = more;
		wanted.variables = read;
	}
	*variables = TAKE(read);
	return true;
}

/* ---- an entry ------------------------------------------------------------------------------ */

static bool read_paths(struct compose_reader *reader, const struct yaml_node *node,
		       const char *what, struct compose_strings *paths, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings read = { 0 };

	if (!compose_list(reader, node, what, true, &read, err))
		return false;
	for (size_t i = 0; i < read.count; i++)
		compose_strings_add(paths, compose_path(reader, node, read.items[i]));
	return true;
}

static bool read_map(struct compose_reader *reader, const struct yaml_node *node,
		     struct inclusion *inclusion, struct error *err)
{
	static const char *const known[] = { "path", "project_directory", "env_file", NULL };
	const struct yaml_node *path, *folder, *env_file;
	AUTO(free) char *text = NULL;

	if (!compose_only_keys(reader, node, "include", known, err))
		return false;
	path = compose_get(node, "path");
	folder = compose_get(node, "project_directory");
	env_file = compose_get(node, "env_file");
	if (!path)
		return compose_wrong(reader, node, err, "\"include.path\" is missing");
	if (!read_paths(reader, path, "include.path", &inclusion->paths, err) ||
	    (folder && !compose_text(reader, folder, "include.project_directory", &text, err)) ||
	    (env_file &&
	     !read_paths(reader, env_file, "include.env_file", &inclusion->env_files, err)))
		return false;
	if (text)
		inclusion->folder = compose_path(reader, folder, text);
	return true;
}

static bool read_inclusion(struct compose_reader *reader, const struct yaml_node *node,
			   struct inclusion *inclusion, struct error *err)
{
	bool fine = node->kind == YAML_MAP
			? read_map(reader, node, inclusion, err)
			: read_paths(reader, node, "include", &inclusion->paths, err);

	if (!fine)
		return false;
	if (!inclusion->paths.count)
		return compose_wrong(reader, node, err, "\"include\" names no file");
	if (!inclusion->folder)
		inclusion->folder = compose_folder_of(inclusion->paths.items[0]);
	return true;
}

static bool load(struct compose_loading *loading, const struct yaml_node *at,
		 const struct inclusion *inclusion, struct yaml_node **tree, struct error *err)
{
	AUTO(json_decref) json_t *variables = NULL;
	AUTO(yaml_node_free) struct yaml_node *merged = NULL;
	struct compose_wanted wanted = { .at = at, .key = "include", .folder = inclusion->folder };

	if (!include_variables(loading, at, inclusion, &variables, err))
		return false;
	wanted.variables = variables;
	for (size_t i = 0; i < inclusion->paths.count; i++) {
		struct yaml_node *root;

		wanted.path = inclusion->paths.items[i];
		if (!compose_load_file(loading, &wanted, &root, err))
			return false;
		if (!merged)
			merged = root;
		else if (!compose_merge(loading->reader, TAKE(merged), root, "", &merged, err))
			return false;
	}
	*tree = TAKE(merged);
	return true;
}

/* ---- into the file ------------------------------------------------------------------------- */

static bool take_section(const struct compose_reader *reader, struct yaml_node *root,
			 const struct yaml_node *key, struct yaml_node *from, struct error *err)
{
	struct yaml_node **slot = yaml_slot(root, key->text);

	if (from->kind != YAML_MAP)
		return true;
	if (!slot || compose_is_null(*slot)) {
		yaml_put(root, key, yaml_new(YAML_MAP, from));
		slot = yaml_slot(root, key->text);
	}
	for (size_t i = 0; i < from->count; i++) {
		if (yaml_get(*slot, from->keys[i]->text))
			return compose_wrong(reader, from->keys[i], err,
					     "\"%s.%.80s\" is included, and is there already",
					     key->text, from->keys[i]->text);
		yaml_put(*slot, from->keys[i], TAKE(from->items[i]));
	}
	return true;
}

/* An included file's `name` is of no use to the one that includes it. */
static bool take_all(const struct compose_reader *reader, struct yaml_node *root,
		     struct yaml_node *tree, struct error *err)
{
	for (size_t i = 0; i < tree->count; i++) {
		const char *key = tree->keys[i]->text;

		if (strcmp(key, "name") == 0 || strcmp(key, "version") == 0 ||
		    compose_is_extension(key))
			continue;
		if (!take_section(reader, root, tree->keys[i], tree->items[i], err))
			return false;
	}
	return true;
}

bool compose_include(struct compose_loading *loading, struct yaml_node *root, struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *list = yaml_take(root, "include");
	bool fine = true;

	if (!list || compose_is_null(list))
		return true;
	if (list->kind != YAML_LIST)
		return compose_wrong(loading->reader, list, err,
				     "\"include\" must be a list (got %s)", yaml_kind_name(list));
	for (size_t i = 0; i < list->count && fine; i++) {
		AUTO(yaml_node_free) struct yaml_node *tree = NULL;
		struct inclusion inclusion = { 0 };

		fine = read_inclusion(loading->reader, list->items[i], &inclusion, err) &&
		       load(loading, list->items[i], &inclusion, &tree, err) &&
		       take_all(loading->reader, root, tree, err);
		inclusion_release(&inclusion);
	}
	return fine;
}
