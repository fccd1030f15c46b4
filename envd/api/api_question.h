/*
 * api_question.h - a short question that only an engine can answer (what do the services do, what
 * do their logs say), asked by a worker process while the request waits. For api/ only.
 */
#ifndef ENVD_API_API_QUESTION_H
#define ENVD_API_API_QUESTION_H

#include "api/api_context.h"
#include "wire/worker_lines.h"

struct api_question;

struct api_question_spec {
	const json_t *request; /* control/job_request.h */
	int64_t time_limit_ms; /* 0: none */
	int client_fd;         /* the worker's end of a tunnel, stays the caller's; 0: none. Such
				  questions are counted by who asks them. */
	void (*on_line)(void *arg, enum worker_line_type type, const json_t *object);
	/* Once, last, from the loop. `failure` NULL: the worker's result was good; `data` may be
	 * NULL. */
	void (*on_end)(void *arg, const json_t *data, const struct error *failure);
	void *arg;
};

/* ERR_LIMIT "too_many_questions". Nothing was started on failure. */
NODISCARD bool api_question_ask(struct api *api, const struct api_question_spec *spec,
				struct api_question **question, struct error *err);

/* on_end follows. */
void api_question_stop(struct api_question *question);

/* For the end of the server: calls on_end now. */
void api_question_abandon(struct api_question *question);

/* A reader that is slow: let the worker wait. */
void api_question_pause(struct api_question *question);
void api_question_resume(struct api_question *question);

#endif
