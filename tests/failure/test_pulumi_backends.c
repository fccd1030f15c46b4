/*
 * States of the real Pulumi in a bucket of S3, encrypted by a key of KMS (both moto) or by a
 * passphrase, and the token of Pulumi Cloud against a stand-in: an environment lives and goes there
 * as it does with files, and no credential is seen where it should not be.
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
#include "base/text.h"
#include "tests/support/cloud_server.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000 };

#define SECRET "wJalrXUtnFEMI/K7MDENG"
#define PASSWORD "Of-Shrubs-And-Geese-4711"

/* One for all stories: it takes seconds to start. */
static struct cloud_server *server;

static int open_server(void **state)
{
	(void)state;
	server = cloud_server_start_aws();
	setenv("ENVD_SECRET_AWS",
	       "[default]\naws_access_key_id = AKIAIOSFODNN7\naws_secret_access_key = " SECRET "\n",
	       1);
	return 0;
}

static int close_server(void **state)
{
	(void)state;
	cloud_server_stop(server);
	return 0;
}

static json_t *call_aws(const char *service, const char *method, json_t *parameters)
{
	return cloud_server_tell(server, json_pack("{s:s, s:s, s:s, s:o}", "do", "call", "service",
						   service, "method", method, "with", parameters));
}

/* One layer is enough: each command takes a second. `secrets` is a line of the backend. */
static void keep_in_bucket(struct pulumi_bench *bench, const char *secrets)
{
	AUTO(free)
	char *backend = xasprintf(
	    "variables: { AWS_ENDPOINT_URL: \"%s\" }\n"
	    "backend:\n"
	    "  url: \"s3://states/of/envd?endpoint=%s&s3ForcePathStyle=true&region=us-east-1\"\n"
	    "%s"
	    "  credentials: { variable: ENVD_SECRET_AWS }\n"
	    "config:\n",
	    server->endpoint, server->endpoint, secrets);

	json_decref(cloud_server_tell(server, json_pack("{s:s}", "do", "reset")));
	json_decref(call_aws("s3", "create_bucket", json_pack("{s:s}", "Bucket", "states")));
	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "config:\n", backend);
	pulumi_bench_edit(bench, "three", "layers.yaml", "{ folder: checkout }",
			  "{ folder: checkout, ignore: [two, three] }");
	pulumi_bench_edit(bench, "three", "layers.yaml",
			  "  - { name: two, project: two, needs: [one] }\n", "");
	pulumi_bench_edit(bench, "three", "layers.yaml",
			  "  - { name: three, project: three, needs: [one] }\n", "");
	pulumi_bench_edit(bench, "three", "template.yaml", "layer: three", "layer: one");
}

static void keep_in_bucket_by_key(struct pulumi_bench *bench)
{
	AUTO(json_decref) json_t *key = NULL;

	keep_in_bucket(bench, "  secrets: \"awskms://alias/envd?region=us-east-1&awssdk=v2\"\n");
	key = call_aws("kms", "create_key", json_object());
	json_decref(call_aws(
	    "kms", "create_alias",
	    json_pack("{s:s, s:s}", "AliasName", "alias/envd", "TargetKeyId",
		      json_get_string(json_object_get(key, "KeyMetadata"), "KeyId", "?"))));
}

/* The program exports its password as a secret, so that it is in the state, too. */
static void have_password(struct pulumi_bench *bench)
{
	const char *program = "checkout/one/Pulumi.yaml";

	setenv("ENVD_SECRET_ONE", PASSWORD, 1);
	pulumi_bench_edit(bench, "three", "layers.yaml", "{ random: 20 }",
			  "{ variable: ENVD_SECRET_ONE }");
	pulumi_bench_edit(bench, "three", program, "outputs:\n",
			  "  password: { type: String, secret: true }\n"
			  "outputs:\n"
			  "  password: ${password}\n");
}

/* What the bucket has under the only key that ends so; freed by the caller. */
static char *read_key(const char *end)
{
	AUTO(json_decref)
	json_t *list = call_aws("s3", "list_objects_v2", json_pack("{s:s}", "Bucket", "states"));
	AUTO(json_decref) json_t *object = NULL;
	const char *found = NULL;
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(list, "Contents"), i, item) {
		const char *key = json_get_string(item, "Key", "");

		if (text_ends_with(key, end)) {
			assert_null(found);
			found = key;
		}
	}
	if (!found)
		fail_msg("the bucket has no %s", end);
	object =
	    call_aws("s3", "get_object", json_pack("{s:s, s:s}", "Bucket", "states", "Key", found));
	return xstrdup(json_get_string(object, "Body", ""));
}

/* The keys of the bucket that hold `words`. */
static size_t count_keys(const char *words)
{
	AUTO(json_decref)
	json_t *answer = call_aws("s3", "list_objects_v2", json_pack("{s:s}", "Bucket", "states"));
	size_t i, count = 0;
	json_t *item;

	json_array_foreach(json_object_get(answer, "Contents"), i, item)
		count += strstr(json_get_string(item, "Key", ""), words) != NULL;
	return count;
}

static bool is_written_somewhere(const struct pulumi_bench *bench, const char *secret)
{
	AUTO(free)
	char *command = xasprintf("grep -rqF -- '%s' '%s/data' '%s/log'", secret,
				  bench->world->folder, bench->world->folder);

	return system(command) == 0;
}

struct waiting {
	struct pulumi_bench *bench;
	const char *id, *words;
};

static bool is_kept_by(void *arg)
{
	struct waiting *waiting = arg;
	AUTO(json_decref) json_t *env = pulumi_bench_get(waiting->bench, waiting->id);
	AUTO(free) char *text = json_to_text(env);

	return strcmp(json_get_string(env, "state", ""), "destroying") == 0 &&
	       strstr(text, waiting->words);
}

