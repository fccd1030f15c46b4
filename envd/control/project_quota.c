#include "control/project_quota.h"

#include <string.h>

#include "store/store_tally.h"

enum { HOUR_MS = 3600000 };

bool project_quota_admit(const struct control *control, struct store_tx *tx,
			 struct environment *environment, struct error *err)
{
	const struct quota_ask ask = {
		.template_name = environment->template_name,
		.lease_ms = environment->lease_ms,
		.memory_bytes = environment->memory_bytes,
		.microcents_per_hour = environment->price_microcents_per_hour,
	};
	const struct quota *quota;
	struct quota_use use;

	if (!project_find(&control->settings->projects, environment->project, &quota, err))
		return false;
	/* Counting grows with what the project has, so only where a quota bounds that. */
	if (memcmp(quota, &quota_unlimited, sizeof(*quota)) == 0)
		return true;
	if (!store_tally_project(store_of(tx), environment->project,
				 environment->created_at_ms - HOUR_MS, &use, err) ||
	    !quota_check(environment->project, quota, &use, &ask, err))
		return false;
	if (environment->lease_maximum_ms > quota->lease_ms)
		environment->lease_maximum_ms = quota->lease_ms;
	return true;
}

bool project_quota_default_lease(const struct control *control, const char *project,
				 int64_t *lease_ms, struct error *err)
{
	const struct quota *quota;

	if (!project_find(&control->settings->projects, project, &quota, err))
		return false;
	if (*lease_ms > quota->lease_ms)
		*lease_ms = quota->lease_ms;
	return true;
}

bool project_quota_name(const struct control *control, const struct environment *environment,
			struct error *err)
{
	const struct quota *quota;
	struct error ignored; /* a project that is not configured any more bounds nothing */

	if (environment->state == ENV_READY && strcmp(err->slug, "lease_too_long") == 0 &&
	    project_find(&control->settings->projects, environment->project, &quota, &ignored) &&
	    quota->lease_ms <= environment->lease_maximum_ms) {
		err->code = ERR_LIMIT;
		err->slug = "quota_lease";
	}
	return false;
}
