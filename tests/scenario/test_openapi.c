/*
 * The interface is what its OpenAPI document says: every operation is used against the real envd on
 * real containers, each answer is held against its description, and in the end each property that
 * is described was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/git_server.h"
#include "tests/support/http_client.h"
#include "tests/support/priced_template.h"
#include "tests/support/world.h"

struct story {
	struct world *world;
	struct git_server *server;
	json_t *document;
	json_t *seen; /* {"Environment": {"id": true}} */
	json_t *used; /* {"GET /v1/version": true} */
};

static const char rich_template[] =
    "apiVersion: envd/v1\nname: rich\nengine: container\nsource: compose.yaml\n"
    "description: has one of everything\n"
    "parameters:\n"
    "  users: { type: integer, default: 10, minimum: 1, maximum: 1000 }\n"
    "  size: { type: string, default: s, enum: [s, l], pattern: '[a-z]' }\n"
    "components:\n"
    "  web: { default: '1.0', versions: ['1.0'], image: 'web:{version}', branch: 'web:{branch}',\n"
    "         pull_request: 'web:pr-{number}' }\n"
    "  all: { members: [web], versions: ['1.0'] }\n"
    "price: { per_hour: 0.12, currency: EUR, note: cheap }\n"
    "outputs: { url: 'http://{{web.host}}' }\n";

static const char talking_compose[] =
    "services:\n  web:\n    image: localhost/envd-test/busybox:1\n"
    "    command: [sh, -c, 'echo here I am; mkdir -p /www; echo hello > /www/index.html; "
    "exec httpd -f -p 80 -h /www']\n"
    "    ports: ['80']\n"
    "    healthcheck: { test: [CMD, test, -f, /www/index.html], interval: 100ms, retries: 50 }\n";

/* A target with a name of its own and room that is counted, and a source of templates. */
static void write_configuration(const struct story *story)
{
	AUTO(free) char *url = git_server_url(story->server, "https", "demo.git");
	AUTO(free)
	char *text = xasprintf("targets:\n  - { name: local, engine: container, socket: '%s', "
			       "advertised: localhost, memory: 64g }\n"
			       "sources:\n"
			       "  - { name: demo, repository: '%s', ca_file: %s/ca.pem, "
			       "path: templates, trusted: true }\n",
			       story->world->runtime, url, story->server->folder);
	AUTO(free) char *path = path_join(story->world->folder, "envd.yaml");
	AUTO(free) char *argument = xasprintf("--config=%s", path);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	world_argument(story->world, argument);
}

static int start(void **state)
{
	struct story *story = xcalloc(1, sizeof(*story));
	int status;

	story->server = git_server_start();
	story->world = world_new("ENVD_TEST_PODMAN");
	write_configuration(story);
	world_write_small_template(story->world, "small", true);
	/* Something to read in the logs. */
	world_write(story->world, "small", "compose.yaml", talking_compose);
	world_write(story->world, "rich", "template.yaml", rich_template);
	world_write(story->world, "rich", "compose.yaml",
		    "services: { web: { image: 'web:1' } }\n");
	world_write(story->world, "dying", "template.yaml",
		    "apiVersion: envd/v1\nname: dying\nengine: container\n"
		    "source: compose.yaml\nlimits: { attempts: 1 }\n");
	world_write(story->world, "dying", "compose.yaml",
		    "services:\n  web:\n    image: localhost/envd-test/busybox:1\n"
		    "    command: [sh, -c, 'echo dying; exit 3']\n");
	priced_template_add(story->world);
	world_argument(story->world, "--destroy-retry=100ms");
	world_write(story->world, "broken", "template.yaml", "apiVersion: envd/v1\nnaem: x\n");
	world_start(story->world);
	story->document = world_ask(story->world, "GET", "/v1/openapi.json", NULL, &status);
	assert_int_equal(status, 200);
	story->seen = json_object();
	story->used = json_object();
	*state = story;
	return 0;
}

