/*
 * api_visit.h - an answer that goes on (events, logs, a command) may do so only as long as the
 * token that it was asked with: it ends when that is revoked or expires. For api/ only.
 */
#ifndef ENVD_API_API_VISIT_H
#define ENVD_API_API_VISIT_H

#include "api/api_context.h"

struct api_visit;

/* For the caller of the request that is being handled. `end` is called once, from the loop; the
 * visit is still to be left. */
struct api_visit *api_visit_begin(struct api *api, void (*end)(void *arg), void *arg);
void api_visit_leave(struct api_visit *visit); /* NULL is fine */

/* The token with this id has been revoked. */
void api_visits_end(struct api *api, const char *token);

#endif
