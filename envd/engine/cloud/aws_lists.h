/*
 * aws_lists.h - what AWS has, type by type, page by page. Each adds what is ours to `items`, and
 * fails when it did not see everything of its type.
 */
#ifndef ENVD_ENGINE_CLOUD_AWS_LISTS_H
#define ENVD_ENGINE_CLOUD_AWS_LISTS_H

#include "engine/cloud/aws_api.h"

/* Networks, machines, volumes of one region. */
NODISCARD bool aws_list_ec2(const struct aws_way *way, json_t *items, struct error *err);

/* Classic load balancers, the newer ones and their target groups. */
NODISCARD bool aws_list_balancers(const struct aws_way *way, json_t *items, struct error *err);

/* Stacks of CloudFormation and groups of machines, which node groups are made of. */
NODISCARD bool aws_list_groups(const struct aws_way *way, json_t *items, struct error *err);

/* Roles, profiles, policies, identity providers: of all regions. */
NODISCARD bool aws_list_iam(const struct aws_way *way, json_t *items, struct error *err);

/* Clusters, and the logs that they write. */
NODISCARD bool aws_list_clusters(const struct aws_way *way, json_t *items, struct error *err);

NODISCARD bool aws_list_registries(const struct aws_way *way, json_t *items, struct error *err);

/* Whatever else has a tag of ours. */
NODISCARD bool aws_list_tagged(const struct aws_way *way, json_t *items, struct error *err);

/* Does a list of the kinds above tell of it? Else only its tags do. */
bool aws_arn_is_listed(const char *arn);

#endif
