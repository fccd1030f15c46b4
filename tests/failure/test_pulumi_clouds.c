/*
 * Environments of the real Pulumi whose provider's inventory is an adapter of ours, against moto:
 * what a cloud still has is named and keeps the environment, what nobody could see is never
 * "nothing".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/cloud_server.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000 };

#define SECRET "wJalrXUtnFEMI/K7MDENG"
#define INVENTORY                                                                                  \
	"{ adapter: aws, regions: [us-east-1], tags: { Stack: \"${stack}\" }, settle: 1s,\n"       \
	"    endpoint: \"%s\", credentials: { variable: ENVD_SECRET_AWS } }"

/* One for all stories: it takes seconds to start. */
static struct cloud_server *server;

static int open_server(void **state)
{
	(void)state;
	server = cloud_server_start_aws();
	setenv("ENVD_SECRET_AWS",
	       "{\"AccessKeyId\": \"AKIAIOSFODNN7\", \"SecretAccessKey\": \"" SECRET "\"}", 1);
	return 0;
}

static int close_server(void **state)
{
	(void)state;
	cloud_server_stop(server);
	return 0;
}

/* `more`: lines under "inventory" and "layers" of layers.yaml. */
static void prepare(struct pulumi_bench *bench, const char *more_inventory, const char *more_layers)
{
	/* A hook that leaves something behind is a provider like any other, and needs no Python. */
	AUTO(free)
	char *layers = xasprintf("inventory:\n  cloud: " INVENTORY "\n%slayers:\n"
				 "  - { name: cloud, up: [\"true\"], down: [\"true\"] }\n%s",
				 server->endpoint, more_inventory, more_layers);

	json_decref(cloud_server_tell(server, json_pack("{s:s}", "do", "reset")));
	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n", layers);
}

static void ask_aws(struct pulumi_bench *bench)
{
	prepare(bench, "", "");
	world_start(bench->world);
}

static void call_aws(const char *service, const char *method, json_t *parameters)
{
	json_decref(
	    cloud_server_tell(server, json_pack("{s:s, s:s, s:s, s:o}", "do", "call", "service",
						service, "method", method, "with", parameters)));
}

struct waiting {
	struct pulumi_bench *bench;
	const char *id, *words;
};

static bool is_blocked_by(void *arg)
{
	struct waiting *waiting = arg;
	AUTO(json_decref) json_t *env = pulumi_bench_get(waiting->bench, waiting->id);
	AUTO(free) char *text = json_to_text(env);

	return strcmp(json_get_string(env, "state", ""), "destroying") == 0 &&
	       strstr(text, waiting->words);
}

static void wait_blocked(struct pulumi_bench *bench, const char *id, const char *words)
{
	struct waiting waiting = { bench, id, words };

	if (!eventually(is_blocked_by, &waiting, BUILD_MS)) {
		AUTO(json_decref) json_t *env = pulumi_bench_get(bench, id);
		AUTO(free) char *text = json_to_text(env);

		fail_msg("it is not kept by \"%s\": %s", words, text);
	}
}

static bool is_written_somewhere(const struct pulumi_bench *bench, const char *secret)
{
	AUTO(free)
	char *command = xasprintf("grep -rqF -- '%s' '%s/data' '%s/log'", secret,
				  bench->world->folder, bench->world->folder);

	return system(command) == 0;
}

/* ---- stories ---- */

