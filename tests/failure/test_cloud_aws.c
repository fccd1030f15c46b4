/*
 * What AWS has of an environment, asked of moto: found by tag, cluster, name and memory, nobody
 * else's among it, and never "nothing" when it was not seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "engine/cloud/cloud.h"
#include "engine/cloud/s3.h"
#include "tests/support/cloud_server.h"

struct stage {
	struct cloud_server *server;
	const struct cloud_adapter *aws;
	struct cloud_secret secret;
	struct cloud_question question;
	char *regions[3];
	json_t *tags, *names, *clusters, *known;
};

/* One for all stories: it takes seconds to start. */
static struct cloud_server *server;

static int open_server(void **state)
{
	(void)state;
	server = cloud_server_start_aws();
	return 0;
}

static int close_server(void **state)
{
	(void)state;
	cloud_server_stop(server);
	return 0;
}

static int open_stage(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	static char here[] = "us-east-1";

	stage->server = server;
	json_decref(cloud_server_tell(server, json_pack("{s:s}", "do", "reset")));
	stage->aws = cloud_adapter_find("aws");
	stage->secret =
	    (struct cloud_secret){ .key_id = xstrdup("AKIA"), .key = xstrdup("very/secret+") };
	stage->regions[0] = here;
	stage->tags = json_pack("[s]", "Stack=envd-aaaa");
	stage->names = json_pack("[s]", "ingress-controller-envd-aaaa");
	stage->clusters = json_array();
	stage->known = json_object();
	stage->question = (struct cloud_question){
		.session = { .secret = &stage->secret, .wait_ms = 10 },
		.endpoint = stage->server->endpoint,
		.regions = stage->regions,
		.marks = { .tags = stage->tags,
			   .names = stage->names,
			   .clusters = stage->clusters,
			   .known = stage->known,
			   .since_s = time(NULL) - 60 },
	};
	*state = stage;
	return 0;
}

static int close_stage(void **state)
{
	struct stage *stage = *state;

	cloud_secret_release(&stage->secret);
	json_decref(stage->tags);
	json_decref(stage->names);
	json_decref(stage->clusters);
	json_decref(stage->known);
	free(stage);
	return 0;
}

static json_t *make_mara(const struct stage *stage, const char *stack)
{
	return cloud_server_tell(stage->server, json_pack("{s:s, s:s, s:s}", "do", "mara", "stack",
							  stack, "region", "us-east-1"));
}

static void call(const struct stage *stage, const char *service, const char *method,
		 json_t *parameters)
{
	json_decref(cloud_server_tell(stage->server,
				      json_pack("{s:s, s:s, s:s, s:o}", "do", "call", "service",
						service, "method", method, "with", parameters)));
}

static json_t *list(const struct stage *stage)
{
	json_t *items = NULL;
	struct error err;

	if (!stage->aws->list(&stage->question, &items, &err))
		fail_msg("%s", err.message);
	return items;
}

static const json_t *find(const json_t *items, const char *id)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item)
		if (strcmp(json_get_string(item, "id", ""), id) == 0)
			return item;
	return NULL;
}

static const char *id_of(const json_t *made, const char *kind)
{
	return json_string_value(json_object_get(made, kind));
}

static void knows_cluster(struct stage *stage, const json_t *made)
{
	json_array_append(stage->clusters, json_object_get(made, "cluster"));
}

/* ---- stories ---- */

static void everything_of_an_environment_is_found_and_named(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *made = make_mara(stage, "envd-aaaa");
	AUTO(json_decref) json_t *items = NULL;
	const char *kind;
	json_t *id;
	const json_t *balancer;

	knows_cluster(stage, made);
	/* MARA cannot tag it, and its name is anybody's: Pulumi's state knew it. */
	json_object_set_new(stage->known, id_of(made, "role"),
			    json_pack("{s:b}", "aws:iam/role:Role", 1));
	items = list(stage);
	json_object_foreach(made, kind, id)
		if (!find(items, json_string_value(id)))
			fail_msg("%s %s is not found", kind, json_string_value(id));
	balancer = find(items, id_of(made, "classic"));
	assert_string_equal(json_get_string(balancer, "kind", ""), "aws:classic-load-balancer");
	assert_string_equal(json_get_string(balancer, "region", ""), "us-east-1");
	assert_string_equal(json_get_string(balancer, "cost", ""), "running");
	assert_string_equal(json_get_string(balancer, "reason", ""),
			    "still there in us-east-1, ours because of the cluster that it belongs "
			    "to");
}

static void what_is_somebody_elses_is_not_ours(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *other = make_mara(stage, "envd-bbbb");
	AUTO(json_decref) json_t *items = NULL;

	/* Its volume without a mark may be anybody's: a doubt, and the only one. */
	items = list(stage);
	assert_int_equal(json_array_size(items), 1);
	assert_non_null(find(items, id_of(other, "stray")));
	json_array_clear(items);
	json_decref(items);
	/* What was there before the environment began is no doubt. */
	stage->question.marks.since_s = time(NULL) + 3600;
	items = list(stage);
	assert_int_equal(json_array_size(items), 0);
}

static void a_volume_that_outlives_its_cluster_is_named_until_it_is_gone(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *made = make_mara(stage, "envd-aaaa");
	AUTO(json_decref) json_t *before = NULL;
	AUTO(json_decref) json_t *after = NULL;

	knows_cluster(stage, made);
	call(stage, "eks", "delete_cluster", json_pack("{s:s}", "name", id_of(made, "cluster")));
	before = list(stage);
	assert_null(find(before, id_of(made, "cluster")));
	assert_non_null(find(before, id_of(made, "volume")));
	call(stage, "ec2", "delete_volume", json_pack("{s:s}", "VolumeId", id_of(made, "volume")));
	after = list(stage);
	assert_null(find(after, id_of(made, "volume")));
}

