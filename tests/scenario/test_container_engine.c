/*
 * The container engine against real runtimes: each story is told on Podman and on Docker. What is
 * checked is the runtime's own word (tests/support/engine_stage.h), not the engine's.
 */
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/container/container_engine.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

/* A service that goes on running, within braces and as a block. */
#define HTTPD "image: " STAGE_IMAGE ", command: [httpd, -f, -p, '80', -h, /www]"
#define HTTPD_BLOCK                                                                                \
	"    image: " STAGE_IMAGE "\n"                                                             \
	"    command: [httpd, -f, -p, '80', -h, /www]\n"

#define TWO_SERVICES                                                                               \
	"services:\n"                                                                              \
	"  db:\n"                                                                                  \
	"    image: " STAGE_IMAGE "\n"                                                             \
	"    command: [sh, -c, 'echo db says hello; echo db complains >&2; sleep 0.2;"             \
	" touch /tmp/ok; exec httpd -f -p 80 -h /www']\n"                                          \
	"    healthcheck: { test: [CMD, test, -f, /tmp/ok], interval: 1s, retries: 5 }\n"          \
	"    volumes: ['data:/data']\n"                                                            \
	"  web:\n" HTTPD_BLOCK "    ports: ['8080:80']\n"                                          \
	"    depends_on: { db: { condition: service_healthy } }\n"                                 \
	"    configs: [ { source: page, target: /www/deep/er/page.txt } ]\n"                       \
	"configs: { page: { content: 'a page of its own' } }\n"                                    \
	"volumes: { data: {} }\n"

static void must(struct stage *stage, const char *verb)
{
	if (!stage_do(stage, verb))
		fail_msg("%s: %s: %s", verb, stage->err.slug, stage->err.message);
}

/* False, with the slug that was expected. */
static void must_not(struct stage *stage, const char *verb, const char *slug)
{
	if (stage_do(stage, verb))
		fail_msg("%s succeeded, expected %s", verb, slug);
	if (strcmp(stage->err.slug, slug) != 0)
		fail_msg("%s failed with %s (%s), expected %s", verb, stage->err.slug,
			 stage->err.message, slug);
}

static void assert_contains(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text ? text : "(nothing)");
}

static const json_t *service_in(const json_t *data, const char *name)
{
	const json_t *service;
	size_t i;

	json_array_foreach(json_object_get(data, "services"), i, service)
		if (strcmp(json_get_string(service, "name", ""), name) == 0)
			return service;
	fail_msg("there is no service \"%s\" in the data", name);
	return NULL;
}

static const char *drift_in(const json_t *data, const char *name)
{
	const json_t *drift;
	size_t i;

	json_array_foreach(json_object_get(data, "drift"), i, drift)
		if (strcmp(json_get_string(drift, "service", ""), name) == 0)
			return json_get_string(drift, "what", "");
	return "";
}

static const json_t *dig(const json_t *json, ...)
{
	const char *key;
	va_list keys;

	va_start(keys, json);
	while ((key = va_arg(keys, const char *)))
		json = json_object_get(json, key);
	va_end(keys);
	return json;
}

/* ---- create, look, destroy ---- */

static void an_environment_is_created_and_destroyed(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *page = NULL;
	const json_t *web;

	stage_write(stage, TWO_SERVICES,
		    "  url: 'http://{{web.host}}:{{web.port.80}}'\n"
		    "  page: { service: web, file: /www/deep/er/page.txt }\n");
	must(stage, "create");
	web = service_in(stage->data, "web");
	assert_string_equal(json_get_string(web, "state", ""), "running");
	assert_string_equal(json_get_string(service_in(stage->data, "db"), "health", ""),
			    "healthy");
	assert_contains(json_get_string(dig(stage->data, "outputs", NULL), "url", ""),
			"http://127.0.0.1:");
	assert_string_equal(json_get_string(dig(stage->data, "outputs", NULL), "page", ""),
			    "a page of its own");
	assert_int_equal(stage_exec(stage, "web", "wget -qO- http://db/", &page), 0);
	assert_contains(page, "it works");
	assert_int_equal(stage_count(stage, "container"), 2);

	must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));

	must(stage, "destroy");
	assert_true(json_get_bool(stage->data, "state_empty", false));
	assert_int_equal(stage_count_all(stage), 0);
	must(stage, "inventory");
	assert_true(json_get_bool(stage->data, "complete", false));
	assert_int_equal(json_array_size(dig(stage->data, "items", NULL)), 0);
	stage_free(stage);
}

