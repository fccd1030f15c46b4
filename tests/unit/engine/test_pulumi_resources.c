#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/pulumi/pulumi_resources.h"

#define URN "urn:pulumi:s::aws-vpc::"

static const char all[] =
    "[{\"type\":\"pulumi:providers:aws\",\"urn\":\"" URN
    "pulumi:providers:aws::default\",\"id\":\"p1\",\"inputs\":{\"region\":\"us-west-2\"}},"
    "{\"type\":\"aws:ec2/vpc:Vpc\",\"urn\":\"" URN
    "aws:ec2/vpc:Vpc::main\",\"id\":\"vpc-1\",\"custom\":true,\"provider\":\"" URN
    "pulumi:providers:aws::default::p1\",\"outputs\":{\"arn\":"
    "\"arn:aws:ec2:eu-north-1:123456789012:vpc/vpc-1\"}},"
    "{\"type\":\"aws:ec2/subnet:Subnet\",\"urn\":\"" URN
    "aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet::a\",\"id\":\"subnet-1\",\"parent\":\"" URN
    "aws:ec2/vpc:Vpc::main\",\"provider\":\"" URN "pulumi:providers:aws::default::p1\"},"
    "{\"type\":\"aws:ec2/subnet:Subnet\",\"urn\":\"" URN
    "aws:ec2/subnet:Subnet::b\",\"id\":\"subnet-2\"}]";

static void where_it_is_is_known_from_itself_or_from_its_provider(void **unused)
{
	AUTO(json_decref) json_t *resources = json_loads(all, 0, NULL);
	AUTO(json_decref)
	json_t *vpc = resource_json(json_array_get(resources, 1), resources, "net");
	AUTO(json_decref)
	json_t *subnet = resource_json(json_array_get(resources, 2), resources, "net");
	AUTO(json_decref)
	json_t *nowhere = resource_json(json_array_get(resources, 3), resources, "net");

	(void)unused;
	assert_non_null(strstr(json_get_string(vpc, "link", ""), "region=eu-north-1"));
	assert_non_null(strstr(json_get_string(subnet, "link", ""), "region=us-west-2"));
	assert_string_equal(json_get_string(subnet, "name", ""), "a");
	assert_string_equal(json_get_string(subnet, "parent", ""), URN "aws:ec2/vpc:Vpc::main");
	assert_true(json_is_null(json_object_get(nowhere, "link")));
	assert_true(json_is_null(json_object_get(nowhere, "parent")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_is_is_known_from_itself_or_from_its_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
