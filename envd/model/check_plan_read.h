/*
 * check_plan_read.h - what the readers of a plan's parts share: between check_plan.c, which reads
 * the whole, and check_step.c, which reads steps.
 */
#ifndef ENVD_MODEL_CHECK_PLAN_READ_H
#define ENVD_MODEL_CHECK_PLAN_READ_H

#include "base/yaml_read.h"
#include "model/check_plan.h"

struct plan_reader {
	const struct yaml_document *document;
	struct check_plan *plan;
	/* defaults of the file */
	char *base;
	char *ca;
	int64_t timeout_ms;
	/* captures of the check that is being read, so far */
	const char *captures[CHECK_PLAN_STEPS_MAX * CHECK_PLAN_ITEMS_MAX + 1];
	size_t capture_count;
};

/* Each leaves its out-parameter alone when the key is missing. Strings replace what was there. */

/* Text in which ${...} may stand; names that are no capture are noted in the plan. */
NODISCARD bool plan_read_text(struct plan_reader *reader, const struct yaml_node *map,
			      const char *key, char **text, struct error *err);
NODISCARD bool plan_read_texts(struct plan_reader *reader, const struct yaml_node *map,
			       const char *key, char ***texts, struct error *err);
NODISCARD bool plan_read_pairs(struct plan_reader *reader, const struct yaml_node *map,
			       const char *key, struct check_pairs *pairs, struct error *err);
/* Strings inside may hold ${...}. */
NODISCARD bool plan_read_json(struct plan_reader *reader, const struct yaml_node *map,
			      const char *key, json_t **json, struct error *err);
NODISCARD bool plan_read_duration(struct plan_reader *reader, const struct yaml_node *map,
				  const char *key, int64_t min_ms, int64_t max_ms, int64_t *ms,
				  struct error *err);
NODISCARD bool plan_read_integer(struct plan_reader *reader, const struct yaml_node *map,
				 const char *key, int64_t min, int64_t max, int64_t *value,
				 struct error *err);
NODISCARD bool plan_read_eventually(struct plan_reader *reader, const struct yaml_node *map,
				    struct check_eventually *eventually, struct error *err);

/* A list with at most `max` items. *list is NULL when the key is missing. */
NODISCARD bool plan_read_list(struct plan_reader *reader, const struct yaml_node *map,
			      const char *key, size_t max, const struct yaml_node **list,
			      struct error *err);

/* A name from ${...} or captured.NAME at `node`. */
NODISCARD bool plan_note_reference(struct plan_reader *reader, const struct yaml_node *node,
				   const char *reference, struct error *err);

/* The message of `err`, with the place and the hint kept. */
bool plan_error_at(struct plan_reader *reader, const struct yaml_node *node, struct error *err);

/* A step: `node` has one of the kinds as a key, expect and capture. */
NODISCARD bool check_step_read(struct plan_reader *reader, const struct yaml_node *node,
			       struct check_step *step, struct error *err);
void check_step_release(struct check_step *step);

/* Keys that say what a step does, for lists of known keys. */
#define CHECK_STEP_KEYS                                                                            \
	"http", "tls", "tcp", "dns", "prometheus", "exec", "kube", "expect", "capture"

void check_texts_free(char **texts);

#endif