static int end(void **state)
{
	struct story *story = *state;

	json_decref(story->document);
	json_decref(story->seen);
	json_decref(story->used);
	world_free(story->world);
	git_server_stop(story->server);
	free(story);
	return 0;
}

/* ---- a value against its description ---- */

static const json_t *at_path(const json_t *json, const char *path)
{
	AUTO(free) char *copy = xstrdup(path);
	char *rest = copy;

	for (char *key; json && (key = strsep(&rest, "/"));)
		json = json_object_get(json, key);
	return json;
}

static bool is_of_type(const json_t *value, const char *type)
{
	return (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "number") == 0 && json_is_number(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool has_type(const json_t *value, const json_t *type)
{
	if (!type)
		return true;
	if (json_is_string(type))
		return is_of_type(value, json_string_value(type));
	for (size_t i = 0; i < json_array_size(type); i++)
		if (is_of_type(value, json_string_value(json_array_get(type, i))))
			return true;
	return false;
}

static bool has_value(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), value))
			return true;
	return false;
}

static void hold(struct story *story, const json_t *schema, const json_t *value, const char *where);

static void note_seen(struct story *story, const char *shape, const char *property)
{
	json_t *properties = json_object_get(story->seen, shape);

	if (!properties) {
		properties = json_object();
		json_object_set_new(story->seen, shape, properties);
	}
	json_object_set_new(properties, property, json_true());
}

static void hold_object(struct story *story, const json_t *schema, const json_t *value,
			const char *where, const char *shape)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *more = json_object_get(schema, "additionalProperties");
	const json_t *required = json_object_get(schema, "required");
	const char *key;
	json_t *field;

	for (size_t i = 0; i < json_array_size(required); i++)
		if (!json_object_get(value, json_string_value(json_array_get(required, i))))
			fail_msg("%s has no \"%s\"", where,
				 json_string_value(json_array_get(required, i)));
	json_object_foreach((json_t *)(uintptr_t)value, key, field) {
		AUTO(free) char *inner = xasprintf("%s.%s", where, key);
		const json_t *property = json_object_get(properties, key);

		if (!property && json_is_false(more))
			fail_msg("%s is not in the schema", inner);
		if (property && shape)
			note_seen(story, shape, key);
		if (property || json_is_object(more))
			hold(story, property ? property : more, field, inner);
	}
}

static void hold_as(struct story *story, const json_t *schema, const json_t *value,
		    const char *where, const char *shape)
{
	const json_t *words = json_object_get(schema, "enum");
	const json_t *items = json_object_get(schema, "items");
	size_t i;
	json_t *item;

	if (!has_type(value, json_object_get(schema, "type")) ||
	    (words && !has_value(words, value))) {
		AUTO(free) char *text = json_dumps(value, JSON_ENCODE_ANY);

		fail_msg("%s is %s, which its schema does not allow", where, text);
	}
	if (json_is_object(value))
		hold_object(story, schema, value, where, shape);
	if (json_is_array(value) && items)
		json_array_foreach((json_t *)(uintptr_t)value, i, item)
			hold(story, items, item, where);
}

/* The alternative whose kind it says it is; otherwise the first: the other one is null. */
static const json_t *alternative(struct story *story, const json_t *either, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(either); i++) {
		const char *reference =
		    json_get_string(json_array_get(either, i), "$ref", "#/nothing");
		const json_t *kinds =
		    at_path(at_path(story->document, reference + 2), "properties/kind/enum");

		if (has_value(kinds, json_object_get(value, "kind")))
			return json_array_get(either, i);
	}
	return json_array_get(either, 0);
}

static void hold(struct story *story, const json_t *schema, const json_t *value, const char *where)
{
	const char *reference = json_get_string(schema, "$ref", NULL);
	const json_t *either = json_object_get(schema, "anyOf");

	if (reference) {
		const json_t *shape = at_path(story->document, reference + 2);

		hold_as(story, shape, value, where, strrchr(reference, '/') + 1);
	} else if (either) {
		if (!json_is_null(value))
			hold(story, alternative(story, either, value), value, where);
	} else {
		hold_as(story, schema, value, where, NULL);
	}
}

