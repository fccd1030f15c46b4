/*
 * What is read of clouds without asking any: AWS's XML, its keys, its names of resources,
 * endpoints, waits, addresses of buckets, locks in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/cloud/aws_lists.h"
#include "engine/cloud/cloud_rest.h"
#include "engine/cloud/s3.h"
#include "engine/pulumi/pulumi_adopt.h"
#include "engine/pulumi/pulumi_backend.h"

/* ---- XML ---- */

static void xml_says(const char *xml, const char *json)
{
	AUTO(json_decref) json_t *read = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	if (!aws_xml(xml, strlen(xml), &read, &err))
		fail_msg("%s", err.message);
	text = json_to_text(read);
	assert_string_equal(text, json);
}

static void xml_is_refused(const char *xml)
{
	json_t *read = NULL;
	struct error err;

	assert_false(aws_xml(xml, strlen(xml), &read, &err));
	assert_string_equal(err.slug, "cloud_invalid");
	assert_null(read);
}

static void xml_is_read_as_objects_lists_and_text(void **state)
{
	(void)state;
	xml_says("<R><set><item><id>v-1</id></item></set></R>",
		 "{\"R\":{\"set\":[{\"id\":\"v-1\"}]}}");
	xml_says("<R><set><member>a</member><member>b</member></set><t/></R>",
		 "{\"R\":{\"set\":[\"a\",\"b\"],\"t\":\"\"}}");
	xml_says("<R>\n <C><K>1</K></C>\n <C><K>2</K></C>\n</R>",
		 "{\"R\":{\"C\":[{\"K\":\"1\"},{\"K\":\"2\"}]}}");
	xml_says("<R x='1'>a &amp; b</R>", "{\"R\":\"a & b\"}");
}

static void xml_that_is_cut_or_would_explode_is_refused(void **state)
{
	AUTO(text_release) struct text deep = TEXT_EMPTY;

	(void)state;
	xml_is_refused("");
	xml_is_refused("<R><set>");
	xml_is_refused("no XML");
	xml_is_refused("<!DOCTYPE R [<!ENTITY a 'aaaa'>]><R>&a;</R>");
	for (int i = 0; i < 100; i++)
		text_add(&deep, "<a>");
	xml_is_refused(text_get(&deep));
}

/* ---- keys ---- */

static void keys_are(const char *text, const char *id, const char *key, const char *session)
{
	AUTO(cloud_secret_release) struct cloud_secret secret = { .token = NULL };
	struct error err;

	if (!aws_read_secret(text, &secret, &err))
		fail_msg("%s", err.message);
	assert_string_equal(secret.key_id, id);
	assert_string_equal(secret.key, key);
	assert_true(text_equal(secret.session, session));
}

static void keys_of_aws_are_read_in_each_of_their_forms(void **state)
{
	(void)state;
	keys_are("{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s/+\", "
		 "\"SessionToken\": \"t\", \"Expiration\": \"2026-01-02T03:04:05Z\"}",
		 "A", "s/+", "t");
	keys_are("{\"Credentials\": {\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\"}}", "A",
		 "s", NULL);
	keys_are("aws_access_key_id=A\naws_secret_access_key = s\n", "A", "s", NULL);
	keys_are("[work]\naws_access_key_id = W\naws_secret_access_key = w\n[default]\n"
		 "aws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t\r\n",
		 "A", "s", "t");
}

static void keys_that_are_none_are_refused_without_showing_them(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"hunter2",
		"{\"AccessKeyId\": \"A:hunter2\", \"SecretAccessKey\": \"s\"}",
		"[work]\naws_access_key_id = A\naws_secret_access_key = hunter2\n",
		"{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hunter2\", \"Expiration\": \"x\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(cloud_secret_release) struct cloud_secret secret = { .token = NULL };
		struct error err;

		assert_false(aws_read_secret(wrong[i], &secret, &err));
		assert_string_equal(err.slug, "credentials_invalid");
		assert_null(strstr(err.message, "hunter2"));
	}
}

static void a_token_is_one_word(void **state)
{
	AUTO(cloud_secret_release) struct cloud_secret secret = { .token = NULL };
	struct error err;

	(void)state;
	assert_true(cloud_read_token("  dop_v1_x\n", &secret, &err));
	assert_string_equal(secret.token, "dop_v1_x");
	assert_false(cloud_read_token(" \n", &secret, &err));
	assert_false(cloud_read_token("two words", &secret, &err));
}

