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

/* Of what is looked into: over, so that nothing depends on the clock. */
#define AT(second) "\"at\":\"2026-11-24T20:00:" second ".000Z\""
static const char gone[] = "{\"id\":\"" ID "\",\"name\":\"bank\",\"state\":\"destroyed\"}";
static const char history[] =
    "{\"next\":null,\"items\":["
    "{\"kind\":\"state\"," AT(
	"00") ",\"state\":\"queued\"},"
	      "{\"kind\":\"state\"," AT(
		  "02") ",\"state\":\"provisioning\"},"
			"{\"kind\":\"layer\"," AT(
			    "04") ",\"data\":{\"name\":\"network\",\"state\":\"started\"}},"
				  "{\"kind\":\"layer\"," AT(
				      "10") ",\"data\":{\"name\":\"network\",\"state\":\"ready\"}},"
					    "{\"kind\":\"layer\"," AT(
						"10") ",\"data\":{\"name\":\"app\",\"state\":"
						      "\"started\"}},"
						      "{\"kind\":\"layer\"," AT(
							  "20") ",\"data\":{\"name\":\"app\","
								"\"state\":\"failed\"}},"
								"{\"kind\":\"layer\"," AT(
								    "21") ",\"data\":{\"name\":"
									  "\"app\",\"state\":"
									  "\"started\"}},"
									  "{\"kind\":\"layer\"," AT(
									      "29") ",\"data\":{"
										    "\"name\":"
										    "\"app\","
										    "\"state\":"
										    "\"ready\"}},"
										    "{\"kind\":"
										    "\"state\"," AT(
											"30") ",\"s"
											      "tate"
											      "\":"
											      "\"ch"
											      "ecki"
											      "ng\""
											      "},"
											      "{\"k"
											      "ind"
											      "\":"
											      "\"st"
											      "ate"
											      "\""
											      "," AT(
												  "34") ",\"state\":\"ready\"},"
													"{\"kind\":\"state\"," AT(
													    "50") ",\"state\":\"destroying\"},"
														  "{\"kind\":\"state\"," AT(
														      "55") ",\"state\":\"destroyed\"}]}";
static const char layers[] =
    "{\"next\":null,\"items\":["
    "{\"name\":\"network\",\"needs\":[],\"level\":0,\"state\":\"ready\",\"elapsed_ms\":6000,"
    "\"attempts\":1,\"message\":\"3 changed\"},"
    "{\"name\":\"app\",\"needs\":[\"network\"],\"level\":1,\"state\":\"failed\",\"elapsed_ms\":"
    "8000,\"attempts\":2,\"message\":\"no quota\"},"
    "{\"name\":\"a-layer-with-a-long-name\",\"needs\":[\"app\",\"network\"],\"level\":2,"
    "\"state\":\"waiting\",\"elapsed_ms\":null,\"attempts\":0,\"message\":\"\"}]}";
static const char resources[] =
    "{\"next\":null,\"items\":["
    "{\"layer\":\"network\",\"type\":\"aws:ec2/vpc:Vpc\",\"name\":\"main\",\"id\":\"vpc-1\","
    "\"urn\":\"urn:pulumi:s::p::aws:ec2/vpc:Vpc::main\",\"parent\":null,\"link\":"
    "\"https://eu-west-1.console.aws.amazon.com/vpcconsole/home?region=eu-west-1#VpcDetails:VpcId="
    "vpc-1\"},"
    "{\"layer\":\"app\",\"type\":\"kubernetes:core/v1:Namespace\",\"name\":\"bos\",\"id\":\"bos\","
    "\"link\":null},"
    "{\"layer\":\"app\",\"type\":\"my:component\",\"name\":\"a-component\",\"id\":\"\","
    "\"link\":null}]}";
