#include "engine/cloud/cloud.h"

#include <string.h>

#include "engine/cloud/aws.h"
#include "engine/cloud/digitalocean.h"
#include "engine/cloud/linode.h"

static const struct cloud_adapter *const adapters[] = {
	&cloud_aws,
	&cloud_digitalocean,
	&cloud_linode,
};

const char *const cloud_adapter_names[] = { "aws", "digitalocean", "linode", NULL };

const struct cloud_adapter *cloud_adapter_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(adapters); i++)
		if (strcmp(adapters[i]->name, name) == 0)
			return adapters[i];
	return NULL;
}

bool cloud_read_token(const char *text, struct cloud_secret *secret, struct error *err)
{
	const char *begin = text + strspn(text, " \t\r\n");
	size_t length = strcspn(begin, " \t\r\n");

	if (!length || begin[length + strspn(begin + length, " \t\r\n")])
		return error_set_as(err, ERR_INVALID, "credentials_invalid",
				    "the credentials must be one token and nothing else");
	secret->token = xstrndup(begin, length);
	return true;
}

bool cloud_too_many(const char *what, struct error *err)
{
	return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
			    "there are more than %d of %s: too many to look through",
			    CLOUD_ITEMS_MAX, what);
}
