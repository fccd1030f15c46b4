#include "compose/compose_powers.h"

#include <string.h>

#include "base/text.h"

#define DEVICES_MAX 50

bool compose_privileged_read(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_service *service, struct error *err)
{
	service->powers.privileged_at = compose_place_of(node);
	return compose_bool(reader, node, "privileged", &service->powers.is_privileged, err);
}

bool compose_read_only_read(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_service *service, struct error *err)
{
	return compose_bool(reader, node, "read_only", &service->powers.is_read_only, err);
}

static bool read_capabilities(struct compose_reader *reader, const struct yaml_node *node,
			      const char *what, struct compose_list *list, struct error *err)
{
	if (!compose_set(reader, node, what, false, list, err))
		return false;
	for (size_t i = 0; i < list->texts.count; i++) {
		const char *name = list->texts.items[i];

		if (!*name || name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						"abcdefghijklmnopqrstuvwxyz_")])
			return compose_wrong(
			    reader, node, err,
			    "\"%s\": \"%.40s\" is no capability (expected ALL or a "
			    "name such as NET_ADMIN)",
			    what, name);
	}
	return true;
}

bool compose_cap_add_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	return read_capabilities(reader, node, "cap_add", &service->powers.cap_add, err);
}

bool compose_cap_drop_read(struct compose_reader *reader, const struct yaml_node *node,
			   struct compose_service *service, struct error *err)
{
	return read_capabilities(reader, node, "cap_drop", &service->powers.cap_drop, err);
}

bool compose_group_add_read(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_service *service, struct error *err)
{
	return compose_set(reader, node, "group_add", false, &service->powers.group_add, err);
}

bool compose_sysctls_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	service->powers.sysctls_at = compose_place_of(node);
	return compose_pairs(reader, node, "sysctls", false, &service->powers.sysctls, err);
}

/* ---- devices ------------------------------------------------------------------------------- */

static bool check_device(const struct compose_reader *reader, const struct yaml_node *node,
			 const struct compose_device *device, struct error *err)
{
	const char *permissions = device->permissions;

	return (device->source[0] == '/' && device->target[0] == '/' && *permissions &&
		!permissions[strspn(permissions, "rwm")]) ||
	       compose_wrong(
		   reader, node, err,
		   "\"devices\" must be absolute paths and permissions of r, w and m, such "
		   "as /dev/fuse:/dev/fuse:rwm");
}

/* SOURCE[:TARGET[:PERMISSIONS]]; `text` is taken apart. */
static void parse_device(char *text, struct compose_device *device)
{
	const char *source = strsep(&text, ":"), *target = text ? strsep(&text, ":") : source;

	device->source = xstrdup(source);
	device->target = xstrdup(target);
	device->permissions = xstrdup(text ? text : "rwm");
}

static bool read_device_map(struct compose_reader *reader, const struct yaml_node *map,
			    struct compose_device *device, struct error *err)
{
	static const char *const known[] = { "source", "target", "permissions", NULL };
	const struct yaml_node *source, *target, *permissions;

	if (!compose_only_keys(reader, map, "devices", known, err))
		return false;
	source = compose_get(map, "source");
	target = compose_get(map, "target");
	permissions = compose_get(map, "permissions");
	if (!source)
		return compose_wrong(reader, map, err, "\"devices.source\" is missing");
	if (!compose_text(reader, source, "source", &device->source, err) ||
	    (target && !compose_text(reader, target, "target", &device->target, err)) ||
	    (permissions &&
	     !compose_text(reader, permissions, "permissions", &device->permissions, err)))
		return false;
	if (!device->target)
		device->target = xstrdup(device->source);
	if (!device->permissions)
		device->permissions = xstrdup("rwm");
	return true;
}

static bool read_device(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_device *device, struct error *err)
{
	AUTO(free) char *text = NULL;

	device->at = compose_place_of(node);
	if (node->kind == YAML_MAP) {
		if (!read_device_map(reader, node, device, err))
			return false;
	} else {
		if (!compose_text(reader, node, "devices", &text, err))
			return false;
		parse_device(text, device);
	}
	return check_device(reader, node, device, err);
}

bool compose_devices_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	struct compose_powers *powers = &service->powers;

	if (node->kind != YAML_LIST)
		return compose_wrong(reader, node, err, "\"devices\" must be a list (got %s)",
				     yaml_kind_name(node));
	if (node->count > DEVICES_MAX)
		return compose_wrong(reader, node, err, "\"devices\": more than %d", DEVICES_MAX);
	powers->devices = xcalloc(node->count + 1, sizeof(*powers->devices));
	for (size_t i = 0; i < node->count; i++)
		if (!read_device(reader, node->items[i], &powers->devices[powers->device_count++],
				 err))
			return false;
	return true;
}

void compose_powers_release(struct compose_powers *powers)
{
	for (size_t i = 0; i < powers->device_count; i++) {
		free(powers->devices[i].source);
		free(powers->devices[i].target);
		free(powers->devices[i].permissions);
	}
	free(powers->devices);
	compose_strings_release(&powers->cap_add.texts);
	compose_strings_release(&powers->cap_drop.texts);
	compose_strings_release(&powers->group_add.texts);
	compose_pairs_release(&powers->sysctls);
}
