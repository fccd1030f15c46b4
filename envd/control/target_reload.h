/*
 * target_reload.h - the targets file is read again when it has changed, by both programs. One that
 * is wrong changes nothing: what was read before stays, and the log says why.
 */
#ifndef ENVD_CONTROL_TARGET_RELOAD_H
#define ENVD_CONTROL_TARGET_RELOAD_H

#include "control/control.h"

struct target_reload;

/* NULL where there is no targets file. */
struct target_reload *target_reload_new(struct control *control);
void target_reload_free(struct target_reload *reload);

#endif
