#include "engine/container/container_create.h"

#include <string.h>

#include "base/clock.h"
#include "engine/container/container_files.h"
#include "engine/container/container_guard.h"
#include "engine/container/container_inspect.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_logs.h"
#include "engine/container/container_names.h"
#include "engine/container/container_network.h"
#include "engine/container/container_resolver.h"
#include "engine/container/service_run.h"

#define LOG_TAIL_LINES 20
#define MESSAGE_LINES 3
#define DRAIN_LIMIT_MS 5000
#define TURN_MS 1000

struct creation {
	const struct engine_request *request;
	struct worker_lines *lines;
	struct runtime runtime;
	struct container_plan *plan;
	struct service_run *runs; /* as plan->services */
	const char *nameless;     /* network on which names do not resolve, or NULL */
};

/* ---- before the services ---- */

static void warn_of_limit(const struct creation *creation, const char *name, bool is_enforced,
			  int64_t (*limit_of)(const struct compose_limits *limits))
{
	for (size_t i = 0; !is_enforced && i < creation->plan->count; i++)
		if (limit_of(&creation->plan->services[i].service->limits) > 0) {
			worker_say_log(creation->lines, "warn",
				       "the %s limits of this template are not enforced: the "
				       "target's machine cannot",
				       name);
			return;
		}
}

static int64_t limit_of_memory(const struct compose_limits *limits)
{
	return limits->memory_bytes;
}

static int64_t limit_of_cpu(const struct compose_limits *limits)
{
	return limits->nano_cpus;
}

static int64_t limit_of_pids(const struct compose_limits *limits)
{
	return limits->pids;
}

static bool has_limits(const struct creation *creation)
{
	for (size_t i = 0; i < creation->plan->count; i++) {
		const struct compose_limits *limits = &creation->plan->services[i].service->limits;

		if (limits->memory_bytes > 0 || limits->nano_cpus > 0 || limits->pids > 0)
			return true;
	}
	return false;
}

/* After all services are up: the answer takes longer than many of them. */
static void warn_of_limits(struct creation *creation)
{
	const struct runtime_limits *limits = &creation->runtime.limits;
	struct error why;

	if (!has_limits(creation))
		return;
	if (!runtime_learn(&creation->runtime, &why)) {
		worker_say_log(creation->lines, "warn",
			       "whether limits are enforced is unknown: %s", why.message);
		return;
	}
	warn_of_limit(creation, "memory", limits->has_memory, limit_of_memory);
	warn_of_limit(creation, "cpu", limits->has_cpu, limit_of_cpu);
	warn_of_limit(creation, "pids", limits->has_pids, limit_of_pids);
}

static bool prepare(struct creation *creation, struct error *err)
{
	AUTO(json_decref) json_t *existing = NULL;
	const struct engine_request *request = creation->request;

	if (!plan_make(request, &creation->runtime, creation->lines, &creation->plan, err))
		return false;
	worker_say_progress(creation->lines, "images resolved");
	if (!inventory_take(&creation->runtime, request->instance, &request->environment, &existing,
			    err) ||
	    !networks_and_volumes_make(request, &creation->runtime, creation->lines, creation->plan,
				       existing, err) ||
	    !networks_renew_isolation(request, &creation->runtime, creation->plan, err))
		return false;
	creation->runs = xcalloc(creation->plan->count, sizeof(*creation->runs));
	for (size_t i = 0; i < creation->plan->count; i++) {
		struct service_run *run = &creation->runs[i];

		*run = (struct service_run){ .request = request,
					     .runtime = &creation->runtime,
					     .lines = creation->lines,
					     .planned = &creation->plan->services[i] };
		service_run_init(run,
				 inventory_find(existing, "container", run->planned->container));
	}
	return true;
}

/* ---- the services ---- */

static const struct service_run *find_run(const struct creation *creation, const char *service)
{
	size_t i = 0;

	while (strcmp(creation->plan->services[i].service->name, service) != 0)
		i++; /* compose_parse() saw to it that there is one */
	return &creation->runs[i];
}

