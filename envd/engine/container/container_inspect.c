#include "engine/container/container_inspect.h"

#include <string.h>

#include "engine/container/container_exec.h"
#include "engine/container/container_health.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_names.h"

/* One container of the environment while it is looked at. */
struct sight {
	const char *service;
	json_t *inspected;
	const char *state;  /* the runtime's word, or "dead" when we know better */
	const char *health; /* healthy, unhealthy, none */
	struct health_check check;
	struct exec_run exec;
};

static json_t *service_addresses(const json_t *inspected, const char *advertised)
{
	const json_t *network = json_object_get(inspected, "NetworkSettings");
	json_t *ports = json_object_get(network, "Ports"), *bindings;
	json_t *addresses = json_array();
	const char *key;

	json_object_foreach(ports, key, bindings) {
		const json_t *binding = json_array_get(bindings, 0);
		const char *host = json_get_string(binding, "HostIp", "");
		int64_t port;

		if (!text_to_int64(json_get_string(binding, "HostPort", ""), &port))
			continue;
		json_array_append_new(
		    addresses, json_pack("{s:s, s:I, s:i}", "host", advertised ? advertised : host,
					 "port", (json_int_t)port, "container_port", atoi(key)));
	}
	return addresses;
}

/* The version is of the component whose image the service runs. */
static const char *version_of(const json_t *lock, const char *image)
{
	json_t *components = json_object_get(lock, "components"), *component;
	const char *name;

	json_object_foreach(components, name, component)
		if (text_equal(json_get_string(component, "image", NULL), image))
			return json_get_string(component, "version", "");
	return "";
}

json_t *service_json(const struct engine_request *request, const char *name,
		     const json_t *inspected, const json_t *lock, const char *state,
		     const char *health)
{
	const json_t *locked = json_object_get(json_object_get(lock, "services"), name);
	const json_t *config = json_object_get(inspected, "Config");
	const json_t *host = json_object_get(inspected, "HostConfig");
	/* Docker shows the id it was created from; people know the reference. */
	const char *image = json_get_string(locked, "image", json_get_string(config, "Image", ""));

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "name", name,
			 "container", json_get_string(inspected, "Id", ""), "image", image,
			 "image_id", json_get_string(inspected, "Image", ""), "version",
			 version_of(lock, image), "state", state, "health", health, "addresses",
			 service_addresses(inspected, request->target.advertised), "restarts",
			 (json_int_t)json_get_int64(inspected, "RestartCount", 0),
			 "memory_bytes_max", (json_int_t)json_get_int64(host, "Memory", 0));
}

/* ---- looking ---- */

struct sights {
	struct sight *items;
	size_t count;
};

static bool look(struct runtime *runtime, const json_t *items, struct sights *sights,
		 struct error *err)
{
	size_t all = json_array_size(items), i;
	AUTO(free) struct docker_call **calls = xcalloc(all + 1, sizeof(*calls));
	const json_t *item;
	bool is_good = true;

	json_array_foreach(items, i, item)
		if (json_get_string(json_object_get(item, "labels"), LABEL_SERVICE, NULL))
			calls[i] = docker_call_new("GET", "/containers/%s/json",
						   json_get_string(item, "id", ""));
	docker_run_all(runtime->docker, calls, all);
	sights->items = xcalloc(all + 1, sizeof(*sights->items));
	json_array_foreach(items, i, item) {
		struct sight *sight = &sights->items[sights->count];

		/* 404: it went away while we looked, and is missing. */
		if (!calls[i] || calls[i]->status == 404)
			continue;
		if (!docker_json(calls[i], &sight->inspected, err)) {
			is_good = false;
			continue;
		}
		sight->service =
		    json_get_string(json_object_get(item, "labels"), LABEL_SERVICE, "");
		sights->count++;
	}
	for (i = 0; i < all; i++)
		docker_call_free(calls[i]);
	return is_good;
}

static void note_state(struct sight *sight)
{
	const json_t *state = json_object_get(sight->inspected, "State");
	const json_t *config = json_object_get(sight->inspected, "Config");
	AUTO(json_decref) json_t *check = NULL;
	const char *text = json_get_string(json_object_get(config, "Labels"), LABEL_HEALTH, "{}");
	struct error ignored; /* a label that is not ours is no check */

	sight->state = json_get_string(state, "Status", "unknown");
	sight->health = "none";
	if (json_parse(text, strlen(text), LABEL_HEALTH, &check, &ignored))
		health_check_from_json(&sight->check, check);
}

/* "top" looks at the processes themselves: it fails, or finds none, where only the runtime's memory
 * says "running". */
static bool has_processes(const struct docker_call *top)
{
	AUTO(json_decref) json_t *answer = NULL;
	struct error ignored; /* no list of processes: none */

	return docker_json(top, &answer, &ignored) &&
	       json_array_size(json_object_get(answer, "Processes")) > 0;
}

static void find_dead(struct runtime *runtime, struct sights *sights)
{
	AUTO(free) struct docker_call **calls = xcalloc(sights->count + 1, sizeof(*calls));

	for (size_t i = 0; i < sights->count; i++)
		if (strcmp(sights->items[i].state, "running") == 0)
			calls[i] =
			    docker_call_new("GET", "/containers/%s/top?ps_args=pid",
					    json_get_string(sights->items[i].inspected, "Id", ""));
	docker_run_all(runtime->docker, calls, sights->count);
	for (size_t i = 0; i < sights->count; i++) {
		if (calls[i] && calls[i]->status > 0 && !has_processes(calls[i]))
			sights->items[i].state = "dead";
		docker_call_free(calls[i]);
	}
}

