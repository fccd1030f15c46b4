/*
 * progress.h - what happens to an environment while a command waits for it, on stderr.
 *
 *	tty    one live block, redrawn in place: state, elapsed, layers
 *	plain  a line per change with its UTC time, and one every 30 s when nothing changes; in
 *GitHub Actions, a group per state json   a line per change, as the server sent it quiet  nothing
 *
 * auto is tty on a terminal, else plain.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <jansson.h>
#include <stdint.h>

#include "base/option_table.h"
#include "cli/terminal.h"

extern const char *const progress_modes[]; /* for OPTION_CHOICE; ends with NULL */

/* What is known, kept here for all modes. */
struct progress_layer {
	char *name;
	char state[16];     /* "started", "ready", "failed", "removed" */
	int64_t elapsed_ms; /* once it is over */
	int64_t since_ms;   /* monotonic, when it was started */
};

struct progress_view {
	struct terminal terminal;
	char *name; /* of the environment; NULL until known */
	char state[16];
	char message[200];  /* the newest */
	int64_t began_ms;   /* monotonic */
	int64_t changed_ms; /* monotonic: the newest change */
	struct progress_layer *layers;
	size_t layer_count;
};

struct progress_kind {
	const char *name;
	void (*change)(const struct progress_view *view, const json_t *row); /* a history row */
	void (*tick)(struct progress_view *view);
	void (*end)(const struct progress_view *view);
};

struct progress;

struct progress *progress_new(const char *mode, const struct terminal *terminal);
void progress_free(struct progress *progress); /* ends it */
DEFINE_AUTO(struct progress *, progress_free)

/* What is known before the first change; later calls change nothing. `name` may be NULL. */
void progress_begin(struct progress *progress, const char *name, const char *state);

void progress_change(struct progress *progress, const json_t *row);

/* Call at least every second. */
void progress_tick(struct progress *progress);

/* A line of ours among them: "connection lost, trying again". */
void progress_say(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* Nothing more will come; before anything else is printed. Calling it twice is fine. */
void progress_end(struct progress *progress);

extern const struct progress_kind progress_tty;
extern const struct progress_kind progress_plain;
extern const struct progress_kind progress_json;

#endif
