#include "tests/support/registry.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

static void run(const char *format, ...) PRINTF_LIKE(1, 2);
static void run(const char *format, ...)
{
	AUTO(free) char *command = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		abort();
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static char *support_program(const char *name)
{
	return xasprintf("%s/tests/support/%s", getenv("ENVD_SOURCE"), name);
}

/* ---- the registry ---------------------------------------------------------------------------- */

static bool listens(void *arg)
{
	struct registry *registry = arg;
	AUTO(free) char *path = path_join(registry->folder, "log");
	AUTO(free) char *log = NULL;
	const char *said = NULL;
	struct error ignored;

	if (file_read(path, 1 << 20, &log, NULL, &ignored))
		said = strstr(log, "listening on 127.0.0.1:");
	if (said)
		registry->port = atoi(said + strlen("listening on 127.0.0.1:"));
	return said != NULL;
}

static void serve(struct registry *registry)
{
	AUTO(free) char *program = support_program("registry-serve");
	AUTO(free) char *log = path_join(registry->folder, "log");

	unlink(log);
	registry->pid = fork();
	if (registry->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, registry->folder, registry->has_tls ? "tls" : "plain",
		      registry->has_password ? "password" : "open", NULL);
		_exit(127);
	}
	if (!eventually(listens, registry, 30000))
		fail_msg("the registry does not start; see %s/log", registry->folder);
	snprintf(registry->name, sizeof(registry->name), "127.0.0.1:%d", registry->port);
}

static void write_text(const struct registry *registry, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(registry->folder, name);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

/* A test that failed has not freed its registry. */
static char trusted[64][32];
static size_t trusted_count;

static void forget_trusted(void)
{
	for (size_t i = 0; i < trusted_count; i++) {
		AUTO(free)
		char *command = xasprintf("r=; [ $(id -u) = 0 ] || r='sudo -n'; "
					  "$r rm -rf /etc/docker/certs.d/%s",
					  trusted[i]);

		if (system(command) != 0)
			print_message("failed: %s\n", command);
	}
}

static void trust(struct registry *registry, const char *name)
{
	if (!registry->has_tls)
		return;
	if (trusted_count == 0)
		atexit(forget_trusted);
	assert_true(trusted_count < ARRAY_SIZE(trusted));
	snprintf(trusted[trusted_count++], sizeof(trusted[0]), "%s", name);
	run("r=; [ $(id -u) = 0 ] || r='sudo -n'; $r mkdir -p /etc/docker/certs.d/%s && $r cp "
	    "%s/ca.crt /etc/docker/certs.d/%s/ca.crt",
	    name, registry->folder, name);
}

struct registry *registry_new(const struct stage *stage, struct registry_wish wish)
{
	struct registry *registry = xcalloc(1, sizeof(*registry));

	registry->stage = stage;
	registry->has_tls = wish.has_tls || stage_is_podman(stage);
	registry->has_password = wish.has_password;
	snprintf(registry->folder, sizeof(registry->folder), "/tmp/envd-registry-XXXXXX");
	assert_non_null(mkdtemp(registry->folder));
	write_text(registry, "password", REGISTRY_PASSWORD);
	serve(registry);
	if (!wish.is_not_trusted)
		trust(registry, registry->name);
	return registry;
}

static void end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

void registry_free(struct registry *registry)
{
	struct error err;

	end(&registry->line);
	end(&registry->pid);
	assert_true(folder_remove(registry->folder, &err));
	free(registry);
}

void registry_kill(struct registry *registry)
{
	end(&registry->pid);
}

/* ---- images ---------------------------------------------------------------------------------- */

char *registry_image(const struct registry *registry, const char *name)
{
	return xasprintf("%s/%s", registry->line_name[0] ? registry->line_name : registry->name,
			 name);
}

static char *push_header(void)
{
	static const char json[] =
	    "{\"username\":\"" REGISTRY_USER "\",\"password\":\"" REGISTRY_PASSWORD "\"}";
	AUTO(free) char *encoded = base64_encode(json, strlen(json), true);

	return xasprintf("X-Registry-Auth: %s\r\n", encoded);
}

static char *make_container(const struct registry *registry)
{
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:[s]}", "Image", STAGE_IMAGE, "Cmd", "true");

	assert_int_equal(http_ask_json(registry->stage->socket, "POST", "/v1.41/containers/create",
				       NULL, body, &answer),
			 201);
	return xstrdup(json_get_string(answer, "Id", ""));
}

