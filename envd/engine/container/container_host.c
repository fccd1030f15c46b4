#include "engine/container/container_host.h"

#include <string.h>

static void set_list(json_t *into, const char *key, const struct compose_list *list)
{
	json_t *items = json_array();

	for (size_t i = 0; i < list->texts.count; i++)
		json_array_append_new(items, json_string(list->texts.items[i]));
	if (list->texts.count)
		json_object_set(into, key, items);
	json_decref(items);
}

static void set_text(json_t *into, const char *key, const char *text)
{
	if (text)
		json_object_set_new(into, key, json_string(text));
}

static json_t *pairs_to_json(const struct compose_pairs *pairs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < pairs->count; i++)
		json_object_set_new(object, pairs->items[i].name,
				    json_string(pairs->items[i].value));
	return object;
}

static void add_powers(const struct compose_powers *powers, json_t *host)
{
	if (powers->is_privileged)
		json_object_set_new(host, "Privileged", json_true());
	if (powers->is_read_only)
		json_object_set_new(host, "ReadonlyRootfs", json_true());
	set_list(host, "CapAdd", &powers->cap_add);
	set_list(host, "CapDrop", &powers->cap_drop);
	set_list(host, "GroupAdd", &powers->group_add);
	if (powers->sysctls.count)
		json_object_set_new(host, "Sysctls", pairs_to_json(&powers->sysctls));
	if (powers->device_count)
		json_object_set_new(host, "Devices", json_array());
	for (size_t i = 0; i < powers->device_count; i++)
		json_array_append_new(json_object_get(host, "Devices"),
				      json_pack("{s:s, s:s, s:s}", "PathOnHost",
						powers->devices[i].source, "PathInContainer",
						powers->devices[i].target, "CgroupPermissions",
						powers->devices[i].permissions));
}

static void add_naming(const struct compose_naming *naming, json_t *body, json_t *host)
{
	set_text(body, "Hostname", naming->hostname);
	set_text(body, "Domainname", naming->domainname);
	set_list(host, "Dns", &naming->dns);
	set_list(host, "DnsSearch", &naming->dns_search);
	set_list(host, "DnsOptions", &naming->dns_opt);
	set_list(host, "ExtraHosts", &naming->extra_hosts);
}

static void add_logging(const struct compose_process *process, json_t *host)
{
	if (process->log_driver || process->log_options.count)
		json_object_set_new(
		    host, "LogConfig",
		    json_pack("{s:s, s:o}", "Type",
			      process->log_driver ? process->log_driver : "json-file", "Config",
			      pairs_to_json(&process->log_options)));
}

static void add_process(const struct compose_process *process, json_t *body, json_t *host)
{
	if (process->has_init)
		json_object_set_new(host, "Init", json_true());
	set_text(body, "StopSignal", process->stop_signal);
	if (process->has_stop_grace)
		json_object_set_new(body, "StopTimeout",
				    json_integer((process->stop_grace_ms + 999) / 1000));
	if (process->shm_bytes > 0)
		json_object_set_new(host, "ShmSize", json_integer(process->shm_bytes));
	if (process->ulimit_count)
		json_object_set_new(host, "Ulimits", json_array());
	for (size_t i = 0; i < process->ulimit_count; i++)
		json_array_append_new(json_object_get(host, "Ulimits"),
				      json_pack("{s:s, s:I, s:I}", "Name", process->ulimits[i].name,
						"Soft", (json_int_t)process->ulimits[i].soft,
						"Hard", (json_int_t)process->ulimits[i].hard));
	add_logging(process, host);
}

void container_host_add(const struct compose_service *service, json_t *body, json_t *host)
{
	add_powers(&service->powers, host);
	add_naming(&service->naming, body, host);
	add_process(&service->process, body, host);
}
