/*
 * What the container engine says when a template, or the runtime, is at fault. What is checked is
 * the runtime's own word (tests/support/engine_stage.h), not the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/engine_stage.h"

/* ---- templates ---- */

static void an_unhealthy_service_is_named_with_its_last_lines(void **state)
{
	struct stage *stage = stage_new(*state);
	const json_t *tail;

	stage_write(stage,
		    "services:\n"
		    "  fine: { " STAGE_HTTPD " }\n"
		    "  sick:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'i=0; while [ $$i -lt 30 ]; do echo line $$i;"
		    " i=$$((i+1)); done; echo cannot open the vault; exec sleep 1000']\n"
		    "    healthcheck: { test: 'echo no vault; exit 3', interval: 200ms,"
		    " retries: 2 }\n",
		    NULL);
	stage_must_not(stage, "create", "service_unhealthy");
	stage_contains(stage->err.message, "\"sick\"");
	stage_contains(stage->err.message, "no vault");
	stage_contains(stage->err.message, "cannot open the vault");
	tail = json_object_get(stage_service(stage, "sick"), "log_tail");
	assert_int_equal(json_array_size(tail), 20);
	assert_string_equal(json_string_value(json_array_get(tail, 19)), "cannot open the vault");
	stage_contains(stage->said, "\"state\":\"failed\"");
	stage_free(stage);
}

static void a_service_that_ends_is_named_with_its_status(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  short:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'echo no such option; exit 7']\n",
		    NULL);
	stage_must_not(stage, "create", "service_exited");
	stage_contains(stage->err.message, "\"short\"");
	stage_contains(stage->err.message, "status 7");
	stage_contains(stage->err.message, "no such option");
	stage_free(stage);
}

static void a_command_that_is_not_there_is_named(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { wrong: { image: " STAGE_IMAGE ", command: [/no/such] } }\n",
		    NULL);
	stage_must_not(stage, "create", "service_not_started");
	stage_contains(stage->err.message, "\"wrong\"");
	stage_contains(stage->err.message, "/no/such");
	stage_free(stage);
}

static void a_missing_image_is_named(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { web: { image: 'localhost/envd-test/none:9' } }\n", NULL);
	stage_must_not(stage, "plan", "image_missing");
	stage_contains(stage->err.message, "localhost/envd-test/none:9");
	stage_contains(stage->err.message, "\"web\"");
	assert_true(stage->err.hint[0] != '\0');
	stage_must_not(stage, "create", "image_missing");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

static void an_image_of_another_architecture_is_refused_at_plan_time(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_load_foreign_image(stage);
	stage_write(stage, "services: { web: { image: 'localhost/envd-test/foreign:1' } }\n", NULL);
	stage_must_not(stage, "plan", "wrong_architecture");
	stage_contains(stage->err.message, "s390x");
	stage_contains(stage->err.message, "\"web\"");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

static void a_template_that_is_not_trusted_gets_no_folder_of_the_machine(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage, "services: { web: { " STAGE_HTTPD ", volumes: ['/etc:/host'] } }\n",
		    NULL);
	stage->request.is_trusted = false;
	stage_must_not(stage, "create", "template_not_trusted");
	assert_int_equal(stage_count_all(stage), 0);
	stage->request.is_trusted = true;
	stage_must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "test -f /host/hostname", NULL), 0);
	stage_free(stage);
}

/* ---- the runtime ---- */

static void a_runtime_that_is_not_there_is_unreachable(void **state)
{
	struct stage *stage = stage_new(*state);
	const char *socket = stage->request.target.socket;

	stage->request.target.socket = "/tmp/no/such/socket";
	stage_must_not(stage, "probe", "runtime_unreachable");
	assert_int_equal(stage->err.code, ERR_UNAVAILABLE);
	stage_contains(stage->err.message, "/tmp/no/such/socket");
	stage_must_not(stage, "inventory", "runtime_unreachable");
	stage_must_not(stage, "destroy", "runtime_unreachable");
	stage->request.target.socket = socket;
	stage_free(stage);
}

static void a_runtime_that_hangs_is_given_up(void **state)
{
	struct stage *stage = stage_new(*state);
	const char *socket_before = stage->request.target.socket;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t begun_mono_ms = clock_mono_ms();

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/hung", stage->folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	stage->request.target.socket = address.sun_path;
	stage->request.deadline_at_ms = clock_wall_ms() + 700;
	stage_must_not(stage, "inventory", "runtime_timeout");
	assert_int_equal(stage->err.code, ERR_TIMEOUT);
	assert_true(clock_mono_ms() - begun_mono_ms < 5000);
	close(fd);
	stage->request.target.socket = socket_before;
	stage->request.deadline_at_ms = 0;
	stage_free(stage);
}

static void a_create_that_takes_too_long_says_what_is_not_ready(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  slow:\n" STAGE_HTTPD_BLOCK
		    "    healthcheck: { test: ['CMD', 'false'], interval: 60s }\n",
		    NULL);
	stage->request.deadline_at_ms = clock_wall_ms() + 3000;
	stage_must_not(stage, "create", "create_too_slow");
	stage_contains(stage->err.message, "slow");
	stage->request.deadline_at_ms = 0;
	stage_free(stage);
}

static void the_probe_names_the_runtime(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_must(stage, "probe");
	assert_string_equal(json_get_string(stage->data, "runtime", ""),
			    stage_is_podman(stage) ? "podman" : "docker");
	assert_true(json_get_string(stage->data, "version", "")[0] != '\0');
	assert_true(json_is_array(stage_dig(stage->data, "warnings", NULL)));
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(an_unhealthy_service_is_named_with_its_last_lines),
		STAGE_ON_BOTH(a_service_that_ends_is_named_with_its_status),
		STAGE_ON_BOTH(a_command_that_is_not_there_is_named),
		STAGE_ON_BOTH(a_missing_image_is_named),
		STAGE_ON_BOTH(an_image_of_another_architecture_is_refused_at_plan_time),
		STAGE_ON_BOTH(a_template_that_is_not_trusted_gets_no_folder_of_the_machine),
		STAGE_ON_BOTH(a_runtime_that_is_not_there_is_unreachable),
		STAGE_ON_BOTH(a_runtime_that_hangs_is_given_up),
		STAGE_ON_BOTH(a_create_that_takes_too_long_says_what_is_not_ready),
		STAGE_ON_BOTH(the_probe_names_the_runtime),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