static void what_the_cloud_still_has_is_named_and_keeps_the_environment(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37], stack[16];

	ask_aws(bench);
	pulumi_bench_build(bench, "a", "three", id);
	snprintf(stack, sizeof(stack), "envd-%.8s", id);
	/* As a cluster would: nothing that Pulumi knows of. */
	call_aws("elb", "create_load_balancer",
		 json_pack("{s:s, s:[s], s:[{s:s, s:s}], s:[{s:s, s:i, s:i}]}", "LoadBalancerName",
			   "left-behind", "AvailabilityZones", "us-east-1a", "Tags", "Key", "Stack",
			   "Value", stack, "Listeners", "Protocol", "TCP", "LoadBalancerPort", 80,
			   "InstancePort", 30080));
	pulumi_bench_destroy(bench, id);
	wait_blocked(bench, id,
		     "aws:classic-load-balancer left-behind: still there in us-east-1, ours "
		     "because of its tag");
	/* What was seen as ours stays ours, whatever is written on it now. */
	call_aws("elb", "remove_tags",
		 json_pack("{s:[s], s:[{s:s}]}", "LoadBalancerNames", "left-behind", "Tags", "Key",
			   "Stack"));
	wait_blocked(bench, id, "ours because of what Pulumi or an earlier look noted");
	call_aws("elb", "delete_load_balancer",
		 json_pack("{s:s}", "LoadBalancerName", "left-behind"));
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_true(is_written_somewhere(bench, "left-behind"));
	assert_false(is_written_somewhere(bench, SECRET));
}

static void a_listing_that_is_refused_is_not_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	ask_aws(bench);
	pulumi_bench_build(bench, "a", "three", id);
	json_decref(cloud_server_tell(server, json_pack("{s:s, s:s, s:[s]}", "do", "gate", "secret",
							SECRET, "deny", "DescribeVolumes")));
	pulumi_bench_destroy(bench, id);
	wait_blocked(bench, id, "DescribeVolumes in us-east-1: 403 AccessDenied");
	json_decref(cloud_server_tell(
	    server, json_pack("{s:s, s:s, s:[]}", "do", "gate", "secret", SECRET, "deny")));
	world_wait(bench->world, id, "destroyed", BUILD_MS);
}

struct acknowledging {
	struct pulumi_bench *bench;
	const char *id;
};

/* Not while it is being tried again. */
static bool is_acknowledged(void *arg)
{
	struct acknowledging *asked = arg;
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", "a");
	AUTO(free) char *target = xasprintf("/v1/environments/%s/acknowledge", asked->id);
	int status;

	json_decref(world_ask(asked->bench->world, "POST", target, body, &status));
	return status == 200;
}

/* The cloud is empty, and would say so: but the inventory is for other environments. */
static void an_inventory_for_other_parameters_proves_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	prepare(bench, "", "");
	pulumi_bench_edit(bench, "three", "layers.yaml", "{ adapter: aws,",
			  "{ when: { color: [green, blue] }, adapter: aws,");
	/* Credentials of another account's cloud need not be there. */
	json_decref(cloud_server_tell(
	    server, json_pack("{s:s, s:s, s:[]}", "do", "gate", "secret", "another", "deny")));
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	pulumi_bench_destroy(bench, id);
	wait_blocked(bench, id,
		     "provider \\\"cloud\\\" has no inventory with these parameters, so nobody can "
		     "tell whether something of it is left");
	history = pulumi_bench_history(bench, id);
	assert_null(strstr(history, "proved gone"));
	assert_true(eventually(is_acknowledged, &(struct acknowledging){ bench, id }, BUILD_MS));
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	{
		AUTO(json_decref) json_t *env = pulumi_bench_get(bench, id);

		assert_string_equal(json_get_string(env, "reason", ""), "acknowledged");
	}
}

static void keep_something(const char *id)
{
	char stack[16];

	snprintf(stack, sizeof(stack), "envd-%.8s", id);
	call_aws("ec2", "create_volume",
		 json_pack("{s:s, s:i, s:[{s:s, s:[{s:s, s:s}]}]}", "AvailabilityZone",
			   "us-east-1a", "Size", 1, "TagSpecifications", "ResourceType", "volume",
			   "Tags", "Key", "Stack", "Value", stack));
}

static void forget_everything(void)
{
	json_decref(cloud_server_tell(server, json_pack("{s:s}", "do", "reset")));
}

