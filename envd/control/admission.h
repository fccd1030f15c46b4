/*
 * admission.h - how much of a target one environment needs (whether it is to be had: placement.h).
 *
 * An environment needs the memory that its template says (`limits: memory:`), or else what its
 * services may use: the sum of their limits, ADMISSION_SERVICE_BYTES for each that has none. What
 * is granted counts until it is proved gone. Memory is looked at only where the target has a
 * `memory:`; what was asked for before it had one counts nothing.
 *
 * Who waits for memory may be overtaken by who needs less; the queue limit bounds the wait.
 */
#ifndef ENVD_CONTROL_ADMISSION_H
#define ENVD_CONTROL_ADMISSION_H

#include "control/control.h"
#include "control/template_registry.h"
#include "model/environment.h"

#define ADMISSION_SERVICE_BYTES ((int64_t)256 * 1024 * 1024)

/* What one needs, in bytes; 0 where the target has no limit. Error: ERR_INVALID, slug
 * "memory_never_fits", when even an empty target is too small. */
NODISCARD bool admission_need(const struct target *target, const struct template_entry *entry,
			      const json_t *pins, const json_t *parameters, int64_t *bytes,
			      struct error *err);

#endif
