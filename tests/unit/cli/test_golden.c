/*
 * What people see, letter by letter, where they see it: on a terminal, a narrow one, one without
 * colour, in a pipe, in GitHub's log. The files are tests/fixtures/cli/golden; ENVD_WRITE_GOLDEN=1
 * writes them anew, to be looked at before they are committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/cli_session.h"

#define GOLDEN "tests/fixtures/cli/golden"
#define ID "0a0b0c0d-1111-4222-8333-444455556666"
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static json_t *route(const char *method, const char *path, int status, const char *json)
{
	return json_pack("{s:s, s:s, s:[{s:i, s:o}]}", "method", method, "path", path, "answers",
			 "status", status, "json", json_of(json));
}

/* Ends that have passed: how long is left would be another text every second. */
static const char list[] =
    "{\"next\":null,\"items\":["
    "{\"id\":\"0a0b0c0d-1111-4222-8333-444455556666\",\"name\":\"pr-812\",\"template\":\"mara-"
    "local\",\"state\":\"ready\",\"owner\":\"ci/bank\",\"expires_at\":\"2026-01-01T00:00:00Z\","
    "\"target\":\"local\",\"created_at\":\"2025-12-31T22:00:00.000Z\",\"checks\":{\"verdict\":"
    "\"passed\"},\"outputs\":{\"url\":\"https://127.0.0.1:4443\"},\"cost\":{\"currency\":\"USD\","
    "\"so_far\":0.41,\"at_expiry\":0.82}},"
    "{\"id\":\"1b0b0c0d-1111-4222-8333-444455556666\",\"name\":\"a-name-that-is-rather-long\","
    "\"template\":\"mara-local\",\"state\":\"destroying\",\"quarantined\":true,\"owner\":"
    "\"caf\xc3\xa9\","
    "\"target\":\"local\",\"created_at\":\"2025-12-31T21:00:00.000Z\",\"checks\":{\"verdict\":"
    "\"failed\"},\"cost\":{\"currency\":\"USD\",\"so_far\":12.5,\"at_expiry\":12.5}},"
    "{\"id\":\"2c0b0c0d-1111-4222-8333-444455556666\",\"name\":\"new\",\"template\":\"small\","
    "\"state\":\"queued\",\"owner\":\"me\",\"target\":\"local\",\"created_at\":\"2025-12-31T23:00:"
    "00.000Z\",\"cost\":{\"currency\":\"USD\",\"so_far\":0.00012,\"at_expiry\":0.06}}]}";

static const char costs[] = "{\"items\":[{\"owner\":\"ci/bank\",\"live\":1,\"so_far\":0.41,"
			    "\"at_expiry\":0.82,\"currency\":\"USD\"}]}";

static const char queued[] =
    "{\"id\":\"" ID "\",\"name\":\"demo\",\"state\":\"queued\",\"template\":\"bank\"}";
static const char failed[] =
    "{\"id\":\"" ID "\",\"name\":\"demo\",\"state\":\"destroying\",\"reason\":\"create_failed\","
    "\"template\":\"bank\",\"error\":{\"slug\":\"service_unhealthy\",\"message\":\"service "
    "\\\"web\\\" "
    "did not become healthy; its last lines:\\n::set-output name=x::y\\nbye\",\"hint\":\"envctl "
    "logs "
    "demo --service web\"}}";
static const char rows[] =
    "[[1,\"state\",{\"at\":\"2026-11-24T20:00:01.000Z\",\"name\":\"demo\",\"kind\":\"state\","
    "\"state\":\"queued\",\"message\":\"accepted for ci\"}],"
    "[2,\"state\",{\"at\":\"2026-11-24T20:00:02.000Z\",\"name\":\"demo\",\"kind\":\"state\","
    "\"state\":\"provisioning\",\"message\":\"\"}],"
    "[3,\"layer\",{\"at\":\"2026-11-24T20:00:03.000Z\",\"name\":\"demo\",\"kind\":\"layer\","
    "\"message\":\"\",\"data\":{\"name\":\"web\",\"state\":\"failed\",\"elapsed_ms\":2200}}],"
    "[4,\"state\",{\"at\":\"2026-11-24T20:00:04.000Z\",\"name\":\"demo\",\"kind\":\"state\","
    "\"state\":\"destroying\",\"message\":\"create_failed\"}]]";

static int open_server(void **state)
{
	json_t *events = json_pack("{s:s, s:s, s:[{s:o, s:b}]}", "method", "GET", "path",
				   "/v1/environments/" ID "/events", "answers", "events",
				   json_of(rows), "hold", 1);
	json_t *get = json_pack("{s:s, s:s, s:[{s:o}, {s:o}]}", "method", "GET", "path",
				"/v1/environments/" ID, "answers", "json", json_of(queued), "json",
				json_of(failed));

	*state = fake_server_start(
	    json_pack("[o, o, o, o, o]", route("GET", "/v1/environments", 200, list),
		      route("GET", "/v1/costs", 200, costs),
		      route("POST", "/v1/environments", 201, queued), get, events));
	return 0;
}

