#include "cli/lock_document.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "tests/support/cli_session.h"

#define ID "0a0b0c0d-1111-4222-8333-444455556666"
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- differences ---- */

static void differences_are_named_by_their_path_and_nothing_is_like_null(void **unused)
{
	AUTO(json_decref)
	json_t *a = json_loads("{\"z\":{\"v\":1,\"gone\":\"x\"},\"b\":[1,2],\"same\":{\"q\":true},"
			       "\"n\":null}",
			       0, NULL);
	AUTO(json_decref)
	json_t *b = json_loads("{\"same\":{\"q\":true},\"b\":[2,1],\"z\":{\"v\":\"1\"}}", 0, NULL);
	AUTO(json_decref) json_t *differences = json_differences(a, b);
	AUTO(text_release) struct text text = TEXT_EMPTY;

	(void)unused;
	json_differences_text(differences, &text);
	assert_string_equal(text_get(&text),
			    "b: [2,1], not [1,2]\nz.gone: nothing, not x\nz.v: 1, not 1");
	assert_int_equal(json_array_size(differences), 3);
}

static void a_document_does_not_differ_from_itself_in_another_order(void **unused)
{
	AUTO(json_decref) json_t *a = json_loads("{\"a\":{\"x\":1,\"y\":2},\"b\":0}", 0, NULL);
	AUTO(json_decref) json_t *b = json_loads("{\"b\":0,\"a\":{\"y\":2,\"x\":1}}", 0, NULL);
	AUTO(json_decref) json_t *differences = json_differences(a, b);

	(void)unused;
	assert_int_equal(json_array_size(differences), 0);
}

/* ---- create --like ---- */

static json_t *route(const char *method, const char *path, json_t *json)
{
	return json_pack("{s:s, s:s, s:[{s:i, s:o}]}", "method", method, "path", path, "answers",
			 "status", strcmp(method, "POST") ? 200 : 201, "json", json);
}

static json_t *lock_with_image(const char *image_id)
{
	return json_pack("{s:{s:s, s:s}, s:{s:{s:s, s:s}}, s:{s:{s:s, s:s}}}", "template", "name",
			 "bank", "digest", "d1", "components", "web", "version", "1.22", "image_id",
			 image_id, "services", "web", "image_id", image_id, "config_hash",
			 "its own");
}

/* "old" was built from image A; what is built now gets `image_id`. */
static struct fake_server *serve(const char *image_id, const char *template_digest)
{
	json_t *made = json_pack("{s:s, s:s, s:s, s:{s:s}}", "id", ID, "name", "new", "state",
				 "ready", "parameters", "users", "7");

	return fake_server_start(json_pack(
	    "[o, o, o, o, o, o, o, o]",
	    route("GET", "/v1/environments/old",
		  json_pack("{s:s, s:{s:s}}", "name", "old", "parameters", "users", "7")),
	    route("GET", "/v1/environments/old/lock", lock_with_image("A")),
	    route("GET", "/v1/templates/bank", json_pack("{s:s}", "digest", template_digest)),
	    route("POST", "/v1/environments", json_incref(made)),
	    route("GET", "/v1/environments/" ID, made),
	    route("GET", "/v1/environments/" ID "/lock", lock_with_image(image_id)),
	    route("DELETE", "/v1/environments/" ID, json_object()),
	    route("GET", "/v1/environments/" ID "/events", json_object())));
}

static struct cli_session *create_like_old(const struct fake_server *server)
{
	return cli_run(&(struct cli_spec){
	    .server = server, .arguments = WORDS("create", "--like", "old", "-o", "name") });
}

static void what_is_like_another_asks_for_its_versions_and_parameters(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve("A", "d1");
	AUTO(cli_free) struct cli_session *run = create_like_old(server);
	AUTO(json_decref) json_t *requests = fake_server_requests(server);
	AUTO(json_decref)
	json_t *wanted = json_pack("{s:s, s:{s:s}, s:{s:s}}", "template", "bank", "pins", "web",
				   "1.22", "parameters", "users", "7");
	size_t i;
	json_t *request;

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(text_get(&run->out), "env/new\n");
	json_array_foreach(requests, i, request) {
		if (text_equal(json_get_string(request, "method", ""), "POST"))
			assert_true(json_equal(json_object_get(request, "body"), wanted));
	}
}

static void an_image_that_moved_meanwhile_is_named_and_what_was_built_is_ended(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve("B", "d1");
	AUTO(cli_free) struct cli_session *run = create_like_old(server);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 4);
	assert_non_null(strstr(text_get(&run->err), "error[lock_differs]"));
	assert_non_null(strstr(text_get(&run->err), "lock.components.web.image_id: B, not A"));
	assert_int_equal(fake_server_count(server, "DELETE", "/v1/environments/" ID), 1);
}

static void a_template_that_changed_is_refused_before_anything_is_made(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve("A", "d2");
	AUTO(cli_free) struct cli_session *run = create_like_old(server);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 1);
	assert_non_null(strstr(text_get(&run->err), "error[template_changed]"));
	assert_int_equal(fake_server_count(server, "POST", "/v1/environments"), 0);
}

/* ---- diff ---- */

static json_t *state_row(const char *state, int seconds)
{
	AUTO(free) char *at = xasprintf("2026-11-24T20:00:%02dZ", seconds);

	return json_pack("{s:s, s:s, s:s}", "kind", "state", "state", state, "at", at);
}

