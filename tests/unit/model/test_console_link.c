#include "model/console_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json_read.h"

static void every_cloud_has_its_page(void **unused)
{
	static const struct {
		const char *type, *id, *link;
	} cases[] = {
		{ "aws:ec2/vpc:Vpc", "vpc-1",
		  "https://eu-west-1.console.aws.amazon.com/vpcconsole/home?region=eu-west-1#"
		  "VpcDetails:VpcId=vpc-1" },
		{ "aws:eks/cluster:Cluster", "mara",
		  "https://eu-west-1.console.aws.amazon.com/eks/home?region=eu-west-1#/clusters/"
		  "mara" },
		{ "aws:lb/loadBalancer:LoadBalancer", "arn:aws:x:y/z",
		  "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#LoadBalancer:"
		  "loadBalancerArn=arn%3Aaws%3Ax%3Ay%2Fz" },
		{ "aws:iam/role:Role", "node",
		  "https://console.aws.amazon.com/iam/home#/roles/details/node" },
		{ "digitalocean:index/kubernetesCluster:KubernetesCluster", "7f-3c",
		  "https://cloud.digitalocean.com/kubernetes/clusters/7f-3c" },
		{ "digitalocean:index/dnsRecord:DnsRecord", "1",
		  "https://cloud.digitalocean.com/networking/domains/example.com" },
		{ "linode:index/lkeCluster:LkeCluster", "77",
		  "https://cloud.linode.com/kubernetes/clusters/77/summary" },
		{ "linode:index/instance:Instance", "5", "https://cloud.linode.com/linodes/5" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref)
		json_t *subject = json_pack("{s:s, s:s, s:s}", "id", cases[i].id, "region",
					    "eu-west-1", "domain", "example.com");
		AUTO(free) char *link = console_link(cases[i].type, subject);

		assert_string_equal(link, cases[i].link);
	}
}

static void without_what_it_needs_there_is_no_link(void **unused)
{
	AUTO(json_decref) json_t *subject = json_pack("{s:s, s:s}", "id", "vpc-1", "region", "");

	(void)unused;
	assert_null(console_link("aws:ec2/vpc:Vpc", subject));
	assert_null(console_link("kubernetes:core/v1:Pod", subject));
	assert_null(console_link("", subject));
}

static void an_id_cannot_lead_elsewhere(void **unused)
{
	AUTO(json_decref) json_t *subject = json_pack("{s:s}", "id", "5/../../evil?x=1#y\"<");
	AUTO(free) char *link = console_link("linode:index/instance:Instance", subject);

	(void)unused;
	assert_string_equal(
	    link, "https://cloud.linode.com/linodes/5%2F..%2F..%2Fevil%3Fx%3D1%23y%22%3C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cloud_has_its_page),
		cmocka_unit_test(without_what_it_needs_there_is_no_link),
		cmocka_unit_test(an_id_cannot_lead_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