static bool is_met(const struct creation *creation, const struct compose_dependency *need)
{
	const struct service_run *run = find_run(creation, need->service);

	if (run->state == SERVICE_FAILED)
		return !need->is_required;
	switch (need->condition) {
	case COMPOSE_STARTED:
		return run->is_started;
	case COMPOSE_HEALTHY:
		return run->state == SERVICE_READY;
	case COMPOSE_COMPLETED:
		return run->state == SERVICE_COMPLETED;
	}
	return false;
}

static bool may_start(const struct creation *creation, const struct service_run *run)
{
	const struct compose_dependencies *needs = &run->planned->service->needs;

	for (size_t i = 0; i < needs->count; i++)
		if (!is_met(creation, &needs->items[i]))
			return false;
	return true;
}

static bool is_fatal(const struct service_run *run)
{
	return run->state == SERVICE_FAILED && !run->planned->is_optional;
}

static const struct service_run *first_fatal(const struct creation *creation)
{
	for (size_t i = 0; i < creation->plan->count; i++)
		if (is_fatal(&creation->runs[i]))
			return &creation->runs[i];
	return NULL;
}

static bool is_all_over(const struct creation *creation)
{
	for (size_t i = 0; i < creation->plan->count; i++)
		if (creation->runs[i].state == SERVICE_GOING)
			return false;
	return true;
}

static bool is_any_busy(const struct creation *creation)
{
	for (size_t i = 0; i < creation->plan->count; i++)
		if (service_run_is_busy(&creation->runs[i]))
			return true;
	return false;
}

/* Until the next service is due, at most TURN_MS. */
static int64_t wait_ms(const struct creation *creation)
{
	int64_t now_mono_ms = clock_mono_ms(), wait = TURN_MS;

	for (size_t i = 0; i < creation->plan->count; i++) {
		const struct service_run *run = &creation->runs[i];
		int64_t left_ms = run->due_mono_ms - now_mono_ms;

		if (run->state == SERVICE_GOING && run->due_mono_ms > 0 && left_ms < wait)
			wait = left_ms > 0 ? left_ms : 0;
	}
	return wait;
}

static bool advance_all(struct creation *creation)
{
	size_t ended = 0, ended_before;

	/* One that got ready may let others start, whatever the order they are listed in. */
	do {
		ended_before = ended;
		ended = 0;
		for (size_t i = 0; i < creation->plan->count; i++) {
			struct service_run *run = &creation->runs[i];

			service_run_advance(run, may_start(creation, run));
			ended += (run->state != SERVICE_GOING) + (size_t)run->is_started;
		}
	} while (ended != ended_before);
	return !is_all_over(creation) && !first_fatal(creation);
}

/* What was asked of the runtime is better answered than guessed about by the next attempt. */
static void drain(struct creation *creation)
{
	int64_t until_mono_ms = clock_mono_ms() + DRAIN_LIMIT_MS;

	while (is_any_busy(creation) && clock_mono_ms() < until_mono_ms)
		docker_turn(creation->runtime.docker, until_mono_ms - clock_mono_ms());
}

static bool deadline_has_passed(const struct engine_request *request)
{
	return request->deadline_at_ms > 0 && clock_wall_ms() >= request->deadline_at_ms;
}

static bool refuse_late(const struct creation *creation, struct error *err)
{
	struct text waiting = TEXT_EMPTY;

	for (size_t i = 0; i < creation->plan->count; i++)
		if (creation->runs[i].state == SERVICE_GOING)
			text_format(&waiting, "%s%s", waiting.length ? ", " : "",
				    creation->plan->services[i].service->name);
	error_set_as(err, ERR_TIMEOUT, "create_too_slow",
		     "the time for creating is over; not ready: %s", text_get(&waiting));
	text_release(&waiting);
	return error_hint(err, "raise limits.provision in the template, or make it start faster");
}

static bool build(struct creation *creation, struct error *err)
{
	const struct service_run *failed;

	while (advance_all(creation)) {
		if (deadline_has_passed(creation->request))
			return refuse_late(creation, err);
		docker_turn(creation->runtime.docker, wait_ms(creation));
	}
	failed = first_fatal(creation);
	if (!failed)
		return true;
	drain(creation);
	*err = failed->err;
	return false;
}

