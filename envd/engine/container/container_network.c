#include "engine/container/container_network.h"

#include <string.h>

#include "engine/container/container_body.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_names.h"

/* One network or volume to be made. */
struct making {
	const char *kind;
	char *name;
	struct docker_call *call;
};

struct makings {
	const struct engine_request *request;
	struct runtime *runtime;
	const json_t *existing;
	struct making *items;
	size_t count;
};

static struct docker_call *podman_network_call(const char *name, bool is_internal, json_t *labels)
{
	struct docker_call *call = docker_call_new("POST", LIBPOD "/networks/create");
	char interface[INTERFACE_NAME_SIZE];

	/* Two Podman services on one machine choose the same free name, and then share a bridge. */
	container_interface_name(name, interface);
	call->body =
	    json_pack("{s:s, s:s, s:s, s:b, s:b, s:{s:s}, s:o}", "name", name, "driver", "bridge",
		      "network_interface", interface, "dns_enabled", 1, "internal", is_internal,
		      "options", "isolate", "true", "labels", labels);
	return call;
}

static struct docker_call *docker_network_call(const char *name, bool is_internal, json_t *labels)
{
	struct docker_call *call = docker_call_new("POST", "/networks/create");

	call->body = json_pack("{s:s, s:b, s:s, s:b, s:o}", "Name", name, "CheckDuplicate", 1,
			       "Driver", "bridge", "Internal", is_internal, "Labels", labels);
	return call;
}

static struct docker_call *network_call(const struct makings *makings, const char *name,
					bool is_internal)
{
	json_t *labels = container_labels(makings->request);

	return makings->runtime->is_podman ? podman_network_call(name, is_internal, labels)
					   : docker_network_call(name, is_internal, labels);
}

static struct docker_call *volume_call(const struct makings *makings, const char *name)
{
	struct docker_call *call = docker_call_new("POST", "/volumes/create");

	call->body = json_pack("{s:s, s:s, s:o}", "Name", name, "Driver", "local", "Labels",
			       container_labels(makings->request));
	return call;
}

/* Takes `name`. `is_internal` is about networks. */
static void add(struct makings *makings, const char *kind, char *name, bool is_internal)
{
	struct making *making;

	if (inventory_find(makings->existing, kind, name)) {
		free(name);
		return;
	}
	makings->items = xrealloc(makings->items, makings->count + 1, sizeof(*makings->items));
	making = &makings->items[makings->count++];
	*making = (struct making){ .kind = kind, .name = name };
	making->call = strcmp(kind, "network") == 0 ? network_call(makings, name, is_internal)
						    : volume_call(makings, name);
}

struct anonymous {
	struct makings *makings;
	const char *service;
};

static void add_anonymous(void *arg, const char *path)
{
	const struct anonymous *to = arg;

	add(to->makings, "volume",
	    container_anonymous_volume(to->makings->request, to->service, path), false);
}

static void add_of_service(struct makings *makings, const struct planned_service *planned)
{
	struct anonymous to = { .makings = makings, .service = planned->service->name };
	const struct compose_mounts *mounts = &planned->service->mounts;

	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->items[i].kind == COMPOSE_MOUNT_ANONYMOUS)
			add_anonymous(&to, mounts->items[i].target);
	if (container_has_secrets_volume(planned->service))
		add_anonymous(&to, SECRETS_FOLDER);
	container_image_volumes(planned->service, planned->image, add_anonymous, &to);
}

static void add_all(struct makings *makings, const struct container_plan *plan)
{
	struct env_id environment = makings->request->environment;

	for (size_t i = 0; i < plan->file->networks.count; i++)
		add(makings, "network",
		    container_name(environment, plan->file->networks.items[i].name),
		    plan->file->networks.items[i].is_internal);
	for (size_t i = 0; i < plan->file->volumes.count; i++)
		add(makings, "volume",
		    container_name(environment, plan->file->volumes.items[i].name), false);
	for (size_t i = 0; i < plan->count; i++)
		add_of_service(makings, &plan->services[i]);
}

