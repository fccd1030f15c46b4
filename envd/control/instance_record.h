/*
 * instance_record.h - our installation's id, kept outside the data folder too, so that losing the
 * data does not lose the orphans: /var/lib/envd-instance/ID, else $XDG_STATE_HOME/envd-instance/ID
 * (else
 * ~/.local/state/envd-instance/ID). The file says which data folder and target sockets it was for.
 */
#ifndef ENVD_CONTROL_INSTANCE_RECORD_H
#define ENVD_CONTROL_INSTANCE_RECORD_H

#include "control/control.h"

/* Best effort, with a warning: an installation that may write neither place still works. */
void instance_record_keep(const struct control *control);

/* Every id that is on record, as a JSON array of strings. New reference. */
json_t *instance_record_list(void);

#endif
