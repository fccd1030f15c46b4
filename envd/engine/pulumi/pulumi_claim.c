#include "engine/pulumi/pulumi_claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"

enum { CLAIM_BYTES_MAX = 64 };

static bool move_away(const struct pulumi_place *place, const char *former, struct error *err)
{
	AUTO(free) char *to = xasprintf("%s-%s", place->folder, former);

	return rename(place->folder, to) == 0 ||
	       error_set_errno(err, errno, "cannot keep the place of claim %s as \"%s\"", former,
			       to);
}

bool claim_take_place(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *path = place_path(place, "claim");
	AUTO(free)
	char *own = xasprintf("%lld", (long long)place->request->target.claim_number);
	AUTO(free) char *former = NULL;
	int64_t number;

	if (!place->request->target.claim_number)
		return folder_make(place->folder, 0700, err);
	if (file_exists(path) && !file_read(path, CLAIM_BYTES_MAX, &former, NULL, err))
		return false;
	if (former && strcmp(former, own) == 0)
		return true;
	if (former && text_to_int64(former, &number) && !move_away(place, former, err))
		return false;
	return folder_make(place->folder, 0700, err) &&
	       file_write_atomically(path, own, strlen(own), 0600, err);
}

/* ---- what a cloud says ---- */

/* As they turn up in messages of the AWS, DigitalOcean, Linode and Google providers and of
 * Kubernetes, in lower case. What is only asked too often is none of it: it passes. */
static const struct {
	const char *words;
	const char *slug; /* NULL: not that */
} sayings[] = {
	// clang-format off
	{ "requestlimitexceeded", NULL },
	{ "rate exceeded", NULL },
	{ "rate limit", NULL },
	{ "throttl", NULL },
	{ "insufficientinstancecapacity", "target_capacity" },
	{ "insufficienthostcapacity", "target_capacity" },
	{ "insufficient capacity", "target_capacity" },
	{ "insufficientcapacity", "target_capacity" },
	{ "not have sufficient capacity", "target_capacity" },
	{ "resource_pool_exhausted", "target_capacity" },
	{ "nodes are available: ", "target_capacity" },
	{ "quotaexceeded", "target_quota" },
	{ "quota exceeded", "target_quota" },
	{ "exceeded quota", "target_quota" },
	{ "limitexceeded", "target_quota" },
	{ "limit exceeded", "target_quota" },
	{ "account limit reached", "target_quota" },
	{ "will exceed your", "target_quota" },
	{ "droplet limit", "target_quota" },
	// clang-format on
};

static char *lower(const char *text)
{
	char *copy = xstrdup(text);

	for (char *at = copy; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return copy;
}

const char *claim_exhaustion(const char *message)
{
	AUTO(free) char *text = lower(message);

	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++)
		if (strstr(text, sayings[i].words))
			return sayings[i].slug;
	return NULL;
}
