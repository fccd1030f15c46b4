/*
 * api_evidence.h - handlers: what was there when an environment failed.
 */
#ifndef ENVD_API_API_EVIDENCE_H
#define ENVD_API_API_EVIDENCE_H

struct http_request;

/* 404 "no_evidence", naming why; 409 "evidence_pending" while it is taken; 410 "evidence_expired"
 * when newer bundles needed the room. */
void api_get_evidence(void *api, struct http_request *request);
/* 202: the record says when it is there. */
void api_take_evidence(void *api, struct http_request *request);

#endif
