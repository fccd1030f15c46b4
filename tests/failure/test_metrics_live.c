/*
 * Numbers that take their time: how late the reaper was at the end of a lease, and what a
 * Prometheus of Debian's that scrapes envd knows. The engine is tests/support/fake_engine: what it
 * makes are files, so no runtime is needed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"
#include "tests/support/metrics_look.h"

static void the_end_of_a_lease_is_measured_by_the_reaper(void **state)
{
	struct world *world = *state;
	AUTO(free) char *text = NULL;
	char id[37];

	metrics_create(world, "good", "", id);
	world_wait(world, id, "ready", 30000);
	world_wait(world, id, "destroyed", 40000);
	text = metrics_scrape(world);
	metrics_assert_say(text, "\nenvd_destroys_total{outcome=\"proved\"} 1\n");
	/* The reaper listens nowhere: this came by way of the history. */
	metrics_assert_say(text, "\nenvd_reaper_decision_lateness_seconds_count 1\n");
	metrics_assert_say(text, "\nenvd_reaper_start_lateness_seconds_count 1\n");
}

/* ---- Prometheus itself ---- */

static int metrics_port(struct world *world)
{
	AUTO(free) char *path = path_join(world->folder, "log");
	AUTO(free) char *text = NULL;
	const char *at;
	struct error err;

	assert_true(file_read(path, 1 << 20, &text, NULL, &err));
	at = strstr(text, "/metrics on 127.0.0.1:");
	assert_non_null(at);
	return atoi(at + strlen("/metrics on 127.0.0.1:"));
}

static pid_t start_prometheus(struct world *world)
{
	AUTO(free) char *config = xasprintf("%s/prometheus.yml", world->folder);
	AUTO(free)
	char *content =
	    xasprintf("global: { scrape_interval: 500ms, evaluation_interval: 500ms }\n"
		      "rule_files: [ '%s/docs/alerts.yml' ]\n"
		      "scrape_configs:\n  - job_name: envd\n    static_configs:"
		      " [ { targets: ['127.0.0.1:%d'] } ]\n",
		      getenv("ENVD_SOURCE") ? getenv("ENVD_SOURCE") : ".", metrics_port(world));
	AUTO(free) char *config_option = xasprintf("--config.file=%s", config);
	AUTO(free) char *storage = xasprintf("--storage.tsdb.path=%s/tsdb", world->folder);
	struct error err;
	pid_t pid;

	assert_true(file_write_atomically(config, content, strlen(content), 0644, &err));
	pid = fork();
	if (pid)
		return pid;
	dup2(world->log_fd, STDOUT_FILENO);
	dup2(world->log_fd, STDERR_FILENO);
	execlp("prometheus", "prometheus", config_option, storage,
	       "--web.listen-address=127.0.0.1:0", NULL);
	_exit(127);
}

/* It does not say which port it was given: its listening socket does. */
static int port_of(pid_t pid)
{
	AUTO(free)
	char *command = xasprintf("for i in $(ls -l /proc/%d/fd | grep -o 'socket:.[0-9]*' |"
				  " grep -o '[0-9]*$'); do awk -v i=$i '$4 == \"0A\" && $10 == i"
				  " { split($2, a, \":\"); print a[2] }' /proc/net/tcp; done",
				  (int)pid);
	FILE *output = popen(command, "r");
	unsigned port = 0;

	assert_non_null(output);
	if (fscanf(output, "%x", &port) != 1)
		port = 0;
	pclose(output);
	return (int)port;
}

struct question {
	pid_t prometheus;
	const char *expression;
	const char *wanted;
};

static bool prometheus_knows(void *arg)
{
	const struct question *question = arg;
	AUTO(free)
	char *command =
	    xasprintf("promtool query instant http://127.0.0.1:%d '%s' 2>&1 | grep -q '%s'",
		      port_of(question->prometheus), question->expression, question->wanted);

	return system(command) == 0;
}

static void prometheus_scrapes_envd_and_knows_what_happened(void **state)
{
	struct world *world = *state;
	pid_t prometheus = start_prometheus(world);
	struct question up = { prometheus, "up{job=\"envd\"}", "=> 1 @" };
	struct question ready = { prometheus, "envd_creates_total{outcome=\"ready\"}", "=> 1 @" };
	AUTO(free) char *other = NULL;
	char id[37];

	metrics_create(world, "good", "", id);
	world_wait(world, id, "ready", 30000);
	assert_true(eventually(prometheus_knows, &up, 30000));
	assert_true(eventually(prometheus_knows, &ready, 30000));
	/* Nothing else is to be had at that port. */
	other = xasprintf("curl -sf http://127.0.0.1:%d/v1/environments", metrics_port(world));
	assert_int_not_equal(system(other), 0);
	kill(prometheus, SIGKILL);
	waitpid(prometheus, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_end_of_a_lease_is_measured_by_the_reaper,
						metrics_open, metrics_close),
		cmocka_unit_test_setup_teardown(prometheus_scrapes_envd_and_knows_what_happened,
						metrics_open, metrics_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
