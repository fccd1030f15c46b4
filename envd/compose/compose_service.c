#include "compose/compose_service.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "compose/compose_command.h"
#include "compose/compose_configs.h"
#include "compose/compose_health.h"
#include "compose/compose_image.h"
#include "compose/compose_mounts.h"
#include "compose/compose_naming.h"
#include "compose/compose_ports.h"
#include "compose/compose_powers.h"
#include "compose/compose_process.h"
#include "compose/compose_variables.h"

#define LINKS_MAX 200 /* networks or dependencies of one service */

/* ---- texts --------------------------------------------------------------------------------- */

static bool read_command(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_service *service, struct error *err)
{
	return compose_command_read(reader, node, "command", &service->command, err);
}

static bool read_entrypoint(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_service *service, struct error *err)
{
	return compose_command_read(reader, node, "entrypoint", &service->entrypoint, err);
}

static bool read_user(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_service *service, struct error *err)
{
	size_t length;

	if (!compose_text(reader, node, "user", &service->user, err))
		return false;
	length = strlen(service->user);
	return (length && length <= 100 &&
		strspn(service->user,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") ==
		    length) ||
	       compose_wrong(reader, node, err, "\"user\": \"%.100s\" is no user", service->user);
}

static bool read_working_dir(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_service *service, struct error *err)
{
	return compose_text(reader, node, "working_dir", &service->working_dir, err) &&
	       (service->working_dir[0] == '/' ||
		compose_wrong(reader, node, err, "\"working_dir\" must be an absolute path"));
}

static bool read_profiles(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	return compose_list(reader, node, "profiles", false, &service->profiles, err);
}

/* Labels of ours decide whose a container is, so nobody else may give them. */
static bool read_labels(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	if (!compose_pairs(reader, node, "labels", false, &service->labels, err))
		return false;
	for (size_t i = 0; i < service->labels.count; i++)
		if (text_starts_with(service->labels.items[i].name, "envd-"))
			return compose_wrong(reader, node, err,
					     "label \"%.80s\": envd-... is reserved",
					     service->labels.items[i].name);
	return true;
}

/* ---- ports, mounts, health ----------------------------------------------------------------- */

static bool read_ports(struct compose_reader *reader, const struct yaml_node *node,
		       struct compose_service *service, struct error *err)
{
	return compose_ports_read(reader, node, &service->ports, err);
}

static bool read_expose(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	return compose_expose_read(reader, node, &service->expose, err);
}

static bool read_volumes(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_service *service, struct error *err)
{
	return compose_volumes_read(reader, node, &service->mounts, err);
}

static bool read_tmpfs(struct compose_reader *reader, const struct yaml_node *node,
		       struct compose_service *service, struct error *err)
{
	return compose_tmpfs_read(reader, node, &service->mounts, err);
}

static bool read_healthcheck(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_service *service, struct error *err)
{
	return compose_health_read(reader, node, &service->health, err);
}

/* ---- networks ------------------------------------------------------------------------------ */

static struct compose_attachment *add_attachment(struct compose_attachments *networks, char *name,
						 struct compose_place at)
{
	struct compose_attachment *attachment;

	networks->items = xrealloc(networks->items, networks->count + 1, sizeof(*networks->items));
	attachment = &networks->items[networks->count++];
	*attachment = (struct compose_attachment){ .network = name, .at = at };
	return attachment;
}

static bool check_links(const struct compose_reader *reader, const struct yaml_node *node,
			const char *what, struct error *err)
{
	if (node->kind == YAML_SCALAR)
		return compose_wrong(reader, node, err, "\"%s\" must be a list or a map (got %s)",
				     what, yaml_kind_name(node));
	return node->count <= LINKS_MAX ||
	       compose_wrong(reader, node, err, "\"%s\": more than %d", what, LINKS_MAX);
}

static bool read_aliases(struct compose_reader *reader, const struct yaml_node *map,
			 struct compose_attachment *attachment, struct error *err)
{
	static const char *const known[] = { "aliases", NULL };
	const struct yaml_node *aliases;

	if (compose_is_null(map))
		return true;
	if (!compose_only_keys(reader, map, "networks", known, err))
		return false;
	aliases = compose_get(map, "aliases");
	return !aliases ||
	       compose_list(reader, aliases, "networks.aliases", false, &attachment->aliases, err);
}

static bool read_network(struct compose_reader *reader, const struct yaml_node *node, size_t i,
			 struct compose_attachments *networks, struct error *err)
{
	const struct yaml_node *at = node->kind == YAML_MAP ? node->keys[i] : node->items[i];
	struct compose_attachment *attachment;
	char *name;

	if (node->kind == YAML_MAP)
		name = xstrdup(at->text);
	else if (!compose_text(reader, at, "networks", &name, err))
		return false;
	attachment = add_attachment(networks, name, compose_place_of(at));
	for (size_t j = 0; j + 1 < networks->count; j++) {
		if (strcmp(networks->items[j].network, name) != 0)
			continue;
		if (!compose_is_over(attachment->at, networks->items[j].at))
			return compose_wrong(reader, at, err, "network \"%.80s\" is there twice",
					     name);
		free(name);
		networks->count--;
		return true;
	}
	return node->kind == YAML_LIST || read_aliases(reader, node->items[i], attachment, err);
}

static bool read_networks(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	if (!check_links(reader, node, "networks", err))
		return false;
	for (size_t i = 0; i < node->count; i++)
		if (!read_network(reader, node, i, &service->networks, err))
			return false;
	return true;
}

/* ---- dependencies -------------------------------------------------------------------------- */

static bool read_condition(struct compose_reader *reader, const struct yaml_node *node,
			   enum compose_condition *condition, struct error *err)
{
	static const char *const names[] = { [COMPOSE_STARTED] = "service_started",
					     [COMPOSE_HEALTHY] = "service_healthy",
					     [COMPOSE_COMPLETED] =
						 "service_completed_successfully" };
	AUTO(free) char *name = NULL;

	if (!compose_text(reader, node, "condition", &name, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*condition = (enum compose_condition)i;
			return true;
		}
	}
	return compose_wrong(
	    reader, node, err,
	    "condition \"%.60s\" is not known (expected service_started, service_healthy or "
	    "service_completed_successfully)",
	    name);
}

static bool read_dependency_map(struct compose_reader *reader, const struct yaml_node *map,
				struct compose_dependency *need, struct error *err)
{
	static const char *const known[] = { "condition", "required", "restart", NULL };
	const struct yaml_node *condition, *required, *restart;
	bool unused; /* what `compose restart` does, and envd has no such command */

	if (compose_is_null(map))
		return true;
	if (!compose_only_keys(reader, map, "depends_on", known, err))
		return false;
	condition = compose_get(map, "condition");
	required = compose_get(map, "required");
	restart = compose_get(map, "restart");
	return (!restart || compose_bool(reader, restart, "restart", &unused, err)) &&
	       (!condition || read_condition(reader, condition, &need->condition, err)) &&
	       (!required || compose_bool(reader, required, "required", &need->is_required, err));
}

static bool read_dependency(struct compose_reader *reader, const struct yaml_node *node, size_t i,
			    struct compose_dependency *need, struct error *err)
{
	const struct yaml_node *at = node->kind == YAML_MAP ? node->keys[i] : node->items[i];

	*need = (struct compose_dependency){ .is_required = true, .at = compose_place_of(at) };
	if (node->kind == YAML_LIST)
		return compose_text(reader, at, "depends_on", &need->service, err);
	need->service = xstrdup(at->text);
	return read_dependency_map(reader, node->items[i], need, err);
}

/* Two lists that were merged may name the same. */
static bool check_need(const struct compose_reader *reader, const struct yaml_node *node,
		       struct compose_dependencies *needs, struct error *err)
{
	const struct compose_dependency *last = &needs->items[needs->count - 1];

	for (size_t i = 0; i + 1 < needs->count; i++) {
		if (strcmp(needs->items[i].service, last->service) != 0)
			continue;
		if (!compose_is_over(last->at, needs->items[i].at))
			return compose_wrong(reader, node, err,
					     "\"depends_on\": \"%.80s\" is there twice",
					     last->service);
		free(last->service);
		needs->count--;
		return true;
	}
	return true;
}

static bool read_depends_on(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_service *service, struct error *err)
{
	struct compose_dependencies *needs = &service->needs;

	if (!check_links(reader, node, "depends_on", err))
		return false;
	needs->items = xcalloc(node->count + 1, sizeof(*needs->items));
	for (size_t i = 0; i < node->count; i++) {
		struct compose_dependency *need = &needs->items[needs->count++];

		if (!read_dependency(reader, node, i, need, err))
			return false;
		if (!check_need(reader, node, needs, err))
			return false;
	}
	return true;
}

/* ---- limits, restart ----------------------------------------------------------------------- */

static bool check_once(const struct compose_reader *reader, const struct yaml_node *node,
		       const char *what, int64_t already, struct error *err)
{
	return !already ||
	       compose_wrong(reader, node, err, "\"%s\": this limit is there twice", what);
}

static bool read_memory(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	return check_once(reader, node, "memory", service->limits.memory_bytes, err) &&
	       compose_bytes(reader, node, "memory", &service->limits.memory_bytes, err);
}

static bool read_cpus(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_service *service, struct error *err)
{
	return check_once(reader, node, "cpus", service->limits.nano_cpus, err) &&
	       compose_nano_cpus(reader, node, "cpus", &service->limits.nano_cpus, err);
}

/* -1 is how other tools write "no limit". */
static bool read_pids(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_service *service, struct error *err)
{
	int64_t pids;

	if (!check_once(reader, node, "pids", service->limits.pids, err) ||
	    !compose_int64(reader, node, "pids", -1, 4194304, &pids, err))
		return false;
	service->limits.pids = pids < 0 ? 0 : pids;
	return true;
}

static bool read_deploy(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	static const char *const deploy_keys[] = { "resources", NULL };
	static const char *const resources_keys[] = { "limits", NULL };
	static const char *const limits_keys[] = { "cpus", "memory", "pids", NULL };
	const struct yaml_node *resources, *limits, *memory, *cpus, *pids;

	if (!compose_only_keys(reader, node, "deploy", deploy_keys, err))
		return false;
	resources = compose_get(node, "resources");
	if (!resources)
		return true;
	if (!compose_only_keys(reader, resources, "deploy.resources", resources_keys, err))
		return false;
	limits = compose_get(resources, "limits");
	if (!limits)
		return true;
	if (!compose_only_keys(reader, limits, "deploy.resources.limits", limits_keys, err))
		return false;
	memory = compose_get(limits, "memory");
	cpus = compose_get(limits, "cpus");
	pids = compose_get(limits, "pids");
	return (!memory || read_memory(reader, memory, service, err)) &&
	       (!cpus || read_cpus(reader, cpus, service, err)) &&
	       (!pids || read_pids(reader, pids, service, err));
}

static bool read_restart(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_service *service, struct error *err)
{
	AUTO(free) char *text = NULL;
	int64_t retries = 0;

	if (!compose_text(reader, node, "restart", &text, err))
		return false;
	if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0) {
		service->restart = COMPOSE_RESTART_NO;
	} else if (strcmp(text, "always") == 0) {
		service->restart = COMPOSE_RESTART_ALWAYS;
	} else if (strcmp(text, "unless-stopped") == 0) {
		service->restart = COMPOSE_RESTART_UNLESS_STOPPED;
	} else if (strcmp(text, "on-failure") == 0 ||
		   (text_starts_with(text, "on-failure:") && text_to_int64(text + 11, &retries) &&
		    retries <= 1000)) {
		service->restart = COMPOSE_RESTART_ON_FAILURE;
		service->restart_retries = (int)retries;
	} else {
		return compose_wrong(
		    reader, node, err,
		    "\"restart\" must be no, always, unless-stopped, on-failure or on-failure:N "
		    "(got \"%.40s\")",
		    text);
	}
	return true;
}