/* ---- after the services ---- */

/* Some were ready long ago: are they still? */
static bool check_still_running(struct creation *creation, struct error *err)
{
	AUTO(json_decref) json_t *items = NULL;
	const struct engine_request *request = creation->request;

	if (!inventory_take(&creation->runtime, request->instance, &request->environment, &items,
			    err))
		return false;
	for (size_t i = 0; i < creation->plan->count; i++) {
		struct service_run *run = &creation->runs[i];
		const json_t *item = inventory_find(items, "container", run->planned->container);

		if (run->state != SERVICE_READY ||
		    strcmp(json_get_string(item, "state", ""), "running") == 0)
			continue;
		run->state = SERVICE_FAILED;
		error_set_as(&run->err, ERR_EXTERNAL, "service_exited",
			     "service \"%s\" ended after it was ready",
			     run->planned->service->name);
		if (is_fatal(run)) {
			*err = run->err;
			return false;
		}
	}
	return true;
}

static void remove_containers(struct creation *creation)
{
	for (size_t i = 0; i < creation->plan->count; i++) {
		AUTO(docker_call_free)
		struct docker_call *call = docker_call_new("DELETE", "/containers/%s?force=1&v=1",
							   creation->plan->services[i].container);
		struct error ignored; /* the attempt fails anyhow, and the next one replaces it */

		if (!docker_run(creation->runtime.docker, call, &ignored))
			break;
	}
}

/* Containers that were started while the network was open may stay so: only new ones are safe. */
static bool check_isolation(struct creation *creation, struct error *err)
{
	if (networks_check_isolation(creation->request, &creation->runtime, creation->plan, err))
		return true;
	if (strcmp(err->slug, "isolation_lost") != 0)
		return false;
	remove_containers(creation);
	return error_hint(err, "something lists networks over the runtime's Docker API (\"docker "
			       "network ls\"): stop that while environments are created");
}

static bool check_names(struct creation *creation, struct error *err)
{
	return resolver_check(&creation->runtime, creation->plan, creation->runs,
			      &creation->nameless, err);
}

/* Services that do not find each other fail in ways that name everything but the reason. */
static void explain(struct creation *creation, struct error *err)
{
	struct error reason;

	if (err->code != ERR_UNAVAILABLE && !check_names(creation, &reason))
		*err = reason;
}

/* For the next attempt: what has the resolver's address in it is not to be mended. */
static void move_nameless(struct creation *creation)
{
	struct error ignored; /* the attempt has failed already */

	if (!creation->nameless)
		return;
	remove_containers(creation);
	if (!network_move(creation->request, &creation->runtime, creation->nameless, &ignored))
		worker_say_log(creation->lines, "warn", "the network could not be moved: %s",
			       ignored.message);
}

static json_t *service_of(const struct creation *creation, const struct service_run *run)
{
	const json_t *state = json_object_get(run->inspected, "State");
	const char *health = run->state == SERVICE_FAILED ? "unhealthy"
			     : run->planned->health.argv  ? "healthy"
							  : "none";

	return service_json(creation->request, run->planned->service->name, run->inspected,
			    creation->plan->lock, json_get_string(state, "Status", "unknown"),
			    health);
}

static void add_addresses(json_t *addresses, const char *service, json_t *own)
{
	json_t *address;
	size_t i;

	json_array_foreach(own, i, address) {
		json_t *named = json_pack("{s:s}", "service", service);

		json_object_update(named, address);
		json_array_append_new(addresses, named);
	}
}

static bool read_outputs(struct creation *creation, const json_t *addresses, json_t **outputs,
			 struct error *err)
{
	const struct template *template = creation->plan->template;
	const struct template_subject subject = {
		.environment_id = creation->request->environment.text,
		.environment_name = creation->request->environment_name,
		.addresses = addresses,
	};

