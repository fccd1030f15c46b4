#include "engine/cloud/aws.h"

#include <string.h>

#include "engine/cloud/aws_lists.h"

static const struct aws_service sts = { .name = "sts", .version = "2011-06-15" };
static const struct aws_service ec2 = { .name = "ec2", .version = "2016-11-15" };

static bool ask_account(const struct cloud_question *question, char **account, struct error *err)
{
	const struct aws_way way = { question, question->regions[0] };
	AUTO(json_decref) json_t *answer = NULL;
	const char *found;

	if (!aws_query(&way, &sts, "GetCallerIdentity", "", &answer, err))
		return false;
	found = json_get_string(answer, "Account", "");
	if (!*found)
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "AWS GetCallerIdentity: the answer has no \"Account\"");
	*account = xstrdup(found);
	return true;
}

/* In a region that is not enabled calls fail in ways that say something else. */
static bool check_region(const struct aws_way *way, struct error *err)
{
	AUTO(free) char *name = cloud_encode(way->region);
	AUTO(free) char *more = xasprintf("&AllRegions=true&RegionName.1=%s", name);
	AUTO(json_decref) json_t *answer = NULL;
	const char *status;

	if (!aws_query(way, &ec2, "DescribeRegions", more, &answer, err))
		return error_wrap(err, "region %s", way->region);
	status = json_get_string(json_array_get(json_object_get(answer, "regionInfo"), 0),
				 "optInStatus", "unknown");
	return strcmp(status, "opt-in-not-required") == 0 || strcmp(status, "opted-in") == 0 ||
	       error_set_as(err, ERR_EXTERNAL, "cloud_denied",
			    "region %s of AWS is not enabled for this account (%s), so nothing can "
			    "be said of it",
			    way->region, status);
}

static bool list_region(const struct aws_way *way, json_t *items, struct error *err)
{
	return check_region(way, err) && aws_list_clusters(way, items, err) &&
	       aws_list_balancers(way, items, err) && aws_list_ec2(way, items, err) &&
	       aws_list_groups(way, items, err) && aws_list_registries(way, items, err) &&
	       aws_list_tagged(way, items, err);
}

static bool list(const struct cloud_question *question, json_t **items, struct error *err)
{
	AUTO(json_decref) json_t *found = json_array();
	const struct aws_way any = { question, question->regions[0] };

	for (char *const *region = question->regions; *region; region++)
		if (!list_region(&(struct aws_way){ question, *region }, found, err))
			return false;
	if (!aws_list_iam(&any, found, err))
		return false;
	*items = TAKE(found);
	return true;
}

const struct cloud_adapter cloud_aws = {
	.name = "aws",
	.needs_regions = true,
	.read_secret = aws_read_secret,
	.account = ask_account,
	.list = list,
};
