#include "engine/cloud/aws_lists.h"

#include <string.h>

#include "base/clock.h"
#include "engine/cloud/aws_pages.h"

enum { TAGS_ASKED = 20 };

static const struct aws_service ec2 = { .name = "ec2", .version = "2016-11-15" };
static const struct aws_service elb = { .name = "elasticloadbalancing", .version = "2012-06-01" };
static const struct aws_service elbv2 = { .name = "elasticloadbalancing", .version = "2015-12-01" };
static const struct aws_service formation = { .name = "cloudformation", .version = "2010-05-15" };
static const struct aws_service scaling = { .name = "autoscaling", .version = "2011-01-01" };
static const struct aws_service iam = { .name = "iam", .version = "2010-05-08", .is_global = true };
static const struct aws_service eks = { .name = "eks" };
static const struct aws_service logs = { .name = "logs", .target = "Logs_20140328" };
static const struct aws_service ecr = { .name = "ecr",
					.host = "api.ecr",
					.target = "AmazonEC2ContainerRegistry_V20150921" };
static const struct aws_service tagging = { .name = "tagging",
					    .target = "ResourceGroupsTaggingAPI_20170126" };

/* ---- small parts ---- */

/* "Key=Value" of lists of {"Key","Value"} or {"key","value"}, or of one object. */
static json_t *tags_of(const json_t *tags)
{
	json_t *words = json_array(), *tag;
	const char *key;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)tags, i, tag)
		json_array_append_new(
		    words,
		    json_sprintf("%s=%s",
				 json_get_string(tag, "Key", json_get_string(tag, "key", "")),
				 json_get_string(tag, "Value", json_get_string(tag, "value", ""))));
	json_object_foreach_const(json_is_object(tags) ? tags : NULL, key, tag)
		json_array_append_new(words, json_sprintf("%s=%s", key, json_string_value(tag)));
	return words;
}

static int64_t seconds_of(const char *text)
{
	struct error ignored; /* then nobody knows how old it is */
	int64_t at_ms;

	return text && clock_parse(text, &at_ms, &ignored) ? at_ms / 1000 : 0;
}

