#include "compose/compose_build.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_check.h"
#include "compose/compose_configs.h"
#include "compose/compose_merge.h"
#include "compose/compose_profiles.h"
#include "compose/compose_reader.h"
#include "compose/compose_service.h"

#define NAMES_MAX 200 /* networks, volumes: each */

/* ---- networks and volumes ------------------------------------------------------------------ */

static void add_name(struct compose_names *names, const char *name, struct compose_place at)
{
	names->items = xrealloc(names->items, names->count + 1, sizeof(*names->items));
	names->items[names->count++] = (struct compose_name){ .name = xstrdup(name), .at = at };
}

/* Networks are bridges and volumes are local: what would be taken anyway. */
static bool read_resource(struct compose_reader *reader, const struct yaml_node *node,
			  const char *what, struct compose_name *resource, struct error *err)
{
	static const char *const network_keys[] = { "driver", "internal", NULL };
	static const char *const volume_keys[] = { "driver", NULL };
	bool is_network = strcmp(what, "networks") == 0;
	const char *driver = is_network ? "bridge" : "local";
	const struct yaml_node *given, *internal;
	AUTO(free) char *name = NULL;

	if (compose_is_null(node))
		return true;
	if (!compose_only_keys(reader, node, what, is_network ? network_keys : volume_keys, err))
		return false;
	internal = compose_get(node, "internal");
	if (internal &&
	    !compose_bool(reader, internal, "networks.internal", &resource->is_internal, err))
		return false;
	given = compose_get(node, "driver");
	if (!given)
		return true;
	if (!compose_text(reader, given, "driver", &name, err))
		return false;
	return strcmp(name, driver) == 0 ||
	       compose_unsupported(reader, given, err,
				   "\"%s.driver\": \"%.40s\" is not supported (expected %s)", what,
				   name, driver);
}

static bool read_names(struct compose_reader *reader, const char *key, struct compose_names *names,
		       struct error *err)
{
	const struct yaml_node *map;

	if (!compose_get_map(reader, key, NAMES_MAX, &map, err))
		return false;
	for (size_t i = 0; map && i < map->count; i++) {
		if (compose_is_extension(map->keys[i]->text))
			continue;
		if (!compose_check_name(reader, map->keys[i], key, err))
			return false;
		add_name(names, map->keys[i]->text, compose_place_of(map->keys[i]));
		if (!read_resource(reader, map->items[i], key, &names->items[names->count - 1],
				   err))
			return false;
	}
	return true;
}

/* The network that services are on when they name none. */
static void add_default_network(struct compose_file *file)
{
	for (size_t i = 0; i < file->networks.count; i++)
		if (strcmp(file->networks.items[i].name, "default") == 0)
			return;
	for (size_t i = 0; i < file->service_count; i++) {
		const struct compose_attachments *networks = &file->services[i].networks;

		for (size_t j = 0; j < networks->count; j++) {
			if (strcmp(networks->items[j].network, "default") == 0) {
				add_name(&file->networks, "default", file->services[i].at);
				return;
			}
		}
	}
}

/* ---- the file ------------------------------------------------------------------------------ */

static bool read_services(struct compose_reader *reader, struct compose_file *file,
			  struct error *err)
{
	const struct yaml_node *map;

	if (!compose_get_map(reader, "services", COMPOSE_SERVICES_MAX, &map, err))
		return false;
	file->services = xcalloc((map ? map->count : 0) + 1, sizeof(*file->services));
	for (size_t i = 0; map && i < map->count; i++) {
		bool fine;

		if (compose_is_extension(map->keys[i]->text))
			continue;
		reader->service = map->keys[i]->text;
		fine = compose_service_read(reader, map->keys[i], map->items[i],
					    &file->services[file->service_count++], err);
		reader->service = NULL;
		if (!fine)
			return false;
	}
	if (!file->service_count)
		return compose_wrong(reader, map ? map : reader->root, err,
				     "there are no services");
	return true;
}

static bool read_file(struct compose_reader *reader, struct error *err)
{
	static const char *const known[] = { "name",    "services", "networks", "volumes",
					     "configs", "secrets",  "version",  NULL };
	struct compose_file *file = reader->file;
	const struct yaml_node *root = reader->root, *name;

	if (!compose_only_keys(reader, root, "", known, err))
		return false;
	name = compose_get(root, "name");
	if ((name && !compose_text(reader, name, "name", &file->name, err)) ||
	    !read_names(reader, "networks", &file->networks, err) ||
	    !read_names(reader, "volumes", &file->volumes, err) ||
	    !compose_configs_read(reader, &file->configs, err) ||
	    !compose_secrets_read(reader, &file->secrets, err) || !read_services(reader, file, err))
		return false;
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_variables(const json_t *used, struct compose_strings *names)
{
	const char *name;
	const json_t *value;

	json_object_foreach_const(used, name, value)
		compose_strings_add(names, xstrdup(name));
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), by_bytes);
}

bool compose_build(struct compose_reader *reader, struct yaml_node *root, struct error *err)
{
	compose_drop_resets(root);
	reader->root = root;
	if (!read_file(reader, err) || !compose_profiles_select(reader, err))
		return false;
	add_default_network(reader->file);
	if (!compose_check(reader->file, err))
		return false;
	list_variables(reader->variables_used, &reader->file->variables_used);
	return true;
}
