/*
 * api_reports.h - handlers: one environment on paper (report/report.h).
 */
#ifndef ENVD_API_API_REPORTS_H
#define ENVD_API_API_REPORTS_H

struct http_request;

void api_get_report(void *api, struct http_request *request);

#endif