static const char *tag_value(const json_t *tags, const char *key)
{
	size_t i, length = strlen(key);
	json_t *tag;

	json_array_foreach((json_t *)(uintptr_t)tags, i, tag) {
		const char *text = json_string_value(tag);

		if (strncmp(text, key, length) == 0 && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

/* A type of things in a list, by where the answer has what of it. */
struct aws_type {
	const char *kind;
	const char *type; /* Pulumi's, where it has one name for it */
	struct aws_pages pages;
	const char *id, *name, *also; /* keys; `name`, `also` may be NULL */
	const char *created, *within; /* keys, or NULL */
	const char *state, *gone;     /* this state is none at all; or NULL */
	const char *tags;             /* key; NULL: the answer has none */
	enum cloud_cost cost;
};

static struct cloud_thing thing_of(const struct aws_way *way, const struct aws_type *type,
				   const json_t *item, const json_t *tags)
{
	const char *name = type->name ? json_get_string(item, type->name, NULL) : NULL;

	return (struct cloud_thing){
		.kind = type->kind,
		.type = type->type,
		.id = json_get_string(item, type->id, "?"),
		.name = name ? name : tag_value(tags, "Name"),
		.region = type->pages.service->is_global ? NULL : way->region,
		.also = type->also ? json_get_string(item, type->also, NULL) : NULL,
		.within = type->within ? json_get_string(item, type->within, NULL) : NULL,
		.created_at_s =
		    type->created ? seconds_of(json_get_string(item, type->created, NULL)) : 0,
		.tags = tags,
		.cost = type->cost,
	};
}

static bool is_gone(const struct aws_type *type, const json_t *item)
{
	const json_t *state = type->gone ? json_object_get(item, type->state) : NULL;
	const char *word =
	    json_is_object(state) ? json_get_string(state, "name", "") : json_string_value(state);

	return word && strcmp(word, type->gone) == 0;
}

/* A volume that a cluster made for a claim and that nothing uses any more. */
static bool is_stray_volume(const json_t *item, const json_t *tags)
{
	return tag_value(tags, "kubernetes.io/created-for/pvc/name") &&
	       json_array_size(json_object_get(item, "attachmentSet")) == 0;
}

static void add(const struct aws_way *way, const struct aws_type *type, const json_t *item,
		json_t *items)
{
	AUTO(json_decref)
	json_t *tags = tags_of(type->tags ? json_object_get(item, type->tags) : NULL);
	struct cloud_thing thing = thing_of(way, type, item, tags);

	thing.is_stray = is_stray_volume(item, tags);
	if (!is_gone(type, item))
		cloud_add(&way->question->marks, &thing, items);
}

static bool list_types(const struct aws_way *way, const struct aws_type *types, size_t count,
		       json_t *items, struct error *err)
{
	for (size_t t = 0; t < count; t++) {
		AUTO(json_decref) json_t *found = NULL;
		size_t i;
		json_t *item;

		if (!aws_pages_read(way, &types[t].pages, &found, err))
			return false;
		json_array_foreach(found, i, item)
			add(way, &types[t], item, items);
	}
	return true;
}

/* ---- EC2 ---- */

#define EC2(action, set)                                                                           \
	{ &ec2, "Describe" action, "&MaxResults=100", set, "nextToken", "NextToken" }

// clang-format off
static const struct aws_type ec2_types[] = {
	{ .kind = "aws:vpc", .type = "aws:ec2/vpc:Vpc", .pages = EC2("Vpcs", "vpcSet"), .id = "vpcId", .tags = "tagSet" },
	{ .kind = "aws:subnet", .type = "aws:ec2/subnet:Subnet", .pages = EC2("Subnets", "subnetSet"), .id = "subnetId", .within = "vpcId",
	  .tags = "tagSet" },
	{ .kind = "aws:security-group", .type = "aws:ec2/securityGroup:SecurityGroup", .pages = EC2("SecurityGroups", "securityGroupInfo"), .id = "groupId",
	  .name = "groupName", .within = "vpcId", .tags = "tagSet" },
	{ .kind = "aws:internet-gateway", .type = "aws:ec2/internetGateway:InternetGateway", .pages = EC2("InternetGateways", "internetGatewaySet"),
	  .id = "internetGatewayId", .tags = "tagSet" },
	{ .kind = "aws:route-table", .type = "aws:ec2/routeTable:RouteTable", .pages = EC2("RouteTables", "routeTableSet"), .id = "routeTableId",
	  .within = "vpcId", .tags = "tagSet" },
	{ .kind = "aws:nat-gateway", .type = "aws:ec2/natGateway:NatGateway", .pages = EC2("NatGateways", "natGatewaySet"), .id = "natGatewayId",
	  .within = "vpcId", .created = "createTime", .state = "state", .gone = "deleted", .tags = "tagSet",
	  .cost = CLOUD_COST_RUNNING },
	{ .kind = "aws:network-interface", .type = "aws:ec2/networkInterface:NetworkInterface", .pages = EC2("NetworkInterfaces", "networkInterfaceSet"),
	  .id = "networkInterfaceId", .within = "vpcId", .tags = "tagSet" },
	{ .kind = "aws:address", .type = "aws:ec2/eip:Eip", .pages = { &ec2, "DescribeAddresses", NULL, "addressesSet", NULL, NULL },
	  .id = "allocationId", .name = "publicIp", .tags = "tagSet", .cost = CLOUD_COST_RUNNING },
	{ .kind = "aws:volume", .type = "aws:ebs/volume:Volume", .pages = EC2("Volumes", "volumeSet"), .id = "volumeId", .created = "createTime",
	  .tags = "tagSet", .cost = CLOUD_COST_STORAGE },
	{ .kind = "aws:launch-template", .type = "aws:ec2/launchTemplate:LaunchTemplate", .pages = EC2("LaunchTemplates", "launchTemplates"),
	  .id = "launchTemplateId", .name = "launchTemplateName", .created = "createTime", .tags = "tagSet" },
};
// clang-format on

static const struct aws_type instance = { .kind = "aws:instance",
					  .type = "aws:ec2/instance:Instance",
					  .pages = EC2("Instances", "reservationSet"),
					  .id = "instanceId",
					  .within = "vpcId",
					  .created = "launchTime",
					  .state = "instanceState",
					  .gone = "terminated",
					  .tags = "tagSet",
					  .cost = CLOUD_COST_RUNNING };

/* They come in bundles of those that were ordered together. */
static bool list_instances(const struct aws_way *way, json_t *items, struct error *err)
{
	AUTO(json_decref) json_t *bundles = NULL;
	size_t i, m;
	json_t *bundle, *machine;

	if (!aws_pages_read(way, &instance.pages, &bundles, err))
		return false;
	json_array_foreach(bundles, i, bundle)
		json_array_foreach(json_object_get(bundle, "instancesSet"), m, machine)
			add(way, &instance, machine, items);
	return true;
}

bool aws_list_ec2(const struct aws_way *way, json_t *items, struct error *err)
{
	return list_types(way, ec2_types, ARRAY_SIZE(ec2_types), items, err) &&
	       list_instances(way, items, err);
}

/* ---- load balancers: their tags are a question of their own ---- */

struct balancer_type {
	struct aws_type type;
	const char *asked; /* "LoadBalancerNames": what the tags are asked by */
	const char *told;  /* what the answer calls it */
};

// clang-format off
static const struct balancer_type balancer_types[] = {
	{ { .kind = "aws:classic-load-balancer", .type = "aws:elb/loadBalancer:LoadBalancer", .pages = { &elb, "DescribeLoadBalancers", "&PageSize=100",
	    "LoadBalancerDescriptions", "NextMarker", "Marker" }, .id = "LoadBalancerName", .within = "VPCId",
	    .created = "CreatedTime", .cost = CLOUD_COST_RUNNING }, "LoadBalancerNames", "LoadBalancerName" },
	{ { .kind = "aws:load-balancer", .type = "aws:lb/loadBalancer:LoadBalancer", .pages = { &elbv2, "DescribeLoadBalancers", "&PageSize=100",
	    "LoadBalancers", "NextMarker", "Marker" }, .id = "LoadBalancerArn", .name = "LoadBalancerName",
	    .within = "VpcId", .created = "CreatedTime", .cost = CLOUD_COST_RUNNING },
	  "ResourceArns", "ResourceArn" },
	{ { .kind = "aws:target-group", .type = "aws:lb/targetGroup:TargetGroup", .pages = { &elbv2, "DescribeTargetGroups", "&PageSize=100",
	    "TargetGroups", "NextMarker", "Marker" }, .id = "TargetGroupArn", .name = "TargetGroupName",
	    .within = "VpcId" }, "ResourceArns", "ResourceArn" },
};
// clang-format on

static bool ask_tags(const struct aws_way *way, const struct balancer_type *balancer,
		     const json_t *found, size_t from, json_t **tags, struct error *err)
{
	AUTO(text_release) struct text more = TEXT_EMPTY;
	AUTO(json_decref) json_t *answer = NULL;
	size_t i;
	json_t *item;

	for (i = from; i < json_array_size(found) && i < from + TAGS_ASKED; i++) {
		item = json_array_get(found, i);
		AUTO(free)
		char *id = cloud_encode(json_get_string(item, balancer->type.id, "?"));

		text_format(&more, "&%s.member.%zu=%s", balancer->asked, i - from + 1, id);
	}
	if (!aws_query(way, balancer->type.pages.service, "DescribeTags", text_get(&more), &answer,
		       err))
		return false;
	json_array_foreach(json_object_get(answer, "TagDescriptions"), i, item)
		json_object_set_new(*tags, json_get_string(item, balancer->told, "?"),
				    tags_of(json_object_get(item, "Tags")));
	return true;
}

static bool list_balancers(const struct aws_way *way, const struct balancer_type *balancer,
			   json_t *items, struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;
	AUTO(json_decref) json_t *tags = json_object();
	size_t i;
	json_t *item;

	if (!aws_pages_read(way, &balancer->type.pages, &found, err))
		return false;
	for (i = 0; i < json_array_size(found); i += TAGS_ASKED)
		if (!ask_tags(way, balancer, found, i, &tags, err))
			return false;
	json_array_foreach(found, i, item) {
		const char *id = json_get_string(item, balancer->type.id, "?");
		struct cloud_thing thing =
		    thing_of(way, &balancer->type, item, json_object_get(tags, id));

		cloud_add(&way->question->marks, &thing, items);
	}
	return true;
}

bool aws_list_balancers(const struct aws_way *way, json_t *items, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(balancer_types); i++)
		if (!list_balancers(way, &balancer_types[i], items, err))
			return false;
	return true;
}

/* ---- what node groups are made of ---- */

// clang-format off
static const struct aws_type group_types[] = {
	{ .kind = "aws:cloudformation-stack", .type = "aws:cloudformation/stack:Stack", .pages = { &formation, "DescribeStacks", NULL, "Stacks",
	  "NextToken", "NextToken" }, .id = "StackId", .name = "StackName", .created = "CreationTime",
	  .state = "StackStatus", .gone = "DELETE_COMPLETE", .tags = "Tags" },
	{ .kind = "aws:auto-scaling-group", .type = "aws:autoscaling/group:Group", .pages = { &scaling, "DescribeAutoScalingGroups", NULL,
	  "AutoScalingGroups", "NextToken", "NextToken" }, .id = "AutoScalingGroupName",
	  .also = "AutoScalingGroupARN", .name = "AutoScalingGroupName", .created = "CreatedTime", .tags = "Tags" },
	{ .kind = "aws:launch-configuration", .type = "aws:ec2/launchConfiguration:LaunchConfiguration", .pages = { &scaling, "DescribeLaunchConfigurations", NULL,
	  "LaunchConfigurations", "NextToken", "NextToken" }, .id = "LaunchConfigurationName",
	  .also = "LaunchConfigurationARN", .name = "LaunchConfigurationName", .created = "CreatedTime" },
};

static const struct aws_type iam_types[] = {
	{ .kind = "aws:instance-profile", .type = "aws:iam/instanceProfile:InstanceProfile", .pages = { &iam, "ListInstanceProfiles", NULL, "InstanceProfiles",
	  "Marker", "Marker" }, .id = "InstanceProfileName", .name = "InstanceProfileName", .also = "Arn",
	  .created = "CreateDate" },
	{ .kind = "aws:policy", .type = "aws:iam/policy:Policy", .pages = { &iam, "ListPolicies", "&Scope=Local", "Policies", "Marker", "Marker" },
	  .id = "Arn", .name = "PolicyName", .created = "CreateDate" },
	{ .kind = "aws:identity-provider", .type = "aws:iam/openIdConnectProvider:OpenIdConnectProvider", .pages = { &iam, "ListOpenIDConnectProviders", NULL,
	  "OpenIDConnectProviderList", NULL, NULL }, .id = "Arn" },
};

static const struct aws_type role = { .kind = "aws:role", .type = "aws:iam/role:Role", .pages = { &iam, "ListRoles", NULL, "Roles",
	  "Marker", "Marker" }, .id = "RoleName", .name = "RoleName", .also = "Arn", .created = "CreateDate" };
// clang-format on

bool aws_list_groups(const struct aws_way *way, json_t *items, struct error *err)
{
	return list_types(way, group_types, ARRAY_SIZE(group_types), items, err);
}

/* The list of roles has no tags: asked for those alone that are young enough to be ours. */
static bool add_role(const struct aws_way *way, const json_t *item, json_t *items,
		     struct error *err)
{
	const struct cloud_marks *marks = &way->question->marks;
	AUTO(json_decref) json_t *found = NULL;
	AUTO(json_decref) json_t *tags = NULL;
	struct cloud_thing thing = thing_of(way, &role, item, NULL);

	if (thing.created_at_s >= marks->since_s) {
		AUTO(free) char *name = cloud_encode(thing.id);
		AUTO(free) char *more = xasprintf("&RoleName=%s", name);
		struct aws_pages pages = { &iam, "ListRoleTags", more, "Tags", "Marker", "Marker" };

		if (!aws_pages_read(way, &pages, &found, err))
			return false;
		tags = tags_of(found);
		thing.tags = tags;
	}
	cloud_add(marks, &thing, items);
	return true;
}

bool aws_list_iam(const struct aws_way *way, json_t *items, struct error *err)
{
	AUTO(json_decref) json_t *roles = NULL;
	size_t i;
	json_t *item;

	if (!aws_pages_read(way, &role.pages, &roles, err))
		return false;
	json_array_foreach(roles, i, item)
		if (!add_role(way, item, items, err))
			return false;
	return list_types(way, iam_types, ARRAY_SIZE(iam_types), items, err);
}

/* ---- clusters ---- */

static bool add_cluster(const struct aws_way *way, const char *name, json_t *items,
			struct error *err)
{
	AUTO(free) char *encoded = cloud_encode(name);
	AUTO(free) char *path = xasprintf("/clusters/%s", encoded);
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(json_decref) json_t *tags = NULL;
	const json_t *cluster;

	if (!aws_get(way, &eks, path, &answer, err))
		return false;
	cluster = json_object_get(answer, "cluster");
	tags = tags_of(json_object_get(cluster, "tags"));
	cloud_add(&way->question->marks,
		  &(struct cloud_thing){ .kind = "aws:cluster",
					 .type = "aws:eks/cluster:Cluster",
					 .id = name,
					 .name = name,
					 .region = way->region,
					 .also = json_get_string(cluster, "arn", NULL),
					 .cluster = name,
					 .tags = tags,
					 .created_at_s =
					     (int64_t)json_get_number(cluster, "createdAt", 0),
					 .cost = CLOUD_COST_RUNNING },
		  items);
	return true;
}

static bool list_clusters(const struct aws_way *way, json_t *items, struct error *err)
{
	AUTO(free) char *path = xstrdup("/clusters?maxResults=100");

	while (path) {
		AUTO(json_decref) json_t *answer = NULL;
		const char *token;
		size_t i;
		json_t *name;

		if (!aws_get(way, &eks, path, &answer, err))
			return false;
		if (!json_is_array(json_object_get(answer, "clusters")))
			return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
					    "AWS eks: the answer has no \"clusters\"");
		json_array_foreach(json_object_get(answer, "clusters"), i, name)
			if (!add_cluster(way, json_string_value(name), items, err))
				return false;
		token = json_get_string(answer, "nextToken", "");
		AUTO(free) char *encoded = *token ? cloud_encode(token) : NULL;
		free(path);
		path = encoded ? xasprintf("/clusters?maxResults=100&nextToken=%s", encoded) : NULL;
	}
	return true;
}

/* What a cluster wrote stays when it goes, and bears no tag. */
static bool list_logs(const struct aws_way *way, const char *cluster, json_t *items,
		      struct error *err)
{
	AUTO(json_decref)
	json_t *body =
	    json_pack("{s:o}", "logGroupNamePrefix", json_sprintf("/aws/eks/%s/", cluster));
	AUTO(json_decref) json_t *answer = NULL;
	size_t i;
	json_t *group;

	if (!aws_target(way, &logs, "DescribeLogGroups", body, &answer, err))
		return false;
	json_array_foreach(json_object_get(answer, "logGroups"), i, group)
		cloud_add(&way->question->marks,
			  &(struct cloud_thing){ .kind = "aws:log-group",
						 .id = json_get_string(group, "logGroupName", "?"),
						 .region = way->region,
						 .cluster = cluster,
						 .cost = CLOUD_COST_STORAGE },
			  items);
	return true;
}

bool aws_list_clusters(const struct aws_way *way, json_t *items, struct error *err)
{
	size_t i;
	json_t *cluster;

	json_array_foreach((json_t *)(uintptr_t)way->question->marks.clusters, i, cluster)
		if (!list_logs(way, json_string_value(cluster), items, err))
			return false;
	return list_clusters(way, items, err);
}

/* ---- lists in the dialect with targets ---- */

struct target_pages {
	const struct aws_service *service;
	const char *action, *set;
	const char *token, *asked;
};

static bool read_pages(const struct aws_way *way, const struct target_pages *pages, json_t *body,
		       json_t **all, struct error *err)
{
	AUTO(json_decref) json_t *found = json_array();
	const char *token = "x";

	while (*token) {
		AUTO(json_decref) json_t *answer = NULL;
		const json_t *page;

		if (!aws_target(way, pages->service, pages->action, body, &answer, err))
			return false;
		page = json_object_get(answer, pages->set);
		if (!json_is_array(page))
			return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
					    "AWS %s: the answer has no \"%s\"", pages->action,
					    pages->set);
		json_array_extend(found, (json_t *)(uintptr_t)page);
		if (json_array_size(found) > CLOUD_ITEMS_MAX)
			return cloud_too_many(pages->action, err);
		json_object_set_new(body, pages->asked,
				    json_string(json_get_string(answer, pages->token, "")));
		token = json_get_string(body, pages->asked, "");
	}
	*all = TAKE(found);
	return true;
}

