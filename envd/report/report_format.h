/*
 * report_format.h - what report.c asks of a format, and what the formats share.
 */
#ifndef ENVD_REPORT_REPORT_FORMAT_H
#define ENVD_REPORT_REPORT_FORMAT_H

#include "base/json_read.h"
#include "base/text.h"

struct report_format {
	const char *name;
	const char *content_type;
	void (*render)(const json_t *report, struct text *into);
};

extern const struct report_format report_json;
extern const struct report_format report_markdown;
extern const struct report_format report_junit;
extern const struct report_format report_text;

/* The newest check run that has something in `suite` ("smoke", "load"); NULL without one. */
const json_t *report_newest_run(const json_t *report, const char *suite);

/* Of the report, else of its environment; never NULL where there is an environment. */
const json_t *report_proofs(const json_t *report);

/* "a=1, b=2"; the caller frees. */
char *report_map(const json_t *map, const char *separator);

/* There is evidence, and it is not just a person's word. */
bool report_is_proved_gone(const json_t *report);

/* For the headline: its state, or "proved gone". */
const char *report_verdict(const json_t *report);

/* What was seen of a smoke check: its message, else its expectations; the caller frees. */
char *report_seen(const json_t *check);

/* "until ... to be looked at"; "" unless it failed and is kept. The caller frees. */
char *report_kept(const json_t *report);

/* "envctl evidence NAME"; "" unless there is some, or some is being taken. The caller frees. */
char *report_evidence(const json_t *report);

/* "0.0123 USD so far, 0.24 USD at expiry", or ""; the caller frees. */
char *report_cost(const json_t *report);

/* "container abc: busy, volume x: in use", or ""; the caller frees. */
char *report_blocked_by(const json_t *report);

/* Services that have something to say about a failed create, [{"name","message","log_tail":[...]}]:
 * of the newest row of history that has them; NULL without one. */
const json_t *report_said_services(const json_t *report);

/* The last lines of a service, each ending with a line feed; "" without any; the caller frees. */
char *report_log_tail(const json_t *service);

/* Control characters other than line feed and tab become '?': quoted output of programs must not
 * speak to a terminal. */
void report_make_printable(struct text *text);

#endif
