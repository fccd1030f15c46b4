/*
 * project_quota.h - whether a project may have one more environment: asked inside the transaction
 * that accepts it, so that two requests cannot both take the last place.
 */
#ifndef ENVD_CONTROL_PROJECT_QUOTA_H
#define ENVD_CONTROL_PROJECT_QUOTA_H

#include "control/control.h"
#include "model/environment.h"

/* As quota_check(); `environment` is filled in but for its id. Its longest lease becomes the
 * project's if that is shorter. */
NODISCARD bool project_quota_admit(const struct control *control, struct store_tx *tx,
				   struct environment *environment, struct error *err);

/* The lease for who asked for none: the template's default, or what the project may have. */
NODISCARD bool project_quota_default_lease(const struct control *control, const char *project,
					   int64_t *lease_ms, struct error *err);

/* A lease that was too long for `environment`: where the project's quota is what bounds it, `err`
 * becomes as of a create, ERR_LIMIT "quota_lease". Always false. */
bool project_quota_name(const struct control *control, const struct environment *environment,
			struct error *err);

#endif