	if (!template_outputs(template, &subject, outputs, err))
		return false;
	for (size_t i = 0; i < template->output_count; i++) {
		const struct template_output *output = &template->outputs[i];
		AUTO(free) char *container = NULL;
		AUTO(free) char *text = NULL;

		if (output->text)
			continue;
		container = container_name(creation->request->environment, output->service);
		if (!file_get(&creation->runtime, container, output->file, &text, err))
			return error_wrap(err, "output \"%s\"", output->name);
		json_object_set_new(*outputs, output->name, json_string(text));
	}
	return true;
}

static bool make_result(struct creation *creation, json_t **data, struct error *err)
{
	AUTO(json_decref) json_t *services = json_array();
	AUTO(json_decref) json_t *addresses = json_array();
	AUTO(json_decref) json_t *outputs = NULL;

	for (size_t i = 0; i < creation->plan->count; i++) {
		json_t *service = service_of(creation, &creation->runs[i]);

		json_array_append_new(services, service);
		add_addresses(addresses, creation->plan->services[i].service->name,
			      json_object_get(service, "addresses"));
	}
	if (!read_outputs(creation, addresses, &outputs, err))
		return false;
	*data = json_pack("{s:O, s:O, s:O, s:O}", "outputs", outputs, "addresses", addresses,
			  "services", services, "lock", creation->plan->lock);
	return true;
}

/* ---- when it failed ---- */

/* The last lines go into the message: it is what people see first. */
static void add_lines(struct error *err, const char *service, const json_t *tail)
{
	size_t count = json_array_size(tail);
	struct text text = TEXT_EMPTY;

	if (count == 0)
		return;
	for (size_t i = count > MESSAGE_LINES ? count - MESSAGE_LINES : 0; i < count; i++)
		text_format(&text, "%s%s", text.length ? " | " : "",
			    json_string_value(json_array_get(tail, i)));
	error_hint(err, "see the logs of \"%s\" in the report", service);
	if (strlen(err->message) + 16 < sizeof(err->message))
		snprintf(err->message + strlen(err->message),
			 sizeof(err->message) - strlen(err->message), "; its last lines: %s",
			 text_get(&text));
	text_release(&text);
}

static json_t *failed_services(struct creation *creation, struct error *err)
{
	const struct service_run *fatal = first_fatal(creation);
	json_t *services = json_array();

	for (size_t i = 0; i < creation->plan->count; i++) {
		const struct service_run *run = &creation->runs[i];
		json_t *tail;

		if (run->state != SERVICE_FAILED && run->state != SERVICE_GOING)
			continue;
		tail = logs_tail(&creation->runtime, run->planned->container, LOG_TAIL_LINES);
		if (run == fatal)
			add_lines(err, run->planned->service->name, tail);
		json_array_append_new(
		    services,
		    json_pack("{s:s, s:s, s:s, s:o}", "name", run->planned->service->name, "state",
			      run->state == SERVICE_FAILED ? "failed" : "unfinished", "message",
			      run->err.message, "log_tail", tail));
	}
	return services;
}

static void creation_release(struct creation *creation)
{
	for (size_t i = 0; creation->runs && i < creation->plan->count; i++)
		service_run_release(&creation->runs[i]);
	free(creation->runs);
	plan_free(creation->plan);
	runtime_release(&creation->runtime);
}

bool container_create(const struct engine_request *request, struct worker_lines *lines,
		      json_t **data, struct error *err)
{
	struct creation creation = { .request = request, .lines = lines };
	bool is_made;

	if (!runtime_open(request, &creation.runtime, err))
		return false;
	is_made = prepare(&creation, err) && build(&creation, err);
	/* Also around one that failed: it is there until it is destroyed. */
	if (creation.runs)
		guard_keep(&creation.runtime, request, lines);
	if (is_made)
		warn_of_limits(&creation);
	else if (creation.runs)
		explain(&creation, err);
	is_made = is_made && check_still_running(&creation, err) &&
		  check_isolation(&creation, err) && check_names(&creation, err) &&
		  make_result(&creation, data, err);
	/* With the runtime gone there is nothing to be read from it. */
	if (!is_made && creation.runs && err->code != ERR_UNAVAILABLE)
		*data = json_pack("{s:o, s:O}", "services", failed_services(&creation, err), "lock",
				  creation.plan->lock);
	move_nameless(&creation);
	creation_release(&creation);
	return is_made;
}
