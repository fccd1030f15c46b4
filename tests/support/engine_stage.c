#include "tests/support/engine_stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/container/container_engine.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

#define HOUR_S 3600

/* Of the test that runs: a failed assertion leaves it by longjmp. */
static struct stage *live[8];

struct stage *stage_new(const char *runtime)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	stage->socket = getenv(runtime);
	if (!stage->socket)
		fail_msg("%s is not set: this test needs that runtime", runtime);
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/envd-stage-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->template_folder, sizeof(stage->template_folder), "%s/template",
		 stage->folder);
	stage->request = (struct engine_request){
		.task = "create",
		.instance = "11111111-1111-4111-8111-111111111111",
		.environment = env_id_new(),
		.environment_name = "stage",
		.sequence = 42,
		.hard_wall_s = clock_wall_ms() / 1000 + HOUR_S,
		.folder = stage->folder,
		.template_folder = stage->template_folder,
		.is_trusted = true,
		.target = { .name = "local",
			    .engine = "container",
			    .socket = stage->socket,
			    .publish_address = "127.0.0.1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(live); i++)
		if (!live[i]) {
			live[i] = stage;
			break;
		}
	stage->whole = json_pack("{s:{s:s}}", "template", "digest", "d1");
	stage->request.whole = stage->whole;
	return stage;
}

void stage_free(struct stage *stage)
{
	struct error err;

	if (!stage_do(stage, "destroy"))
		fail_msg("destroy: %s", stage->err.message);
	for (size_t i = 0; i < ARRAY_SIZE(live); i++)
		if (live[i] == stage)
			live[i] = NULL;
	assert_int_equal(stage_count_all(stage), 0);
	assert_true(folder_remove(stage->folder, &err));
	json_decref(stage->whole);
	json_decref(stage->lock);
	json_decref(stage->data);
	free(stage->said);
	free(stage);
}

static void write_file(struct stage *stage, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(stage->template_folder, name);
	struct error err;

	assert_true(folder_make(stage->template_folder, 0755, &err));
	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

void stage_write(struct stage *stage, const char *compose, const char *outputs)
{
	AUTO(free)
	char *template = xasprintf("apiVersion: envd/v1\n"
				   "name: stage\n"
				   "engine: container\n"
				   "source: compose.yaml\n"
				   "%s%s",
				   outputs ? "outputs:\n" : "", outputs ? outputs : "");

	write_file(stage, "template.yaml", template);
	write_file(stage, "compose.yaml", compose);
}

static bool run_verb(struct stage *stage, const char *verb, struct worker_lines *lines,
		     json_t **data, struct error *err)
{
	const struct engine *engine = &engine_container;
	const struct engine_request *request = &stage->request;

	if (strcmp(verb, "plan") == 0)
		return engine->plan(request, lines, data, err);
	if (strcmp(verb, "create") == 0)
		return engine->create(request, lines, data, err);
	if (strcmp(verb, "inspect") == 0)
		return engine->inspect(request, lines, data, err);
	if (strcmp(verb, "recover") == 0)
		return engine->recover(request, lines, data, err);
	if (strcmp(verb, "destroy") == 0)
		return engine->destroy(request, lines, data, err);
	if (strcmp(verb, "inventory") == 0)
		return engine->inventory(request, &request->environment, lines, data, err);
	if (strcmp(verb, "logs") == 0)
		return engine->logs(request, NULL, false, 100, lines, err);
	if (strcmp(verb, "follow") == 0)
		return engine->logs(request, NULL, true, 100, lines, err);
	if (strcmp(verb, "images") == 0)
		return engine->images(request, lines, data, err);
	assert_string_equal(verb, "probe");
	return engine->probe(request, data, err);
}

static char *said_path(const struct stage *stage)
{
	return xasprintf("%s/said", stage->folder);
}

static bool do_verb(struct stage *stage, const char *verb, json_t **data, struct error *err)
{
	AUTO(free) char *path = said_path(stage);
	AUTO(close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct worker_lines *lines = worker_lines_new(fd);
	bool is_good = run_verb(stage, verb, lines, data, err);

	worker_lines_free(lines);
	return is_good;
}

/* As the worker does it: resolved once, and every attempt builds the same. */
static void make_lock(struct stage *stage)
{
	json_t *plan = NULL;
	struct error ignored; /* create fails for the same reason, and says so */

	if (stage->lock || !do_verb(stage, "plan", &plan, &ignored))
		return;
	stage->lock = json_incref(json_object_get(plan, "lock"));
	stage->request.lock = stage->lock;
	json_decref(plan);
}

bool stage_do(struct stage *stage, const char *verb)
{
	AUTO(free) char *path = said_path(stage);
	json_t *data = NULL;
	struct error ignored;
	bool is_good;

	if (strcmp(verb, "create") == 0)
		make_lock(stage);
	stage->err = (struct error){ 0 };
	is_good = do_verb(stage, verb, &data, &stage->err);
	json_decref(stage->data);
	stage->data = data;
	free(stage->said);
	stage->said = NULL;
	assert_true(file_read(path, (size_t)1 << 20, &stage->said, NULL, &ignored));
	return is_good;
}

pid_t stage_begin(struct stage *stage, const char *verb)
{
	json_t *data = NULL;
	struct error err;
	pid_t pid;

	make_lock(stage);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(do_verb(stage, verb, &data, &err) ? 0 : 1);
	}
	assert_true(pid > 0);
	return pid;
}

int stage_exec(struct stage *stage, const char *service, const char *command, char **output)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct engine_exec_result result = { 0 };
	struct error err;

	if (!engine_container.exec(&stage->request, service, argv, 20000, &result, &err)) {
		print_message("exec: %s\n", err.message);
		return -1;
	}
	if (output)
		*output = result.output;
	else
		free(result.output);
	return result.status;
}

char *stage_container(const struct stage *stage, const char *service)
{
	const char *id = stage->request.environment.text;

	return xasprintf("envd-%.8s%.4s-%s", id, id + 9, service);
}

json_t *stage_look(const struct stage *stage, const char *service)
{
	AUTO(free) char *name = stage_container(stage, service);
	AUTO(free) char *target = xasprintf("/v1.41/containers/%s/json", name);
	json_t *answer = NULL;

	if (http_ask_json(stage->socket, "GET", target, NULL, NULL, &answer) == 200)
		return answer;
	json_decref(answer);
	return NULL;
}

int stage_ask(const struct stage *stage, const char *method, const char *target_format, ...)
{
	AUTO(free) char *target = NULL;
	va_list args;

	va_start(args, target_format);
	if (vasprintf(&target, target_format, args) < 0)
		abort();
	va_end(args);
	return http_ask(stage->socket, method, target, NULL, NULL, NULL);
}

size_t stage_count(const struct stage *stage, const char *kind)
{
	const char *path = strcmp(kind, "container") == 0 ? "/v1.41/containers/json?all=1&"
			   : strcmp(kind, "volume") == 0  ? "/v1.41/volumes?"
			   : stage_is_podman(stage)       ? "/v4.0.0/libpod/networks/json?"
							  : "/v1.41/networks?";
	AUTO(free)
	char *target =
	    xasprintf("%sfilters=%%7B%%22label%%22%%3A%%5B%%22envd-environment%%3D%s%%22%%5D%%7D",
		      path, stage->request.environment.text);
	json_t *answer = NULL;
	size_t count;

	assert_int_equal(http_ask_json(stage->socket, "GET", target, NULL, NULL, &answer), 200);
	count =
	    json_array_size(json_is_object(answer) ? json_object_get(answer, "Volumes") : answer);
	json_decref(answer);
	return count;
}

size_t stage_count_all(const struct stage *stage)
{
	return stage_count(stage, "container") + stage_count(stage, "network") +
	       stage_count(stage, "volume");
}

bool stage_is_podman(const struct stage *stage)
{
	return stage_ask(stage, "GET", "/v4.0.0/libpod/_ping") == 200;
}

int stage_clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(live); i++) {
		if (!live[i])
			continue;
		stage_do(live[i], "destroy");
		live[i] = NULL;
	}
	return 0;
}

