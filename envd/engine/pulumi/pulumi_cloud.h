/*
 * pulumi_cloud.h - the inventories that we take ourselves (engine/cloud): for one provider of the
 * template, with what its own list and the record know of the environment.
 *
 * Credentials are read where the template says each time that they are needed, and live in this
 * process alone.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CLOUD_H
#define ENVD_ENGINE_PULUMI_PULUMI_CLOUD_H

#include "engine/cloud/cloud.h"
#include "engine/pulumi/pulumi_record.h"

/* What can be known before anything is built: adapters exist, endpoints are safe, credentials are
 * where they are said to be. ERR_INVALID "template_invalid", "endpoint_invalid", "secret_missing",
 * "credentials_invalid". */
NODISCARD bool cloud_check(const struct pulumi_place *place, struct error *err);

/* Notes since when there may be something, and whose accounts they are: later answers from another
 * account say nothing. What the credentials cannot do is said here, before anything is built.
 * ERR_INVALID "credentials_short" and those of cloud.h. */
NODISCARD bool cloud_begin(const struct pulumi_place *place, struct pulumi_record *record,
			   struct error *err);

/* Everything of this environment, as listing_of(); what was found is noted. `suspects`: names of
 * interrupted creates, or NULL. ERR_EXTERNAL "cloud_account" and those of cloud.h. */
NODISCARD bool cloud_listing(const struct pulumi_place *place, struct pulumi_record *record,
			     const struct layer_inventory *inventory, const json_t *suspects,
			     json_t **items, struct error *err);

/* Once for an environment, before anything of it is removed: what a cluster made is noted while it
 * can still be told whose it is. What cannot be asked now is asked for the proof. */
void cloud_look_before(const struct pulumi_place *place, struct pulumi_record *record);

/* How long the slowest of them may go on telling what was; 0: none was ever used. */
int64_t cloud_settle_ms(const struct pulumi_place *place, const struct pulumi_record *record);

#endif
