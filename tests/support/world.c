#include "tests/support/world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

static char *program(const char *name)
{
	const char *folder = getenv("ENVD_BIN");

	return path_join(folder ? folder : "build/bin", name);
}

struct world *world_new(const char *runtime_variable)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const char *runtime = getenv(runtime_variable);
	AUTO(free) char *log = NULL;
	struct error err;

	if (!runtime || !*runtime)
		fail_msg("%s is not set: run the tests with tests/run", runtime_variable);
	snprintf(world->runtime, sizeof(world->runtime), "%s", runtime);
	snprintf(world->folder, sizeof(world->folder), "/tmp/envd-world-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	snprintf(world->data, sizeof(world->data), "%s/data", world->folder);
	snprintf(world->socket, sizeof(world->socket), "%s/envd.sock", world->folder);
	snprintf(world->templates, sizeof(world->templates), "%s/templates", world->folder);
	assert_true(folder_make(world->templates, 0755, &err));
	log = path_join(world->folder, "log");
	world->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return world;
}

void world_argument(struct world *world, const char *argument)
{
	assert_true(world->extra_count < ARRAY_SIZE(world->extra));
	world->extra[world->extra_count++] = xstrdup(argument);
}

static bool answers(void *arg)
{
	struct world *world = arg;

	return http_ask(world->socket, "GET", "/readyz", NULL, NULL, NULL) == 200;
}

/* Everything of a test is in its own session and its own folder. */
static pid_t start(struct world *world, char *const *argv, int output)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	setsid();
	setenv("XDG_STATE_HOME", world->folder, 1);
	setenv("ENVCTL_SERVER", world->socket, 1);
	setenv("NO_COLOR", "1", 1);
	unsetenv("DOCKER_HOST");
	dup2(output >= 0 ? output : world->log_fd, STDOUT_FILENO);
	dup2(world->log_fd, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

void world_start(struct world *world)
{
	AUTO(free) char *envd = program("envd");
	AUTO(free) char *data = xasprintf("--data=%s", world->data);
	AUTO(free) char *listen = xasprintf("--listen=unix:%s", world->socket);
	AUTO(free) char *templates = xasprintf("--templates=%s", world->templates);
	AUTO(free) char *runtime = xasprintf("--runtime=unix:%s", world->runtime);
	char *argv[32] = { envd, data, listen, templates, runtime };

	for (size_t i = 0; i < world->extra_count; i++)
		argv[5 + i] = world->extra[i];
	world->envd = start(world, argv, -1);
	if (!eventually(answers, world, 15000))
		fail_msg("envd does not answer; see %s/log", world->folder);
}

void world_end(struct world *world, int signal_number)
{
	if (world->envd <= 0)
		return;
	kill(world->envd, signal_number);
	kill(world->envd, SIGCONT);
	while (waitpid(world->envd, NULL, 0) < 0 && errno == EINTR)
		continue;
	world->envd = 0;
}

pid_t world_reaper(const struct world *world)
{
	AUTO(free) char *path = path_join(world->data, "reaper.lock");
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char line[64] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK ||
	    read(fd, line, sizeof(line) - 1) <= 0)
		line[0] = '\0';
	close(fd);
	return (pid_t)atoi(line);
}

static bool no_reaper(void *arg)
{
	return world_reaper(arg) == 0;
}

void world_kill_reaper(struct world *world)
{
	pid_t reaper = world_reaper(world);

	if (reaper > 0)
		kill(reaper, SIGKILL);
	assert_true(eventually(no_reaper, world, 5000));
}

static void destroy_everything(struct world *world)
{
	AUTO(json_decref) json_t *list = NULL;
	size_t i;
	json_t *env;

	if (http_ask_json(world->socket, "GET", "/v1/environments?limit=500", NULL, NULL, &list) !=
	    200)
		return;
	json_array_foreach(json_object_get(list, "items"), i, env) {
		AUTO(free)
		char *target = xasprintf("/v1/environments/%s", json_get_string(env, "id", ""));

		http_ask(world->socket, "DELETE", target, NULL, NULL, NULL);
	}
}