void stage_must(struct stage *stage, const char *verb)
{
	if (!stage_do(stage, verb))
		fail_msg("%s: %s: %s", verb, stage->err.slug, stage->err.message);
}

/* False, with the slug that was expected. */
void stage_must_not(struct stage *stage, const char *verb, const char *slug)
{
	if (stage_do(stage, verb))
		fail_msg("%s succeeded, expected %s", verb, slug);
	if (strcmp(stage->err.slug, slug) != 0)
		fail_msg("%s failed with %s (%s), expected %s", verb, stage->err.slug,
			 stage->err.message, slug);
}

void stage_contains(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text ? text : "(nothing)");
}

const json_t *stage_service(const struct stage *stage, const char *name)
{
	const json_t *service;
	size_t i;

	json_array_foreach(json_object_get(stage->data, "services"), i, service)
		if (strcmp(json_get_string(service, "name", ""), name) == 0)
			return service;
	fail_msg("there is no service \"%s\" in the data", name);
	return NULL;
}

const char *stage_drift(const struct stage *stage, const char *name)
{
	const json_t *drift;
	size_t i;

	json_array_foreach(json_object_get(stage->data, "drift"), i, drift)
		if (strcmp(json_get_string(drift, "service", ""), name) == 0)
			return json_get_string(drift, "what", "");
	return "";
}

