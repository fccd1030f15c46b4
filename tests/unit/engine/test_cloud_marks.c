#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "engine/cloud/cloud_marks.h"

#define BEGAN 1767323045
#define OTHER "Stack=envd-bbbb"

struct stage {
	json_t *tags, *names, *clusters, *known, *suspects;
	struct cloud_marks marks;
};

static int open_stage(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	stage->tags = json_pack("[s]", "Stack=envd-aaaa");
	stage->names = json_pack("[s]", "*-envd-aaaa-*");
	stage->clusters = json_pack("[s]", "blue");
	stage->known = json_pack("{s:{s:b}}", "vpc-1", "aws:ec2/vpc:Vpc", 1);
	stage->suspects = json_pack("[s]", "eks-iam-role");
	stage->marks = (struct cloud_marks){ .tags = stage->tags,
					     .names = stage->names,
					     .clusters = stage->clusters,
					     .known = stage->known,
					     .since_s = BEGAN };
	*state = stage;
	return 0;
}

static int close_stage(void **state)
{
	struct stage *stage = *state;

	json_decref(stage->tags);
	json_decref(stage->names);
	json_decref(stage->clusters);
	json_decref(stage->known);
	json_decref(stage->suspects);
	free(stage);
	return 0;
}

/* With one tag, or none. */
static bool is_ours(const struct stage *stage, struct cloud_thing thing, const char *tag)
{
	AUTO(json_decref) json_t *tags = tag ? json_pack("[s]", tag) : json_array();

	thing.kind = "x:y";
	thing.id = thing.id ? thing.id : "id";
	thing.tags = tags;
	return cloud_bond(&stage->marks, &thing, NULL);
}

static void a_tag_a_name_and_a_cluster_are_each_enough(void **state)
{
	struct stage *stage = *state;

	assert_true(is_ours(stage, (struct cloud_thing){ .name = "x" }, "Stack=envd-aaaa"));
	assert_true(is_ours(stage, (struct cloud_thing){ .name = "ic-envd-aaaa-1" }, NULL));
	assert_true(is_ours(stage, (struct cloud_thing){ .cluster = "blue" }, NULL));
	assert_true(is_ours(stage, (struct cloud_thing){ .within = "vpc-1" }, NULL));
	assert_false(is_ours(stage, (struct cloud_thing){ .name = "x" }, OTHER));
	assert_false(is_ours(stage, (struct cloud_thing){ .name = "x" }, NULL));
	assert_false(is_ours(stage, (struct cloud_thing){ .cluster = "red" }, NULL));
}

static void a_clusters_mark_is_its_own_and_not_what_it_shares(void **state)
{
	static const struct {
		const char *tag;
		bool is_ours;
	} cases[] = {
		{ "kubernetes.io/cluster/blue=owned", true },
		{ "kubernetes.io/cluster/blue=shared", false },
		{ "kubernetes.io/cluster/blue2=owned", false },
		{ "elbv2.k8s.aws/cluster=blue", true },
		{ "cluster.k8s.amazonaws.com/name=blue", true },
		{ "eks:cluster-name=blue", true },
		{ "k8s:blue", true },
		{ "k8s:blue2", false },
		{ "blue", false },
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (is_ours(stage, (struct cloud_thing){ .name = "x" }, cases[i].tag) !=
		    cases[i].is_ours)
			fail_msg("\"%s\" is judged wrongly", cases[i].tag);
}

static void what_was_noted_is_known_by_its_id_and_type(void **state)
{
	struct stage *stage = *state;

	assert_true(is_ours(stage, (struct cloud_thing){ .id = "vpc-1" }, NULL));
	assert_true(is_ours(stage, (struct cloud_thing){ .id = "x", .also = "vpc-1" }, NULL));
	assert_true(
	    is_ours(stage, (struct cloud_thing){ .id = "vpc-1", .type = "aws:ec2/vpc:Vpc" }, NULL));
	assert_false(is_ours(
	    stage,
	    (struct cloud_thing){ .id = "vpc-1", .type = "linode:x", .has_ids_by_type = true },
	    NULL));
	/* Even when somebody wrote another name on it. */
	assert_true(is_ours(stage, (struct cloud_thing){ .id = "vpc-1" }, OTHER));
}

static void a_stray_is_ours_when_it_is_young_and_nobody_claims_it(void **state)
{
	struct stage *stage = *state;
	const struct cloud_thing young = { .is_stray = true, .created_at_s = BEGAN + 60 };
	const struct cloud_thing old = { .is_stray = true, .created_at_s = BEGAN - 3600 };
	const struct cloud_thing ageless = { .is_stray = true };

	assert_true(is_ours(stage, young, NULL));
	assert_true(is_ours(stage, ageless, NULL)); /* a doubt is a left-over */
	assert_false(is_ours(stage, old, NULL));
	assert_false(is_ours(stage, young, OTHER));
}

static void the_name_of_an_interrupted_create_makes_a_suspect(void **state)
{
	struct stage *stage = *state;
	const struct cloud_thing role = { .name = "eks-iam-role-1a2b", .created_at_s = BEGAN + 9 };

	assert_false(is_ours(stage, role, NULL));
	stage->marks.suspects = stage->suspects;
	assert_true(is_ours(stage, role, NULL));
	assert_false(is_ours(stage, role, OTHER));
}

static void nothing_is_ours_without_marks(void **state)
{
	const struct cloud_marks none = { .since_s = BEGAN };
	const struct cloud_thing thing = { .kind = "x", .id = "1", .name = "a", .cluster = "blue" };

	(void)state;
	assert_null(cloud_bond(&none, &thing, NULL));
}

static void a_left_over_is_named_with_where_and_why(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = json_array();
	AUTO(free) char *text = NULL;

	cloud_add(&stage->marks,
		  &(struct cloud_thing){ .kind = "aws:volume",
					 .id = "vol-1",
					 .region = "us-east-1",
					 .cluster = "blue",
					 .cost = CLOUD_COST_STORAGE },
		  items);
	text = json_to_text(items);
	assert_string_equal(
	    text,
	    "[{\"kind\":\"aws:volume\",\"id\":\"vol-1\",\"name\":\"vol-1\","
	    "\"region\":\"us-east-1\",\"cost\":\"storage\",\"is_certain\":true,\"reason\":\"still "
	    "there in us-east-1, ours because of the cluster that it belongs "
	    "to\"}]");
}

#define ON_STAGE(story) cmocka_unit_test_setup_teardown(story, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_tag_a_name_and_a_cluster_are_each_enough),
		ON_STAGE(a_clusters_mark_is_its_own_and_not_what_it_shares),
		ON_STAGE(what_was_noted_is_known_by_its_id_and_type),
		ON_STAGE(a_stray_is_ours_when_it_is_young_and_nobody_claims_it),
		ON_STAGE(the_name_of_an_interrupted_create_makes_a_suspect),
		ON_STAGE(nothing_is_ours_without_marks),
		ON_STAGE(a_left_over_is_named_with_where_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