static void destroying_twice_is_success(void **state)
{
	struct stage *stage = stage_new(*state);

	must(stage, "destroy");
	assert_int_equal(json_get_int64(stage->data, "removed", -1), 0);
	must(stage, "destroy");
	stage_free(stage);
}

static void creating_twice_is_one_environment(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *first, *second;

	stage_write(stage, TWO_SERVICES, NULL);
	must(stage, "create");
	first = stage_look(stage, "web");
	must(stage, "create");
	second = stage_look(stage, "web");
	assert_string_equal(json_get_string(first, "Id", "1"), json_get_string(second, "Id", "2"));
	assert_int_equal(stage_count(stage, "container"), 2);
	json_decref(first);
	json_decref(second);
	stage_free(stage);
}

static void assert_labels(const struct stage *stage, const json_t *labels)
{
	AUTO(free) char *wall = xasprintf("%" PRId64, stage->request.hard_wall_s);

	assert_string_equal(json_get_string(labels, "envd-instance", ""), stage->request.instance);
	assert_string_equal(json_get_string(labels, "envd-environment", ""),
			    stage->request.environment.text);
	assert_string_equal(json_get_string(labels, "envd-sequence", ""), "42");
	assert_string_equal(json_get_string(labels, "envd-hard-wall", ""), wall);
}

static void everything_that_is_made_is_labelled(void **state)
{
	struct stage *stage = stage_new(*state);
	size_t volumes_before, volumes_after, i;
	json_t *answer = NULL, *web;
	const json_t *item;

	http_ask_json(stage->socket, "GET", "/v1.41/volumes", NULL, NULL, &answer);
	volumes_before = json_array_size(json_object_get(answer, "Volumes"));
	json_decref(answer);
	stage_write(stage,
		    "services:\n"
		    "  web:\n" HTTPD_BLOCK "    labels: { own: label }\n"
		    "    volumes: ['data:/data', '/anonymous']\n"
		    "volumes: { data: {} }\n",
		    NULL);
	must(stage, "create");
	http_ask_json(stage->socket, "GET", "/v1.41/volumes", NULL, NULL, &answer);
	volumes_after = json_array_size(json_object_get(answer, "Volumes"));
	json_decref(answer);
	assert_int_equal(volumes_after - volumes_before, 2);
	assert_int_equal(stage_count(stage, "volume"), 2);
	assert_int_equal(stage_count(stage, "network"), 1);
	web = stage_look(stage, "web");
	assert_labels(stage, dig(web, "Config", "Labels", NULL));
	assert_string_equal(json_get_string(dig(web, "Config", "Labels", NULL), "own", ""),
			    "label");
	json_decref(web);
	must(stage, "inventory");
	assert_int_equal(json_array_size(dig(stage->data, "items", NULL)), 4);
	json_array_foreach(dig(stage->data, "items", NULL), i, item) {
		assert_int_equal(json_get_int64(item, "sequence", 0), 42);
		assert_int_equal(json_get_int64(item, "hard_wall_s", 0),
				 stage->request.hard_wall_s);
		assert_true(json_get_int64(item, "created_at_s", 0) > clock_wall_ms() / 1000 - 300);
	}
	stage_free(stage);
}

/* ---- isolation ---- */