static bool refuse_taken(const struct making *making, struct error *err)
{
	return error_set_as(err, ERR_CONFLICT, "name_taken",
			    "the name \"%s\" is taken by a %s that is not of this environment",
			    making->name, making->kind);
}

/*
 * Docker lets two networks have one name if both are made at once: our own request, and that of an
 * attempt which died a moment ago. A network that is in use is refused, and stays.
 */
static bool remove_duplicates(const struct makings *makings, struct error *err)
{
	const struct engine_request *request = makings->request;
	AUTO(json_decref) json_t *items = NULL;
	const json_t *item;
	size_t i;

	if (!inventory_take(makings->runtime, request->instance, &request->environment, &items,
			    err))
		return false;
	json_array_foreach(items, i, item) {
		AUTO(docker_call_free) struct docker_call *call = NULL;

		if (strcmp(json_get_string(item, "kind", ""), "network") != 0 ||
		    inventory_find(items, "network", json_get_string(item, "name", "")) == item)
			continue;
		call = docker_call_new("DELETE", "/networks/%s", json_get_string(item, "id", ""));
		if (!docker_run(makings->runtime->docker, call, err))
			return false;
	}
	return true;
}

/* Docker's pools hold about thirty networks unless its configuration says more. */
static bool refuse_making(const struct making *making, struct error *err)
{
	AUTO(free) char *message = docker_message(making->call);

	if (!strstr(message, "address pool")) {
		docker_refusal(making->call, err);
		return error_wrap(err, "%s \"%s\"", making->kind, making->name);
	}
	error_set_as(err, ERR_LIMIT, "no_network_left",
		     "the runtime has no addresses left for network \"%s\": %s", making->name,
		     message);
	return error_hint(err, "destroy environments, or widen \"default-address-pools\" in the "
			       "runtime's configuration");
}

/* A volume that is there already is answered like a new one, with the labels that it has. */
static bool take_answer(const struct makings *makings, const struct making *making,
			struct worker_lines *lines, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(free) char *message = docker_message(making->call);
	const char *id;

	if (making->call->status >= 400 &&
	    (making->call->status == 409 || strstr(message, "already")))
		return refuse_taken(making, err);
	if (!docker_succeeded(making->call))
		return refuse_making(making, err);
	if (!docker_json(making->call, &answer, err))
		return false;
	if (strcmp(making->kind, "volume") == 0 &&
	    !container_labels_match(json_object_get(answer, "Labels"), makings->request->instance,
				    &makings->request->environment))
		return refuse_taken(making, err);
	id = json_get_string(answer, "Id", json_get_string(answer, "id", making->name));
	worker_say_resource(lines, making->kind, id, making->name, NULL);
	return true;
}

static bool make_all(struct makings *makings, struct worker_lines *lines, struct error *err)
{
	AUTO(free) struct docker_call **calls = xcalloc(makings->count + 1, sizeof(*calls));

	for (size_t i = 0; i < makings->count; i++)
		calls[i] = makings->items[i].call;
	docker_run_all(makings->runtime->docker, calls, makings->count);
	for (size_t i = 0; i < makings->count; i++)
		if (!take_answer(makings, &makings->items[i], lines, err))
			return false;
	return true;
}

bool networks_and_volumes_make(const struct engine_request *request, struct runtime *runtime,
			       struct worker_lines *lines, const struct container_plan *plan,
			       const json_t *existing, struct error *err)
{
	struct makings makings = { .request = request, .runtime = runtime, .existing = existing };
	bool is_good;

	add_all(&makings, plan);
	is_good = make_all(&makings, lines, err) &&
		  (runtime->is_podman || remove_duplicates(&makings, err));
	for (size_t i = 0; i < makings.count; i++) {
		free(makings.items[i].name);
		docker_call_free(makings.items[i].call);
	}
	free(makings.items);
	return is_good;
}

