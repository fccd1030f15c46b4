#include "compose/compose_check.h"

#include <string.h>

#include "base/text.h"

/* ---- references ---------------------------------------------------------------------------- */

static bool has_name(const struct compose_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i].name, name) == 0)
			return true;
	return false;
}

static bool missing(const struct compose_file *file, const struct compose_service *service,
		    struct compose_place at, const char *kind, const char *name, struct error *err)
{
	return compose_error(file, at, "compose_invalid", err,
			     "service \"%s\": %s \"%.80s\" is not in the file", service->name, kind,
			     name);
}

static bool check_needs(const struct compose_file *file, const struct compose_service *service,
			struct error *err)
{
	for (size_t i = 0; i < service->needs.count; i++) {
		const struct compose_dependency *need = &service->needs.items[i];

		if (!compose_service_find(file, need->service))
			return missing(file, service, need->at, "service", need->service, err);
	}
	return true;
}

static bool check_uses(const struct compose_file *file, const struct compose_service *service,
		       const struct compose_config_uses *uses, const struct compose_configs *of,
		       const char *kind, struct error *err)
{
	for (size_t i = 0; i < uses->count; i++)
		if (!compose_config_find(of, uses->items[i].source))
			return missing(file, service, uses->items[i].at, kind,
				       uses->items[i].source, err);
	return true;
}

static bool is_internal(const struct compose_file *file, const char *network)
{
	for (size_t i = 0; i < file->networks.count; i++)
		if (strcmp(file->networks.items[i].name, network) == 0)
			return file->networks.items[i].is_internal;
	return false;
}

/* Runtimes take such a port, and nobody can reach it. */
static bool check_publishing(const struct compose_file *file, const struct compose_service *service,
			     struct error *err)
{
	for (size_t i = 0; i < service->networks.count; i++)
		if (!is_internal(file, service->networks.items[i].network))
			return true;
	return !service->ports.count ||
	       compose_error(file, service->ports.items[0].at, "compose_invalid", err,
			     "service \"%s\": \"ports\" cannot be published: all its networks are "
			     "internal",
			     service->name);
}

static bool check_service(const struct compose_file *file, const struct compose_service *service,
			  struct error *err)
{
	for (size_t i = 0; i < service->networks.count; i++) {
		const struct compose_attachment *network = &service->networks.items[i];

		if (!has_name(&file->networks, network->network))
			return missing(file, service, network->at, "network", network->network,
				       err);
	}
	for (size_t i = 0; i < service->mounts.count; i++) {
		const struct compose_mount *mount = &service->mounts.items[i];

		if (mount->kind == COMPOSE_MOUNT_VOLUME && !has_name(&file->volumes, mount->source))
			return missing(file, service, mount->at, "volume", mount->source, err);
	}
	return check_uses(file, service, &service->configs, &file->configs, "config", err) &&
	       check_uses(file, service, &service->secrets, &file->secrets, "secret", err) &&
	       check_publishing(file, service, err) && check_needs(file, service, err);
}

/* ---- cycles -------------------------------------------------------------------------------- */

enum mark { UNSEEN, ON_PATH, DONE };

/* A walk from services to what they depend on; `path` is how it came to where it is. */
struct walk {
	const struct compose_file *file;
	enum mark marks[COMPOSE_SERVICES_MAX];
	size_t path[COMPOSE_SERVICES_MAX];
	size_t depth;
};

static bool refuse_cycle(const struct walk *walk, size_t index, struct compose_place at,
			 struct error *err)
{
	AUTO(text_release) struct text circle = TEXT_EMPTY;
	size_t from = walk->depth;

	while (walk->path[--from] != index)
		;
	for (size_t i = from; i < walk->depth; i++)
		text_format(&circle, "%s → ", walk->file->services[walk->path[i]].name);
	return compose_error(walk->file, at, "compose_cycle", err,
			     "\"depends_on\" goes in a circle: %s%s", text_get(&circle),
			     walk->file->services[index].name);
}

static bool visit(struct walk *walk, size_t index, struct compose_place at, struct error *err)
{
	const struct compose_service *service = &walk->file->services[index];

	if (walk->marks[index] == DONE)
		return true;
	if (walk->marks[index] == ON_PATH)
		return refuse_cycle(walk, index, at, err);
	walk->marks[index] = ON_PATH;
	walk->path[walk->depth++] = index;
	for (size_t i = 0; i < service->needs.count; i++) {
		const struct compose_dependency *need = &service->needs.items[i];
		const struct compose_service *needed =
		    compose_service_find(walk->file, need->service);

		if (!visit(walk, (size_t)(needed - walk->file->services), need->at, err))
			return false;
	}
	walk->depth--;
	walk->marks[index] = DONE;
	return true;
}

bool compose_check(const struct compose_file *file, struct error *err)
{
	struct walk walk = { .file = file };

	for (size_t i = 0; i < file->service_count; i++)
		if (!check_service(file, &file->services[i], err))
			return false;
	for (size_t i = 0; i < file->service_count; i++)
		if (!visit(&walk, i, file->services[i].at, err))
			return false;
	return true;
}
