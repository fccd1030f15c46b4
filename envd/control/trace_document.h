/*
 * trace_document.h - the life of one environment as an OTLP trace (JSON encoding). Pure.
 *
 * Spans: the environment from its request to its end; below it the queue, each job (create, check,
 * evidence, destroy), the lease; below a create each layer, below a check each stage, below a
 * destroy the proof. Ids are made of the environment's, so that sending it twice is one trace.
 */
#ifndef ENVD_CONTROL_TRACE_DOCUMENT_H
#define ENVD_CONTROL_TRACE_DOCUMENT_H

#include "store/store_history.h"
#include "store/store_jobs.h"

struct trace_source {
	const struct environment *environment; /* that has ended */
	const struct history_list *history;
	const struct job_list *jobs;
	const json_t *proofs; /* store_proofs() */
	const char *instance;
};

enum { TRACE_SPANS_MAX = 1000 };

/* {"resourceSpans": [...]}. New reference. */
json_t *trace_document(const struct trace_source *source);

/* W3C trace context, "00-TRACEID-SPANID-FLAGS", lower case, neither id all zeroes. */
bool trace_parent_is_valid(const char *text);

#endif
