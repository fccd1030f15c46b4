/*
 * The interface as a client sees it: pages, keys, names, events that are resumed, across a restart.
 * The engine is tests/support/fake_engine, so no container runtime is needed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"

static int start(void **state)
{
	struct world *world = fake_world_new();

	world_start(world);
	*state = world;
	return 0;
}

/* ---- pages ---- */

static json_t *page(struct world *world, const char *query, const char *next)
{
	AUTO(free)
	char *target = xasprintf("/v1/environments?limit=7%s%s%s", query, next ? "&next=" : "",
				 next ? next : "");
	int status;
	json_t *answer = world_ask(world, "GET", target, NULL, &status);

	assert_int_equal(status, 200);
	return answer;
}

static void pages_have_everything_once_newest_first_while_more_arrives(void **state)
{
	enum { MADE = 23 };
	struct world *world = *state;
	AUTO(free) char *next = NULL;
	int64_t older_than = INT64_MAX;
	size_t seen = 0;
	char id[37];

	for (int i = 0; i < MADE; i++)
		world_create(world, "fake", NULL, NULL, id);
	do {
		AUTO(json_decref) json_t *answer = page(world, "", next);
		json_t *items = json_object_get(answer, "items"), *item;
		const char *token = json_get_string(answer, "next", NULL);
		size_t i;

		json_array_foreach(items, i, item) {
			assert_true(json_get_int64(item, "sequence", 0) < older_than);
			older_than = json_get_int64(item, "sequence", 0);
			seen++;
		}
		free(next);
		next = token ? xstrdup(token) : NULL;
		world_create(world, "fake", NULL, NULL, id); /* newer than any page to come */
	} while (next);
	assert_int_equal(seen, MADE);
}

static void lists_are_filtered_by_what_was_asked(void **state)
{
	struct world *world = *state;
	AUTO(json_decref)
	json_t *labelled = json_pack("{s:s, s:s, s:{s:s}}", "template", "fake", "name", "labelled",
				     "labels", "run", "42");
	AUTO(json_decref) json_t *made = NULL, *found = NULL, *other = NULL, *nobodys = NULL;
	int status;

	made = world_ask(world, "POST", "/v1/environments", labelled, &status);
	assert_int_equal(status, 201);
	found = page(world, "&label=run=42", NULL);
	assert_int_equal(json_array_size(json_object_get(found, "items")), 1);
	other = page(world, "&label=run=43", NULL);
	assert_int_equal(json_array_size(json_object_get(other, "items")), 0);
	nobodys = page(world, "&owner=nobody", NULL);
	assert_int_equal(json_array_size(json_object_get(nobodys, "items")), 0);
}

/* ---- keys and names ---- */

static int create_with_key(struct world *world, const char *key, const char *name, json_t **answer)
{
	AUTO(json_decref) json_t *body = json_pack("{s:s, s:s}", "template", "fake", "name", name);
	AUTO(free) char *header = xasprintf("Idempotency-Key: %s\r\n", key);

	return http_ask_json(world->socket, "POST", "/v1/environments", header, body, answer);
}

static void a_key_belongs_to_one_request(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *first = NULL, *again = NULL, *reused = NULL;

	assert_int_equal(create_with_key(world, "k1", "keyed", &first), 201);
	assert_int_equal(create_with_key(world, "k1", "keyed", &again), 200);
	assert_string_equal(json_get_string(first, "id", "?"), json_get_string(again, "id", ""));
	assert_int_equal(create_with_key(world, "k1", "another", &reused), 422);
	assert_string_equal(json_get_string(reused, "code", ""), "idempotency_key_reused");
}

static int delete_it(struct world *world, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);

	return http_ask(world->socket, "DELETE", target, NULL, NULL, NULL);
}

static void a_name_is_free_again_and_the_old_one_answers_by_id(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *by_name = NULL, *by_id = NULL, *taken = NULL, *body = NULL;
	char old_id[37], new_id[37];
	AUTO(free) char *target = NULL;
	int status;

	world_create(world, "fake", "e1", NULL, old_id);
	world_wait(world, "e1", "ready", 30000);
	body = json_pack("{s:s, s:s}", "template", "fake", "name", "e1");
	taken = world_ask(world, "POST", "/v1/environments", body, &status);
	assert_int_equal(status, 409);
	assert_int_equal(delete_it(world, "e1"), 202);
	world_wait(world, old_id, "destroyed", 30000);
	assert_int_equal(delete_it(world, "e1"), 200);
	world_create(world, "fake", "e1", NULL, new_id);
	by_name = world_ask(world, "GET", "/v1/environments/e1", NULL, &status);
	assert_string_equal(json_get_string(by_name, "id", ""), new_id);
	target = xasprintf("/v1/environments/%s", old_id);
	by_id = world_ask(world, "GET", target, NULL, &status);
	assert_string_equal(json_get_string(by_id, "state", ""), "destroyed");
}

