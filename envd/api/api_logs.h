/*
 * api_logs.h - handlers: what the services of an environment say, as NDJSON lines
 * {"service","stream","at","text"}. If it breaks off, the last line is {"error": {...}}.
 */
#ifndef ENVD_API_API_LOGS_H
#define ENVD_API_API_LOGS_H

struct http_request;

void api_stream_logs(void *api, struct http_request *request);

#endif