static bool add_registry(const struct aws_way *way, const json_t *registry, json_t *items,
			 struct error *err)
{
	const char *arn = json_get_string(registry, "repositoryArn", "?");
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "resourceArn", arn);
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(json_decref) json_t *tags = NULL;

	if (!aws_target(way, &ecr, "ListTagsForResource", body, &answer, err))
		return false;
	tags = tags_of(json_object_get(answer, "tags"));
	cloud_add(&way->question->marks,
		  &(struct cloud_thing){ .kind = "aws:registry",
					 .type = "aws:ecr/repository:Repository",
					 .id = json_get_string(registry, "repositoryName", "?"),
					 .name = json_get_string(registry, "repositoryName", NULL),
					 .region = way->region,
					 .also = arn,
					 .tags = tags,
					 .created_at_s =
					     (int64_t)json_get_number(registry, "createdAt", 0),
					 .cost = CLOUD_COST_STORAGE },
		  items);
	return true;
}

bool aws_list_registries(const struct aws_way *way, json_t *items, struct error *err)
{
	static const struct target_pages pages = { &ecr, "DescribeRepositories", "repositories",
						   "nextToken", "nextToken" };
	AUTO(json_decref) json_t *body = json_object();
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *registry;

	if (!read_pages(way, &pages, body, &found, err))
		return false;
	json_array_foreach(found, i, registry)
		if (!add_registry(way, registry, items, err))
			return false;
	return true;
}