static char *address_of(struct stage *stage, const char *service)
{
	json_t *seen = stage_look(stage, service);
	json_t *networks = json_object_get(json_object_get(seen, "NetworkSettings"), "Networks");
	const json_t *first = json_object_iter_value(json_object_iter(networks));
	char *address = xstrdup(json_get_string(first, "IPAddress", ""));

	json_decref(seen);
	assert_true(address[0] != '\0');
	return address;
}

static int fetch(struct stage *stage, const char *from_service, const char *host)
{
	AUTO(free) char *command = xasprintf("timeout 3 wget -qO- http://%s/ >/dev/null", host);

	return stage_exec(stage, from_service, command, NULL);
}

static void assert_apart(struct stage *one, struct stage *other)
{
	AUTO(free) char *own = address_of(one, "db");
	AUTO(free) char *foreign = address_of(other, "db");
	AUTO(free) char *foreign_name = stage_container(other, "db");

	/* That the way is there at all is what makes the refusals mean something. */
	assert_int_equal(fetch(one, "web", "db"), 0);
	assert_int_equal(fetch(one, "web", own), 0);
	assert_int_not_equal(fetch(one, "web", foreign), 0);
	assert_int_not_equal(fetch(one, "web", foreign_name), 0);
}

static void two_environments_do_not_reach_each_other(void **state)
{
	struct stage *one = stage_new(*state), *other = stage_new(*state);

	stage_write(one, TWO_SERVICES, NULL);
	stage_write(other, TWO_SERVICES, NULL);
	must(one, "create");
	must(other, "create");
	assert_apart(one, other);
	assert_apart(other, one);
	/* Whoever lists networks now must not open them either. */
	stage_ask(one, "GET", "/v1.41/networks");
	assert_apart(one, other);
	stage_free(one);
	stage_free(other);
}

/* Keeps asking Docker's API for the networks, as any tool of the user might. */
static pid_t list_networks_for_ever(const struct stage *stage)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed must not leave it behind */
	while (pid == 0)
		stage_ask(stage, "GET", "/v1.41/networks");
	return pid;
}

static void create_until_ready(struct stage *stage)
{
	for (int try = 0; try < 10 && !stage_do(stage, "create"); try++)
		assert_string_equal(stage->err.slug, "isolation_lost");
}

static void listing_networks_meanwhile_opens_no_environment(void **state)
{
	struct stage *one = stage_new(*state), *other = stage_new(*state);
	pid_t lister = list_networks_for_ever(one);

	stage_write(one, TWO_SERVICES, NULL);
	stage_write(other, TWO_SERVICES, NULL);
	create_until_ready(one);
	create_until_ready(other);
	kill(lister, SIGKILL);
	waitpid(lister, NULL, 0);
	/* Never ready and open: either both were refused to the end, or they are apart. */
	if (one->err.code == ERR_NONE && other->err.code == ERR_NONE) {
		assert_apart(one, other);
		assert_apart(other, one);
	} else {
		create_until_ready(one);
		create_until_ready(other);
		assert_apart(one, other);
	}
	stage_free(one);
	stage_free(other);
}

static void one_environment_may_have_several_networks(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  front: { " HTTPD ", networks: [outer] }\n"
		    "  middle:\n" HTTPD_BLOCK
		    "    networks: { outer: { aliases: [between] }, inner: {} }\n"
		    "    ports: [80]\n"
		    "  back: { " HTTPD ", networks: [inner] }\n"
		    "networks: { outer: {}, inner: {} }\n",
		    NULL);
	must(stage, "create");
	assert_int_equal(fetch(stage, "front", "between"), 0);
	assert_int_equal(fetch(stage, "middle", "back"), 0);
	assert_int_equal(fetch(stage, "back", "middle"), 0);
	assert_int_not_equal(fetch(stage, "front", "back"), 0);
	assert_int_equal(json_array_size(dig(stage->data, "addresses", NULL)), 1);
	stage_free(stage);
}

/* ---- crashes ---- */

