/*
 * An environment of containers that is in use: drift, health, limits, logs, commands. What is
 * checked is the runtime's own word (tests/support/engine_stage.h), not the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/container/container_engine.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

static void drift_is_seen(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *db = NULL;
	AUTO(free) char *web = NULL;
	AUTO(free) char *target = NULL;
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "Image", STAGE_IMAGE);
	json_t *answer = NULL;

	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must(stage, "create");
	db = stage_container(stage, "db");
	web = stage_container(stage, "web");
	assert_int_equal(stage_ask(stage, "POST", "/v1.41/containers/%s/kill", db), 204);
	stage_must(stage, "inspect");
	assert_false(json_get_bool(stage->data, "healthy", true));
	assert_string_equal(stage_drift(stage, "db"), "died");
	assert_string_equal(stage_drift(stage, "web"), "");

	stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", web);
	stage_must(stage, "inspect");
	assert_string_equal(stage_drift(stage, "web"), "missing");
	target = xasprintf("/v1.41/containers/create?name=%s", web);
	http_ask_json(stage->socket, "POST", target, NULL, body, &answer);
	json_decref(answer);
	stage_must(stage, "inspect");
	assert_string_equal(stage_drift(stage, "web"), "replaced");
	stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", web);

	stage_must(stage, "create");
	stage_must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));
	stage_free(stage);
}

static void a_service_that_fell_ill_is_seen(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must(stage, "create");
	assert_int_equal(stage_exec(stage, "db", "rm /tmp/ok", NULL), 0);
	stage_must(stage, "inspect");
	assert_false(json_get_bool(stage->data, "healthy", true));
	assert_string_equal(json_get_string(stage_service(stage, "db"), "health", ""), "unhealthy");
	stage_free(stage);
}

/* The pid of the conmon that watches a container. */
static pid_t conmon_of(pid_t pid)
{
	AUTO(free) char *path = xasprintf("/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	int parent = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %*c %d", &parent), 1);
	fclose(file);
	return parent;
}

static bool is_process_gone(void *arg)
{
	return kill(*(pid_t *)arg, 0) != 0;
}

static void a_container_that_died_unwatched_is_seen(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *db;
	pid_t pid;

	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must(stage, "create");
	db = stage_look(stage, "db");
	pid = (pid_t)json_get_int64(stage_dig(db, "State", NULL), "Pid", 0);
	json_decref(db);
	assert_true(pid > 1);
	assert_true(conmon_of(pid) > 1);
	kill(conmon_of(pid), SIGKILL);
	kill(pid, SIGKILL);
	assert_true(eventually(is_process_gone, &pid, 5000));
	db = stage_look(stage, "db");
	/* Or there would be nothing to see through. */
	assert_string_equal(json_get_string(stage_dig(db, "State", NULL), "Status", ""), "running");
	json_decref(db);
	stage_must(stage, "inspect");
	assert_string_equal(stage_drift(stage, "db"), "died");
	assert_string_equal(stage_drift(stage, "web"), "");
	stage_free(stage);
}

static void limits_hold(void **state)
{
	struct stage *stage = stage_new(*state);
	const json_t *host;
	json_t *web;

	stage_write(
	    stage,
	    "services:\n"
	    "  web:\n" STAGE_HTTPD_BLOCK
	    "    deploy: { resources: { limits: { memory: 48M, cpus: '0.5', pids: 40 } } }\n",
	    NULL);
	stage_must(stage, "create");
	web = stage_look(stage, "web");
	host = json_object_get(web, "HostConfig");
	assert_int_equal(json_get_int64(host, "Memory", 0), 48 << 20);
	assert_int_equal(json_get_int64(host, "PidsLimit", 0), 40);
	json_decref(web);
	assert_int_equal(json_get_int64(stage_service(stage, "web"), "memory_bytes_max", 0),
			 48 << 20);
	assert_int_equal(
	    stage_exec(stage, "web", "dd if=/dev/zero of=/dev/null bs=8M count=1", NULL), 0);
	assert_int_not_equal(
	    stage_exec(stage, "web", "dd if=/dev/zero of=/dev/null bs=200M count=1", NULL), 0);
	assert_int_not_equal(stage_exec(stage, "web",
					"i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done",
					NULL),
			     0);
	stage_free(stage);
}

