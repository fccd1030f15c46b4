/*
 * compose_process.h - the process in the container: `init`, `stop_signal`, `stop_grace_period`,
 * `ulimits`, `shm_size`, `logging`, `attach`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_PROCESS_H
#define ENVD_COMPOSE_COMPOSE_PROCESS_H

#include "compose/compose_reader.h"

compose_read_key compose_init_read, compose_stop_signal_read, compose_stop_grace_period_read,
    compose_ulimits_read, compose_shm_size_read, compose_logging_read, compose_attach_read;

void compose_process_release(struct compose_process *process);

#endif