/* As a CLI on that machine would have left it. */
static void put_lock(const char *id, const char *host, int pid)
{
	AUTO(free)
	char *key = xasprintf("of/envd/.pulumi/locks/organization/one/envd-%.8s/x.json", id);

	json_decref(call_aws(
	    "s3", "put_object",
	    json_pack("{s:s, s:s, s:o}", "Bucket", "states", "Key", key, "Body",
		      json_sprintf("{\"pid\": %d, \"username\": \"ann\", \"hostname\": \"%s\", "
				   "\"timestamp\": \"2026-01-02T03:04:05Z\"}",
				   pid, host))));
}

/* ---- stories ---- */

static void states_in_a_bucket_live_and_go_as_files_do(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *config = NULL;
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *stack = NULL;
	AUTO(free) char *copy = NULL;
	struct error err;
	char id[37];

	keep_in_bucket_by_key(bench);
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	stack = xasprintf("stacks/one/envd-%.8s.json", id);
	assert_true(count_keys(stack) >= 1);
	config = xasprintf("%s/environments/%s/pulumi/checkout/one/Pulumi.envd-%.8s.yaml",
			   bench->world->data, id, id);
	assert_true(file_read(config, 1 << 20, &bytes, NULL, &err));
	stage_contains(bytes, "secretsprovider: awskms://alias/envd");
	stage_contains(bytes, "encryptedkey: ");
	copy = pulumi_bench_path(bench, id, "states/one/last-not-empty.json");
	assert_true(file_exists(copy));
	pulumi_bench_end(bench, id);
	assert_true(is_written_somewhere(bench, "awskms"));
	assert_false(is_written_somewhere(bench, SECRET));
	free(stack);
	stack = xasprintf(".pulumi/stacks/one/envd-%.8s.json", id);
	assert_int_equal(count_keys(stack), count_keys(".json.bak"));
}

static void states_in_a_bucket_are_encrypted_by_the_passphrase_of_their_environment(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *stack = NULL;
	AUTO(free) char *text = NULL;
	AUTO(free) char *passphrase = NULL;
	AUTO(free) char *words = NULL;
	char id[37];
	struct error err;

	keep_in_bucket(bench, "");
	have_password(bench);
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	stack = xasprintf(".pulumi/stacks/one/envd-%.8s.json", id);
	text = read_key(stack);
	stage_contains(text, "\"type\":\"passphrase\"");
	stage_contains(text, "\"ciphertext\":\"v1:");
	assert_null(strstr(text, PASSWORD));
	passphrase = pulumi_bench_path(bench, id, "passphrase");
	assert_true(file_read(passphrase, 1000, &words, NULL, &err));
	assert_null(strstr(text, words));
	assert_false(is_written_somewhere(bench, PASSWORD));
	pulumi_bench_end(bench, id);
	assert_int_equal(count_keys(stack), count_keys(".json.bak"));
	assert_false(file_exists(passphrase));
	assert_false(is_written_somewhere(bench, PASSWORD) || is_written_somewhere(bench, SECRET));
}

static void a_lock_is_broken_only_when_its_owner_is_dead(void **state)
{
	struct pulumi_bench *bench = *state;
	struct waiting waiting = { bench, NULL, "locked by pid 77 of ann on \\\"elsewhere\\\"" };
	char id[37], host[256] = "";

	keep_in_bucket_by_key(bench);
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	put_lock(id, "elsewhere", 77);
	pulumi_bench_destroy(bench, id);
	waiting.id = id;
	if (!eventually(is_kept_by, &waiting, BUILD_MS)) {
		AUTO(json_decref) json_t *env = pulumi_bench_get(bench, id);
		AUTO(free) char *text = json_to_text(env);

		fail_msg("it is not kept: %s", text);
	}
	assert_int_equal(count_keys("/locks/"), 1);
	/* One of this machine, by a program that is no more. */
	gethostname(host, sizeof(host) - 1);
	put_lock(id, host, 4194303);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_int_equal(count_keys("/locks/"), 0);
}

/* What the service itself does cannot be tried here: only who it is asked by, and what is left. */
static void the_token_of_pulumi_cloud_goes_to_it_and_nowhere_else(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(cloud_server_stop) struct cloud_server *service = cloud_server_start_fake();
	AUTO(free)
	char *backend = xasprintf("backend: { url: \"%s\", organization: acme, credentials: { "
				  "variable: ENVD_SECRET_PULUMI } }\nconfig:\n",
				  service->endpoint);
	AUTO(json_decref) json_t *seen = NULL;
	AUTO(free) char *why = NULL;
	AUTO(free) char *text = NULL;
	char id[37];

	setenv("ENVD_SECRET_PULUMI", "pul-0123456789", 1);
	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "config:\n", backend);
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	why = pulumi_bench_failure(bench, id);
	stage_contains(why, "acme may have no more stacks");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	seen = cloud_server_tell(service, json_pack("{s:s}", "do", "seen"));
	text = json_to_text(seen);
	stage_contains(text, "[\"POST\",\"/api/stacks/acme/one\",\"token pul-0123456789\"]");
	/* The CLI writes it into its home; it has gone with the environment. */
	assert_false(is_written_somewhere(bench, "pul-0123456789"));
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(states_in_a_bucket_live_and_go_as_files_do),
		ON_BENCH(states_in_a_bucket_are_encrypted_by_the_passphrase_of_their_environment),
		ON_BENCH(the_token_of_pulumi_cloud_goes_to_it_and_nowhere_else),
		ON_BENCH(a_lock_is_broken_only_when_its_owner_is_dead),
	};

	return cmocka_run_group_tests(tests, open_server, close_server);
}