void registry_push(struct registry *registry, const char *name, const char *tag, int kib)
{
	AUTO(free) char *container = make_container(registry);
	AUTO(free) char *headers = push_header();
	AUTO(free) char *image = xasprintf("%s/%s:%s", registry->name, name, tag);
	AUTO(free)
	char *target = xasprintf("/v1.41/images/%s/%s/push?tag=%s", registry->name, name, tag);
	AUTO(free)
	char *commit = xasprintf("/v1.41/commit?container=%s&repo=%s%%2F%s&tag=%s", container,
				 registry->name, name, tag);
	AUTO(free) char *said = NULL;

	run("set -e; d=$(mktemp -d); head -c %d /dev/urandom >$d/blob; tar -C $d -cf $d/t blob; "
	    "curl -sf --retry 5 --retry-all-errors -X PUT --unix-socket %s -T $d/t -H "
	    "'Content-Type: application/x-tar' "
	    "'http://d/v1.41/containers/%s/archive?path=/' >/dev/null; rm -r $d",
	    kib * 1024, registry->stage->socket, container);
	/* Podman wants something to read. */
	assert_int_equal(http_ask(registry->stage->socket, "POST", commit,
				  "Content-Type: application/json\r\n", "{}", NULL),
			 201);
	assert_int_equal(http_ask(registry->stage->socket, "POST", target, headers, "", &said),
			 200);
	if (strstr(said, "\"error\""))
		fail_msg("push: %s", said);
	stage_ask(registry->stage, "DELETE", "/v1.41/containers/%s?force=1", container);
	registry_forget(registry, image);
	assert_false(registry_has_image(registry, image));
}

void registry_forget(const struct registry *registry, const char *image)
{
	AUTO(free) char *target = xasprintf("/v1.41/images/%s/json", image);
	AUTO(json_decref) json_t *found = NULL;

	/* By its id, so that no name of it stays, envd's mark included. */
	if (http_ask_json(registry->stage->socket, "GET", target, NULL, NULL, &found) == 200)
		stage_ask(registry->stage, "DELETE", "/v1.41/images/%s?force=1",
			  json_get_string(found, "Id", ""));
}

bool registry_has_image(const struct registry *registry, const char *image)
{
	return stage_ask(registry->stage, "GET", "/v1.41/images/%s/json", image) == 200;
}

/* ---- a bad line ------------------------------------------------------------------------------ */

void registry_bad_line(struct registry *registry, ...)
{
	AUTO(free) char *program = support_program("fake_slow_registry.py");
	AUTO(free) char *port = xasprintf("%d", registry->port);
	char *argv[16] = { program, port };
	char said[16] = "";
	int pipes[2];
	va_list args;

	va_start(args, registry);
	for (size_t i = 2; i < 15 && (argv[i] = va_arg(args, char *)); i++)
		continue;
	va_end(args);
	end(&registry->line);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	registry->line = fork();
	if (registry->line == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipes[1], STDOUT_FILENO);
		execv(program, argv);
		_exit(127);
	}
	close(pipes[1]);
	for (size_t i = 0; i < sizeof(said) - 1 && read(pipes[0], said + i, 1) == 1; i++)
		if (said[i] == '\n')
			break;
	close(pipes[0]);
	assert_true(atoi(said) > 0);
	snprintf(registry->line_name, sizeof(registry->line_name), "127.0.0.1:%d", atoi(said));
	trust(registry, registry->line_name);
}

/* ---- passwords ------------------------------------------------------------------------------- */

void registry_log_in(const struct registry *registry, const char *name, const char *password)
{
	AUTO(free) char *plain = xasprintf("%s:%s", REGISTRY_USER, password);
	AUTO(free) char *encoded = base64_encode(plain, strlen(plain), false);
	AUTO(free) char *path = path_join(registry->folder, "config.json");
	AUTO(free)
	char *json = xasprintf("{\"auths\":{\"https://%s/v1/\":{\"auth\":\"%s\"}}}", name, encoded);
	struct error err;

	assert_true(file_write_atomically(path, json, strlen(json), 0600, &err));
	setenv("DOCKER_CONFIG", registry->folder, 1);
}

void registry_assert_no_password(const struct stage *stage)
{
	AUTO(free) char *lock = json_to_text(stage->lock);
	AUTO(free)
	char *search = xasprintf("! grep -rqF -e " REGISTRY_PASSWORD " %s", stage->folder);

	assert_null(strstr(stage->said, REGISTRY_PASSWORD));
	assert_null(strstr(stage->err.message, REGISTRY_PASSWORD));
	assert_null(strstr(lock, REGISTRY_PASSWORD));
	assert_int_equal(system(search), 0);
}

void registry_write_service(struct stage *stage, const char *image, const char *more)
{
	AUTO(free)
	char *compose = xasprintf("services:\n  web: { image: '%s', command: [httpd, -f, -p, '80', "
				  "-h, /www]%s }\n",
				  image, more);

	stage_write(stage, compose, NULL);
}

const char *registry_locked(const struct stage *stage, const char *key)
{
	return json_get_string(stage_dig(stage->lock, "services", "web", NULL), key, "");
}
