/*
 * proofs.h - when is something gone? Pure: what a destroy job brought is judged here, and an answer
 * that is missing, incomplete or unclear is never a yes.
 */
#ifndef ENVD_CONTROL_PROOFS_H
#define ENVD_CONTROL_PROOFS_H

#include "base/ids.h"
#include "base/json_read.h"

/*
 * `data` of a completed destroy job: state empty, nothing pending, two complete inventories at
 * least the settle time apart, both without anything of `environment`. When not, `err` says in a
 * sentence what is missing and `*blocked_by` (new reference, an array of strings; also set on
 * success, empty) names what is left.
 */
NODISCARD bool proofs_judge(const json_t *data, const char *engine, struct env_id environment,
			    json_t **blocked_by, struct error *err);

#endif
