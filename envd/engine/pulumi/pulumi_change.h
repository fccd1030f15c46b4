/*
 * pulumi_change.h - a template's changes of the checkout, made in an environment's own copy before
 * anything reads it. What does not fit fails by name: a pin that changes nothing would be a lie.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CHANGE_H
#define ENVD_ENGINE_PULUMI_PULUMI_CHANGE_H

#include "engine/pulumi/pulumi_place.h"

/*
 * All of "changes" whose conditions hold, to the files in `folder`. `*made` is for the lock:
 *
 *	[{"change": "rewrite", "what": "...", "reason": "...", "hash": "...", "values": {...}}]
 *
 * where "values" of a rewrite are the values there afterwards, by file. New reference. ERR_INVALID
 * "rewrite_missed", "patch_failed", "patch_invalid", "copy_failed", "template_invalid".
 */
NODISCARD bool changes_make(const struct pulumi_place *place, const char *folder, json_t **made,
			    struct error *err);

#endif
