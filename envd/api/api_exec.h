/*
 * api_exec.h - handlers: a command in a service, and a connection to one of its ports, over a
 * connection that goes on as frames (wire/tunnel_frames.h). A worker has its other end.
 *
 * Each is in the audit history before it begins: who, where, which program, never its arguments.
 */
#ifndef ENVD_API_API_EXEC_H
#define ENVD_API_API_EXEC_H

#include "model/environment.h"

struct http_request;
struct reach;

void api_exec(void *api, struct http_request *request);
void api_forward(void *api, struct http_request *request);

/* It is there, or was and is kept to be looked into. */
NODISCARD bool api_can_be_reached(const struct environment *environment, struct error *err);

/* For api_change.c: one that never began. NULL is fine. */
void api_reach_drop(struct reach *reach);

#endif