static int close_server(void **state)
{
	fake_server_stop(*state);
	return 0;
}

/* What nobody can know before stands as TOKEN. */
static char *without_token(const char *text)
{
	const char *stop = strstr(text, "::stop-commands::");
	struct text plain = TEXT_EMPTY;
	char token[80] = "";

	if (!stop || sscanf(stop, "::stop-commands::%79[^\r\n]", token) != 1)
		return xstrdup(text);
	while (*text) {
		if (text_starts_with(text, token)) {
			text_add(&plain, "TOKEN");
			text += strlen(token);
		} else {
			text_add_char(&plain, *text++);
		}
	}
	return text_take(&plain);
}

static void assert_golden(const char *name, const char *text)
{
	AUTO(free) char *path = xasprintf(GOLDEN "/%s", name);
	AUTO(free) char *seen = without_token(text);
	AUTO(free) char *golden = NULL;
	struct error err;

	if (getenv("ENVD_WRITE_GOLDEN")) {
		assert_true(folder_make(GOLDEN, 0755, &err));
		assert_true(file_write_atomically(path, seen, strlen(seen), 0644, &err));
		return;
	}
	if (!file_read(path, 1024 * 1024, &golden, NULL, &err))
		fail_msg("%s", err.message);
	if (strcmp(seen, golden) != 0)
		fail_msg("%s is not what was seen:\n%s", path, seen);
}

/* Both streams, one after the other; on a terminal they are one. */
static void see(const char *name, const struct cli_spec *spec, int status)
{
	AUTO(cli_free) struct cli_session *run = cli_run(spec);
	AUTO(free)
	char *both = spec->columns
			 ? xstrdup(text_get(&run->err))
			 : xasprintf("%s---- stderr\n%s", text_get(&run->out), text_get(&run->err));

	assert_golden(name, both);
	assert_int_equal(cli_exit_status(run), status);
}

static const struct {
	const char *name;
	unsigned short columns;
	const char *variable;
} places[] = {
	{ "terminal", 140, "X=" },
	{ "narrow", 60, "X=" },
	{ "no-color", 140, "NO_COLOR=1" },
	{ "dumb", 140, "TERM=dumb" },
	{ "pipe", 0, "X=" },
	{ "forced-color", 0, "FORCE_COLOR=1" },
	{ "github", 0, "GITHUB_ACTIONS=true" },
};

static void a_list_looks_everywhere_as_it_did(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO(free) char *name = xasprintf("list-%s.txt", places[i].name);

		see(name,
		    &(struct cli_spec){ .server = *state,
					.arguments = WORDS("list"),
					.variables = WORDS(places[i].variable),
					.columns = places[i].columns },
		    0);
	}
}

static void lists_are_arranged_as_asked(void **state)
{
	static const struct {
		const char *name, *arguments[6];
		int status;
	} cases[] = {
		{ "list-columns.txt", { "list", "--columns", "state,name,expires-in" }, 0 },
		{ "list-sorted.txt", { "list", "--sort-by=-cost", "--columns", "name,cost" }, 0 },
		{ "list-by-created.txt", { "list", "--sort-by", "created", "--no-headers" }, 0 },
		{ "list-wrong-column.txt", { "list", "--columns", "name,prize" }, 2 },
		{ "list-name.txt", { "list", "-o", "name" }, 0 },
		{ "list-jsonpath.txt",
		  { "list", "-o", "jsonpath={.items[?(@.state==\"ready\")].outputs.url}" },
		  0 },
		{ "list-jsonpath-wrong.txt", { "list", "-o", "jsonpath={.items[}" }, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		see(cases[i].name,
		    &(struct cli_spec){ .server = *state, .arguments = cases[i].arguments },
		    cases[i].status);
}

static void a_failed_build_looks_everywhere_as_it_did(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO(free) char *name = xasprintf("failed-%s.txt", places[i].name);
		void *server;

		open_server(&server);
		/* The live block has the time in it and a test of its own. */
		see(name,
		    &(struct cli_spec){ .server = server,
					.arguments = WORDS("create", "bank", "--progress", "plain",
							   "--idempotency-key", "k"),
					.variables = WORDS(places[i].variable),
					.columns = places[i].columns },
		    4);
		close_server(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_looks_everywhere_as_it_did, open_server,
						close_server),
		cmocka_unit_test_setup_teardown(lists_are_arranged_as_asked, open_server,
						close_server),
		cmocka_unit_test(a_failed_build_looks_everywhere_as_it_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
