/*
 * request.h - request.json as the engines want it.
 */
#ifndef ENVD_WORKER_REQUEST_H
#define ENVD_WORKER_REQUEST_H

#include "engine/engine.h"

/* The template as it was when the environment was asked for. */
#define REQUEST_SNAPSHOT "template"
#define REQUEST_LOCK "lock.json"

struct request {
	const json_t *json; /* borrowed, as everything that `engine_request` points to */
	struct engine_request engine_request;
	const struct engine *engine;
	char *snapshot_folder;     /* FOLDER/template; NULL for a whole target */
	const char *source_folder; /* where the template comes from; NULL when not needed */
	const char *template_digest;
	json_t *lock; /* FOLDER/lock.json, NULL while there is none */
};

/* `request` is to be released whether or not it could be read. */
NODISCARD bool request_read(struct request *request, const json_t *json, struct error *err);
void request_release(struct request *request);

static inline void auto_request_release(struct request *request)
{
	request_release(request);
}

/* Absent for verbs about a whole target. */
bool request_has_environment(const struct request *request);

#endif