struct wanted_count {
	struct stage *stage;
	size_t count;
};

static bool has_things(void *arg)
{
	const struct wanted_count *wanted = arg;

	return stage_count_all(wanted->stage) >= wanted->count;
}

static void kill_create_at(struct stage *stage, size_t count)
{
	struct wanted_count wanted = { .stage = stage, .count = count };
	pid_t pid = stage_begin(stage, "create");

	assert_true(eventually(has_things, &wanted, 20000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_create_killed_in_the_middle_goes_on(void **state)
{
	for (size_t count = 1; count <= 4; count++) {
		struct stage *stage = stage_new(*state);

		stage_write(stage, TWO_SERVICES, NULL);
		kill_create_at(stage, count);
		must(stage, "recover");
		must(stage, "create");
		assert_int_equal(stage_count(stage, "container"), 2);
		assert_int_equal(stage_count(stage, "network"), 1);
		assert_int_equal(stage_count(stage, "volume"), 1);
		assert_int_equal(fetch(stage, "web", "db"), 0);
		stage_free(stage);
	}
}

static bool is_empty(void *arg)
{
	struct stage *stage = arg;

	return stage_do(stage, "destroy") && stage_count_all(stage) == 0;
}

static void a_create_killed_in_the_middle_is_destroyed(void **state)
{
	for (size_t count = 1; count <= 4; count++) {
		struct stage *stage = stage_new(*state);

		stage_write(stage, TWO_SERVICES, NULL);
		kill_create_at(stage, count);
		/* The runtime may still be making what was asked before the kill. */
		must(stage, "recover");
		assert_true(eventually(is_empty, stage, 20000));
		poll(NULL, 0, 1000);
		assert_int_equal(stage_count_all(stage), 0);
		stage_free(stage);
	}
}

static void what_never_started_is_removed_by_recover(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *name = NULL;
	AUTO(json_decref) json_t *body = NULL;
	AUTO(free) char *target = NULL;
	json_t *answer = NULL;

	stage_write(stage, TWO_SERVICES, NULL);
	must(stage, "create");
	name = stage_container(stage, "half");
	target = xasprintf("/v1.41/containers/create?name=%s", name);
	body = json_pack("{s:s, s:{s:s, s:s, s:s, s:s}}", "Image", STAGE_IMAGE, "Labels",
			 "envd-instance", stage->request.instance, "envd-environment",
			 stage->request.environment.text, "envd-sequence", "42", "envd-hard-wall",
			 "1");
	assert_int_equal(http_ask_json(stage->socket, "POST", target, NULL, body, &answer), 201);
	json_decref(answer);
	assert_int_equal(stage_count(stage, "container"), 3);
	must(stage, "recover");
	assert_true(json_get_int64(stage->data, "found", 0) >= 3);
	assert_int_equal(stage_count(stage, "container"), 2);
	stage_free(stage);
}

static void somebody_elses_container_is_left_alone(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *name = stage_container(stage, "web");
	AUTO(free) char *target = xasprintf("/v1.41/containers/create?name=%s", name);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "Image", STAGE_IMAGE);
	json_t *answer = NULL, *seen;

	assert_int_equal(http_ask_json(stage->socket, "POST", target, NULL, body, &answer), 201);
	json_decref(answer);
	stage_write(stage, TWO_SERVICES, NULL);
	must_not(stage, "create", "name_taken");
	assert_contains(stage->err.message, name);
	must(stage, "destroy");
	seen = stage_look(stage, "web");
	assert_non_null(seen);
	json_decref(seen);
	assert_int_equal(stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", name) / 100, 2);
	stage_free(stage);
}

/* ---- failures of templates ---- */

static void an_unhealthy_service_is_named_with_its_last_lines(void **state)
{
	struct stage *stage = stage_new(*state);
	const json_t *tail;

	stage_write(stage,
		    "services:\n"
		    "  fine: { " HTTPD " }\n"
		    "  sick:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'i=0; while [ $$i -lt 30 ]; do echo line $$i;"
		    " i=$$((i+1)); done; echo cannot open the vault; exec sleep 1000']\n"
		    "    healthcheck: { test: 'echo no vault; exit 3', interval: 200ms,"
		    " retries: 2 }\n",
		    NULL);
	must_not(stage, "create", "service_unhealthy");
	assert_contains(stage->err.message, "\"sick\"");
	assert_contains(stage->err.message, "no vault");
	assert_contains(stage->err.message, "cannot open the vault");
	tail = json_object_get(service_in(stage->data, "sick"), "log_tail");
	assert_int_equal(json_array_size(tail), 20);
	assert_string_equal(json_string_value(json_array_get(tail, 19)), "cannot open the vault");
	assert_contains(stage->said, "\"state\":\"failed\"");
	stage_free(stage);
}

static void a_service_that_ends_is_named_with_its_status(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  short:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'echo no such option; exit 7']\n",
		    NULL);
	must_not(stage, "create", "service_exited");
	assert_contains(stage->err.message, "\"short\"");
	assert_contains(stage->err.message, "status 7");
	assert_contains(stage->err.message, "no such option");
	stage_free(stage);
}

static void a_command_that_is_not_there_is_named(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { wrong: { image: " STAGE_IMAGE ", command: [/no/such] } }\n",
		    NULL);
	must_not(stage, "create", "service_not_started");
	assert_contains(stage->err.message, "\"wrong\"");
	assert_contains(stage->err.message, "/no/such");
	stage_free(stage);
}