/* Built of `image_id`, with a layer that took `layer_ms`; provisioning was tried twice. */
static json_t *report_of(const char *name, int layer_ms)
{
	return json_pack(
	    "{s:s, s:[o, o, o, o, o, o], s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}", "generated_at",
	    "2026-11-24T20:00:59Z", "history", state_row("queued", 0), state_row("provisioning", 2),
	    state_row("queued", 5), state_row("provisioning", 6), state_row("checking", 16),
	    state_row("ready", 20), "layers", "name", name, "state", "ready", "elapsed_ms",
	    layer_ms, "name", "half", "state", "started", "elapsed_ms", 0);
}

static struct fake_server *serve_two(const char *image_of_b)
{
	json_t *environment = json_pack("{s:s, s:s, s:s, s:{}}", "name", "x", "engine", "container",
					"target", "local", "parameters");

	return fake_server_start(json_pack(
	    "[o, o, o, o, o, o]", route("GET", "/v1/environments/a", json_incref(environment)),
	    route("GET", "/v1/environments/a/lock", lock_with_image("A")),
	    route("GET", "/v1/environments/a/report", report_of("web", 1500)),
	    route("GET", "/v1/environments/b", environment),
	    route("GET", "/v1/environments/b/lock", lock_with_image(image_of_b)),
	    route("GET", "/v1/environments/b/report", report_of("db", 2500))));
}

static void assert_printed(const struct cli_session *run, const char *line)
{
	if (!strstr(text_get(&run->out), line))
		fail_msg("\"%s\" is not in: %s", line, text_get(&run->out));
}

static void times_of_every_part_are_shown_and_are_no_difference(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_two("A");
	AUTO(cli_free)
	struct cli_session *run =
	    cli_run(&(struct cli_spec){ .server = server, .arguments = WORDS("diff", "a", "b") });

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_printed(run, "time queued        3s    3s\n");
	assert_printed(run, "time to provision  13s   13s\n");
	assert_printed(run, "time to check      4s    4s\n");
	assert_printed(run, "time of layer web  1.5s  -\n");
	assert_printed(run, "time of layer db   -     2.5s\n");
	assert_null(strstr(text_get(&run->out), "half"));
	assert_printed(run, "built from the same things");
}

static void what_differs_beside_times_is_status_7(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_two("B");
	AUTO(cli_free)
	struct cli_session *run = cli_run(&(struct cli_spec){
	    .server = server, .arguments = WORDS("diff", "a", "b", "-o", "json") });
	AUTO(json_decref) json_t *diff = json_loads(text_get(&run->out), 0, NULL);
	const json_t *times = json_object_get(json_object_get(diff, "timings"), "b");

	(void)unused;
	assert_int_equal(cli_exit_status(run), 7);
	assert_int_equal(json_array_size(json_object_get(diff, "differences")), 2);
	assert_int_equal(json_get_int64(times, "checking_ms", 0), 4000);
	assert_int_equal(json_get_int64(json_object_get(times, "layers"), "db", 0), 2500);
}

static void options_that_contradict_each_other_are_refused(void **unused)
{
	static const char *const lines[][5] = {
		{ "create", NULL },
		{ "create", "bank", "--like=old", NULL },
		{ "create", "--like=old", "--no-wait", NULL },
		{ "create", "--like=old", "--template-ref=v1", NULL },
		{ "create", "bank", "--detailed-exitcode", NULL },
		{ "create", "bank", "--dry-run=perhaps", NULL },
		{ "create", "bank", "--dry-run=client", "-oname", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		AUTO(cli_free)
		struct cli_session *run = cli_run(&(struct cli_spec){ .arguments = lines[i] });

		assert_int_equal(cli_exit_status(run), 2);
	}
}

static void a_dry_run_of_the_client_needs_no_server_and_has_what_would_be_sent(void **unused)
{
	AUTO(cli_free)
	struct cli_session *run = cli_run(&(struct cli_spec){
	    .arguments = WORDS("create", "bank", "--pin", "web=1", "--dry-run", "client", "-o",
			       "json", "--detailed-exitcode", "--idempotency-key", "k") });
	AUTO(json_decref) json_t *printed = json_loads(text_get(&run->out), 0, NULL);
	AUTO(json_decref)
	json_t *wanted = json_pack("{s:s, s:s, s:s, s:{s:s, s:{s:s}}}", "apiVersion", "envd/v1",
				   "kind", "CreateRequest", "idempotency_key", "k", "request",
				   "template", "bank", "pins", "web", "1");

	(void)unused;
	assert_int_equal(cli_exit_status(run), 7);
	assert_true(json_equal(printed, wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_named_by_their_path_and_nothing_is_like_null),
		cmocka_unit_test(a_document_does_not_differ_from_itself_in_another_order),
		cmocka_unit_test(what_is_like_another_asks_for_its_versions_and_parameters),
		cmocka_unit_test(
		    an_image_that_moved_meanwhile_is_named_and_what_was_built_is_ended),
		cmocka_unit_test(a_template_that_changed_is_refused_before_anything_is_made),
		cmocka_unit_test(times_of_every_part_are_shown_and_are_no_difference),
		cmocka_unit_test(what_differs_beside_times_is_status_7),
		cmocka_unit_test(options_that_contradict_each_other_are_refused),
		cmocka_unit_test(
		    a_dry_run_of_the_client_needs_no_server_and_has_what_would_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
