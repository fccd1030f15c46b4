#include "engine/container/service_run.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/container/container_body.h"
#include "engine/container/container_files.h"
#include "engine/container/container_names.h"

#define TRIES_MAX 4
/* A service without a health check has to be seen running this long after its start: a command that
 * is wrong is over by then. */
#define SETTLE_MS 150
#define LOOK_AGAIN_MS 50
#define BUSY_WAIT_MS 200

static const char *name_of(const struct service_run *run)
{
	return run->planned->service->name;
}

static int64_t elapsed_ms(const struct service_run *run)
{
	return clock_mono_ms() - run->begun_mono_ms;
}

static void go_to(struct service_run *run, enum service_step step, int64_t wait_ms)
{
	run->step = step;
	run->due_mono_ms = wait_ms > 0 ? clock_mono_ms() + wait_ms : 0;
}

/* `run->err` is set. */
static void fail(struct service_run *run)
{
	run->state = SERVICE_FAILED;
	worker_say_layer(run->lines, name_of(run), "failed", elapsed_ms(run), run->err.message);
	if (run->planned->is_optional)
		worker_say_log(run->lines, "warn", "going on without it: %s", run->err.message);
}

/* The runtime refused, or could not be reached. */
static void fail_call(struct service_run *run, const char *what)
{
	AUTO(free) char *message = NULL;

	if (run->call->status == 0) {
		run->err = run->call->err;
	} else {
		message = docker_message(run->call);
		error_set_as(&run->err, ERR_EXTERNAL, "service_not_started",
			     "service \"%s\" could not be %s: %s", name_of(run), what, message);
	}
	fail(run);
}

static void succeed(struct service_run *run, enum service_state state)
{
	run->state = state;
	worker_say_layer(run->lines, name_of(run), "ready", elapsed_ms(run),
			 state == SERVICE_COMPLETED ? "completed" : NULL);
}

static bool try_again(struct service_run *run, enum service_step step, int64_t wait_ms)
{
	if (++run->tries > TRIES_MAX)
		return false;
	go_to(run, step, wait_ms);
	return true;
}

/* ---- find, remove ---- */

static struct docker_call *ask_find(struct service_run *run)
{
	return docker_call_new("GET", "/containers/%s/json", run->planned->container);
}

static bool is_ours(const struct service_run *run, const json_t *inspected)
{
	const json_t *config = json_object_get(inspected, "Config");

	return container_labels_match(json_object_get(config, "Labels"), run->request->instance,
				      &run->request->environment);
}

static void took_find(struct service_run *run)
{
	AUTO(json_decref) json_t *answer = NULL;

	if (run->call->status == 404) {
		go_to(run, SERVICE_CREATE, 0);
		return;
	}
	if (!docker_json(run->call, &answer, &run->err)) {
		fail(run);
		return;
	}
	if (!is_ours(run, answer)) {
		error_set_as(&run->err, ERR_CONFLICT, "name_taken",
			     "the name \"%s\" is taken by a container that is not of this "
			     "environment",
			     run->planned->container);
		fail(run);
		return;
	}
	go_to(run, SERVICE_REMOVE, 0);
}

static struct docker_call *ask_remove(struct service_run *run)
{
	return docker_call_new("DELETE", "/containers/%s?force=1&v=1", run->planned->container);
}

static void took_remove(struct service_run *run)
{
	if (docker_succeeded(run->call) || run->call->status == 404)
		go_to(run, SERVICE_CREATE, 0);
	else if (run->call->status == 0 || !try_again(run, SERVICE_REMOVE, BUSY_WAIT_MS))
		fail_call(run, "replaced");
}

/* ---- create, connect, files ---- */

static struct docker_call *ask_create(struct service_run *run)
{
	struct docker_call *call =
	    docker_call_new("POST", "/containers/create?name=%s", run->planned->container);

	call->body = json_incref(run->planned->body);
	return call;
}

/* 409 with Docker; with Podman a 500 like any other, and only its text says so. */
static bool is_name_in_use(const struct docker_call *call)
{
	AUTO(free) char *message = docker_message(call);

	return call->status == 409 || strstr(message, "already in use");
}

static void warn_of(const struct service_run *run, const json_t *created)
{
	json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(created, "Warnings"), i, warning)
		if (json_is_string(warning) && json_string_length(warning) > 0)
			worker_say_log(run->lines, "warn", "service \"%s\": %s", name_of(run),
				       json_string_value(warning));
}

static void took_create(struct service_run *run)
{
	AUTO(json_decref) json_t *answer = NULL;

	if (run->call->status >= 400 && is_name_in_use(run->call) &&
	    try_again(run, SERVICE_FIND, 0))
		return;
	if (!docker_json(run->call, &answer, &run->err)) {
		fail_call(run, "created");
		return;
	}
	warn_of(run, answer);
	worker_say_resource(run->lines, "container", json_get_string(answer, "Id", ""),
			    run->planned->container, name_of(run));
	run->at = 1;
	go_to(run, SERVICE_CONNECT, 0);
}

