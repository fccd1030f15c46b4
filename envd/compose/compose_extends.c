#include "compose/compose_extends.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_merge.h"
#include "compose/compose_origin.h"

/* A service on its way, and who extends it. */
struct link {
	const char *service;
	const struct link *above;
};

/* What an `extends` says. */
struct base {
	char *service;
	char *file; /* NULL: the same */
};

static void base_release(struct base *base)
{
	free(base->service);
	free(base->file);
}

static bool read_base(struct compose_reader *reader, const struct yaml_node *node,
		      struct base *base, struct error *err)
{
	static const char *const known[] = { "service", "file", NULL };
	const struct yaml_node *service, *file;
	AUTO(free) char *path = NULL;

	if (node->kind == YAML_SCALAR)
		return compose_text(reader, node, "extends", &base->service, err);
	if (!compose_only_keys(reader, node, "extends", known, err))
		return false;
	service = compose_get(node, "service");
	file = compose_get(node, "file");
	if (!service)
		return compose_wrong(reader, node, err, "\"extends.service\" is missing");
	if (!compose_text(reader, service, "extends.service", &base->service, err) ||
	    (file && !compose_text(reader, file, "extends.file", &path, err)))
		return false;
	base->file = path ? compose_path(reader, file, path) : NULL;
	return true;
}

static bool check_circle(const struct compose_reader *reader, const struct yaml_node *at,
			 const char *service, const struct link *above, struct error *err)
{
	for (; above; above = above->above)
		if (strcmp(above->service, service) == 0) {
			compose_wrong(reader, at, err,
				      "\"extends\" goes in a circle: back to \"%.80s\"", service);
			err->slug = "compose_cycle";
			return false;
		}
	return true;
}

static bool extend(struct compose_loading *loading, struct yaml_node *services, const char *name,
		   const struct link *above, struct error *err);

/* A copy of the service that is extended, itself complete. */
static bool find_base(struct compose_loading *loading, struct yaml_node *services,
		      const struct yaml_node *at, const char *name, const struct link *above,
		      struct yaml_node **copy, struct error *err)
{
	struct yaml_node **slot = services ? yaml_slot(services, name) : NULL;

	if (!slot)
		return compose_wrong(loading->reader, at, err,
				     "\"extends\": service \"%.80s\" is not there", name);
	if (!extend(loading, services, name, above, err))
		return false;
	*copy = yaml_copy(*slot, &loading->nodes_left);
	return *copy ||
	       compose_wrong(loading->reader, at, err, "\"extends\": the file grows too large");
}

static bool find_base_in_file(struct compose_loading *loading, const struct yaml_node *at,
			      const struct base *base, struct yaml_node **copy, struct error *err)
{
	AUTO(free) char *folder = compose_folder_of(base->file);
	AUTO(yaml_node_free) struct yaml_node *root = NULL;
	const struct compose_wanted wanted = {
		.at = at,
		.key = "extends.file",
		.path = base->file,
		.folder = folder,
		.variables = compose_origin_of(loading->reader, at)->variables,
	};
	struct yaml_node **services;

	if (!compose_load_file(loading, &wanted, &root, err))
		return false;
	services = yaml_slot(root, "services");
	return find_base(loading, services ? *services : NULL, at, base->service, NULL, copy, err);
}

static bool extend(struct compose_loading *loading, struct yaml_node *services, const char *name,
		   const struct link *above, struct error *err)
{
	const struct link here = { name, above };
	struct yaml_node **service = yaml_slot(services, name), *copy = NULL;
	struct yaml_node **slot = service ? yaml_slot(*service, "extends") : NULL;
	AUTO(yaml_node_free) struct yaml_node *extends = NULL;
	struct base base = { 0 };
	bool fine;

	if (!slot)
		return true;
	if (!read_base(loading->reader, *slot, &base, err) ||
	    (!base.file && !check_circle(loading->reader, *slot, base.service, &here, err))) {
		base_release(&base);
		return false;
	}
	/* Left in place until here: a circle comes by again, and should be seen. */
	fine = base.file ? find_base_in_file(loading, *slot, &base, &copy, err)
			 : find_base(loading, services, *slot, base.service, &here, &copy, err);
	base_release(&base);
	if (!fine)
		return false;
	extends = yaml_take(*service, "extends");
	return compose_merge(loading->reader, copy, TAKE(*service), "services.*", service, err);
}

bool compose_extend(struct compose_loading *loading, struct yaml_node *root, struct error *err)
{
	struct yaml_node **services = yaml_slot(root, "services");

	if (!services || (*services)->kind != YAML_MAP)
		return true;
	for (size_t i = 0; i < (*services)->count; i++) {
		const char *name = (*services)->keys[i]->text;
		bool fine;

		if (compose_is_extension(name))
			continue;
		loading->reader->service = name;
		fine = extend(loading, *services, name, NULL, err);
		loading->reader->service = NULL;
		if (!fine)
			return false;
	}
	return true;
}