/* ---- asking ---- */

/* "/v1/environments/e1/lease?x=y" is the path "/v1/environments/{env}/lease" of the document. */
static bool is_path(const char *pattern, const char *target)
{
	while (*pattern && *target && *target != '?') {
		if (*pattern == '{') {
			pattern += strcspn(pattern, "/");
			target += strcspn(target, "/?");
		} else if (*pattern++ != *target++) {
			return false;
		}
	}
	return !*pattern && (!*target || *target == '?');
}

static const json_t *operation_for(struct story *story, const char *method, const char *target)
{
	const char *path, *key;
	json_t *methods, *operation;

	json_object_foreach(json_object_get(story->document, "paths"), path, methods) {
		if (!is_path(path, target))
			continue;
		json_object_foreach(methods, key, operation) {
			AUTO(free) char *use = xasprintf("%s %s", method, path);

			if (strcasecmp(key, method) != 0)
				continue;
			json_object_set_new(story->used, use, json_true());
			return operation;
		}
	}
	fail_msg("%s %s is not described", method, target);
	return NULL;
}

static const json_t *response_for(struct story *story, const json_t *operation, int status)
{
	char key[12];
	const json_t *response;

	snprintf(key, sizeof(key), "%d", status);
	response = at_path(operation, "responses");
	response = json_object_get(response, key);
	if (json_get_string(response, "$ref", NULL))
		response = at_path(story->document, json_get_string(response, "$ref", "") + 2);
	return response;
}

/* The answer, held against its description; new reference. `content` is taken over. */
static json_t *use(struct story *story, const char *method, const char *target, json_t *content,
		   int wanted)
{
	const json_t *operation = operation_for(story, method, target);
	const json_t *response = response_for(story, operation, wanted), *media;
	AUTO(free) char *where = xasprintf("%s %s: %d", method, target, wanted);
	int status;
	json_t *answer = world_ask(story->world, method, target, content, &status);

	json_decref(content);
	if (status != wanted) {
		AUTO(free) char *text = json_dumps(answer, JSON_ENCODE_ANY);

		fail_msg("%s: %d %s", where, status, text);
	}
	if (!response)
		fail_msg("%s is not described", where);
	media = json_object_get(json_object_get(response, "content"),
				status < 400 ? "application/json" : "application/problem+json");
	assert_non_null(media);
	hold(story, json_object_get(media, "schema"), answer, where);
	return answer;
}

static void just_use(struct story *story, const char *method, const char *target, json_t *content,
		     int wanted)
{
	json_decref(use(story, method, target, content, wanted));
}

/* Every line that begins with `mark` holds one document of the stream. */
static size_t use_stream(struct story *story, const char *target, const char *content_type,
			 const char *mark)
{
	const json_t *operation = operation_for(story, "GET", target);
	const json_t *response = response_for(story, operation, 200);
	const json_t *schema = json_object_get(
	    json_object_get(json_object_get(json_object_get(response, "content"), content_type),
			    "schema"),
	    "x-item-schema");
	AUTO(free) char *body = NULL;
	char *rest;
	size_t count = 0;

	assert_non_null(schema);
	assert_int_equal(http_ask(story->world->socket, "GET", target, NULL, NULL, &body), 200);
	rest = body;
	for (char *line; (line = strsep(&rest, "\n"));) {
		AUTO(json_decref) json_t *json = NULL;

		if (!text_starts_with(line, mark) || strlen(line) == strlen(mark))
			continue;
		json = json_loads(line + strlen(mark), 0, NULL);
		assert_non_null(json);
		hold(story, schema, json, target);
		count++;
	}
	return count;
}

