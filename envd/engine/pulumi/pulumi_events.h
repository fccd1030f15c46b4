/*
 * pulumi_events.h - what `pulumi up --json` says, a line at a time: engine events as layer,
 * resource and log lines, and at the end how it went.
 *
 * Exit codes of the CLI say little (1 for nearly everything): what counts is the summary event, and
 * the state. Lines that are no events are skipped: plugins now and then print some.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_EVENTS_H
#define ENVD_ENGINE_PULUMI_PULUMI_EVENTS_H

#include <stdint.h>

#include "base/text.h"
#include "wire/worker_lines.h"

#define PULUMI_EVENT_BYTES_MAX ((size_t)16 << 20)

struct pulumi_events {
	const char *layer;
	struct worker_lines *lines; /* NULL: nobody listens */
	/* Everything that the program itself says. May be NULL. */
	void (*on_message)(void *arg, const char *message);
	/* Whatever was done to a resource, by the metadata of its event. May be NULL. */
	void (*on_resource)(void *arg, const json_t *metadata, bool has_failed);
	void *arg;

	char *result;      /* of the summary: "succeeded", "failed", "canceled"; NULL: none came */
	int64_t changed;   /* resources made, changed or removed */
	char *first_error; /* NULL: none */
	int64_t errors;
	const char *exhaustion; /* one of them says that the target has no more: a slug; or NULL */
};

void pulumi_events_feed(struct pulumi_events *events, const char *line, size_t length);

/* What the CLI wrote to stderr: "error: ..." counts as one. */
void pulumi_events_complain(struct pulumi_events *events, const char *line);

/* It said that it succeeded, and ended well. */
bool pulumi_events_succeeded(const struct pulumi_events *events, bool ended_well);

/* The error that matters, in one line; `end` is how the program ended, in words. Never NULL; lives
 * as long as the events and `end`. */
const char *pulumi_events_why(const struct pulumi_events *events, const char *end);

void pulumi_events_release(struct pulumi_events *events);

#endif
