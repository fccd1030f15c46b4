/*
 * What an environment of Pulumi projects has for itself: its commit, its secrets, its time to end,
 * all that a destroy needs. By the real CLI; the witness is a world of files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/git_server.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000 };

/* Somebody wrote into a job's folder that it is to end. */
static bool is_stopping(void *arg)
{
	const struct pulumi_bench *bench = arg;
	AUTO(free)
	char *command = xasprintf("ls '%s'/jobs/*/stop >/dev/null 2>&1", bench->world->data);

	return system(command) == 0;
}

static void write_configuration(const struct pulumi_bench *bench, const struct git_server *server)
{
	AUTO(free) char *url = git_server_url(server, "https", "demo.git");
	AUTO(free) char *path = path_join(bench->world->folder, "envd.yaml");
	AUTO(free) char *argument = xasprintf("--config=%s", path);
	AUTO(free)
	char *text = xasprintf("sources:\n"
			       "  - name: demo\n"
			       "    repository: %s\n"
			       "    ca_file: %s/ca.pem\n"
			       "    trusted: true\n",
			       url, server->folder);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	world_argument(bench->world, argument);
}

static char *locked_commit(struct pulumi_bench *bench, const char *id)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/lock", id);
	AUTO(json_decref) json_t *lock = world_ask(bench->world, "GET", target, NULL, NULL);

	return xstrdup(json_get_string(json_object_get(lock, "checkout"), "commit", "none"));
}

static void a_checkout_is_of_the_commit_that_was_asked_for(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(git_server_stop) struct git_server *server = git_server_start();
	AUTO(free)
	char *script =
	    xasprintf("cp -R %s/tests/fixtures/pulumi/three/checkout/. . && git add -A && "
		      "git commit -qm projects && git publish && git rev-parse HEAD",
		      getenv("ENVD_SOURCE"));
	AUTO(free) char *first = git_server_do(server, script);
	AUTO(free) char *second = NULL;
	AUTO(free) char *locked = NULL;
	AUTO(free) char *later = NULL;
	char id[37], other[37];

	write_configuration(bench, server);
	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "folder: checkout",
			  "source: demo, ref: main");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	locked = locked_commit(bench, id);
	assert_string_equal(locked, first);
	second =
	    git_server_do(server, "sed -i s/http/https/ one/Pulumi.yaml && git commit -qam tls && "
				  "git publish && git rev-parse HEAD");
	pulumi_bench_build(bench, "b", "three", other);
	later = locked_commit(bench, other);
	assert_string_equal(later, second);
	/* What was built is removed without a repository. */
	git_server_end(server);
	pulumi_bench_destroy(bench, id);
	pulumi_bench_destroy(bench, other);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	world_wait(bench->world, other, "destroyed", BUILD_MS);
}

/* Everything that was written, but for the file that holds it and states that are encrypted with
 * it. */
static bool is_written_somewhere(const struct pulumi_bench *bench, const char *secret)
{
	AUTO(free)
	char *command = xasprintf("grep -rqF -- '%s' '%s/data/store.db' '%s/data/store.db-wal' "
				  "'%s/data/jobs' '%s/log' '%s/data/environments'",
				  secret, bench->world->folder, bench->world->folder,
				  bench->world->folder, bench->world->folder, bench->world->folder);

	return system(command) == 0;
}

static void a_secret_is_written_nowhere_in_clear(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	/* Read by the server from its variables, and by the program from its configuration. */
	setenv("ENVD_SECRET_APP", "correct-horse-battery", 1);
	pulumi_bench_template(bench, "counted");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "{ random: 20 }",
			  "{ variable: ENVD_SECRET_APP }");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	assert_true(is_written_somewhere(bench, "app0")); /* it would be found */
	assert_false(is_written_somewhere(bench, "correct-horse-battery"));
	unsetenv("ENVD_SECRET_APP");
}

static void stopped_while_it_is_built_what_is_under_way_is_finished(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_build_halfway(bench, id);
	pulumi_bench_destroy(bench, id);
	assert_true(eventually(is_stopping, bench, BUILD_MS));
	pulumi_bench_unswitch(bench, "gate");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	/* The CLI has noted what it made, so there was nothing to be looked up. */
	assert_null(strstr(history, "was interrupted: looking"));
	assert_null(strstr(history, "app started"));
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

static void destroying_needs_no_program(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *checkout = NULL;
	struct error err;
	char id[37];

	pulumi_bench_template(bench, "counted");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	checkout = pulumi_bench_path(bench, id, "checkout");
	assert_true(folder_remove(checkout, &err));
	pulumi_bench_end(bench, id);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(a_checkout_is_of_the_commit_that_was_asked_for),
		ON_BENCH(a_secret_is_written_nowhere_in_clear),
		ON_BENCH(stopped_while_it_is_built_what_is_under_way_is_finished),
		ON_BENCH(destroying_needs_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