static void changing_what_has_ended_is_told_when_and_why(void **state)
{
	struct world *world = *state;
	AUTO(json_decref)
	json_t *more = json_pack("{s:s}", "extend", "1m"), *refused = NULL, *check = NULL;
	char id[37];
	int status;

	world_create(world, "fake", "e1", NULL, id);
	world_wait(world, "e1", "ready", 30000);
	assert_int_equal(delete_it(world, "e1"), 202);
	refused = world_ask(world, "PATCH", "/v1/environments/e1/lease", more, &status);
	assert_int_equal(status, 410);
	assert_non_null(strstr(json_get_string(refused, "detail", ""), "requested"));
	check = world_ask(world, "POST", "/v1/environments/e1/checks", NULL, &status);
	assert_int_equal(status, 410);
	world_wait(world, "e1", "destroyed", 30000);
	json_decref(refused);
	refused = world_ask(world, "PATCH", "/v1/environments/e1/lease", more, &status);
	assert_int_equal(status, 410);
}

/* Well before the scan of every 30 s: whoever built it tells whoever destroys. */
static void what_is_ended_while_it_is_built_is_soon_gone(void **state)
{
	struct world *world = *state;
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:s, s:{s:s}}", "template", "fake", "name", "e1",
				 "parameters", "fake", "create=slow:60000");
	AUTO(json_decref) json_t *made = world_ask(world, "POST", "/v1/environments", body, NULL);

	world_wait(world, "e1", "provisioning", 30000);
	assert_int_equal(delete_it(world, "e1"), 202);
	world_wait(world, json_get_string(made, "id", ""), "destroyed", 12000);
}

/* ---- events ---- */

/* Everything until the stream ends by itself. */
static char *events(struct world *world, const char *environment, int64_t after)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/events", environment);
	AUTO(free) char *header = xasprintf("Last-Event-ID: %lld\r\n", (long long)after);
	char *body = NULL;

	assert_int_equal(http_ask(world->socket, "GET", target, header, NULL, &body), 200);
	return body;
}

static size_t read_ids(const char *stream, int64_t *ids, size_t max)
{
	size_t count = 0;

	for (const char *at = stream; (at = strstr(at, "\nid: ")) && count < max; at += 5)
		ids[count++] = strtoll(at + 5, NULL, 10);
	return count;
}

static void a_stream_ends_with_the_environment_and_resumes_anywhere(void **state)
{
	struct world *world = *state;
	AUTO(free) char *all = NULL;
	int64_t ids[64], some[64];
	size_t count;
	char id[37];

	world_create(world, "fake", "e1", NULL, id);
	world_wait(world, "e1", "ready", 30000);
	assert_int_equal(delete_it(world, "e1"), 202);
	all = events(world, id, 0);
	assert_non_null(strstr(all, "\"state\":\"destroyed\""));
	count = read_ids(all, ids, 64);
	assert_true(count > 4);
	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *rest = events(world, id, ids[i]);

		assert_true(i == 0 || ids[i] > ids[i - 1]);
		assert_int_equal(read_ids(rest, some, 64), count - i - 1);
		assert_memory_equal(some, ids + i + 1, (count - i - 1) * sizeof(*ids));
	}
}