/* ---- a service ----------------------------------------------------------------------------- */

/* Every key that a service may have, and its reader. */
// clang-format off
static const struct {
	const char *key;
	compose_read_key *read;
} service_keys[] = {
	{ "image",       compose_image_read },
	{ "build",       compose_build_read },
	{ "pull_policy", compose_pull_policy_read },
	{ "platform",    compose_platform_read },
	{ "command",     read_command },
	{ "entrypoint",  read_entrypoint },
	{ "environment", compose_environment_read },
	{ "env_file",    compose_env_file_read },
	{ "ports",       read_ports },
	{ "expose",      read_expose },
	{ "depends_on",  read_depends_on },
	{ "healthcheck", read_healthcheck },
	{ "networks",    read_networks },
	{ "volumes",     read_volumes },
	{ "tmpfs",       read_tmpfs },
	{ "configs",     compose_config_uses_read },
	{ "secrets",     compose_secret_uses_read },
	{ "privileged",  compose_privileged_read },
	{ "read_only",   compose_read_only_read },
	{ "cap_add",     compose_cap_add_read },
	{ "cap_drop",    compose_cap_drop_read },
	{ "devices",     compose_devices_read },
	{ "group_add",   compose_group_add_read },
	{ "sysctls",     compose_sysctls_read },
	{ "hostname",    compose_hostname_read },
	{ "domainname",  compose_domainname_read },
	{ "dns",         compose_dns_read },
	{ "dns_search",  compose_dns_search_read },
	{ "dns_opt",     compose_dns_opt_read },
	{ "extra_hosts", compose_extra_hosts_read },
	{ "init",        compose_init_read },
	{ "stop_signal", compose_stop_signal_read },
	{ "stop_grace_period", compose_stop_grace_period_read },
	{ "ulimits",     compose_ulimits_read },
	{ "shm_size",    compose_shm_size_read },
	{ "logging",     compose_logging_read },
	{ "attach",      compose_attach_read },
	{ "labels",      read_labels },
	{ "user",        read_user },
	{ "working_dir", read_working_dir },
	{ "deploy",      read_deploy },
	{ "mem_limit",   read_memory },
	{ "cpus",        read_cpus },
	{ "pids_limit",  read_pids },
	{ "restart",     read_restart },
	{ "profiles",    read_profiles },
};
// clang-format on