static bool nothing_is_open(void *arg)
{
	struct world *world = arg;
	AUTO(json_decref) json_t *list = NULL;

	return http_ask_json(world->socket, "GET", "/v1/environments?limit=1", NULL, NULL, &list) ==
		   200 &&
	       json_array_size(json_object_get(list, "items")) == 0;
}

void world_free(struct world *world)
{
	struct error ignored; /* a folder that stays is only untidy */

	if (world->envd > 0) {
		kill(world->envd, SIGCONT); /* a test may have stopped it */
		destroy_everything(world);
		eventually(nothing_is_open, world, 20000);
		world_end(world, SIGTERM);
	}
	/* Without envd and with nothing owed it ends by itself; a failed test may owe something. */
	if (!eventually(no_reaper, world, 6000))
		world_kill_reaper(world);
	for (size_t i = 0; i < world->extra_count; i++)
		free(world->extra[i]);
	close(world->log_fd);
	if (!getenv("ENVD_TEST_KEEP") && !folder_remove(world->folder, &ignored))
		print_message("%s\n", ignored.message);
	free(world);
}

int world_close(void **state)
{
	world_free(*state);
	return 0;
}

void world_write(struct world *world, const char *name, const char *file, const char *content)
{
	AUTO(free) char *folder = path_join(world->templates, name);
	AUTO(free) char *path = path_join(folder, file);
	struct error err;

	if (!folder_make(folder, 0755, &err) ||
	    !file_write_atomically(path, content, strlen(content), 0644, &err))
		fail_msg("%s", err.message);
}

static const char small_compose[] =
    "services:\n"
    "  web:\n"
    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
    "    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h "
    "/www']\n"
    "    ports: ['80']\n"
    "    healthcheck: { test: [CMD, test, -f, /www/index.html], interval: 100ms, retries: 50 }\n"
    "  side:\n"
    "    image: localhost/envd-test/busybox:1\n"
    "    command: [sleep, '100000']\n"
    "    depends_on: { web: { condition: service_healthy } }\n";

static const char small_checks[] = "apiVersion: envd/v1\n"
				   "kind: CheckPlan\n"
				   "name: small\n"
				   "defaults: { base: '${url}', timeout: 5s }\n"
				   "stages: [app]\n"
				   "smoke:\n"
				   "  - name: hello\n"
				   "    stage: app\n"
				   "    eventually: { timeout: 10s, interval: 100ms }\n"
				   "    steps: [ { http: { path: / }, expect: [ 'status == 200', "
				   "\"body contains 'hello'\" ] } ]\n";

void world_write_small_template(struct world *world, const char *name, bool with_check)
{
	AUTO(free)
	char *template = xasprintf(
	    "apiVersion: envd/v1\n"
	    "name: %s\n"
	    "engine: container\n"
	    "source: compose.yaml\n"
	    "components:\n"
	    "  web: { default: '1', variable: WEB_IMAGE, image: "
	    "'localhost/envd-test/busybox:{version}',"
	    " versions: ['1', '404'] }\n"
	    "%s"
	    "limits: { provision: 1m, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n"
	    "price: { per_hour: 0.36, currency: USD }\n"
	    "outputs: { url: 'http://{{web.host}}:{{web.port.80}}' }\n",
	    name, with_check ? "checks: checks.yaml\n" : "");

	world_write(world, name, "template.yaml", template);
	world_write(world, name, "compose.yaml", small_compose);
	if (with_check)
		world_write(world, name, "checks.yaml", small_checks);
}

json_t *world_ask(struct world *world, const char *method, const char *target,
		  const json_t *content, int *status)
{
	json_t *answer;
	int got = http_ask_json(world->socket, method, target, NULL, content, &answer);

	if (status)
		*status = got;
	return answer;
}

