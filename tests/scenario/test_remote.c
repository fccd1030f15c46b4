/*
 * A runtime on another machine, by TCP with TLS and client certificates: a real runtime behind a
 * real TLS listener (tests/support/runtime-tls).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/files.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"

struct far {
	struct stage *stage;
	char folder[64];
	char socket[40];
	char *certificates;
	pid_t pid;
};

static bool listens(void *arg)
{
	struct far *far = arg;
	AUTO(free) char *path = path_join(far->folder, "log");
	AUTO(free) char *log = NULL;
	const char *said = NULL;
	struct error ignored;

	if (file_read(path, 1 << 20, &log, NULL, &ignored))
		said = strstr(log, "127.0.0.1:");
	if (said)
		snprintf(far->socket, sizeof(far->socket), "tcp://127.0.0.1:%d",
			 atoi(said + strlen("127.0.0.1:")));
	return said != NULL;
}

/* `name`: "good", "stranger", "distrust", "old". */
static void use(struct far *far, const char *name)
{
	free(far->certificates);
	far->certificates = path_join(far->folder, name);
	far->stage->request.target.certificates = far->certificates;
}

/* On the heap: what the stage asks for points into it, and a story that fails goes on to tear down.
 */
static struct far *far_begin(const char *runtime, const char *server)
{
	AUTO(free)
	char *program = xasprintf("%s/tests/support/runtime-tls", getenv("ENVD_SOURCE"));
	struct far *far = xcalloc(1, sizeof(*far));

	far->stage = stage_new(runtime);
	snprintf(far->folder, sizeof(far->folder), "/tmp/envd-far-XXXXXX");
	assert_non_null(mkdtemp(far->folder));
	far->pid = fork();
	if (far->pid == 0) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(program, program, far->folder, far->stage->socket, server, NULL);
		_exit(127);
	}
	if (!eventually(listens, far, 30000))
		fail_msg("it does not listen; see %s", far->folder);
	far->stage->request.target.socket = far->socket;
	use(far, "good");
	return far;
}

static void far_end(struct far *far)
{
	struct error err;

	use(far, "good");
	far->stage->request.target.certificates = NULL;
	far->stage->request.target.socket = far->stage->socket;
	stage_free(far->stage);
	kill(-far->pid, SIGTERM);
	waitpid(far->pid, NULL, 0);
	assert_true(folder_remove(far->folder, &err));
	free(far->certificates);
	free(far);
}

static void an_environment_lives_on_a_runtime_behind_tls(void **state)
{
	struct far *far = far_begin(*state, "valid");
	AUTO(free) char *said = NULL;
	const json_t *address;

	far->stage->request.target.advertised = "runner.example";
	stage_write(far->stage, STAGE_TWO_SERVICES,
		    "  url: 'http://{{web.host}}:{{web.port.80}}'\n");
	stage_must(far->stage, "create");
	address = json_array_get(json_object_get(far->stage->data, "addresses"), 0);
	assert_string_equal(json_get_string(address, "host", ""), "runner.example");
	stage_contains(json_get_string(json_object_get(far->stage->data, "outputs"), "url", ""),
		       "http://runner.example:");
	assert_int_equal(stage_exec(far->stage, "web", "cat /www/deep/er/page.txt", &said), 0);
	assert_string_equal(said, "a page of its own");
	stage_must(far->stage, "logs");
	stage_contains(far->stage->said, "db says hello");
	stage_must(far->stage, "inspect");
	assert_true(json_get_bool(far->stage->data, "healthy", false));
	stage_must(far->stage, "destroy");
	assert_int_equal(stage_count_all(far->stage), 0);
	far_end(far);
}

static void certificates_that_do_not_fit_are_refused_and_named(void **state)
{
	static const struct {
		const char *name;
		const char *part;
	} cases[] = {
		{ "stranger", "does not take our certificate" },
		{ "distrust", "certificate" },
		{ "old", "old/cert.pem\" expired on 20" },
		{ "absent", "absent/ca.pem" },
	};
	struct far *far = far_begin(*state, "valid");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		use(far, cases[i].name);
		stage_must_not(far->stage, "probe", "runtime_tls");
		stage_contains(far->stage->err.message, cases[i].part);
	}
	use(far, "good");
	stage_must(far->stage, "probe");
	far_end(far);
}

static void an_expired_certificate_of_the_runtime_is_refused(void **state)
{
	struct far *far = far_begin(*state, "expired");

	stage_must_not(far->stage, "probe", "runtime_tls");
	stage_contains(far->stage->err.message, "expired");
	stage_contains(far->stage->err.hint, far->folder);
	far_end(far);
}

static void no_certificates_are_no_way_in(void **state)
{
	struct far *far = far_begin(*state, "valid");

	far->stage->request.target.certificates = NULL;
	assert_false(stage_do(far->stage, "probe"));
	far_end(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(an_environment_lives_on_a_runtime_behind_tls),
		STAGE_ON_PODMAN(certificates_that_do_not_fit_are_refused_and_named),
		STAGE_ON_PODMAN(an_expired_certificate_of_the_runtime_is_refused),
		STAGE_ON_PODMAN(no_certificates_are_no_way_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