/* ---- HTTP ---- */

static void a_token_does_not_cross_a_network_in_clear(void **state)
{
	static const struct {
		const char *endpoint;
		bool is_good;
	} cases[] = {
		{ "https://api.example.com", true },
		{ "http://127.0.0.1:5000", true },
		{ "http://localhost:5000", true },
		{ "http://[::1]:5000", true },
		{ "http://api.example.com", false },
		{ "http://127.0.0.1.example.com", false },
		{ "http://localhost@example.com", false },
		{ "https://user@example.com", false },
		{ "ftp://127.0.0.1", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;

		if (cloud_endpoint_check(cases[i].endpoint, &err) != cases[i].is_good)
			fail_msg("\"%s\" is judged wrongly", cases[i].endpoint);
	}
}

static void waits_double_and_follow_what_the_cloud_asks(void **state)
{
	(void)state;
	assert_int_equal(cloud_wait_ms(0, 0, NULL), 500);
	assert_int_equal(cloud_wait_ms(3, 0, ""), 4000);
	assert_int_equal(cloud_wait_ms(9, 0, NULL), 60000);
	assert_int_equal(cloud_wait_ms(0, 0, "7"), 7000);
	assert_int_equal(cloud_wait_ms(5, 0, "0"), 0);
	assert_int_equal(cloud_wait_ms(0, 0, "86400"), 60000);
	assert_int_equal(cloud_wait_ms(0, 0, "99999999999999999"), 60000);
}

static void text_is_encoded_as_signatures_want_it(void **state)
{
	AUTO(free) char *encoded = cloud_encode("a b/c+d=~é");

	(void)state;
	assert_string_equal(encoded, "a%20b%2Fc%2Bd%3D~%C3%A9");
}

static void times_of_both_clouds_are_read(void **state)
{
	(void)state;
	assert_int_equal(cloud_rest_seconds("2026-01-02T03:04:05Z"), 1767323045);
	assert_int_equal(cloud_rest_seconds("2026-01-02T03:04:05"), 1767323045);
	assert_int_equal(cloud_rest_seconds("soon"), 0);
	assert_int_equal(cloud_rest_seconds(NULL), 0);
}

static void only_types_with_a_list_are_left_to_it(void **state)
{
	(void)state;
	assert_true(aws_arn_is_listed("arn:aws:ec2:us-east-1:1:volume/vol-1"));
	assert_true(aws_arn_is_listed("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/a"));
	assert_true(aws_arn_is_listed("arn:aws:eks:us-east-1:1:cluster/blue"));
	assert_false(aws_arn_is_listed("arn:aws:eks:us-east-1:1:nodegroup/blue/a/b"));
	assert_false(aws_arn_is_listed("arn:aws:ec2:us-east-1:1:snapshot/snap-1"));
	assert_false(aws_arn_is_listed("arn:aws:ec2x:us-east-1:1:volume/vol-1"));
	assert_false(aws_arn_is_listed("arn:aws:s3:::bucket"));
	assert_false(aws_arn_is_listed("?"));
}

/* ---- buckets ---- */

static void the_address_of_a_bucket_is_read(void **state)
{
	AUTO(s3_place_release) struct s3_place place = { .bucket = NULL };
	AUTO(s3_place_release) struct s3_place other = { .bucket = NULL };
	struct error err;

	(void)state;
	assert_true(s3_place_parse("s3://states/of/envd?region=eu-west-1", &place, &err));
	assert_string_equal(place.bucket, "states");
	assert_string_equal(place.folder, "of/envd/");
	assert_string_equal(place.endpoint, "https://s3.eu-west-1.amazonaws.com");
	assert_true(s3_place_parse("s3://states?endpoint=http%3A%2F%2F127.0.0.1%3A99&region=x",
				   &other, &err));
	assert_string_equal(other.folder, "");
	assert_string_equal(other.endpoint, "http://127.0.0.1:99");
}

static void an_address_that_leads_nowhere_is_refused(void **state)
{
	static const char *const wrong[] = {
		"s3://",
		"s3://states",
		"s3://?region=x",
		"s3://states?region=x&endpoint=http://example.com",
		"s3://two words?region=x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct s3_place place;
		struct error err;

		if (s3_place_parse(wrong[i], &place, &err))
			fail_msg("\"%s\" is taken", wrong[i]);
	}
}

static bool is_dead(const char *host, int pid, const char *here, struct error *err)
{
	AUTO(free)
	char *text = xasprintf("{\"pid\": %d, \"username\": \"ann\", \"hostname\": \"%s\", "
			       "\"timestamp\": \"then\"}",
			       pid, host);

	return backend_lock_is_dead(text, here, err);
}

static void a_lock_is_dead_only_where_its_owner_can_be_seen_to_be(void **state)
{
	struct error err;

	(void)state;
	assert_true(is_dead("here", 4194303, "here", &err));
	/* The number belongs to somebody who is no Pulumi. */
	assert_true(is_dead("here", (int)getpid(), "here", &err));
	assert_false(is_dead("there", 4194303, "here", &err));
	assert_string_equal(err.slug, "locked_elsewhere");
	assert_false(is_dead("here", 0, "here", &err));
	assert_false(backend_lock_is_dead("", "here", &err));
	assert_false(backend_lock_is_dead("{}", "", &err));
}

/* ---- states ---- */

static json_t *export_with(const char *pending)
{
	AUTO(free)
	char *text =
	    xasprintf("{\"version\": 3, \"deployment\": {\"resources\": [{\"urn\": \"a\", "
		      "\"id\": \"1\"}], \"pending_operations\": [{\"type\": \"%s\", "
		      "\"resource\": {\"urn\": \"b\", \"custom\": true, \"inputs\": {\"x\": "
		      "1}}}]}}",
		      pending);

	return json_loads(text, 0, NULL);
}

static void what_is_adopted_is_a_resource_with_its_id_and_nothing_is_pending(void **state)
{
	AUTO(json_decref) json_t *whole = export_with("creating");
	AUTO(json_decref) json_t *before = json_deep_copy(whole);
	AUTO(json_decref) json_t *ids = json_pack("{s:s}", "b", "vpc-1");
	AUTO(json_decref) json_t *changed = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	(void)state;
	assert_true(adopt_into(whole, ids, &changed, &err));
	text = json_to_text(changed);
	assert_string_equal(text,
			    "{\"version\":3,\"deployment\":{\"resources\":[{\"urn\":\"a\","
			    "\"id\":\"1\"},{\"urn\":\"b\",\"custom\":true,\"inputs\":{\"x\":1},"
			    "\"id\":\"vpc-1\",\"outputs\":{\"x\":1}}]}}");
	assert_true(json_equal(whole, before));
}

static void what_is_no_create_under_way_is_not_adopted(void **state)
{
	AUTO(json_decref) json_t *whole = export_with("updating");
	AUTO(json_decref) json_t *ids = json_pack("{s:s}", "b", "vpc-1");
	json_t *changed = NULL;
	struct error err;

	(void)state;
	assert_false(adopt_into(whole, ids, &changed, &err));
	assert_false(adopt_into(NULL, ids, &changed, &err));
	assert_null(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xml_is_read_as_objects_lists_and_text),
		cmocka_unit_test(xml_that_is_cut_or_would_explode_is_refused),
		cmocka_unit_test(keys_of_aws_are_read_in_each_of_their_forms),
		cmocka_unit_test(keys_that_are_none_are_refused_without_showing_them),
		cmocka_unit_test(a_token_is_one_word),
		cmocka_unit_test(a_token_does_not_cross_a_network_in_clear),
		cmocka_unit_test(waits_double_and_follow_what_the_cloud_asks),
		cmocka_unit_test(text_is_encoded_as_signatures_want_it),
		cmocka_unit_test(times_of_both_clouds_are_read),
		cmocka_unit_test(only_types_with_a_list_are_left_to_it),
		cmocka_unit_test(the_address_of_a_bucket_is_read),
		cmocka_unit_test(an_address_that_leads_nowhere_is_refused),
		cmocka_unit_test(what_is_adopted_is_a_resource_with_its_id_and_nothing_is_pending),
		cmocka_unit_test(what_is_no_create_under_way_is_not_adopted),
		cmocka_unit_test(a_lock_is_dead_only_where_its_owner_can_be_seen_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
