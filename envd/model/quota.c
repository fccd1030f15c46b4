#include "model/quota.h"

#include "base/duration.h"

#define MICROCENTS_PER_UNIT_REAL 100000000.0

const struct quota quota_unlimited = { QUOTA_UNLIMITED, QUOTA_UNLIMITED, QUOTA_UNLIMITED,
				       QUOTA_UNLIMITED, QUOTA_UNLIMITED };

/* Without overflow, whatever the numbers are. */
static bool fits(int64_t used, int64_t more, int64_t quota)
{
	return quota == QUOTA_UNLIMITED || (used <= quota && more <= quota - used);
}

static bool check_lease(const char *project, const struct quota *quota, const struct quota_ask *ask,
			struct error *err)
{
	char most[DURATION_TEXT_SIZE], asked[DURATION_TEXT_SIZE];

	if (ask->lease_ms <= quota->lease_ms)
		return true;
	error_set_as(err, ERR_LIMIT, "quota_lease",
		     "a lease in project \"%s\" is at most %s (asked for %s)", project,
		     duration_format(quota->lease_ms, most), duration_format(ask->lease_ms, asked));
	return error_hint(err, "ask for a shorter one: --ttl %s", most);
}

static bool check_environments(const char *project, const struct quota *quota,
			       const struct quota_use *use, struct error *err)
{
	if (fits(use->environments, 1, quota->environments))
		return true;
	error_set_as(err, ERR_LIMIT, "quota_environments",
		     "project \"%s\" has %lld environments of the %lld that it may have", project,
		     (long long)use->environments, (long long)quota->environments);
	return error_hint(err, "destroy one that is not needed: envctl list --project %s", project);
}

static double mebibytes(int64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static bool check_memory(const char *project, const struct quota *quota,
			 const struct quota_use *use, const struct quota_ask *ask,
			 struct error *err)
{
	if (quota->memory_bytes == QUOTA_UNLIMITED)
		return true;
	/* What nobody declared cannot be counted, and must not be free of charge. */
	if (!ask->memory_bytes) {
		error_set_as(err, ERR_LIMIT, "quota_memory",
			     "project \"%s\" has a memory quota, and template \"%s\" does not say "
			     "what it needs",
			     project, ask->template_name);
		return error_hint(err, "declare it in the template: limits: { memory: 2GiB }");
	}
	if (fits(use->memory_bytes, ask->memory_bytes, quota->memory_bytes))
		return true;
	error_set_as(err, ERR_LIMIT, "quota_memory",
		     "project \"%s\" uses %.0f MiB of the %.0f MiB memory that it may use, and "
		     "this needs %.0f MiB",
		     project, mebibytes(use->memory_bytes), mebibytes(quota->memory_bytes),
		     mebibytes(ask->memory_bytes));
	return error_hint(err, "destroy one that is not needed: envctl list --project %s", project);
}

static bool check_creates(const char *project, const struct quota *quota,
			  const struct quota_use *use, struct error *err)
{
	if (fits(use->creates_last_hour, 1, quota->creates_per_hour))
		return true;
	error_set_as(err, ERR_LIMIT, "quota_creates",
		     "project \"%s\" has created %lld environments in the last hour, and %lld are "
		     "its limit",
		     project, (long long)use->creates_last_hour,
		     (long long)quota->creates_per_hour);
	return error_hint(err, "try again later, or use an environment for longer");
}

static double units(int64_t microcents)
{
	return (double)microcents / MICROCENTS_PER_UNIT_REAL;
}

static bool check_cost(const char *project, const struct quota *quota, const struct quota_use *use,
		       const struct quota_ask *ask, struct error *err)
{
	if (fits(use->microcents_per_hour, ask->microcents_per_hour, quota->microcents_per_hour))
		return true;
	error_set_as(err, ERR_LIMIT, "quota_cost",
		     "project \"%s\" spends %.2f an hour of the %.2f that it may spend, and this "
		     "costs %.2f",
		     project, units(use->microcents_per_hour), units(quota->microcents_per_hour),
		     units(ask->microcents_per_hour));
	return error_hint(err, "destroy one that is not needed: envctl list --project %s", project);
}

bool quota_check(const char *project, const struct quota *quota, const struct quota_use *use,
		 const struct quota_ask *ask, struct error *err)
{
	return check_lease(project, quota, ask, err) &&
	       check_environments(project, quota, use, err) &&
	       check_memory(project, quota, use, ask, err) &&
	       check_creates(project, quota, use, err) && check_cost(project, quota, use, ask, err);
}
