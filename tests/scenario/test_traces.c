/*
 * The life of an environment as an OTLP trace, sent to tests/support/fake_collector.py, which looks
 * at the shape of every document. The engine is tests/support/fake_engine.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"
#include "tests/support/metrics_look.h"

static pid_t collector;

static bool has_port(void *arg)
{
	AUTO(free) char *path = xasprintf("%s/port", ((struct world *)arg)->folder);

	return file_exists(path);
}

/* `status` NULL: it takes what is sent. */
static int collect(struct world *world, const char *status)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free)
	char *program = xasprintf("%s/tests/support/fake_collector.py", source ? source : ".");
	AUTO(free) char *path = xasprintf("%s/port", world->folder);
	AUTO(free) char *port = NULL;
	struct error err;

	collector = fork();
	if (!collector) {
		dup2(world->log_fd, STDERR_FILENO);
		execl(program, program, world->folder, status, NULL);
		_exit(127);
	}
	assert_true(eventually(has_port, world, 15000));
	assert_true(file_read(path, 64, &port, NULL, &err));
	return atoi(port);
}

static void start_with_endpoint(struct world *world, int port)
{
	AUTO(free) char *argument = xasprintf("--otlp-endpoint=http://127.0.0.1:%d", port);

	world_argument(world, argument);
	world_start(world);
}

static int start(void **state)
{
	struct world *world = fake_world_new();

	start_with_endpoint(world, collect(world, NULL));
	*state = world;
	return 0;
}

static int end(void **state)
{
	if (collector > 0) {
		kill(collector, SIGKILL);
		waitpid(collector, NULL, 0);
		collector = 0;
	}
	unsetenv("TRACEPARENT");
	world_free(*state);
	return 0;
}

struct line {
	struct world *world;
	const char *text;
};

static bool is_scraped(void *arg)
{
	const struct line *line = arg;
	AUTO(free) char *text = metrics_scrape(line->world);

	return strstr(text, line->text) != NULL;
}

static void await_metric(struct world *world, const char *text)
{
	if (!eventually(is_scraped, &(struct line){ world, text }, 30000))
		fail_msg("\"%s\" is not in the metrics", text);
}

/* The spans of the one trace that was taken. */
static json_t *spans_of(struct world *world)
{
	AUTO(free) char *path = xasprintf("%s/traces", world->folder);
	AUTO(free) char *wrong = xasprintf("%s/wrong", world->folder);
	AUTO(free) char *text = NULL;
	AUTO(json_decref) json_t *document = NULL;
	struct error err;

	if (file_exists(wrong) && file_read(wrong, 1 << 20, &text, NULL, &err))
		fail_msg("the collector found: %s", text);
	if (!json_read_file(path, 1 << 20, &document, &err))
		fail_msg("%s", err.message);
	return json_incref(json_object_get(
	    json_array_get(
		json_object_get(json_array_get(json_object_get(document, "resourceSpans"), 0),
				"scopeSpans"),
		0),
	    "spans"));
}

static const json_t *span_named(const json_t *spans, const char *name)
{
	for (size_t i = 0; i < json_array_size(spans); i++)
		if (strcmp(json_get_string(json_array_get(spans, i), "name", ""), name) == 0)
			return json_array_get(spans, i);
	fail_msg("there is no span \"%s\"", name);
	return NULL;
}

static void assert_below(const json_t *spans, const char *name, const char *parent)
{
	assert_string_equal(json_get_string(span_named(spans, name), "parentSpanId", ""),
			    json_get_string(span_named(spans, parent), "spanId", "none"));
}

static void a_life_becomes_one_trace_that_joins_that_of_the_ci_run(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *spans = NULL;
	const json_t *root;

	setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 1);
	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", "e1", NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "e1", NULL), 0);
	await_metric(world, "\nenvd_traces_sent_total 1\n");
	spans = spans_of(world);
	root = span_named(spans, "environment fake");
	assert_string_equal(json_get_string(root, "traceId", ""),
			    "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(json_get_string(root, "parentSpanId", ""), "b7ad6b7169203331");
	assert_below(spans, "queue", "environment fake");
	assert_below(spans, "create", "environment fake");
	assert_below(spans, "layer web", "create");
	assert_below(spans, "layer db", "create");
	assert_below(spans, "lease", "environment fake");
	assert_below(spans, "destroy", "environment fake");
	assert_below(spans, "proof", "destroy");
}

