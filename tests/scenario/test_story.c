/*
 * The same by hand, as a user would: envctl and envd on the command line, their exit statuses and
 * what they say when something is wrong with the request, with the machine, or with the data
 * folder.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "store/store_schema.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static int open_world(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "small", true);
	world_start(world);
	*state = world;
	return 0;
}

/* What was written to stderr, by envd and by envctl. */
static char *log_of(struct world *world)
{
	AUTO(free) char *path = path_join(world->folder, "log");
	struct error err;
	char *log;

	assert_true(file_read(path, 16 << 20, &log, NULL, &err));
	return log;
}

static void assert_said(struct world *world, const char *what)
{
	AUTO(free) char *log = log_of(world);

	if (!strstr(log, what))
		fail_msg("nobody said \"%s\": %s", what,
			 log + (strlen(log) > 1500 ? strlen(log) - 1500 : 0));
}

static void a_script_creates_looks_extends_and_destroys(void **state)
{
	struct world *world = *state;
	AUTO(free) char *created = NULL;
	AUTO(free) char *names = NULL;
	AUTO(free) char *variables = NULL;
	AUTO(free) char *gone = NULL;
	AUTO(json_decref) json_t *env = NULL;

	assert_int_equal(world_envctl(world, &created, "create", "small", "--name", "e1", "--ttl",
				      "5m", "-o", "json", NULL),
			 0);
	env = json_loads(created, 0, NULL);
	assert_string_equal(json_get_string(env, "kind", ""), "Environment");
	assert_string_equal(json_get_string(env, "state", ""), "ready");
	assert_int_equal(world_envctl(world, &names, "list", "-o", "name", NULL), 0);
	assert_string_equal(names, "env/e1\n");
	assert_int_equal(world_envctl(world, &variables, "env", "e1", "-o", "shell", NULL), 0);
	assert_non_null(strstr(variables, "export ENV_URL='http://127.0.0.1:"));
	assert_int_equal(world_envctl(world, NULL, "extend", "e1", "5m", NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "check", "e1", NULL), 0);
	assert_int_equal(world_envctl(world, &gone, "destroy", "e1", NULL), 0);
	assert_non_null(strstr(gone, "inventory_empty"));
	assert_int_equal(world_count(world, "envd-environment", json_get_string(env, "id", "?")),
			 0);
	assert_int_equal(world_envctl(world, NULL, "extend", "e1", "5m", NULL), 8);
	assert_int_equal(world_envctl(world, NULL, "get", "nobody", NULL), 6);
	assert_int_equal(world_envctl(world, NULL, "destroy", "nobody", "--ignore-not-found", NULL),
			 0);
}

/* As a person at the machine would, or a kernel that is out of memory. */
static void kill_service(struct world *world, const char *environment, const char *service)
{
	AUTO(free)
	char *target =
	    xasprintf("/v1.41/containers/json?filters={\"label\":[\"envd-environment=%s\","
		      "\"envd-service=%s\"]}",
		      environment, service);
	AUTO(json_decref) json_t *found = NULL;
	AUTO(free) char *kill = NULL;

	assert_int_equal(http_ask_json(world->runtime, "GET", target, NULL, NULL, &found), 200);
	assert_int_equal(json_array_size(found), 1);
	kill = xasprintf("/v1.41/containers/%s/kill",
			 json_get_string(json_array_get(found, 0), "Id", "?"));
	assert_int_equal(http_ask(world->runtime, "POST", kill, NULL, NULL, NULL), 204);
}

static void get_tells_of_a_service_that_has_died(void **state)
{
	struct world *world = *state;
	AUTO(free) char *healthy = NULL;
	AUTO(free) char *died = NULL;
	char id[37];

	world_create(world, "small", "e1", "5m", id);
	world_wait(world, id, "ready", 60000);
	assert_int_equal(world_envctl(world, &healthy, "get", "e1", NULL), 0);
	assert_non_null(strstr(healthy, "running"));
	assert_null(strstr(healthy, "since it was built"));
	kill_service(world, id, "side");
	assert_int_equal(world_envctl(world, &died, "get", "e1", NULL), 0);
	assert_non_null(strstr(died, "died since it was built"));
}

static void infrastructure_and_product_have_different_exit_statuses(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_envctl(world, NULL, "create", "small", "--pin", "web=404", NULL), 4);
	assert_said(world, "localhost/envd-test/busybox:404");
	world_write(world, "small", "checks.yaml",
		    "apiVersion: envd/v1\nkind: CheckPlan\nname: small\n"
		    "defaults: { base: '${url}', timeout: 5s }\nstages: [app]\n"
		    "smoke:\n  - name: hello\n    stage: app\n"
		    "    steps: [ { http: { path: / }, expect: [ 'status == 418' ] } ]\n");
	assert_int_equal(world_envctl(world, NULL, "create", "small", NULL), 7);
	assert_said(world, "status == 418: saw 200");
}