void world_create(struct world *world, const char *template_name, const char *name, const char *ttl,
		  char id[37])
{
	AUTO(json_decref)
	json_t *request =
	    json_pack("{s:s, s:s*, s:s*}", "template", template_name, "name", name, "ttl", ttl);
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	answer = world_ask(world, "POST", "/v1/environments", request, &status);
	if (status != 201)
		fail_msg("create answered %d: %s", status, json_get_string(answer, "detail", "?"));
	snprintf(id, 37, "%s", json_get_string(answer, "id", ""));
}

void world_state(struct world *world, const char *environment, char state[32])
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);
	AUTO(json_decref) json_t *answer = world_ask(world, "GET", target, NULL, NULL);

	snprintf(state, 32, "%s", json_get_string(answer, "state", ""));
}

struct awaited {
	struct world *world;
	const char *environment;
	const char *state;
};

static bool has_state(void *arg)
{
	struct awaited *awaited = arg;
	char state[32];

	world_state(awaited->world, awaited->environment, state);
	return strcmp(state, awaited->state) == 0;
}

void world_wait(struct world *world, const char *environment, const char *state, int64_t limit_ms)
{
	struct awaited awaited = { world, environment, state };
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);
	AUTO(free) char *body = NULL;

	if (eventually(has_state, &awaited, limit_ms))
		return;
	http_ask(world->socket, "GET", target, NULL, NULL, &body);
	fail_msg("not %s within %lld ms (log: %s/log): %s", state, (long long)limit_ms,
		 world->folder, body);
}

int world_envctl(struct world *world, char **output, ...)
{
	AUTO(free) char *envctl = program("envctl");
	char *argv[40] = { envctl };
	struct text text = TEXT_EMPTY;
	int out[2], status;
	size_t count = 1;
	char block[4096];
	va_list args;
	ssize_t got;
	pid_t pid;

	va_start(args, output);
	while (count < ARRAY_SIZE(argv) - 1 && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = start(world, argv, out[1]);
	close(out[1]);
	while ((got = read(out[0], block, sizeof(block))) > 0)
		text_add_bytes(&text, block, (size_t)got);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (output)
		*output = text_take(&text);
	text_release(&text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* {"label":["K=V"]}, percent-encoded. Podman forgets that a network is isolated when it is listed
 * by the Docker-compatible call, so that one is asked in Podman's own way. */
static json_t *list(const struct world *world, const char *path, const char *label,
		    const char *value)
{
	AUTO(free)
	char *target = xasprintf("%sfilters=%%7B%%22label%%22%%3A%%5B%%22%s%%3D%s%%22%%5D%%7D",
				 path, label, value);
	json_t *answer;

	http_ask_json(world->runtime, "GET", target, NULL, NULL, &answer);
	return answer;
}

size_t world_count(const struct world *world, const char *label, const char *value)
{
	AUTO(json_decref)
	json_t *containers = list(world, "/v1.41/containers/json?all=1&", label, value);
	AUTO(json_decref)
	json_t *networks = list(world, "/v4.0.0/libpod/networks/json?", label, value);
	AUTO(json_decref) json_t *volumes = list(world, "/v1.41/volumes?", label, value);

	if (!json_is_array(containers) || !json_is_object(volumes))
		fail_msg("the runtime cannot be asked what exists");
	if (!json_is_array(networks)) {
		json_decref(networks);
		networks = list(world, "/v1.41/networks?", label, value);
	}
	return json_array_size(containers) + json_array_size(networks) +
	       json_array_size(json_object_get(volumes, "Volumes"));
}

void world_instance(struct world *world, char instance[37])
{
	AUTO(json_decref) json_t *version = world_ask(world, "GET", "/v1/version", NULL, NULL);

	snprintf(instance, 37, "%s", json_get_string(version, "instance", ""));
}