/* As things in a cluster that was made: nobody can ask it when it has gone. */
static void what_cannot_be_asked_any_more_is_gone_with_that_in_which_it_was(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	prepare(bench,
		"  inside: { list: [\"false\"], gone_with: [cloud] }\n"
		"  part: { gone_with: [cloud] }\n",
		"  - { name: inside, up: [\"true\"], down: [\"true\"], needs: [cloud] }\n"
		"  - { name: part, up: [\"true\"], down: [\"true\"], needs: [cloud] }\n");
	pulumi_bench_edit(bench, "three", "layers.yaml", "{ adapter: aws,",
			  "{ when: { color: [green, red] }, adapter: aws,");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	keep_something(id);
	pulumi_bench_destroy(bench, id);
	/* While anything is left outside, what was inside may be there, too. */
	wait_blocked(bench, id, "it is not gone with \\\"cloud\\\", which has aws:volume");
	wait_blocked(bench, id, "what is left of \\\"part\\\" nobody lists");
	forget_everything();
	/* So it may while the cloud does not say what is left. */
	json_decref(cloud_server_tell(server, json_pack("{s:s, s:s, s:[s]}", "do", "gate", "secret",
							SECRET, "deny", "DescribeVolumes")));
	wait_blocked(bench, id, "DescribeVolumes in us-east-1: 403 AccessDenied");
	wait_blocked(bench, id, "nor could \\\"cloud\\\" be listed, with which it would be gone");
	json_decref(cloud_server_tell(
	    server, json_pack("{s:s, s:s, s:[]}", "do", "gate", "secret", SECRET, "deny")));
	world_wait(bench->world, id, "destroyed", BUILD_MS);
}

static void credentials_that_are_none_build_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *why = NULL;
	AUTO(free) char *history = NULL;
	char id[37];

	ask_aws(bench);
	json_decref(cloud_server_tell(
	    server, json_pack("{s:s, s:s, s:[]}", "do", "gate", "secret", "another", "deny")));
	pulumi_bench_create(bench, "a", "three", id);
	why = pulumi_bench_failure(bench, id);
	stage_contains(why, "inventory \"cloud\": AWS GetCallerIdentity");
	history = pulumi_bench_history(bench, id);
	assert_null(strstr(history, "started"));
	/* Nothing was ever begun, so there is nothing to ask anybody about. */
	world_wait(bench->world, id, "destroyed", BUILD_MS);
}

static size_t count_networks(const char *id)
{
	AUTO(json_decref)
	json_t *answer = cloud_server_tell(
	    server, json_pack("{s:s, s:s, s:s, s:{s:[{s:s, s:[o]}]}}", "do", "call", "service",
			      "ec2", "method", "describe_vpcs", "with", "Filters", "Name",
			      "tag:Stack", "Values", json_sprintf("envd-%.8s", id)));

	return json_array_size(json_object_get(answer, "Vpcs"));
}

static bool is_made(void *arg)
{
	return count_networks(arg) > 0;
}

/* The cloud has it and Pulumi has not heard of it: a plain `up` would make a second one. */
static void an_interrupted_create_is_found_in_the_cloud_and_taken_in(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	json_decref(cloud_server_tell(server, json_pack("{s:s}", "do", "reset")));
	pulumi_bench_template(bench, "clouded");
	pulumi_bench_edit(bench, "clouded", "layers.yaml", "ENVD_TEST_AWS", server->endpoint);
	pulumi_bench_edit(bench, "clouded", "layers.yaml", "ENVD_TEST_WORLD", bench->things);
	pulumi_bench_switch(bench, "gate", "");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "clouded", id);
	assert_true(eventually(is_made, id, BUILD_MS));
	pulumi_bench_kill_everything(bench);
	pulumi_bench_unswitch(bench, "gate");
	world_start(bench->world);
	world_wait(bench->world, id, "ready", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	stage_contains(history, "was made by an interrupted run: taken into the state");
	assert_int_equal(count_networks(id), 1);
	pulumi_bench_end(bench, id);
	assert_int_equal(count_networks(id), 0);
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(what_the_cloud_still_has_is_named_and_keeps_the_environment),
		ON_BENCH(a_listing_that_is_refused_is_not_nothing),
		ON_BENCH(an_inventory_for_other_parameters_proves_nothing),
		ON_BENCH(what_cannot_be_asked_any_more_is_gone_with_that_in_which_it_was),
		ON_BENCH(an_interrupted_create_is_found_in_the_cloud_and_taken_in),
		ON_BENCH(credentials_that_are_none_build_nothing),
	};

	return cmocka_run_group_tests(tests, open_server, close_server);
}