/* ---- tags ---- */

bool aws_arn_is_listed(const char *arn)
{
	/* arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, each as it goes on after the service */
	static const struct {
		const char *service, *resource;
	} listed[] = {
		// clang-format off
		{ "ec2", "vpc/" }, { "ec2", "subnet/" }, { "ec2", "security-group/" },
		{ "ec2", "internet-gateway/" }, { "ec2", "route-table/" }, { "ec2", "natgateway/" },
		{ "ec2", "network-interface/" }, { "ec2", "elastic-ip/" }, { "ec2", "volume/" },
		{ "ec2", "launch-template/" }, { "ec2", "instance/" }, { "elasticloadbalancing", "" },
		{ "cloudformation", "stack/" }, { "autoscaling", "" }, { "iam", "" }, { "ecr", "repository/" },
		{ "eks", "cluster/" },
		// clang-format on
	};
	const char *parts[6] = { arn };
	size_t count = 1;

	for (const char *at = arn; count < ARRAY_SIZE(parts) && (at = strchr(at, ':'));)
		parts[count++] = ++at;
	for (size_t i = 0; count == ARRAY_SIZE(parts) && i < ARRAY_SIZE(listed); i++)
		if (text_starts_with(parts[2], listed[i].service) &&
		    parts[2][strlen(listed[i].service)] == ':' &&
		    text_starts_with(parts[5], listed[i].resource))
			return true;
	return false;
}

