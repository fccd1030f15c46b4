/*
 * pulumi_settle.h - after an ending that nobody saw: make the books true again before anything is
 * built or destroyed on them.
 *
 * A CLI that was killed leaves its lock and the operations that were under way. The next `up` would
 * go on with a warning and make the interrupted things a second time, so it is never the first
 *thing to run:
 *
 *	1. nothing of an earlier job is alive (pulumi_survivors.h), so
 *	2. whoever holds a lock is dead, and the lock is broken;
 *	3. a create that was under way: the provider's inventory is asked whether the thing exists.
 *What exists and is in nobody's books is removed by the template's command, or taken into the books
 *where an adapter of ours found it (pulumi_adopt.h); what does not is struck out. When nobody can
 *be asked it stays, and so does the environment, as a debt;
 *	4. then a refresh.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_SETTLE_H
#define ENVD_ENGINE_PULUMI_PULUMI_SETTLE_H

#include "engine/pulumi/pulumi_walk.h"

/* `found`: layers that needed it. ERR_EXTERNAL "pending_unknown", "pending_exists" and those of
 * what it runs; the other layers are settled all the same. */
NODISCARD bool settle_layers(const struct walk_spec *spec, int64_t *found, struct error *err);

#endif