static bool check_one(const struct engine_request *request, struct runtime *runtime,
		      const char *network, struct error *err)
{
	AUTO(free) char *name = container_name(request->environment, network);
	AUTO(json_decref) json_t *answer = NULL;

	if (!docker_get(runtime->docker, &answer, err, LIBPOD "/networks/%s/json", name))
		return false;
	if (strcmp(json_get_string(json_object_get(answer, "options"), "isolate", ""), "true") == 0)
		return true;
	return error_set_as(err, ERR_EXTERNAL, "isolation_lost",
			    "the runtime forgot that network \"%s\" is isolated from other "
			    "environments",
			    name);
}

bool networks_check_isolation(const struct engine_request *request, struct runtime *runtime,
			      const struct container_plan *plan, struct error *err)
{
	if (!runtime->is_podman)
		return true;
	for (size_t i = 0; i < plan->file->networks.count; i++)
		if (!check_one(request, runtime, plan->file->networks.items[i].name, err))
			return false;
	return true;
}

static bool run_well(const struct runtime *runtime, struct docker_call *call, struct error *err)
{
	return docker_run(runtime->docker, call, err) &&
	       (docker_succeeded(call) || docker_refusal(call, err));
}

/* Podman reads its network files again when their folder has changed: a network that comes and goes
 * changes it. */
static bool change_folder(const struct engine_request *request, struct runtime *runtime,
			  struct error *err)
{
	AUTO(free) char *name = container_name(request->environment, "..renew");
	AUTO(docker_call_free)
	struct docker_call *make = podman_network_call(name, false, container_labels(request));
	AUTO(docker_call_free)
	struct docker_call *remove = docker_call_new("DELETE", LIBPOD "/networks/%s", name);

	return docker_run(runtime->docker, make, err) && run_well(runtime, remove, err);
}

bool networks_renew_isolation(const struct engine_request *request, struct runtime *runtime,
			      const struct container_plan *plan, struct error *err)
{
	if (networks_check_isolation(request, runtime, plan, err))
		return true;
	if (strcmp(err->slug, "isolation_lost") != 0)
		return false;
	return change_folder(request, runtime, err) &&
	       networks_check_isolation(request, runtime, plan, err);
}

static bool remove_network(const struct runtime *runtime, const char *name, struct error *err)
{
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new("DELETE", LIBPOD "/networks/%s", name);

	return run_well(runtime, call, err);
}

/* Podman gives the first addresses that are free. While ours are not, that is others: a second
 * network finds out which, and makes room for the one that gets them. */
static bool find_addresses(const struct engine_request *request, const struct runtime *runtime,
			   json_t **subnets, struct error *err)
{
	AUTO(free) char *name = container_name(request->environment, "..move");
	AUTO(json_decref) json_t *made = NULL;
	AUTO(docker_call_free)
	struct docker_call *make = podman_network_call(name, false, container_labels(request));

	if (!run_well(runtime, make, err) || !docker_json(make, &made, err) ||
	    !remove_network(runtime, name, err))
		return false;
	*subnets = json_incref(json_object_get(made, "subnets"));
	return *subnets || error_set_as(err, ERR_EXTERNAL, "runtime_strange",
					"the runtime made a network without addresses");
}

bool network_move(const struct engine_request *request, struct runtime *runtime, const char *key,
		  struct error *err)
{
	AUTO(free) char *name = container_name(request->environment, key);
	AUTO(json_decref) json_t *subnets = NULL;
	AUTO(docker_call_free)
	struct docker_call *make = podman_network_call(name, false, container_labels(request));

	if (!find_addresses(request, runtime, &subnets, err) || !remove_network(runtime, name, err))
		return false;
	json_object_set(make->body, "subnets", subnets);
	return run_well(runtime, make, err);
}
