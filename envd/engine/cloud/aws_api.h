/*
 * aws_api.h - calls of AWS in its three dialects: query and XML (EC2, ELB, IAM, ...), JSON with a
 * target (tagging, ECR, logs), and REST with JSON (EKS). The answer is JSON in each case.
 */
#ifndef ENVD_ENGINE_CLOUD_AWS_API_H
#define ENVD_ENGINE_CLOUD_AWS_API_H

#include "engine/cloud/cloud.h"

struct aws_service {
	const char *name;    /* in the signature */
	const char *host;    /* before the region: "ec2"; NULL: the same as `name` */
	const char *version; /* query: "2016-11-15" */
	const char *target;  /* JSON: "AmazonEC2ContainerRegistry_V20150921" */
	bool is_global;      /* one for all regions, signed for us-east-1 */
};

struct aws_way {
	const struct cloud_question *question;
	const char *region;
};

/* POST Action=...; `more` begins with "&" or is "". ERR_EXTERNAL "cloud_denied" with AWS's own code
 * and words. New reference. */
NODISCARD bool aws_query(const struct aws_way *way, const struct aws_service *service,
			 const char *action, const char *more, json_t **answer, struct error *err);

NODISCARD bool aws_target(const struct aws_way *way, const struct aws_service *service,
			  const char *action, const json_t *body, json_t **answer,
			  struct error *err);

/* GET of a path with its query. */
NODISCARD bool aws_get(const struct aws_way *way, const struct aws_service *service,
		       const char *path, json_t **answer, struct error *err);

/* AWS's XML as JSON: an element with elements is an object, one whose elements are all called
 * "item" or "member" (or come twice) a list, any other its text. New reference. ERR_EXTERNAL
 * "cloud_invalid". */
NODISCARD bool aws_xml(const char *bytes, size_t length, json_t **json, struct error *err);

/* Keys from JSON (what credential_process prints, or STS) or from a file in the format of
 * ~/.aws/credentials (profile "default"). ERR_INVALID "credentials_invalid". */
NODISCARD bool aws_read_secret(const char *text, struct cloud_secret *secret, struct error *err);

#endif