static void a_failed_build_is_a_trace_that_says_so(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *spans = NULL;
	const json_t *status;

	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", "e1", "--param",
				      "fake=create=half", NULL),
			 4);
	world_wait(world, "e1", "destroyed", 30000);
	await_metric(world, "\nenvd_traces_sent_total 1\n");
	spans = spans_of(world);
	status = json_object_get(span_named(spans, "environment fake"), "status");
	assert_int_equal(json_get_int64(status, "code", 0), 2);
	assert_non_null(
	    strstr(json_get_string(status, "message", ""), "only half of it could be made"));
	assert_below(spans, "evidence", "environment fake");
}

static void a_collector_that_refuses_or_is_not_there_hurts_nobody(void **state)
{
	struct world *world = fake_world_new();
	int port = collect(world, "503");

	*state = world;
	start_with_endpoint(world, port);
	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", "e1", NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "e1", NULL), 0);
	await_metric(world, "\nenvd_traces_dropped_total{why=\"refused\"} 1\n");
	kill(collector, SIGKILL);
	waitpid(collector, NULL, 0);
	collector = 0;
	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", "e2", NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "e2", NULL), 0);
	await_metric(world, "\nenvd_traces_dropped_total{why=\"unreachable\"} 1\n");
	assert_int_equal(http_ask(world->socket, "GET", "/readyz", NULL, NULL, NULL), 200);
}

/* A collector with a certificate of "ca" for `names`, and an envd that believes `believed` alone;
 * `believed` NULL: the system's CAs. */
static void start_with_tls(struct world *world, const char *names, const char *believed)
{
	AUTO(free) char *endpoint = NULL;
	AUTO(free) char *ca = xasprintf("--otlp-ca=%s/%s.pem", world->folder, believed);

	certificates_ca(world->folder, "ca");
	certificates_ca(world->folder, "stranger");
	certificates_issue(world->folder, "ca", "collector", names);
	endpoint = xasprintf("--otlp-endpoint=https://127.0.0.1:%d/", collect(world, NULL));
	world_argument(world, endpoint);
	if (believed)
		world_argument(world, ca);
	world_start(world);
	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", "e1", NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "e1", NULL), 0);
}

static void a_collector_is_reached_by_tls_with_a_ca_of_its_own(void **state)
{
	struct world *world = fake_world_new();
	AUTO(json_decref) json_t *spans = NULL;

	*state = world;
	start_with_tls(world, "IP:127.0.0.1", "ca");
	await_metric(world, "\nenvd_traces_sent_total 1\n");
	spans = spans_of(world);
	assert_non_null(span_named(spans, "environment fake"));
}

/* By another CA, for another name, and by nobody whom the system knows. */
static void a_collector_that_cannot_prove_who_it_is_learns_nothing(void **state)
{
	static const struct {
		const char *names, *believed, *said;
	} cases[] = {
		{ "IP:127.0.0.1", "stranger", "unable to get local issuer certificate" },
		{ "IP:127.0.0.2,DNS:localhost", "ca", "IP address mismatch" },
		{ "IP:127.0.0.1", NULL, "unable to get local issuer certificate" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world *world = fake_world_new();
		AUTO(free) char *traces = xasprintf("%s/traces", world->folder);
		AUTO(free) char *path = xasprintf("%s/log", world->folder);
		AUTO(free) char *log = NULL;
		struct error err;

		*state = world;
		start_with_tls(world, cases[i].names, cases[i].believed);
		await_metric(world, "\nenvd_traces_dropped_total{why=\"untrusted\"} 1\n");
		assert_true(file_read(path, 1 << 20, &log, NULL, &err));
		assert_non_null(strstr(log, cases[i].said));
		assert_false(file_exists(traces));
		end(state);
		*state = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_life_becomes_one_trace_that_joins_that_of_the_ci_run, start, end),
		cmocka_unit_test_setup_teardown(a_failed_build_is_a_trace_that_says_so, start, end),
		cmocka_unit_test_teardown(a_collector_is_reached_by_tls_with_a_ca_of_its_own, end),
		cmocka_unit_test(a_collector_that_cannot_prove_who_it_is_learns_nothing),
		cmocka_unit_test_teardown(a_collector_that_refuses_or_is_not_there_hurts_nobody,
					  end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