static int open_stream(struct world *world, const char *target)
{
	AUTO(free) char *request = xasprintf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 30 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, world->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* Until `wanted` has come, or the end. */
static void hear(int fd, struct text *heard, const char *wanted)
{
	char bytes[4096];
	ssize_t count = 1;

	while ((!wanted || !strstr(text_get(heard), wanted)) && count > 0) {
		count = recv(fd, bytes, sizeof(bytes), 0);
		if (count > 0)
			text_add_bytes(heard, bytes, (size_t)count);
	}
	assert_true(count > 0 || (!wanted && count == 0));
}

static void everybody_who_listens_hears_the_same(void **state)
{
	enum { LISTENERS = 100 };
	struct world *world = *state;
	struct text heard[LISTENERS] = { 0 };
	AUTO(free) char *target = NULL;
	int64_t first[64], other[64];
	int fds[LISTENERS];
	size_t count;
	char id[37];

	world_create(world, "fake", "e1", NULL, id);
	target = xasprintf("/v1/environments/%s/events", id);
	for (size_t i = 0; i < LISTENERS; i++)
		fds[i] = open_stream(world, target);
	world_wait(world, "e1", "ready", 30000);
	assert_int_equal(delete_it(world, "e1"), 202);
	for (size_t i = 0; i < LISTENERS; i++) {
		hear(fds[i], &heard[i], NULL);
		close(fds[i]);
	}
	count = read_ids(text_get(&heard[0]), first, 64);
	assert_true(count > 4);
	for (size_t i = 1; i < LISTENERS; i++) {
		assert_int_equal(read_ids(text_get(&heard[i]), other, 64), count);
		assert_memory_equal(first, other, count * sizeof(*first));
	}
	for (size_t i = 0; i < LISTENERS; i++)
		text_release(&heard[i]);
}

static void the_stream_of_all_begins_with_what_comes_next(void **state)
{
	struct world *world = *state;
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	char before[37], after[37];
	int fd;

	world_create(world, "fake", "before", NULL, before);
	world_wait(world, "before", "ready", 30000);
	fd = open_stream(world, "/v1/events");
	hear(fd, &heard, ": connected");
	world_create(world, "fake", "after", NULL, after);
	hear(fd, &heard, "\"state\":\"ready\"");
	close(fd);
	assert_null(strstr(text_get(&heard), before));
	assert_non_null(strstr(text_get(&heard), after));
}

static void a_stream_cut_by_a_restart_goes_on_without_a_gap(void **state)
{
	struct world *world = *state;
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	AUTO(free) char *target = NULL, *rest = NULL, *all = NULL;
	int64_t ids[128], whole[128];
	size_t count;
	char id[37];
	int fd;

	world_create(world, "fake", "e1", NULL, id);
	target = xasprintf("/v1/environments/%s/events", id);
	fd = open_stream(world, target);
	hear(fd, &heard, "\"state\":\"provisioning\"");
	world_end(world, SIGKILL);
	hear(fd, &heard, NULL);
	close(fd);
	world_start(world);
	world_wait(world, "e1", "ready", 30000);
	assert_int_equal(delete_it(world, "e1"), 202);
	count = read_ids(text_get(&heard), ids, 64);
	rest = events(world, id, ids[count - 1]);
	count += read_ids(rest, ids + count, 64);
	all = events(world, id, 0);
	assert_int_equal(read_ids(all, whole, 128), count);
	assert_memory_equal(ids, whole, count * sizeof(*ids));
}

/* ---- the rest ---- */

static void reports_come_in_the_format_that_was_asked(void **state)
{
	static const char *const formats[] = { "json", "markdown", "junit", "text" };
	struct world *world = *state;
	AUTO(free) char *refused = NULL;
	char id[37];

	world_create(world, "fake", "e1", NULL, id);
	world_wait(world, "e1", "ready", 30000);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		AUTO(free)
		char *target = xasprintf("/v1/environments/e1/report?format=%s", formats[i]);
		AUTO(free) char *body = NULL;

		assert_int_equal(http_ask(world->socket, "GET", target, NULL, NULL, &body), 200);
		assert_non_null(strstr(body, "e1"));
	}
	assert_int_equal(http_ask(world->socket, "GET", "/v1/environments/e1/report?format=pdf",
				  NULL, NULL, &refused),
			 400);
	assert_non_null(strstr(refused, "junit"));
}

static void services_are_asked_of_the_engine_when_somebody_asks(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *answer = NULL;
	char id[37];
	int status;

	world_create(world, "fake", "e1", NULL, id);
	world_wait(world, "e1", "ready", 30000);
	answer = world_ask(world, "GET", "/v1/environments/e1/services", NULL, &status);
	assert_int_equal(status, 200);
	assert_int_equal(json_array_size(json_object_get(answer, "services")), 2);
	assert_true(json_get_bool(answer, "healthy", false));
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, start, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(pages_have_everything_once_newest_first_while_more_arrives),
		IN_A_WORLD(lists_are_filtered_by_what_was_asked),
		IN_A_WORLD(a_key_belongs_to_one_request),
		IN_A_WORLD(a_name_is_free_again_and_the_old_one_answers_by_id),
		IN_A_WORLD(changing_what_has_ended_is_told_when_and_why),
		IN_A_WORLD(what_is_ended_while_it_is_built_is_soon_gone),
		IN_A_WORLD(a_stream_ends_with_the_environment_and_resumes_anywhere),
		IN_A_WORLD(everybody_who_listens_hears_the_same),
		IN_A_WORLD(the_stream_of_all_begins_with_what_comes_next),
		IN_A_WORLD(a_stream_cut_by_a_restart_goes_on_without_a_gap),
		IN_A_WORLD(reports_come_in_the_format_that_was_asked),
		IN_A_WORLD(services_are_asked_of_the_engine_when_somebody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
