/*
 * target.h - the rules by which a target is asked for and given away. No I/O, time is an argument.
 *
 * A *wish* says which targets a request would take: by name ("lab-1"), or by labels that must all
 *be there ("cloud=aws,region=eu-west-1"). As JSON, which is how it is stored:
 *
 *	{"name": "lab-1"}		{"labels": {"cloud": "aws"}}
 *
 * Several wishes are an array, and a target must fit them all: the template's and the caller's.
 */
#ifndef ENVD_MODEL_TARGET_H
#define ENVD_MODEL_TARGET_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum { TARGET_LABELS_MAX = 32, TARGET_LABEL_BYTES_MAX = 128 };

// clang-format off
/* The names on the right are stored and sent to clients: never change one. */
#define TARGET_CONDITIONS(X)                                                                       \
	X(TARGET_CLEAN,    "clean")                                                                \
	X(TARGET_DIRTY,    "dirty")    /* something may be left on it: nothing is placed there */  \
	X(TARGET_CLEANING, "cleaning") /* and somebody is at it */
// clang-format on

enum target_condition {
#define X(condition, name) condition,
	TARGET_CONDITIONS(X)
#undef X
};

/* TARGET_DIRTY for a name that we did not store: the careful answer. */
enum target_condition target_condition_parse(const char *name);

/* What a client is told: "free", "held", "dirty" or "cleaning". */
const char *target_state_name(enum target_condition condition, int64_t holders);

/* "NAME" or "LABEL=VALUE[,LABEL=VALUE...]". New reference. ERR_INVALID "target_invalid". */
NODISCARD bool target_wish_parse(const char *text, json_t **wish, struct error *err);

/* Of labels: an object of strings, not too many and not too long. ERR_INVALID "target_invalid". */
NODISCARD bool target_labels_check(const json_t *labels, struct error *err);

/* `wishes` NULL or empty: any target fits. `labels` NULL: it has none. */
bool target_fits(const json_t *wishes, const char *name, const json_t *labels);

/* For a sentence: "lab-1", "cloud=aws,region=eu"; the caller frees. */
char *target_wishes_text(const json_t *wishes);

/* What is known of one when somebody wants it. */
struct target_standing {
	enum target_condition condition;
	int64_t holders;
	int64_t holders_max;
	int64_t memory_used;
	int64_t memory_needed;
	int64_t memory_max;       /* 0: not looked at */
	int64_t no_room_until_ms; /* its cloud said that it has no more; 0: it did not */
};

/* May one more environment have it now? False with ERR_LIMIT, slug "target_dirty", "target_full",
 * "target_memory" or "target_no_capacity", and a sentence that names it and the numbers. */
NODISCARD bool target_judge(const char *name, const struct target_standing *standing,
			    int64_t now_ms, struct error *err);
/* Of any error: one of these four, so that waiting helps. */
bool target_is_refusal(const struct error *err);

/* A build failed because the target's cloud has no more of something, which another target may
 * have: an engine's slugs "target_quota" and "target_capacity". */
bool target_is_exhausted(const char *slug);

/* Before cleaning is tried again, after so many attempts: 30 s doubling to 30 min, then hourly. */
int64_t target_clean_pause_ms(int64_t attempts);

#endif
