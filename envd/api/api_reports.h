/*
 * api_reports.h - handlers: one environment on paper (report/report.h).
 */
#ifndef ENVD_API_API_REPORTS_H
#define ENVD_API_API_REPORTS_H

#include "base/json_read.h"

struct environment;
struct http_request;

void api_get_report(void *api, struct http_request *request);

/* The report document, for evidence too. New reference. */
NODISCARD bool api_report_make(void *api, const struct environment *environment, json_t **report,
			       struct error *err);

#endif
