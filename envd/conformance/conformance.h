/*
 * conformance.h - does a program keep to templates/engines.md? Told by trying it, as envd would run
 * it: the same conversation, the same guard around it.
 *
 * The program is asked for environments of an instance made up for this run, in a temporary folder,
 * so nothing of a real installation is named. Whatever it made is destroyed in the end, also after
 * an interruption.
 */
#ifndef ENVD_CONFORMANCE_CONFORMANCE_H
#define ENVD_CONFORMANCE_CONFORMANCE_H

#include "base/json_read.h"

struct conformance_spec {
	const char *program;         /* absolute */
	const char *template_folder; /* copied for each environment; NULL: an empty one */
	const json_t *parameters;    /* an object, complete and checked */
	int64_t time_limit_ms;       /* of one run */
	int64_t grace_ms;            /* between SIGTERM and SIGKILL */
	int stop_fd;                 /* readable: try nothing more, clean up; -1: none */

	/* After each trial: {"name","status","message","rule","elapsed_ms"}; the status is "ok",
	 * "note", "broken" or "not_tried", and `rule` is the sentence of the manual that a broken
	 * one breaks. Borrowed. */
	void (*on_trial)(void *arg, const json_t *trial);
	void *arg;
};

/*
 * `trials` gets all of them, a new reference. False only when nothing could be tried: a program or
 * template that is not there, no temporary folder. A program that breaks rules is no error here.
 */
NODISCARD bool conformance_run(const struct conformance_spec *spec, json_t **trials,
			       struct error *err);

#endif