static bool is_probing(const struct sights *sights)
{
	for (size_t i = 0; i < sights->count; i++)
		if (sights->items[i].exec.docker && !sights->items[i].exec.is_done)
			return true;
	return false;
}

static void probe_health(struct runtime *runtime, struct sights *sights)
{
	for (size_t i = 0; i < sights->count; i++) {
		struct sight *sight = &sights->items[i];

		if (sight->check.argv && strcmp(sight->state, "running") == 0)
			exec_begin(&sight->exec, runtime->docker,
				   json_get_string(sight->inspected, "Id", ""), sight->check.argv,
				   sight->check.timeout_ms);
	}
	while (is_probing(sights))
		docker_turn(runtime->docker, 1000);
	for (size_t i = 0; i < sights->count; i++) {
		struct sight *sight = &sights->items[i];

		if (sight->exec.docker)
			sight->health = sight->exec.err.code == ERR_NONE && sight->exec.status == 0
					    ? "healthy"
					    : "unhealthy";
	}
}

/* ---- judging ---- */

static const struct sight *find_sight(const struct sights *sights, const char *service)
{
	for (size_t i = 0; i < sights->count; i++)
		if (strcmp(sights->items[i].service, service) == 0)
			return &sights->items[i];
	return NULL;
}

static bool is_completed(const struct sight *sight)
{
	const json_t *state = json_object_get(sight->inspected, "State");

	return strcmp(sight->state, "exited") == 0 && json_get_int64(state, "ExitCode", -1) == 0;
}

/* NULL: it is as it was made. */
static const char *drift_of(const struct sight *sight, const json_t *locked)
{
	const json_t *config, *labels;

	if (!sight)
		return "missing";
	config = json_object_get(sight->inspected, "Config");
	labels = json_object_get(config, "Labels");
	if (!text_equal(json_get_string(labels, LABEL_CONFIG, NULL),
			json_get_string(locked, "config_hash", NULL)) ||
	    !text_equal(runtime_image_id(json_get_string(sight->inspected, "Image", "")),
			runtime_image_id(json_get_string(locked, "image_id", ""))))
		return "replaced";
	if (strcmp(sight->state, "running") == 0)
		return NULL;
	if (json_get_bool(locked, "one_shot", false) && is_completed(sight))
		return NULL;
	return strcmp(sight->state, "paused") == 0 ? "paused" : "died";
}

/* Somebody else's container under the name of ours carries none of our labels. */
static bool is_name_taken(const struct engine_request *request, struct runtime *runtime,
			  const char *service)
{
	AUTO(free) char *name = container_name(request->environment, service);
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new("GET", "/containers/%s/json", name);
	struct error ignored; /* who does not answer takes no name */

	return docker_run(runtime->docker, call, &ignored) && docker_succeeded(call);
}

static json_t *find_drift(const struct engine_request *request, struct runtime *runtime,
			  const struct sights *sights)
{
	json_t *locked_services = json_object_get(request->lock, "services"), *locked;
	json_t *drift = json_array();
	const char *name;

	json_object_foreach(locked_services, name, locked) {
		const struct sight *sight = find_sight(sights, name);
		const char *what = drift_of(sight, locked);

		if (!sight && is_name_taken(request, runtime, name))
			what = "replaced";
		if (what)
			json_array_append_new(
			    drift, json_pack("{s:s, s:s}", "service", name, "what", what));
	}
	return drift;
}

static json_t *judge(const struct engine_request *request, struct runtime *runtime,
		     const struct sights *sights)
{
	json_t *drift = find_drift(request, runtime, sights);
	json_t *services = json_array();
	bool is_healthy = json_array_size(drift) == 0;

	for (size_t i = 0; i < sights->count; i++) {
		const struct sight *sight = &sights->items[i];

		is_healthy = is_healthy && strcmp(sight->health, "unhealthy") != 0;
		json_array_append_new(services,
				      service_json(request, sight->service, sight->inspected,
						   request->lock, sight->state, sight->health));
	}
	return json_pack("{s:o, s:o, s:b}", "services", services, "drift", drift, "healthy",
			 is_healthy);
}

bool container_inspect(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *items = NULL;
	struct sights sights = { 0 };
	bool is_good;

	(void)lines;
	if (!runtime_open(request, &runtime, err) ||
	    !inventory_take(&runtime, request->instance, &request->environment, &items, err))
		return false;
	is_good = look(&runtime, items, &sights, err);
	for (size_t i = 0; i < sights.count; i++)
		note_state(&sights.items[i]);
	if (is_good && runtime.is_podman)
		find_dead(&runtime, &sights);
	if (is_good)
		probe_health(&runtime, &sights);
	if (is_good)
		*data = judge(request, &runtime, &sights);
	for (size_t i = 0; i < sights.count; i++) {
		exec_release(&sights.items[i].exec);
		health_check_release(&sights.items[i].check);
		json_decref(sights.items[i].inspected);
	}
	free(sights.items);
	return is_good;
}
