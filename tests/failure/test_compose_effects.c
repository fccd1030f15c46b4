/*
 * Compose keys whose effect is seen from inside a container and takes its time: networks that keep
 * apart, volumes that go with their environment, how often health is asked, time to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "tests/support/engine_stage.h"
#include "tests/support/http_client.h"

static bool is_internal(const struct stage *stage, const char *network)
{
	AUTO(free) char *name = stage_container(stage, network);
	bool is_podman = stage_is_podman(stage);
	AUTO(free)
	char *target = xasprintf("%s/networks/%s%s", is_podman ? "/v4.0.0/libpod" : "/v1.41", name,
				 is_podman ? "/json" : "");
	json_t *answer = NULL;
	bool internal;

	assert_int_equal(http_ask_json(stage->socket, "GET", target, NULL, NULL, &answer), 200);
	internal = json_get_bool(answer, is_podman ? "internal" : "Internal", false);
	json_decref(answer);
	return internal;
}

/* Who is on both networks reaches everybody; who is on the inner one only reaches that. */
static void networks_keep_apart_who_shares_none(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(
	    stage,
	    "services:\n"
	    "  front:\n" STAGE_HTTPD_BLOCK "    networks: [outer]\n    ports: ['80']\n"
	    "  api:\n" STAGE_HTTPD_BLOCK "    networks: { outer: , inner: { aliases: [middle] } }\n"
	    "  db:\n" STAGE_HTTPD_BLOCK "    networks: { inner: { aliases: [store, sql] } }\n"
	    "networks: { outer: , inner: { internal: true } }\n",
	    NULL);
	stage_must(stage, "create");
	assert_false(is_internal(stage, "outer"));
	assert_true(is_internal(stage, "inner"));
	assert_int_not_equal(stage_fetch(stage, "front", "db"), 0);
	assert_int_not_equal(stage_fetch(stage, "front", "store"), 0);
	/* Podman 4.3 at times never resolves the name of a container that is on an internal network
	 * too, and beside a Docker such a network passes nothing (templates/README.md). */
	if (!stage_is_podman(stage)) {
		assert_int_equal(stage_fetch(stage, "front", "api"), 0);
		assert_int_equal(stage_fetch(stage, "api", "sql"), 0);
		assert_int_equal(stage_fetch(stage, "db", "middle"), 0);
	}
	stage_free(stage);
}

static void volumes_outlive_a_restart_and_not_their_environment(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *container = NULL;

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    volumes: ['data:/data', /own]\n"
		    "  other:\n" STAGE_HTTPD_BLOCK "    volumes: ['data:/data:ro']\n"
		    "volumes: { data: }\n",
		    NULL);
	stage_must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "echo kept | tee /data/x >/own/x", NULL), 0);
	container = stage_container(stage, "web");
	assert_int_equal(stage_ask(stage, "POST", "/v1.41/containers/%s/restart?t=1", container),
			 204);
	stage_says(stage, "web", "cat /data/x /own/x", "kept\nkept\n");
	stage_says(stage, "other", "cat /data/x; touch /data/y 2>/dev/null || echo no",
		   "kept\nno\n");
	assert_int_equal(stage_count(stage, "volume"), 2);
	stage_must(stage, "destroy");
	assert_int_equal(stage_count(stage, "volume"), 0);
	stage_free(stage);
}

/* By its own count: an interval of 30 s alone would have been seen once. */
static void the_start_interval_is_how_often_a_beginner_is_asked(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    healthcheck:\n"
		    "      test: 'echo x >>/tmp/asked; [ $$(wc -l </tmp/asked) -ge 8 ]'\n"
		    "      interval: 30s\n      start_period: 60s\n      start_interval: 100ms\n",
		    NULL);
	stage_must(stage, "create");
	stage_says(stage, "web", "wc -l </tmp/asked", "8\n");
	stage_free(stage);
}

/* A process that needs longer than the second that others get. */
static void who_asks_for_time_to_end_gets_it(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *goodbye = path_join(stage->template_folder, "out/goodbye");
	AUTO(free) char *folder = path_join(stage->template_folder, "out");
	struct error err;

	stage_write(
	    stage,
	    "services:\n"
	    "  db:\n"
	    "    image: " STAGE_IMAGE "\n"
	    "    command: [sh, -c, 'trap \"sleep 2.5; echo bye >/out/goodbye; exit 0\" INT; "
	    "while :; do sleep 0.1; done']\n"
	    "    stop_signal: SIGINT\n    stop_grace_period: 30s\n"
	    "    volumes: ['./out:/out']\n",
	    NULL);
	assert_true(folder_make(folder, 0755, &err));
	stage_must(stage, "create");
	stage_must(stage, "destroy");
	assert_true(file_exists(goodbye));
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(networks_keep_apart_who_shares_none),
		STAGE_ON_BOTH(volumes_outlive_a_restart_and_not_their_environment),
		STAGE_ON_BOTH(the_start_interval_is_how_often_a_beginner_is_asked),
		STAGE_ON_BOTH(who_asks_for_time_to_end_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