static void a_missing_image_is_named(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { web: { image: 'localhost/envd-test/none:9' } }\n", NULL);
	must_not(stage, "plan", "image_missing");
	assert_contains(stage->err.message, "localhost/envd-test/none:9");
	assert_contains(stage->err.message, "\"web\"");
	assert_true(stage->err.hint[0] != '\0');
	must_not(stage, "create", "image_missing");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

/* An image whose metadata says another architecture, as `docker load` takes it. */
static void load_foreign_image(const struct stage *stage)
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

static void an_image_of_another_architecture_is_refused_at_plan_time(void **state)
{
	struct stage *stage = stage_new(*state);

	load_foreign_image(stage);
	stage_write(stage, "services: { web: { image: 'localhost/envd-test/foreign:1' } }\n", NULL);
	must_not(stage, "plan", "wrong_architecture");
	assert_contains(stage->err.message, "s390x");
	assert_contains(stage->err.message, "\"web\"");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

static void a_template_that_is_not_trusted_gets_no_folder_of_the_machine(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { web: { " HTTPD ", volumes: ['/etc:/host'] } }\n", NULL);
	stage->request.is_trusted = false;
	must_not(stage, "create", "template_not_trusted");
	assert_int_equal(stage_count_all(stage), 0);
	stage->request.is_trusted = true;
	must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "test -f /host/hostname", NULL), 0);
	stage_free(stage);
}

/* ---- order ---- */

static void what_depends_starts_after_what_it_needs(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *job, *web, *slow;

	stage_write(stage,
		    "services:\n"
		    "  web:\n" HTTPD_BLOCK "    depends_on:\n"
		    "      job: { condition: service_completed_successfully }\n"
		    "      slow: { condition: service_healthy }\n"
		    "  job: { image: " STAGE_IMAGE ", command: [sh, -c, 'sleep 0.4'] }\n"
		    "  slow:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'sleep 0.3; touch /tmp/ok; exec sleep 1000']\n"
		    "    healthcheck: { test: [CMD, test, -f, /tmp/ok], interval: 5s }\n",
		    NULL);
	must(stage, "create");
	job = stage_look(stage, "job");
	web = stage_look(stage, "web");
	slow = stage_look(stage, "slow");
	assert_string_equal(json_get_string(dig(job, "State", NULL), "Status", ""), "exited");
	assert_true(strncmp(json_get_string(dig(web, "State", NULL), "StartedAt", ""),
			    json_get_string(dig(job, "State", NULL), "FinishedAt", "9"), 23) >= 0);
	/* These two need nothing from each other. */
	assert_true(strncmp(json_get_string(dig(slow, "State", NULL), "StartedAt", "9"),
			    json_get_string(dig(job, "State", NULL), "FinishedAt", ""), 23) < 0);
	json_decref(job);
	json_decref(web);
	json_decref(slow);
	must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));
	stage_free(stage);
}