static bool list_with_tag(const struct aws_way *way, const char *key, const char *value,
			  json_t *items, struct error *err)
{
	static const struct target_pages pages = { &tagging, "GetResources",
						   "ResourceTagMappingList", "PaginationToken",
						   "PaginationToken" };
	AUTO(json_decref)
	json_t *body = json_pack("{s:[{s:s, s:[s]}]}", "TagFilters", "Key", key, "Values", value);
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *item;

	if (!read_pages(way, &pages, body, &found, err))
		return false;
	json_array_foreach(found, i, item) {
		const char *arn = json_get_string(item, "ResourceARN", "?");
		AUTO(json_decref) json_t *tags = tags_of(json_object_get(item, "Tags"));

		if (!aws_arn_is_listed(arn))
			cloud_add(&way->question->marks,
				  &(struct cloud_thing){ .kind = "aws:tagged",
							 .id = arn,
							 .region = way->region,
							 .tags = tags },
				  items);
	}
	return true;
}

bool aws_list_tagged(const struct aws_way *way, json_t *items, struct error *err)
{
	const struct cloud_marks *marks = &way->question->marks;
	size_t i;
	json_t *word;

	json_array_foreach((json_t *)(uintptr_t)marks->tags, i, word) {
		const char *text = json_string_value(word), *equals = strchr(text, '=');
		AUTO(free) char *key = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;

		if (key && !list_with_tag(way, key, equals + 1, items, err))
			return false;
	}
	json_array_foreach((json_t *)(uintptr_t)marks->clusters, i, word) {
		AUTO(free)
		char *key = xasprintf("kubernetes.io/cluster/%s", json_string_value(word));

		if (!list_with_tag(way, key, "owned", items, err))
			return false;
	}
	return true;
}