static void all_pages_are_read(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = NULL;

	json_decref(
	    cloud_server_tell(stage->server, json_pack("{s:s, s:i}", "do", "roles", "count", 230)));
	json_array_append_new(stage->names, json_string("someone-*"));
	items = list(stage);
	assert_int_equal(json_array_size(items), 230);
}

static void set_gate(const struct stage *stage, const char *denied, int busy)
{
	json_decref(cloud_server_tell(stage->server,
				      json_pack("{s:s, s:s, s:[s], s:i}", "do", "gate", "secret",
						"very/secret+", "deny", denied, "busy", busy)));
}

static void signatures_are_those_of_aws(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *made = make_mara(stage, "envd-aaaa");
	AUTO(json_decref) json_t *items = NULL;
	AUTO(free) char *account = NULL;
	struct error err;

	knows_cluster(stage, made);
	stage->secret.session = xstrdup("a-session==");
	set_gate(stage, "Nothing", 0);
	if (!stage->aws->account(&stage->question, &account, &err))
		fail_msg("%s", err.message);
	assert_string_equal(account, "123456789012");
	items = list(stage);
	assert_non_null(find(items, id_of(made, "cluster")));
	stage->secret.key[0] = 'X';
	json_decref(items);
	items = NULL;
	assert_false(stage->aws->list(&stage->question, &items, &err));
	assert_string_equal(err.slug, "cloud_denied");
	assert_non_null(strstr(err.message, "SignatureDoesNotMatch"));
}

static void a_permission_that_is_missing_is_no_answer(void **state)
{
	static const char *const actions[] = { "DescribeStacks", "ListRoles", "DescribeVolumes",
					       "GetResources", "DescribeRepositories" };
	struct stage *stage = *state;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		json_t *items = NULL;
		struct error err;

		set_gate(stage, actions[i], 0);
		assert_false(stage->aws->list(&stage->question, &items, &err));
		assert_null(items);
		assert_string_equal(err.slug, "cloud_denied");
		if (!strstr(err.message, actions[i]) || !strstr(err.message, "403 AccessDenied"))
			fail_msg("%s", err.message);
	}
}

static void what_is_asked_too_often_is_asked_again_later(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = NULL;
	json_t *none = NULL;
	struct error err;

	set_gate(stage, "Nothing", 3);
	items = list(stage);
	assert_int_equal(json_array_size(items), 0);
	set_gate(stage, "Nothing", 100);
	assert_false(stage->aws->list(&stage->question, &none, &err));
	assert_string_equal(err.slug, "cloud_busy");
}

static void a_region_that_is_not_enabled_is_no_answer(void **state)
{
	struct stage *stage = *state;
	static char away[] = "ap-east-1";
	json_t *items = NULL;
	struct error err;

	stage->regions[0] = away;
	assert_false(stage->aws->list(&stage->question, &items, &err));
	assert_null(items);
	assert_non_null(strstr(err.message, "ap-east-1"));
}

static void a_bucket_is_read_with_good_signatures(void **state)
{
	struct stage *stage = *state;
	AUTO(free)
	char *url =
	    xasprintf("s3://states/of/envd?endpoint=%s&s3ForcePathStyle=true&region=us-east-1",
		      server->endpoint);
	AUTO(s3_place_release) struct s3_place bucket = { .bucket = NULL };
	AUTO(json_decref) json_t *keys = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	call(stage, "s3", "create_bucket", json_pack("{s:s}", "Bucket", "states"));
	for (int i = 0; i < 3; i++)
		call(stage, "s3", "put_object",
		     json_pack("{s:s, s:o, s:o}", "Bucket", "states", "Key",
			       json_sprintf("of/envd/a b/%d+.json", i), "Body",
			       json_sprintf("number %d", i)));
	set_gate(stage, "Nothing", 0);
	assert_true(s3_place_parse(url, &bucket, &err));
	if (!s3_list(&bucket, &stage->question.session, "a b/", &keys, &err))
		fail_msg("%s", err.message);
	assert_int_equal(json_array_size(keys), 3);
	if (!s3_get(&bucket, &stage->question.session, json_string_value(json_array_get(keys, 1)),
		    100, &text, &err))
		fail_msg("%s", err.message);
	assert_string_equal(text, "number 1");
	stage->secret.key[0] = 'X';
	json_decref(keys);
	keys = NULL;
	assert_false(s3_list(&bucket, &stage->question.session, "a b/", &keys, &err));
	assert_string_equal(err.message, "bucket \"states\" answered 403");
}

#define ON_STAGE(story) cmocka_unit_test_setup_teardown(story, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(everything_of_an_environment_is_found_and_named),
		ON_STAGE(what_is_somebody_elses_is_not_ours),
		ON_STAGE(a_volume_that_outlives_its_cluster_is_named_until_it_is_gone),
		ON_STAGE(all_pages_are_read),
		ON_STAGE(signatures_are_those_of_aws),
		ON_STAGE(a_permission_that_is_missing_is_no_answer),
		ON_STAGE(what_is_asked_too_often_is_asked_again_later),
		ON_STAGE(a_bucket_is_read_with_good_signatures),
		ON_STAGE(a_region_that_is_not_enabled_is_no_answer),
	};

	return cmocka_run_group_tests(tests, open_server, close_server);
}
