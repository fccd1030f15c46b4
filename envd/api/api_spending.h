/*
 * api_spending.h - handlers: what projects spend, what one environment costs, what was acknowledged
 * and costs no more, which price books there are.
 */
#ifndef ENVD_API_API_SPENDING_H
#define ENVD_API_API_SPENDING_H

struct http_request;

void api_list_spending(void *api, struct http_request *request);
void api_get_environment_bill(void *api, struct http_request *request);
void api_settle_environment(void *api, struct http_request *request);
void api_list_prices(void *api, struct http_request *request);

#endif
