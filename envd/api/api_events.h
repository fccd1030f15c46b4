/*
 * api_events.h - handlers: what happens, as server-sent events.
 *
 * id: N, event: KIND, data: a row of history. A stream resumes after Last-Event-ID; without one it
 * begins with the first row of the environment, or, over all environments, with what comes next.
 * One environment's stream ends after the row that says it is destroyed.
 */
#ifndef ENVD_API_API_EVENTS_H
#define ENVD_API_API_EVENTS_H

struct http_request;

void api_stream_events(void *api, struct http_request *request);     /* of one */
void api_stream_all_events(void *api, struct http_request *request); /* of all */

#endif