static void a_failed_job_keeps_its_dependents_from_starting(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *web;

	stage_write(stage,
		    "services:\n"
		    "  web:\n" HTTPD_BLOCK
		    "    depends_on: { job: { condition: service_completed_successfully } }\n"
		    "  job: { image: " STAGE_IMAGE ", command: [sh, -c, 'exit 5'] }\n",
		    NULL);
	must_not(stage, "create", "service_exited");
	assert_contains(stage->err.message, "\"job\"");
	web = stage_look(stage, "web");
	assert_false(json_get_bool(dig(web, "State", NULL), "Running", true));
	json_decref(web);
	stage_free(stage);
}

static void a_service_that_is_not_required_may_fail(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  web:\n" HTTPD_BLOCK
		    "    depends_on: { extra: { condition: service_healthy, required: false } }\n"
		    "  extra: { image: " STAGE_IMAGE ", command: [sh, -c, 'exit 5'] }\n",
		    NULL);
	must(stage, "create");
	assert_contains(stage->said, "\"level\":\"warn\"");
	assert_string_equal(json_get_string(service_in(stage->data, "web"), "state", ""),
			    "running");
	stage_free(stage);
}

/* ---- afterwards ---- */

static void drift_is_seen(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *db = NULL;
	AUTO(free) char *web = NULL;
	AUTO(free) char *target = NULL;
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "Image", STAGE_IMAGE);
	json_t *answer = NULL;

	stage_write(stage, TWO_SERVICES, NULL);
	must(stage, "create");
	db = stage_container(stage, "db");
	web = stage_container(stage, "web");
	assert_int_equal(stage_ask(stage, "POST", "/v1.41/containers/%s/kill", db), 204);
	must(stage, "inspect");
	assert_false(json_get_bool(stage->data, "healthy", true));
	assert_string_equal(drift_in(stage->data, "db"), "died");
	assert_string_equal(drift_in(stage->data, "web"), "");

	stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", web);
	must(stage, "inspect");
	assert_string_equal(drift_in(stage->data, "web"), "missing");
	target = xasprintf("/v1.41/containers/create?name=%s", web);
	http_ask_json(stage->socket, "POST", target, NULL, body, &answer);
	json_decref(answer);
	must(stage, "inspect");
	assert_string_equal(drift_in(stage->data, "web"), "replaced");
	stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", web);

	must(stage, "create");
	must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));
	stage_free(stage);
}

