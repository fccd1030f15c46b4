#include "model/console_link.h"

#include <ctype.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

#define AWS "https://${region}.console.aws.amazon.com/"
#define EC2 AWS "ec2/home?region=${region}#"
#define VPC AWS "vpcconsole/home?region=${region}#"
#define DIGITALOCEAN "https://cloud.digitalocean.com/"
#define LINODE "https://cloud.linode.com/"

// clang-format off
static const struct {
	const char *type, *address;
} links[] = {
	{ "aws:autoscaling/group:Group",            EC2 "AutoScalingGroupDetails:id=${id}" },
	{ "aws:cloudformation/stack:Stack",         AWS "cloudformation/home?region=${region}#/stacks/stackinfo?stackId=${id}" },
	{ "aws:ebs/volume:Volume",                  EC2 "VolumeDetails:volumeId=${id}" },
	{ "aws:ec2/eip:Eip",                        EC2 "ElasticIpDetails:AllocationId=${id}" },
	{ "aws:ec2/instance:Instance",              EC2 "InstanceDetails:instanceId=${id}" },
	{ "aws:ec2/internetGateway:InternetGateway", VPC "InternetGateway:internetGatewayId=${id}" },
	{ "aws:ec2/launchTemplate:LaunchTemplate",  EC2 "LaunchTemplateDetails:launchTemplateId=${id}" },
	{ "aws:ec2/natGateway:NatGateway",          VPC "NatGatewayDetails:natGatewayId=${id}" },
	{ "aws:ec2/routeTable:RouteTable",          VPC "RouteTableDetails:RouteTableId=${id}" },
	{ "aws:ec2/securityGroup:SecurityGroup",    EC2 "SecurityGroup:groupId=${id}" },
	{ "aws:ec2/subnet:Subnet",                  VPC "SubnetDetails:subnetId=${id}" },
	{ "aws:ec2/vpc:Vpc",                        VPC "VpcDetails:VpcId=${id}" },
	{ "aws:eks/cluster:Cluster",                AWS "eks/home?region=${region}#/clusters/${id}" },
	{ "aws:iam/policy:Policy",                  "https://console.aws.amazon.com/iam/home#/policies/details/${id}" },
	{ "aws:iam/role:Role",                      "https://console.aws.amazon.com/iam/home#/roles/details/${id}" },
	{ "aws:iam/user:User",                      "https://console.aws.amazon.com/iam/home#/users/details/${id}" },
	{ "aws:kms/key:Key",                        AWS "kms/home?region=${region}#/kms/keys/${id}" },
	{ "aws:lb/loadBalancer:LoadBalancer",       EC2 "LoadBalancer:loadBalancerArn=${id}" },
	{ "aws:rds/instance:Instance",              AWS "rds/home?region=${region}#database:id=${id}" },
	{ "aws:s3/bucket:Bucket",                   "https://s3.console.aws.amazon.com/s3/buckets/${id}" },
	{ "aws:s3/bucketV2:BucketV2",               "https://s3.console.aws.amazon.com/s3/buckets/${id}" },
	{ "digitalocean:index/containerRegistry:ContainerRegistry", DIGITALOCEAN "registry" },
	{ "digitalocean:index/dnsRecord:DnsRecord", DIGITALOCEAN "networking/domains/${domain}" },
	{ "digitalocean:index/domain:Domain",       DIGITALOCEAN "networking/domains/${id}" },
	{ "digitalocean:index/droplet:Droplet",     DIGITALOCEAN "droplets/${id}" },
	{ "digitalocean:index/kubernetesCluster:KubernetesCluster", DIGITALOCEAN "kubernetes/clusters/${id}" },
	{ "digitalocean:index/loadBalancer:LoadBalancer", DIGITALOCEAN "networking/load_balancers/${id}" },
	{ "digitalocean:index/volume:Volume",       DIGITALOCEAN "volumes" },
	{ "digitalocean:index/vpc:Vpc",             DIGITALOCEAN "networking/vpc/${id}" },
	{ "linode:index/domain:Domain",             LINODE "domains/${id}" },
	{ "linode:index/firewall:Firewall",         LINODE "firewalls/${id}" },
	{ "linode:index/instance:Instance",         LINODE "linodes/${id}" },
	{ "linode:index/lkeCluster:LkeCluster",     LINODE "kubernetes/clusters/${id}/summary" },
	{ "linode:index/nodeBalancer:NodeBalancer", LINODE "nodebalancers/${id}/summary" },
	{ "linode:index/stackScript:StackScript",   LINODE "stackscripts/${id}" },
	{ "linode:index/volume:Volume",             LINODE "volumes" },
};
// clang-format on

/* What is part of an address cannot become more of it. */
static void add_encoded(struct text *into, const char *value)
{
	for (const char *at = value; *at; at++)
		if (isalnum((unsigned char)*at) || strchr("-._~", *at))
			text_add_char(into, *at);
		else
			text_format(into, "%%%02X", (unsigned)(unsigned char)*at);
}

static bool fill_in(const char *address, const json_t *subject, struct text *into)
{
	for (const char *at = address; *at;) {
		size_t plain = strcspn(at, "$"), length;
		AUTO(free) char *name = NULL;
		const char *value;

		text_add_bytes(into, at, plain);
		at += plain;
		if (!*at)
			break;
		length = strcspn(at, "}");
		name = xstrndup(at + 2, length - 2);
		value = json_get_string(subject, name, "");
		if (!*value)
			return false;
		add_encoded(into, value);
		at += length + 1;
	}
	return true;
}

char *console_link(const char *type, const json_t *subject)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (strcmp(links[i].type, type) == 0)
			return fill_in(links[i].address, subject, &text) ? text_take(&text) : NULL;
	return NULL;
}