/* NULL when there is nothing to ask: the next step is set. */
static struct docker_call *ask_connect(struct service_run *run)
{
	const struct compose_attachments *networks = &run->planned->service->networks;
	AUTO(free) char *network = NULL;
	struct docker_call *call;

	if (run->at >= networks->count) {
		run->at = 0;
		run->up = 0;
		go_to(run, SERVICE_FILES, 0);
		return NULL;
	}
	network = container_name(run->request->environment, networks->items[run->at].network);
	call = docker_call_new("POST", "/networks/%s/connect", network);
	call->body =
	    json_pack("{s:s, s:o}", "Container", run->planned->container, "EndpointConfig",
		      container_endpoint(run->planned->service, &networks->items[run->at]));
	return call;
}

static void took_connect(struct service_run *run)
{
	if (docker_succeeded(run->call))
		run->at++;
	else
		fail_call(run, "connected to its networks");
}

static struct docker_call *ask_files(struct service_run *run)
{
	struct docker_call *call = NULL;

	if (run->at >= run->planned->file_count)
		go_to(run, SERVICE_START, 0);
	else if (!file_put_call(run->planned->container, &run->planned->files[run->at], run->up,
				&call, &run->err))
		fail(run);
	return call;
}

static void took_files(struct service_run *run)
{
	if (docker_succeeded(run->call)) {
		run->at++;
		run->up = 0;
	} else if (run->call->status == 404) {
		run->up++;
	} else {
		fail_call(run, "given its configs");
	}
}

/* ---- start, look, probe ---- */

static struct docker_call *ask_start(struct service_run *run)
{
	return docker_call_new("POST", "/containers/%s/start", run->planned->container);
}

static bool is_port_taken(const char *message)
{
	return strstr(message, "address already in use") ||
	       strstr(message, "port is already allocated") ||
	       strstr(message, "ports are not available");
}

static void refuse_start(struct service_run *run)
{
	AUTO(free) char *message = docker_message(run->call);

	/* Podman chooses the port at the create and binds it at the start. */
	if (is_port_taken(message) && try_again(run, SERVICE_REMOVE, 0))
		return;
	if (!is_port_taken(message)) {
		fail_call(run, "started");
		return;
	}
	error_set_as(&run->err, ERR_CONFLICT, "port_taken",
		     "service \"%s\" could not be started, its host port is taken: %s",
		     name_of(run), message);
	fail(run);
}

static void took_start(struct service_run *run)
{
	if (run->call->status >= 400) {
		refuse_start(run);
		return;
	}
	if (run->call->status == 0) {
		fail_call(run, "started");
		return;
	}
	run->started_mono_ms = clock_mono_ms();
	health_start(&run->health, run->started_mono_ms);
	worker_say_layer(run->lines, name_of(run), "started", elapsed_ms(run), NULL);
	go_to(run, SERVICE_LOOK, 0);
}

static struct docker_call *ask_look(struct service_run *run)
{
	return docker_call_new("GET", "/containers/%s/json", run->planned->container);
}

static void fail_exited(struct service_run *run, const json_t *state)
{
	const char *text = json_get_string(state, "Error", "");

	error_set_as(&run->err, ERR_EXTERNAL, "service_exited",
		     "service \"%s\" ended with status %" PRId64 "%s%s%s", name_of(run),
		     json_get_int64(state, "ExitCode", -1),
		     json_get_bool(state, "OOMKilled", false) ? " (out of memory)" : "",
		     text[0] ? ": " : "", text);
	fail(run);
}

static void fail_unhealthy(struct service_run *run)
{
	char shown[120];

	error_set_as(&run->err, ERR_EXTERNAL, "service_unhealthy",
		     "service \"%s\" did not become healthy: its check failed %d times%s%s",
		     name_of(run), run->health.failures,
		     run->health_output && run->health_output[0] ? ", last with: " : "",
		     run->health_output ? text_printable(run->health_output, shown, sizeof(shown))
					: "");
	fail(run);
}

static void note_health(struct service_run *run, bool passed)
{
	enum health_verdict verdict =
	    health_note(&run->health, &run->planned->health, passed, clock_mono_ms());

	if (verdict == HEALTH_HEALTHY)
		succeed(run, SERVICE_READY);
	else if (verdict == HEALTH_UNHEALTHY)
		fail_unhealthy(run);
	else
		go_to(run, SERVICE_LOOK, run->health.wait_ms);
}

static void judge_running(struct service_run *run)
{
	int64_t ran_ms = clock_mono_ms() - run->started_mono_ms;

	run->is_started = true;
	if (run->planned->is_one_shot)
		go_to(run, SERVICE_LOOK, ran_ms < 1000 ? LOOK_AGAIN_MS : 10 * LOOK_AGAIN_MS);
	else if (run->planned->health.argv)
		go_to(run, SERVICE_PROBE, 0);
	else if (ran_ms < SETTLE_MS)
		go_to(run, SERVICE_LOOK, SETTLE_MS - ran_ms);
	else
		succeed(run, SERVICE_READY);
}