/* What goes on as frames is the business of tests/scenario/test_exec.c. */
static void use_tunnel(struct story *story, const char *target, json_t *content)
{
	const json_t *operation = operation_for(story, "POST", target);
	AUTO(free) char *text = json_dumps(content, JSON_COMPACT);

	json_decref(content);
	assert_non_null(response_for(story, operation, 101));
	assert_int_equal(
	    http_ask(story->world->socket, "POST", target, "Upgrade: envd-tunnel\r\n", text, NULL),
	    101);
}

/* One that is no JSON; the answer itself is the business of other tests. */
static void use_text(struct story *story, const char *target, const char *content_type)
{
	const json_t *operation = operation_for(story, "GET", target);
	const json_t *response = response_for(story, operation, 200);

	assert_non_null(json_object_get(json_object_get(response, "content"), content_type));
	assert_int_equal(http_ask(story->world->socket, "GET", target, NULL, NULL, NULL), 200);
}

/* ---- the story ---- */

static json_t *plan(void)
{
	return json_pack(
	    "{s:[s, s], s:{s:s, s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:[{s:{s:s}, s:[s]}]}], "
	    "s:[{s:s, s:s, s:s, s:s, s:[{s:{s:s}, s:[s]}], s:[s]}]}}",
	    "suites", "smoke", "load", "plan", "apiVersion", "envd/v1", "kind", "CheckPlan", "name",
	    "both", "defaults", "base", "${url}", "timeout", "5s", "smoke", "name", "hello",
	    "steps", "http", "path", "/", "expect", "status == 200", "load", "name", "home", "rate",
	    "20/s", "duration", "1s", "warmup", "500ms", "steps", "http", "path", "/", "expect",
	    "status == 200", "thresholds", "errors rate < 1%");
}

struct run {
	struct story *story;
	const char *target;
};

static bool has_ended(void *arg)
{
	struct run *run = arg;
	AUTO(json_decref) json_t *shown = use(run->story, "GET", run->target, NULL, 200);

	return json_has(shown, "verdict");
}

static void an_environment_lives_as_described(void **state)
{
	struct story *story = *state;
	AUTO(json_decref) json_t *check = NULL;
	AUTO(free) char *target = NULL;
	struct run run = { story, NULL };

	just_use(story, "POST", "/v1/environments?dry_run=true",
		 json_pack("{s:s, s:s}", "template", "small", "name", "e1"), 200);
	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s, s:s, s:{s:s}}", "template", "small", "name", "e1", "ttl",
			   "10m", "labels", "run", "1"),
		 201);
	world_wait(story->world, "e1", "ready", 120000);
	just_use(story, "GET", "/v1/environments/e1", NULL, 200);
	just_use(story, "GET", "/v1/environments?label=run=1", NULL, 200);
	just_use(story, "GET", "/v1/targets", NULL, 200);
	just_use(story, "PATCH", "/v1/environments/e1/lease", json_pack("{s:s}", "extend", "1m"),
		 200);
	just_use(story, "GET", "/v1/environments/e1/lease", NULL, 200);
	just_use(story, "GET", "/v1/environments/e1/outputs", NULL, 200);
	just_use(story, "GET", "/v1/environments/e1/lock", NULL, 200);
	just_use(story, "GET", "/v1/environments/e1/services", NULL, 200);
	just_use(story, "GET", "/v1/environments/e1/layers", NULL, 200);
	just_use(story, "GET", "/v1/environments/e1/resources", NULL, 200);
	/* Containers have no such books, and no cluster. */
	just_use(story, "GET", "/v1/environments/e1/updates", NULL, 400);
	just_use(story, "POST", "/v1/environments/e1/kubeconfig", NULL, 400);
	check = use(story, "POST", "/v1/environments/e1/checks", plan(), 202);
	target = xasprintf("/v1/checks/%s", json_get_string(check, "id", ""));
	run.target = target;
	assert_true(eventually(has_ended, &run, 60000));
	just_use(story, "GET", "/v1/environments/e1/checks", NULL, 200);
	just_use(story, "POST", "/v1/environments/e1/evidence", NULL, 202);
	assert_true(use_stream(story, "/v1/environments/e1/logs", "application/x-ndjson", "") > 0);
	use_tunnel(story, "/v1/environments/e1/exec",
		   json_pack("{s:s, s:[s]}", "service", "web", "command", "true"));
	just_use(story, "POST", "/v1/environments/e1/exec",
		 json_pack("{s:s, s:[s]}", "service", "web", "command", "true"), 426);
	just_use(story, "POST", "/v1/environments/e1/forward",
		 json_pack("{s:s, s:i}", "service", "web", "port", 80), 426);
	just_use(story, "GET", "/v1/costs", NULL, 200);
	just_use(story, "GET", "/v1/costs?by=template", NULL, 200);
}

