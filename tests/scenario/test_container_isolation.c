/*
 * Between two environments nothing passes, on Podman and on Docker: probed from inside, by name and
 * by address.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/support/engine_stage.h"

static char *address_of(struct stage *stage, const char *service)
{
	json_t *seen = stage_look(stage, service);
	json_t *networks = json_object_get(json_object_get(seen, "NetworkSettings"), "Networks");
	const json_t *first = json_object_iter_value(json_object_iter(networks));
	char *address = xstrdup(json_get_string(first, "IPAddress", ""));

	json_decref(seen);
	assert_true(address[0] != '\0');
	return address;
}

static void assert_apart(struct stage *one, struct stage *other)
{
	AUTO(free) char *own = address_of(one, "db");
	AUTO(free) char *foreign = address_of(other, "db");
	AUTO(free) char *foreign_name = stage_container(other, "db");

	/* That the way is there at all is what makes the refusals mean something. */
	stage_must_reach(one, "web", "db");
	stage_must_reach(one, "web", own);
	assert_int_not_equal(stage_fetch(one, "web", foreign), 0);
	assert_int_not_equal(stage_fetch(one, "web", foreign_name), 0);
}

static void two_environments_do_not_reach_each_other(void **state)
{
	struct stage *one = stage_new(*state), *other = stage_new(*state);

	stage_write(one, STAGE_TWO_SERVICES, NULL);
	stage_write(other, STAGE_TWO_SERVICES, NULL);
	stage_must(one, "create");
	stage_must(other, "create");
	assert_apart(one, other);
	assert_apart(other, one);
	/* Whoever lists networks now must not open them either. */
	stage_ask(one, "GET", "/v1.41/networks");
	assert_apart(other, one);
	stage_free(one);
	stage_free(other);
}

static void ending_one_environment_opens_no_other(void **state)
{
	struct stage *one = stage_new(*state), *other = stage_new(*state);
	struct stage *third = stage_new(*state);

	stage_write(one, STAGE_TWO_SERVICES, NULL);
	stage_write(other, STAGE_TWO_SERVICES, NULL);
	stage_write(third, STAGE_TWO_SERVICES, NULL);
	stage_must(one, "create");
	stage_must(other, "create");
	stage_must(third, "create");
	stage_must(third, "destroy");
	assert_apart(one, other);
	stage_free(third);
	stage_free(one);
	stage_free(other);
}

/*
 * Keeps asking Docker's API for the networks, as any tool of the user might. Not without pause: two
 * such requests at once can end Podman's service ("concurrent map iteration and map write").
 */
static pid_t list_networks_for_ever(const struct stage *stage)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed must not leave it behind */
	while (pid == 0) {
		stage_ask(stage, "GET", "/v1.41/networks");
		poll(NULL, 0, 20);
	}
	return pid;
}

static void create_until_ready(struct stage *stage)
{
	for (int try = 0; try < 10 && !stage_do(stage, "create"); try++)
		assert_string_equal(stage->err.slug, "isolation_lost");
}

static void listing_networks_meanwhile_opens_no_environment(void **state)
{
	struct stage *one = stage_new(*state), *other = stage_new(*state);
	pid_t lister = list_networks_for_ever(one);

	stage_write(one, STAGE_TWO_SERVICES, NULL);
	stage_write(other, STAGE_TWO_SERVICES, NULL);
	create_until_ready(one);
	create_until_ready(other);
	kill(lister, SIGKILL);
	waitpid(lister, NULL, 0);
	/* Never ready and open: either both were refused to the end, or they are apart. */
	if (one->err.code == ERR_NONE && other->err.code == ERR_NONE) {
		assert_apart(one, other);
		assert_apart(other, one);
	} else {
		create_until_ready(one);
		create_until_ready(other);
		assert_apart(one, other);
	}
	stage_free(one);
	stage_free(other);
}

static void one_environment_may_have_several_networks(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  front: { " STAGE_HTTPD ", networks: [outer] }\n"
		    "  middle:\n" STAGE_HTTPD_BLOCK
		    "    networks: { outer: { aliases: [between] }, inner: {} }\n"
		    "    ports: [80]\n"
		    "  back: { " STAGE_HTTPD ", networks: [inner] }\n"
		    "networks: { outer: {}, inner: {} }\n",
		    NULL);
	stage_must(stage, "create");
	stage_must_reach(stage, "front", "between");
	stage_must_reach(stage, "middle", "back");
	stage_must_reach(stage, "back", "middle");
	assert_int_not_equal(stage_fetch(stage, "front", "back"), 0);
	assert_int_equal(json_array_size(stage_dig(stage->data, "addresses", NULL)), 1);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(two_environments_do_not_reach_each_other),
		STAGE_ON_BOTH(ending_one_environment_opens_no_other),
		STAGE_ON_BOTH(listing_networks_meanwhile_opens_no_environment),
		STAGE_ON_BOTH(one_environment_may_have_several_networks),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