static void a_host_port_that_is_taken_is_named(void **state)
{
	struct world *world = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	AUTO(close) int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO(free) char *compose = NULL;
	AUTO(free) char *port = NULL;

	assert_int_equal(bind(taken, (const struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(taken, 1), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&address, &length), 0);
	port = xasprintf("%d", ntohs(address.sin_port));
	compose = xasprintf("services:\n"
			    "  web:\n"
			    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
			    "    command: [sleep, '1000']\n"
			    "    ports: ['%s:80']\n",
			    port);
	world_write(world, "small", "compose.yaml", compose);
	assert_int_equal(world_envctl(world, NULL, "create", "small", NULL), 4);
	assert_said(world, "host port is taken");
	assert_said(world, port);
}

static void wrong_words_are_usage_errors_with_a_hint(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_envctl(world, NULL, "craete", "small", NULL), 2);
	assert_said(world, "create");
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--tll", "1h", NULL), 2);
	assert_said(world, "--ttl");
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--ttl", "2 hours", NULL), 2);
	assert_int_equal(world_envctl(world, NULL, "create", "smal", NULL), 6);
	assert_said(world, "did you mean");
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--pin", "wbe=1", NULL), 2);
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--ttl", "3h", NULL), 5);
}

static void no_server_is_worth_another_try_and_says_where_it_looked(void **state)
{
	struct world *world = *state;

	world_end(world, SIGTERM);
	assert_int_equal(world_envctl(world, NULL, "list", NULL), 10);
	assert_said(world, world->socket);
}

/* envd with these arguments, to its end. */
static int envd(struct world *world, const char *arguments)
{
	const char *folder = getenv("ENVD_BIN");
	AUTO(free)
	char *command = xasprintf(
	    "XDG_STATE_HOME=%s timeout 20 %s/envd --no-reaper --templates=%s %s 2>>%s/log",
	    world->folder, folder ? folder : "build/bin", world->templates, arguments,
	    world->folder);

	return WEXITSTATUS(system(command));
}

static void a_second_envd_on_the_same_data_is_refused(void **state)
{
	struct world *world = *state;
	AUTO(free)
	char *other =
	    xasprintf("--data=%s --listen=unix:%s/other.sock", world->data, world->folder);

	assert_int_equal(envd(world, other), 1);
	assert_said(world, "another envd is running");
}

static void a_data_folder_that_cannot_be_written_is_named(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = path_join(world->folder, "sealed");
	AUTO(free)
	char *other = xasprintf("--data=%s --listen=unix:%s/other.sock", folder, world->folder);
	int status;

	assert_int_equal(mkdir(folder, 0700), 0);
	if (mount("tmpfs", folder, "tmpfs", MS_RDONLY, NULL) != 0)
		fail_msg("a read-only tmpfs cannot be mounted: this test needs root");
	status = envd(world, other);
	umount2(folder, MNT_DETACH);
	assert_int_equal(status, 1);
	assert_said(world, folder);
}

static void a_data_folder_of_a_newer_version_is_refused_and_left_alone(void **state)
{
	struct world *world = *state;
	AUTO(free)
	char *command = xasprintf("sqlite3 %s/store.db 'PRAGMA user_version = 99'", world->data);
	AUTO(free)
	char *back = xasprintf("sqlite3 %s/store.db 'PRAGMA user_version = %lld'", world->data,
			       (long long)store_schema_version());
	AUTO(free)
	char *other =
	    xasprintf("--data=%s --listen=unix:%s/other.sock", world->data, world->folder);

	world_end(world, SIGTERM);
	world_kill_reaper(world);
	assert_int_equal(system(command), 0);
	assert_int_equal(envd(world, other), 1);
	assert_said(world, "newer version");
	assert_int_equal(system(back), 0);
	world_start(world);
}

static bool is_quarantined(void *arg)
{
	AUTO(json_decref) json_t *env = world_ask(arg, "GET", "/v1/environments/e1", NULL, NULL);

	return json_get_bool(env, "quarantined", false);
}

static void without_a_runtime_the_error_names_the_socket(void **state)
{
	struct world *world = *state;

	AUTO(free) char *gone = NULL;

	world_end(world, SIGTERM);
	world_kill_reaper(world);
	world_argument(world, "--destroy-retry=300ms");
	snprintf(world->runtime, sizeof(world->runtime), "%s/no-runtime.sock", world->folder);
	world_start(world);
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--name", "e1", NULL), 4);
	assert_said(world, "no-runtime.sock");
	/* Whether anything is left cannot be known without it: it is not called gone. */
	assert_int_equal(
	    world_envctl(world, NULL, "wait", "e1", "--for", "destroyed", "--timeout", "2s", NULL),
	    9);
	/* A person takes it on, by its name; what that means is written down. */
	assert_true(eventually(is_quarantined, world, 20000));
	assert_int_equal(world_envctl(world, &gone, "destroy", "e1", "--acknowledge", NULL), 0);
	assert_non_null(strstr(gone, "acknowledged"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_script_creates_looks_extends_and_destroys),
		TEST(get_tells_of_a_service_that_has_died),
		TEST(infrastructure_and_product_have_different_exit_statuses),
		TEST(a_host_port_that_is_taken_is_named),
		TEST(wrong_words_are_usage_errors_with_a_hint),
		TEST(no_server_is_worth_another_try_and_says_where_it_looked),
		TEST(a_second_envd_on_the_same_data_is_refused),
		TEST(a_data_folder_that_cannot_be_written_is_named),
		TEST(a_data_folder_of_a_newer_version_is_refused_and_left_alone),
		TEST(without_a_runtime_the_error_names_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