static void and_it_ends_as_described(void **state)
{
	struct story *story = *state;
	AUTO(json_decref) json_t *ended = use(story, "DELETE", "/v1/environments/e1", NULL, 202);
	const char *id = json_get_string(ended, "id", "");
	AUTO(free) char *events = xasprintf("/v1/environments/%s/events", id);
	AUTO(free) char *report = xasprintf("/v1/environments/%s/report", id);
	AUTO(free) char *history = xasprintf("/v1/environments/%s/history?limit=500", id);
	AUTO(free) char *itself = xasprintf("/v1/environments/%s", id);

	world_wait(story->world, id, "destroyed", 120000);
	just_use(story, "GET", itself, NULL, 200);
	just_use(story, "DELETE", itself, NULL, 200);
	just_use(story, "GET", report, NULL, 200);
	just_use(story, "GET", history, NULL, 200);
	assert_true(use_stream(story, events, "text/event-stream", "data: ") > 5);
}

static void what_there_is_is_described(void **state)
{
	struct story *story = *state;

	just_use(story, "GET", "/v1/templates", NULL, 200);
	just_use(story, "GET", "/v1/templates/rich", NULL, 200);
	just_use(story, "GET", "/v1/templates/demo/hello", NULL, 200);
	just_use(story, "GET", "/v1/templates/rich?ref=main", NULL, 400);
	use_text(story, "/metrics", "text/plain");
	just_use(story, "PATCH", "/v1/targets/local",
		 json_pack("{s:s, s:s}", "state", "dirty", "why", "smells"), 200);
	just_use(story, "GET", "/v1/targets", NULL, 200);
	just_use(story, "PATCH", "/v1/targets/local", json_pack("{s:s}", "state", "clean"), 200);
	just_use(story, "GET", "/v1/version", NULL, 200);
	just_use(story, "GET", "/v1/openapi.json", NULL, 200);
	just_use(story, "GET", "/healthz", NULL, 200);
	just_use(story, "GET", "/readyz", NULL, 200);
}

static void tokens_and_what_was_changed_are_described(void **state)
{
	struct story *story = *state;
	AUTO(json_decref)
	json_t *made = use(story, "POST", "/v1/tokens",
			   json_pack("{s:s, s:s}", "name", "nightly", "role", "ci"), 201);
	AUTO(free) char *itself = xasprintf("/v1/tokens/%s", json_get_string(made, "id", ""));

	just_use(story, "GET", "/v1/tokens", NULL, 200);
	just_use(story, "DELETE", itself, NULL, 200);
	just_use(story, "GET", "/v1/audit", NULL, 200);
	just_use(story, "GET", "/v1/costs?by=project", NULL, 200);
}

static bool all_have_ended(void *arg)
{
	struct story *story = arg;
	AUTO(json_decref) json_t *list = use(story, "GET", "/v1/environments", NULL, 200);

	return json_array_size(json_object_get(list, "items")) == 0;
}

