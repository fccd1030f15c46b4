/*
 * rig.h - what the trials of conformance.c work with: environments that exist only here, and runs
 * of the program for them, which can be stopped in the middle.
 */
#ifndef ENVD_CONFORMANCE_RIG_H
#define ENVD_CONFORMANCE_RIG_H

#include "base/ids.h"
#include "base/text.h"
#include "conformance/conformance.h"

enum { SUBJECTS_MAX = 16 };

/* An environment that the program is asked for. */
struct subject {
	struct env_id id;
	int64_t sequence;
	char *folder;
	char *template_folder;
	json_t *lock; /* NULL until planned */
};

struct rig {
	const struct conformance_spec *spec;
	char folder[64];
	char *complaints; /* path: stderr of all runs */
	char *outcomes[2];
	char instance[ID_TEXT_SIZE];
	char canary[40]; /* the value of a variable that looks like a credential */
	int64_t hard_wall_s;
	struct subject subjects[SUBJECTS_MAX];
	size_t subject_count;
	int64_t create_ms; /* how long one took; 0: none ended well */

	/* What was noticed in any run. */
	bool is_interrupted;
	bool has_hung;     /* a run did not end within its limit */
	bool has_answered; /* a probe ended well */
	bool has_said_canary;
	struct text leftovers;  /* which verbs left processes behind */
	struct text rule_break; /* the first one, of the lines; empty: none */

	const char *rule; /* of the trial under way; a closer one may be set where it breaks */
};

enum stop { STOP_NOT, STOP_POLITELY, STOP_BY_FORCE };

struct run {
	const char *verb;
	enum stop stop;
	int64_t stop_after_ms; /* from its start */
	bool stop_at_first_line;
	struct subject *subjects[2]; /* two: at the same time; none: a whole target */

	/* How it ended; the second of each is for the second subject. */
	bool was_stopped; /* it was still running then */
	bool was_killed;  /* it did not end within the grace */
	int64_t took_ms;
	json_t *data[2];
	struct error err[2]; /* ERR_NONE: its result said ok */
};

NODISCARD bool rig_open(struct rig *rig, const struct conformance_spec *spec, struct error *err);
void rig_close(struct rig *rig);

/* NULL when it cannot be made, with the reason in `why`. It stays until rig_close(). */
struct subject *rig_subject(struct rig *rig, struct text *why);

/* Blocks until nothing of the run is left. */
void rig_run(struct rig *rig, struct run *run);
void run_release(struct run *run);

static inline void auto_run_release(struct run *run)
{
	run_release(run);
}

#endif