static void judge_stopped(struct service_run *run, const json_t *state)
{
	bool starts_again = run->planned->service->restart != COMPOSE_RESTART_NO;

	if (run->planned->is_one_shot && json_get_int64(state, "ExitCode", -1) == 0) {
		run->is_started = true;
		succeed(run, SERVICE_COMPLETED);
	} else if (starts_again && run->planned->health.argv) {
		note_health(run, false);
	} else {
		fail_exited(run, state);
	}
}

static void took_look(struct service_run *run)
{
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *state;

	if (!docker_json(run->call, &answer, &run->err)) {
		fail_call(run, "looked at");
		return;
	}
	json_decref(run->inspected);
	run->inspected = TAKE(answer);
	state = json_object_get(run->inspected, "State");
	if (json_get_bool(state, "Running", false) && !json_get_bool(state, "Restarting", false))
		judge_running(run);
	else
		judge_stopped(run, state);
}

static void took_probe(struct service_run *run)
{
	bool passed = run->exec.err.code == ERR_NONE && run->exec.status == 0;

	if (run->exec.err.code == ERR_UNAVAILABLE ||
	    (run->exec.err.code == ERR_TIMEOUT &&
	     strcmp(run->exec.err.slug, "exec_timeout") != 0)) {
		run->err = run->exec.err;
		fail(run);
		return;
	}
	if (!passed) {
		free(run->health_output);
		run->health_output = run->exec.err.code == ERR_NONE
					 ? TAKE(run->exec.output)
					 : xstrdup(run->exec.err.message);
	}
	note_health(run, passed);
}

/* ---- the list of steps ---- */

static const struct {
	struct docker_call *(*ask)(struct service_run *run);
	void (*took)(struct service_run *run);
} steps[] = {
	// clang-format off
	[SERVICE_FIND]    = { ask_find,    took_find },
	[SERVICE_REMOVE]  = { ask_remove,  took_remove },
	[SERVICE_CREATE]  = { ask_create,  took_create },
	[SERVICE_CONNECT] = { ask_connect, took_connect },
	[SERVICE_FILES]   = { ask_files,   took_files },
	[SERVICE_START]   = { ask_start,   took_start },
	[SERVICE_LOOK]    = { ask_look,    took_look },
	[SERVICE_PROBE]   = { NULL,        NULL }, /* an exec: more than one call */
	// clang-format on
};

static bool is_wanted_as_it_is(const struct service_run *run, const json_t *existing)
{
	const json_t *labels = json_object_get(existing, "labels");
	const char *state = json_get_string(existing, "state", "");

	return text_equal(json_get_string(labels, LABEL_CONFIG, NULL), run->planned->config_hash) &&
	       (strcmp(state, "running") == 0 ||
		(strcmp(state, "exited") == 0 && run->planned->is_one_shot));
}

void service_run_init(struct service_run *run, const json_t *existing)
{
	run->begun_mono_ms = clock_mono_ms();
	run->started_mono_ms = run->begun_mono_ms;
	health_start(&run->health, run->begun_mono_ms);
	if (!existing)
		run->step = SERVICE_CREATE;
	else if (is_wanted_as_it_is(run, existing))
		run->step = SERVICE_LOOK;
	else
		run->step = SERVICE_REMOVE;
}

void service_run_release(struct service_run *run)
{
	docker_call_free(run->call);
	exec_release(&run->exec);
	json_decref(run->inspected);
	free(run->health_output);
}

static void ask(struct service_run *run)
{
	if (run->step == SERVICE_PROBE) {
		exec_begin(&run->exec, run->runtime->docker, run->planned->container,
			   run->planned->health.argv, run->planned->health.timeout_ms);
		return;
	}
	run->call = steps[run->step].ask(run);
	if (run->call)
		docker_begin(run->runtime->docker, run->call);
}

static void take(struct service_run *run)
{
	if (run->step == SERVICE_PROBE) {
		took_probe(run);
		exec_release(&run->exec);
		return;
	}
	steps[run->step].took(run);
	docker_call_free(TAKE(run->call));
}

bool service_run_is_busy(const struct service_run *run)
{
	return (run->call && run->call->transfer) || (run->exec.docker && !run->exec.is_done);
}

void service_run_advance(struct service_run *run, bool may_start)
{
	while (run->state == SERVICE_GOING && !service_run_is_busy(run)) {
		if (run->call || run->exec.is_done) {
			take(run);
			continue;
		}
		if (run->due_mono_ms > clock_mono_ms() ||
		    (run->step == SERVICE_START && !may_start))
			return;
		ask(run);
	}
}