static void a_service_that_fell_ill_is_seen(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, TWO_SERVICES, NULL);
	must(stage, "create");
	assert_int_equal(stage_exec(stage, "db", "rm /tmp/ok", NULL), 0);
	must(stage, "inspect");
	assert_false(json_get_bool(stage->data, "healthy", true));
	assert_string_equal(json_get_string(service_in(stage->data, "db"), "health", ""),
			    "unhealthy");
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

	stage_write(stage, TWO_SERVICES, NULL);
	must(stage, "create");
	db = stage_look(stage, "db");
	pid = (pid_t)json_get_int64(dig(db, "State", NULL), "Pid", 0);
	json_decref(db);
	assert_true(pid > 1);
	assert_true(conmon_of(pid) > 1);
	kill(conmon_of(pid), SIGKILL);
	kill(pid, SIGKILL);
	assert_true(eventually(is_process_gone, &pid, 5000));
	db = stage_look(stage, "db");
	/* Or there would be nothing to see through. */
	assert_string_equal(json_get_string(dig(db, "State", NULL), "Status", ""), "running");
	json_decref(db);
	must(stage, "inspect");
	assert_string_equal(drift_in(stage->data, "db"), "died");
	assert_string_equal(drift_in(stage->data, "web"), "");
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
	    "  web:\n" HTTPD_BLOCK
	    "    deploy: { resources: { limits: { memory: 48M, cpus: '0.5', pids: 40 } } }\n",
	    NULL);
	must(stage, "create");
	web = stage_look(stage, "web");
	host = json_object_get(web, "HostConfig");
	assert_int_equal(json_get_int64(host, "Memory", 0), 48 << 20);
	assert_int_equal(json_get_int64(host, "PidsLimit", 0), 40);
	json_decref(web);
	assert_int_equal(json_get_int64(service_in(stage->data, "web"), "memory_bytes_max", 0),
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
	must(stage, "create");
	must(stage, "logs");
	assert_contains(stage->said, "\"service\":\"one\",\"stream\":\"stdout\",\"at\":\"20");
	assert_contains(stage->said, "\"text\":\"out\"");
	assert_contains(stage->said, "\"stream\":\"stderr\"");
	assert_contains(stage->said, "\"text\":\"err\"");
	assert_contains(stage->said, "\"service\":\"two\"");
	assert_contains(stage->said, "\"text\":\"again\"");
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
	must(stage, "create");
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

	stage_write(stage, "services: { web: { " HTTPD " } }\n", NULL);
	must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "echo to out; echo to err >&2; exit 3", &output),
			 3);
	assert_contains(output, "to out\n");
	assert_contains(output, "to err\n");
	begun_mono_ms = clock_mono_ms();
	assert_false(engine_container.exec(&stage->request, "web", forever, 300, &result, &err));
	assert_string_equal(err.slug, "exec_timeout");
	assert_true(clock_mono_ms() - begun_mono_ms < 5000);
	assert_int_equal(stage_exec(stage, "none", "true", NULL), -1);
	stage_free(stage);
}

/* ---- the runtime itself ---- */

static void a_runtime_that_is_not_there_is_unreachable(void **state)
{
	struct stage *stage = stage_new(*state);
	const char *socket = stage->request.target.socket;

	stage->request.target.socket = "/tmp/no/such/socket";
	must_not(stage, "probe", "runtime_unreachable");
	assert_int_equal(stage->err.code, ERR_UNAVAILABLE);
	assert_contains(stage->err.message, "/tmp/no/such/socket");
	must_not(stage, "inventory", "runtime_unreachable");
	must_not(stage, "destroy", "runtime_unreachable");
	stage->request.target.socket = socket;
	stage_free(stage);
}

static void a_runtime_that_hangs_is_given_up(void **state)
{
	struct stage *stage = stage_new(*state);
	const char *socket_before = stage->request.target.socket;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t begun_mono_ms = clock_mono_ms();

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/hung", stage->folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	stage->request.target.socket = address.sun_path;
	stage->request.deadline_at_ms = clock_wall_ms() + 700;
	must_not(stage, "inventory", "runtime_timeout");
	assert_int_equal(stage->err.code, ERR_TIMEOUT);
	assert_true(clock_mono_ms() - begun_mono_ms < 5000);
	close(fd);
	stage->request.target.socket = socket_before;
	stage->request.deadline_at_ms = 0;
	stage_free(stage);
}

static void a_create_that_takes_too_long_says_what_is_not_ready(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  slow:\n" HTTPD_BLOCK
		    "    healthcheck: { test: ['CMD', 'false'], interval: 60s }\n",
		    NULL);
	stage->request.deadline_at_ms = clock_wall_ms() + 3000;
	must_not(stage, "create", "create_too_slow");
	assert_contains(stage->err.message, "slow");
	stage->request.deadline_at_ms = 0;
	stage_free(stage);
}