static bool check_name(const struct compose_reader *reader, const struct yaml_node *name,
		       struct error *err)
{
	size_t length = strlen(name->text);
	char shown[80];

	return (length <= 63 && isalnum((unsigned char)name->text[0]) &&
		strspn(name->text,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		    length) ||
	       compose_error(
		   reader->file, compose_place_of(name), "compose_invalid", err,
		   "service name \"%s\" must be 1 to 63 letters, digits, \".\", \"_\" and \"-\"",
		   text_printable(name->text, shown, sizeof(shown)));
}

bool compose_service_read(struct compose_reader *reader, const struct yaml_node *name,
			  const struct yaml_node *map, struct compose_service *service,
			  struct error *err)
{
	const char *known[ARRAY_SIZE(service_keys) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(service_keys); i++)
		known[i] = service_keys[i].key;
	*service = (struct compose_service){ .name = xstrdup(name->text),
					     .health = compose_health_default(),
					     .at = compose_place_of(name) };
	if (!check_name(reader, name, err) || !compose_only_keys(reader, map, "", known, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(service_keys); i++) {
		const struct yaml_node *node = compose_get(map, service_keys[i].key);

		if (node && !service_keys[i].read(reader, node, service, err))
			return false;
	}
	if (!compose_image_check(reader, name, service, err))
		return false;
	if (!service->networks.count)
		add_attachment(&service->networks, xstrdup("default"), service->at);
	return true;
}

void compose_service_release(struct compose_service *service)
{
	compose_strings_release(&service->command.argv);
	compose_strings_release(&service->entrypoint.argv);
	compose_strings_release(&service->health.test);
	compose_strings_release(&service->profiles);
	compose_pairs_release(&service->variables);
	compose_pairs_release(&service->labels);
	compose_ports_release(&service->ports);
	compose_ports_release(&service->expose);
	compose_mounts_release(&service->mounts);
	compose_config_uses_release(&service->configs);
	compose_config_uses_release(&service->secrets);
	compose_powers_release(&service->powers);
	compose_naming_release(&service->naming);
	compose_process_release(&service->process);
	for (size_t i = 0; i < service->needs.count; i++)
		free(service->needs.items[i].service);
	for (size_t i = 0; i < service->networks.count; i++) {
		free(service->networks.items[i].network);
		compose_strings_release(&service->networks.items[i].aliases);
	}
	free(service->needs.items);
	free(service->networks.items);
	free(service->name);
	compose_image_release(service);
	free(service->user);
	free(service->working_dir);
	*service = (struct compose_service){ 0 };
}
