/*
 * api_errors.h - from an error to an HTTP answer, by one table.
 */
#ifndef ENVD_API_API_ERRORS_H
#define ENVD_API_API_ERRORS_H

#include "http/http_request.h"

int api_status_of(const struct error *err);

/* Consumes the request. */
void api_answer_error(struct http_request *request, const struct error *err);

#endif
