#include "compose/compose_load.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_build.h"
#include "compose/compose_extends.h"
#include "compose/compose_include.h"
#include "compose/compose_merge.h"
#include "compose/compose_origin.h"
#include "compose/compose_trust.h"

/* Of files that include or extend each other; who is deeper goes in a circle. */
#define DEPTH_MAX 10
/* What `extends` may copy; YAML's own bound is for one file. */
#define NODES_MAX 200000

static bool too_large(const char *path, struct error *err)
{
	return error_set_as(err, ERR_LIMIT, "compose_invalid", "%s is larger than %zu bytes", path,
			    COMPOSE_BYTES_MAX);
}

/* The origin is known from here on, so that whatever is wrong in the tree can say where. */
static bool parse(struct compose_loading *loading, const struct compose_wanted *wanted,
		  const char *bytes, size_t length, struct yaml_node **root, struct error *err)
{
	struct compose_reader *reader = loading->reader;
	struct compose_origins *origins = reader->file->origins;
	AUTO(yaml_free) struct yaml_document *document = NULL;
	struct compose_origin *origin;

	if (length > COMPOSE_BYTES_MAX)
		return too_large(wanted->path, err);
	if (!yaml_parse_tagged(bytes, length, wanted->path, compose_tags, &document, err))
		return false;
	if (origins->count == COMPOSE_FILES_MAX)
		return compose_wrong(reader, wanted->at, err, "more than %d files",
				     COMPOSE_FILES_MAX);
	origin = &origins->items[origins->count++];
	origin->file = TAKE(document->file);
	origin->folder = xstrdup(wanted->folder);
	origin->variables = json_incref(wanted->variables);
	*root = TAKE(document->root);
	return true;
}

static bool load(struct compose_loading *loading, const struct compose_wanted *wanted,
		 const char *bytes, size_t length, struct yaml_node **result, struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *root = NULL;

	if (!parse(loading, wanted, bytes, length, &root, err))
		return false;
	if (root->kind != YAML_MAP)
		return compose_wrong(loading->reader, root, err,
				     "a Compose file must be a map (got %s)", yaml_kind_name(root));
	if (!compose_include(loading, root, err) || !compose_extend(loading, root, err))
		return false;
	*result = TAKE(root);
	return true;
}

bool compose_load_file(struct compose_loading *loading, const struct compose_wanted *wanted,
		       struct yaml_node **root, struct error *err)
{
	const char *service = loading->reader->service;
	AUTO(free) char *bytes = NULL;
	size_t length;
	bool fine;

	if (loading->depth == DEPTH_MAX)
		return compose_wrong(
		    loading->reader, wanted->at, err,
		    "files include or extend each other in a circle, or deeper than "
		    "%d levels",
		    DEPTH_MAX);
	if (!compose_read_bytes(loading->reader, wanted->at, wanted->key, wanted->path, &bytes,
				&length, err))
		return false;
	loading->depth++;
	loading->reader->service = NULL; /* the other file's own services are named in its errors */
	fine = load(loading, wanted, bytes, length, root, err);
	loading->reader->service = service;
	loading->depth--;
	return fine;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool load_sources(struct compose_loading *loading, const struct compose_request *request,
			 struct yaml_node **result, struct error *err)
{
	AUTO(json_decref) json_t *variables = NULL;
	AUTO(yaml_node_free) struct yaml_node *merged = NULL;
	struct yaml_node at = { .line = 1, .column = 1, .file = request->sources[0] };
	struct compose_wanted wanted = { .at = &at,
					 .key = "source",
					 .folder = "",
					 .variables = (json_t *)(uintptr_t)request->variables };

	if (!compose_add_variables(loading, &wanted, &variables, err))
		return false;
	loading->reader->variables = variables;
	wanted.variables = variables;
	for (size_t i = 0; request->sources[i]; i++) {
		struct yaml_node *root;

		wanted.path = request->sources[i];
		at.file = wanted.path;
		if (!compose_load_file(loading, &wanted, &root, err))
			return false;
		if (!merged)
			merged = root;
		else if (!compose_merge(loading->reader, TAKE(merged), root, "", &merged, err))
			return false;
	}
	if (!compose_build(loading->reader, merged, err))
		return false;
	*result = TAKE(merged);
	return true;
}

static struct compose_file *file_new(const char *path)
{
	struct compose_file *file = xcalloc(1, sizeof(*file));

	file->path = xstrdup(path);
	file->origins = xcalloc(1, sizeof(*file->origins));
	return file;
}

bool compose_load(const struct compose_request *request, struct compose_file **file,
		  struct error *err)
{
	AUTO(compose_free) struct compose_file *read = file_new(request->sources[0]);
	AUTO(yaml_node_free) struct yaml_node *root = NULL;
	AUTO(json_decref) json_t *used = json_object();
	struct compose_reader reader = { .file = read,
					 .folder = request->folder,
					 .is_trusted = request->is_trusted,
					 .variables_used = used };
	struct compose_loading loading = { .reader = &reader, .nodes_left = NODES_MAX };

	if (!load_sources(&loading, request, &root, err) ||
	    !compose_check_trust(read, request->is_trusted, request->folder, err))
		return false;
	*file = TAKE(read);
	return true;
}

bool compose_parse(const char *bytes, size_t length, const char *path, const json_t *variables,
		   struct compose_file **file, struct error *err)
{
	AUTO(compose_free) struct compose_file *read = file_new(path);
	AUTO(yaml_node_free) struct yaml_node *root = NULL;
	AUTO(json_decref) json_t *used = json_object();
	struct compose_reader reader = { .file = read,
					 .variables = variables,
					 .variables_used = used };
	struct compose_loading loading = { .reader = &reader, .nodes_left = NODES_MAX };
	struct yaml_node at = { .line = 1, .column = 1, .file = path };
	const struct compose_wanted wanted = {
		.at = &at, .path = path, .folder = "", .variables = (json_t *)(uintptr_t)variables
	};

	if (!load(&loading, &wanted, bytes, length, &root, err) ||
	    !compose_build(&reader, root, err))
		return false;
	*file = TAKE(read);
	return true;
}