static bool has_evidence(void *arg)
{
	struct story *story = arg;
	AUTO(json_decref) json_t *shown = use(story, "GET", "/v1/environments/kept", NULL, 200);

	return text_equal(json_get_string(json_object_get(shown, "evidence"), "state", ""),
			  "taken");
}

static void what_is_kept_when_it_failed_is_described(void **state)
{
	struct story *story = *state;

	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s, s:s}", "template", "dying", "name", "kept", "keep",
			   "on-failure=10s"),
		 201);
	world_wait(story->world, "kept", "failed", 120000);
	just_use(story, "GET", "/v1/environments/kept", NULL, 200);
	assert_true(eventually(has_evidence, story, 60000));
	use_text(story, "/v1/environments/kept/evidence", "application/gzip");
}

static bool is_acknowledged(void *arg)
{
	struct story *story = arg;
	int status;
	json_t *wish = json_pack("{s:s}", "name", "costs");

	json_decref(
	    world_ask(story->world, "POST", "/v1/environments/costs/acknowledge", wish, &status));
	json_decref(wish);
	return status == 200;
}

static void what_costs_money_is_described(void **state)
{
	struct story *story = *state;
	json_t *wish = json_pack("{s:s, s:s, s:{s:s}}", "template", "cloud", "name", "costs",
				 "parameters", "fake", "destroy=leave");

	just_use(story, "POST", "/v1/environments?dry_run=true", json_deep_copy(wish), 200);
	just_use(story, "POST", "/v1/environments", wish, 201);
	world_wait(story->world, "costs", "ready", 120000);
	just_use(story, "GET", "/v1/environments/costs/cost", NULL, 200);
	just_use(story, "GET", "/v1/prices", NULL, 200);
	just_use(story, "DELETE", "/v1/environments/costs", NULL, 202);
	just_use(story, "POST", "/v1/environments/costs/settle",
		 json_pack("{s:s}", "name", "costs"), 409);
	assert_true(eventually(is_acknowledged, story, 120000));
	just_use(story, "GET", "/v1/spending", NULL, 200);
	just_use(story, "GET", "/v1/spending?month=2020-01&project=default", NULL, 200);
	just_use(story, "POST", "/v1/environments/costs/settle",
		 json_pack("{s:s}", "name", "costs"), 200);
}

static void what_is_of_a_git_source_is_described(void **state)
{
	struct story *story = *state;

	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s, s:s}", "template", "demo/hello", "name", "of-git",
			   "template_ref", "main"),
		 201);
	just_use(story, "GET", "/v1/environments/of-git", NULL, 200);
	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s}", "template", "demo/hello", "template_ref", "nobody"), 400);
	just_use(story, "DELETE", "/v1/environments/of-git", NULL, 202);
}

static void a_failure_and_every_refusal_is_described(void **state)
{
	struct story *story = *state;

	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s}", "template", "rich", "name", "fails"), 201);
	just_use(story, "GET", "/v1/environments/fails/lock", NULL, 409);
	just_use(story, "POST", "/v1/environments",
		 json_pack("{s:s, s:s}", "template", "dying", "name", "dies"), 201);
	just_use(story, "POST", "/v1/environments", json_pack("{s:s}", "tempalte", "small"), 400);
	just_use(story, "POST", "/v1/environments", json_pack("{s:s}", "template", "nobody"), 404);
	just_use(story, "GET", "/v1/environments/nobody", NULL, 404);
	just_use(story, "GET", "/v1/environments?limti=1", NULL, 400);
	just_use(story, "POST", "/v1/environments/fails/acknowledge",
		 json_pack("{s:s}", "name", "fails"), 409);
	assert_true(eventually(all_have_ended, story, 120000));
	just_use(story, "GET", "/v1/environments?all=true", NULL, 200);
}

/* ---- in the end ---- */