static const char updates[] =
    "{\"next\":null,\"items\":["
    "{\"n\":1,\"layer\":\"network\",\"operation\":\"up\",\"state\":\"succeeded\",\"started_at\":"
    "\"2026-11-24T20:00:04.000Z\",\"ended_at\":\"2026-11-24T20:00:10.000Z\",\"message\":\"\","
    "\"changes\":{\"create\":2},\"left_out\":1,\"resources\":[{\"urn\":\"u\",\"type\":"
    "\"aws:ec2/vpc:Vpc\",\"name\":\"main\",\"op\":\"create\",\"id\":\"vpc-1\",\"failed\":false,"
    "\"attributes\":[{\"path\":\"cidrBlock\",\"from\":null,\"to\":\"10.0.0.0/16\"}],"
    "\"attributes_left_out\":2}]},"
    "{\"n\":2,\"layer\":\"app\",\"operation\":\"up\",\"state\":\"failed\",\"started_at\":"
    "\"2026-11-24T20:00:10.000Z\",\"ended_at\":\"2026-11-24T20:00:20.000Z\",\"message\":"
    "\"layer \\\"app\\\": no quota\",\"changes\":{\"update\":1,\"delete\":1},\"left_out\":0,"
    "\"resources\":[{\"urn\":\"u\",\"type\":\"kubernetes:apps/v1:Deployment\",\"name\":\"web\","
    "\"op\":\"update\",\"id\":\"bos/web\",\"failed\":true,\"attributes\":[{\"path\":"
    "\"spec.replicas\",\"from\":\"1\",\"to\":\"2\"},{\"path\":\"password\",\"from\":\"[secret]\","
    "\"to\":\"[secret]\"},{\"path\":\"note\",\"from\":\"\\u001b[31mred\",\"to\":null}],"
    "\"attributes_left_out\":0},{\"urn\":\"u\",\"type\":\"kubernetes:core/v1:Service\",\"name\":"
    "\"old\",\"op\":\"delete\",\"id\":\"bos/old\",\"failed\":false,\"attributes\":[],"
    "\"attributes_left_out\":0}]},"
    "{\"n\":3,\"layer\":\"app\",\"operation\":\"up\",\"state\":\"interrupted\",\"started_at\":"
    "\"2026-11-24T20:00:21.000Z\",\"ended_at\":null,\"message\":\"\",\"changes\":{},\"left_out\":0,"
    "\"resources\":[]}]}";
static const char outputs[] = "{\"url\":\"https://bank.example.com\",\"ca\":\"line\\nline\\n\"}";

static int open_looked_into(void **state)
{
	*state = fake_server_start(
	    json_pack("[o, o, o, o, o, o]", route("GET", "/v1/environments/bank", 200, gone),
		      route("GET", "/v1/environments/bank/history", 200, history),
		      route("GET", "/v1/environments/bank/layers", 200, layers),
		      route("GET", "/v1/environments/bank/resources", 200, resources),
		      route("GET", "/v1/environments/bank/updates", 200, updates),
		      route("GET", "/v1/environments/bank/outputs", 200, outputs)));
	return 0;
}

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

static void what_is_looked_into_looks_everywhere_as_it_did(void **state)
{
	static const struct {
		const char *name, *arguments[4];
	} commands[] = {
		{ "graph", { "graph", "bank" } },
		{ "timeline", { "history", "bank", "--timeline" } },
		{ "resources", { "resources", "bank" } },
		{ "updates", { "updates", "bank" } },
	};

	for (size_t c = 0; c < ARRAY_SIZE(commands); c++) {
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			AUTO(free)
			char *name = xasprintf("%s-%s.txt", commands[c].name, places[i].name);

			/* A pipe with another variable is a pipe. */
			if (i > 1 && places[i].columns == 0 && strcmp(places[i].name, "pipe") != 0)
				continue;
			see(name,
			    &(struct cli_spec){ .server = *state,
						.arguments = commands[c].arguments,
						.variables = WORDS(places[i].variable),
						.columns = places[i].columns },
			    0);
		}
	}
}

static void pictures_and_values_are_as_they_were(void **state)
{
	static const struct {
		const char *name, *arguments[6];
		int status;
	} cases[] = {
		{ "graph.svg", { "graph", "bank", "-o", "svg" }, 0 },
		{ "graph.dot", { "graph", "bank", "-o", "dot" }, 0 },
		{ "graph.mermaid", { "graph", "bank", "-o", "mermaid" }, 0 },
		{ "timeline.yaml", { "history", "bank", "-t", "-o", "yaml" }, 0 },
		{ "timeline-wrong.txt", { "history", "bank", "-t", "--follow" }, 2 },
		{ "updates-table.txt", { "updates", "bank", "-o", "table" }, 0 },
		{ "outputs.txt", { "outputs", "bank" }, 0 },
		{ "outputs-one.txt", { "outputs", "env/bank", "ca" }, 0 },
		{ "outputs-wrong.txt", { "outputs", "bank", "uri" }, 6 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		see(cases[i].name,
		    &(struct cli_spec){ .server = *state, .arguments = cases[i].arguments },
		    cases[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_looks_everywhere_as_it_did, open_server,
						close_server),
		cmocka_unit_test_setup_teardown(lists_are_arranged_as_asked, open_server,
						close_server),
		cmocka_unit_test(a_failed_build_looks_everywhere_as_it_did),
		cmocka_unit_test_setup_teardown(what_is_looked_into_looks_everywhere_as_it_did,
						open_looked_into, close_server),
		cmocka_unit_test_setup_teardown(pictures_and_values_are_as_they_were,
						open_looked_into, close_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