static void the_probe_names_the_runtime(void **state)
{
	struct stage *stage = stage_new(*state);

	must(stage, "probe");
	assert_string_equal(json_get_string(stage->data, "runtime", ""),
			    stage_is_podman(stage) ? "podman" : "docker");
	assert_true(json_get_string(stage->data, "version", "")[0] != '\0');
	assert_true(json_is_array(dig(stage->data, "warnings", NULL)));
	stage_free(stage);
}

static void a_locked_image_stays_when_its_tag_moves(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *before, *after;

	stage_ask(stage, "POST", "/v1.41/images/%s/tag?repo=localhost/envd-test/moving&tag=1",
		  STAGE_IMAGE);
	stage_write(stage, "services: { web: { image: 'localhost/envd-test/moving:1', command: [sleep, '1000'] } }\n", NULL);
	must(stage, "create");
	before = stage_look(stage, "web");
	load_foreign_image(stage);
	stage_ask(stage, "POST",
		  "/v1.41/images/localhost/envd-test/foreign:1/tag?"
		  "repo=localhost/envd-test/moving&tag=1");
	must(stage, "create");
	after = stage_look(stage, "web");
	assert_string_equal(json_get_string(before, "Id", "1"), json_get_string(after, "Id", "2"));
	json_decref(before);
	json_decref(after);
	stage_free(stage);
}

#define ON(runtime, name, story)                                                                   \
	{ name ": " #story, story, NULL, stage_clear, (void *)(uintptr_t)runtime }
#define ON_PODMAN(story) ON("ENVD_TEST_PODMAN", "podman", story)
#define ON_BOTH(story) ON_PODMAN(story), ON("ENVD_TEST_DOCKER", "docker", story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(an_environment_is_created_and_destroyed),
		ON_BOTH(destroying_twice_is_success),
		ON_BOTH(creating_twice_is_one_environment),
		ON_BOTH(everything_that_is_made_is_labelled),
		ON_BOTH(two_environments_do_not_reach_each_other),
		ON_BOTH(listing_networks_meanwhile_opens_no_environment),
		ON_BOTH(one_environment_may_have_several_networks),
		ON_BOTH(a_create_killed_in_the_middle_goes_on),
		ON_BOTH(a_create_killed_in_the_middle_is_destroyed),
		ON_BOTH(what_never_started_is_removed_by_recover),
		ON_BOTH(somebody_elses_container_is_left_alone),
		ON_BOTH(an_unhealthy_service_is_named_with_its_last_lines),
		ON_BOTH(a_service_that_ends_is_named_with_its_status),
		ON_BOTH(a_command_that_is_not_there_is_named),
		ON_BOTH(a_missing_image_is_named),
		ON_BOTH(an_image_of_another_architecture_is_refused_at_plan_time),
		ON_BOTH(a_template_that_is_not_trusted_gets_no_folder_of_the_machine),
		ON_BOTH(what_depends_starts_after_what_it_needs),
		ON_BOTH(a_failed_job_keeps_its_dependents_from_starting),
		ON_BOTH(a_service_that_is_not_required_may_fail),
		ON_BOTH(drift_is_seen),
		ON_BOTH(a_service_that_fell_ill_is_seen),
		ON_PODMAN(a_container_that_died_unwatched_is_seen),
		ON_BOTH(limits_hold),
		ON_BOTH(logs_come_from_all_services_and_both_streams),
		ON_BOTH(followed_logs_come_as_they_are_written),
		ON_BOTH(a_command_runs_inside_a_service),
		ON_BOTH(a_runtime_that_is_not_there_is_unreachable),
		ON_BOTH(a_runtime_that_hangs_is_given_up),
		ON_BOTH(a_create_that_takes_too_long_says_what_is_not_ready),
		ON_BOTH(the_probe_names_the_runtime),
		ON_BOTH(a_locked_image_stays_when_its_tag_moves),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