/* Shapes that answers are made of. */
static void gather(struct story *story, const json_t *schema, json_t *shapes)
{
	const char *reference = json_get_string(schema, "$ref", NULL), *key;
	json_t *inner;
	size_t i;

	if (json_is_array(schema))
		json_array_foreach((json_t *)(uintptr_t)schema, i, inner)
			gather(story, inner, shapes);
	if (reference && !json_object_get(shapes, strrchr(reference, '/') + 1)) {
		if (text_starts_with(reference, "#/components/schemas/"))
			json_object_set_new(shapes, strrchr(reference, '/') + 1, json_true());
		gather(story, at_path(story->document, reference + 2), shapes);
	}
	json_object_foreach((json_t *)(uintptr_t)schema, key, inner)
		gather(story, inner, shapes);
}

static json_t *shapes_of_answers(struct story *story)
{
	json_t *shapes = json_object(), *methods, *operation;
	const char *path, *method;

	json_object_foreach(json_object_get(story->document, "paths"), path, methods)
		json_object_foreach(methods, method, operation)
			gather(story, json_object_get(operation, "responses"), shapes);
	return shapes;
}

/* Only when a worker dies in the middle of a line; or what only the engine pulumi says: there
 * failure/test_pulumi_look holds it against the document. */
static bool is_rare(const char *shape, const char *property)
{
	static const struct {
		const char *shape, *property; /* NULL: all of it */
	} rare[] = {
		{ "LogLine", "error" },      { "Update", NULL },    { "UpdateResource", NULL },
		{ "AttributeChange", NULL }, { "Forward", NULL },   { "Services", "forwards" },
		{ "Resource", "layer" },     { "Resource", "urn" }, { "Resource", "parent" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rare); i++)
		if (strcmp(rare[i].shape, shape) == 0 &&
		    (!rare[i].property || strcmp(rare[i].property, property) == 0))
			return true;
	return false;
}

static void every_property_of_every_answer_was_sent(void **state)
{
	struct story *story = *state;
	AUTO(json_decref) json_t *shapes = shapes_of_answers(story);
	AUTO(text_release) struct text missing = TEXT_EMPTY;
	const char *shape, *property;
	json_t *value;

	assert_true(json_object_size(shapes) > 20);
	json_object_foreach(shapes, shape, value) {
		AUTO(free) char *path = xasprintf("components/schemas/%s/properties", shape);
		json_t *properties = (json_t *)(uintptr_t)at_path(story->document, path);
		json_t *described;

		json_object_foreach(properties, property, described)
			if (!is_rare(shape, property) &&
			    !json_object_get(json_object_get(story->seen, shape), property))
				text_format(&missing, " %s.%s", shape, property);
	}
	if (missing.length)
		fail_msg("described and never sent:%s", missing.bytes);
}

static void every_operation_was_used(void **state)
{
	struct story *story = *state;
	const char *path, *method;
	json_t *methods, *operation;

	json_object_foreach(json_object_get(story->document, "paths"), path, methods) {
		json_object_foreach(methods, method, operation) {
			AUTO(free) char *use = xasprintf("%s %s", method, path);

			for (char *at = use; *at != ' '; at++)
				*at -= 'a' - 'A';
			/* It never ends by itself; its rows are those of an environment's. */
			if (strcmp(use, "GET /v1/events") != 0 &&
			    !json_object_get(story->used, use))
				fail_msg("%s was not used", use);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_environment_lives_as_described),
		cmocka_unit_test(and_it_ends_as_described),
		cmocka_unit_test(what_there_is_is_described),
		cmocka_unit_test(tokens_and_what_was_changed_are_described),
		cmocka_unit_test(what_is_kept_when_it_failed_is_described),
		cmocka_unit_test(what_costs_money_is_described),
		cmocka_unit_test(what_is_of_a_git_source_is_described),
		cmocka_unit_test(a_failure_and_every_refusal_is_described),
		cmocka_unit_test(every_property_of_every_answer_was_sent),
		cmocka_unit_test(every_operation_was_used),
	};

	return cmocka_run_group_tests(tests, start, end);
}
