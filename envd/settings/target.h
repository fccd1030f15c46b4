/*
 * target.h - what makes sense for a target.
 */
#ifndef ENVD_SETTINGS_TARGET_H
#define ENVD_SETTINGS_TARGET_H

#include "base/error.h"
#include "settings/settings.h"

/*
 * A runtime by TCP needs certificates, except on loopback; one on another machine needs to be told
 * at which of its addresses environments are published; all addresses at once are none that anybody
 * could be told. Error: ERR_INVALID, naming the target and its key.
 */
NODISCARD bool target_check(const struct target *target, struct error *err);

#endif
