/*
 * admission.h - is there room for one more environment on its target? By count and by memory.
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

struct admission_numbers {
	int64_t live;
	int64_t live_max;
	int64_t memory_used;
	int64_t memory_needed;
	int64_t memory_max; /* 0: not looked at */
};

/* Pure. False with ERR_LIMIT, slug "target_full" or "target_memory", and a sentence that names the
 * target and the numbers. */
NODISCARD bool admission_judge(const char *target, const struct admission_numbers *numbers,
			       struct error *err);

/* What one needs, in bytes; 0 where the target has no limit. Error: ERR_INVALID, slug
 * "memory_never_fits", when even an empty target is too small. */
NODISCARD bool admission_need(const struct target *target, const struct template_entry *entry,
			      const json_t *pins, const json_t *parameters, int64_t *bytes,
			      struct error *err);

/* As admission_judge(), by the store; other errors are the store's. */
NODISCARD bool admission_check(const struct control *control, const struct environment *env,
			       struct error *err);
bool admission_is_refusal(const struct error *err);

#endif
