/*
 * compose_powers.h - what a service may do beyond, or less than, a plain container: `privileged`,
 * `cap_add`, `cap_drop`, `devices`, `sysctls`, `group_add`, `read_only`. For compose/ only.
 * Who may have them is compose_trust.h's to say.
 */
#ifndef ENVD_COMPOSE_COMPOSE_POWERS_H
#define ENVD_COMPOSE_COMPOSE_POWERS_H

#include "compose/compose_reader.h"

compose_read_key compose_privileged_read, compose_read_only_read, compose_cap_add_read,
    compose_cap_drop_read, compose_devices_read, compose_sysctls_read, compose_group_add_read;

void compose_powers_release(struct compose_powers *powers);

#endif