const json_t *stage_dig(const json_t *json, ...)
{
	const char *key;
	va_list keys;

	va_start(keys, json);
	while ((key = va_arg(keys, const char *)))
		json = json_object_get(json, key);
	va_end(keys);
	return json;
}

int stage_fetch(struct stage *stage, const char *from_service, const char *host)
{
	AUTO(free) char *command = xasprintf("timeout 2 wget -qO- http://%s/ >/dev/null", host);

	return stage_exec(stage, from_service, command, NULL);
}

struct way {
	struct stage *stage;
	const char *from_service, *host;
};

static bool is_open(void *arg)
{
	const struct way *way = arg;

	return stage_fetch(way->stage, way->from_service, way->host) == 0;
}

void stage_must_reach(struct stage *stage, const char *from_service, const char *host)
{
	struct way way = { stage, from_service, host };

	if (!eventually(is_open, &way, 30000))
		fail_msg("%s does not reach %s", from_service, host);
}

/* An image whose metadata says another architecture, as `docker load` takes it. */
void stage_load_foreign_image(const struct stage *stage)
{
	AUTO(free)
	char *command = xasprintf(
	    "set -e; d=$(mktemp -d); cd $d; trap 'rm -rf $d' EXIT; mkdir l; "
	    "tar -cf l/layer.tar -T /dev/null; "
	    "h=$(sha256sum l/layer.tar | cut -d' ' -f1); "
	    "printf '{\"architecture\":\"%%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"x\"]},"
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%%s\"]}}' s390x $h >c.json; "
	    "printf '[{\"Config\":\"c.json\",\"RepoTags\":[\"localhost/envd-test/foreign:1\"],"
	    "\"Layers\":[\"l/layer.tar\"]}]' >manifest.json; tar -cf i.tar c.json l manifest.json; "
	    "curl -sf -X POST --unix-socket %s -H 'Content-Type: application/x-tar' "
	    "-T i.tar http://d/v1.41/images/load >/dev/null",
	    stage->socket);

	assert_int_equal(system(command), 0);
}

void stage_says(struct stage *stage, const char *service, const char *command, const char *expected)
{
	AUTO(free) char *output = NULL;

	assert_int_equal(stage_exec(stage, service, command, &output), 0);
	assert_string_equal(output, expected);
}
