/*
 * api_metrics.h - /metrics for Prometheus: on the socket for those who may read, and, where a
 * setting says so, on a loopback port that serves nothing else.
 */
#ifndef ENVD_API_API_METRICS_H
#define ENVD_API_API_METRICS_H

#include "base/error.h"

struct api;
struct http_request;

void api_get_metrics(void *api, struct http_request *request);

/* Wired to http_server_on_answered(). */
void api_count_answer(void *api, const struct http_request *request, int status);

/* A loopback address as of http_server_listen_tcp(), with its errors: whoever connects may read.
 * Which port it became is told in the log. NULL: nothing is opened. */
NODISCARD bool api_metrics_listen(struct api *api, const char *address, struct error *err);

#endif