static void logs_come_from_all_services_and_both_streams(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  one: { image: " STAGE_IMAGE ", command: [sh, -c, 'echo out; echo err >&2;"
		    " exec sleep 1000'] }\n"
		    "  two: { image: " STAGE_IMAGE ", command: [sh, -c, 'echo again;"
		    " exec sleep 1000'] }\n",
		    NULL);
	stage_must(stage, "create");
	stage_must(stage, "logs");
	stage_contains(stage->said, "\"service\":\"one\",\"stream\":\"stdout\",\"at\":\"20");
	stage_contains(stage->said, "\"text\":\"out\"");
	stage_contains(stage->said, "\"stream\":\"stderr\"");
	stage_contains(stage->said, "\"text\":\"err\"");
	stage_contains(stage->said, "\"service\":\"two\"");
	stage_contains(stage->said, "\"text\":\"again\"");
	stage_free(stage);
}

static bool child_has_ended(void *arg)
{
	return waitpid(*(pid_t *)arg, NULL, WNOHANG) > 0;
}

struct awaited {
	const char *path;
	const char *text;
};

static bool file_has(void *arg)
{
	const struct awaited *awaited = arg;
	AUTO(free)
	char *command = xasprintf("grep -q '%s' %s 2>/dev/null", awaited->text, awaited->path);

	return system(command) == 0;
}

static void followed_logs_come_as_they_are_written(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *path = NULL;
	AUTO(free) char *web = NULL;
	struct awaited first, later;
	pid_t pid;

	stage_write(stage,
		    "services:\n"
		    "  web: { image: " STAGE_IMAGE
		    ", command: [sh, -c, 'echo first; while ! test -f"
		    " /tmp/go; do sleep 0.05; done; echo later; exec sleep 1000'] }\n",
		    NULL);
	stage_must(stage, "create");
	path = xasprintf("%s/said", stage->folder);
	first = (struct awaited){ path, "first" };
	later = (struct awaited){ path, "later" };
	pid = stage_begin(stage, "follow");
	assert_true(eventually(file_has, &first, 10000));
	assert_false(file_has(&later));
	assert_int_equal(stage_exec(stage, "web", "touch /tmp/go", NULL), 0);
	assert_true(eventually(file_has, &later, 10000));
	/* The end of the container is the end of its log. */
	web = stage_container(stage, "web");
	stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", web);
	assert_true(eventually(child_has_ended, &pid, 10000));
	stage_free(stage);
}

static void a_command_runs_inside_a_service(void **state)
{
	struct stage *stage = stage_new(*state);
	const char *const forever[] = { "sleep", "100", NULL };
	struct engine_exec_result result = { 0 };
	AUTO(free) char *output = NULL;
	struct error err;
	int64_t begun_mono_ms;

	stage_write(stage, "services: { web: { " STAGE_HTTPD " } }\n", NULL);
	stage_must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "echo to out; echo to err >&2; exit 3", &output),
			 3);
	stage_contains(output, "to out\n");
	stage_contains(output, "to err\n");
	begun_mono_ms = clock_mono_ms();
	assert_false(engine_container.exec(&stage->request, "web", forever, 300, &result, &err));
	assert_string_equal(err.slug, "exec_timeout");
	assert_true(clock_mono_ms() - begun_mono_ms < 5000);
	assert_int_equal(stage_exec(stage, "none", "true", NULL), -1);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(drift_is_seen),
		STAGE_ON_BOTH(a_service_that_fell_ill_is_seen),
		STAGE_ON_PODMAN(a_container_that_died_unwatched_is_seen),
		STAGE_ON_BOTH(limits_hold),
		STAGE_ON_BOTH(logs_come_from_all_services_and_both_streams),
		STAGE_ON_BOTH(followed_logs_come_as_they_are_written),
		STAGE_ON_BOTH(a_command_runs_inside_a_service),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
