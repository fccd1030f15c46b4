/*
 * api_view.h - stored things as JSON: what every handler that shows something needs.
 */
#ifndef ENVD_API_API_VIEW_H
#define ENVD_API_API_VIEW_H

#include "api/api_context.h"
#include "base/json_write.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_tally.h"

/* The environment that {env} of the request names, if its caller may read it. From the handler
 * itself, not later. */
NODISCARD bool api_view_find(struct api *api, const struct http_request *request,
			     struct environment **environment, struct error *err);

/* New reference. */
NODISCARD bool api_view_environment(struct api *api, const struct environment *environment,
				    json_t **json, struct error *err);
/* The same as text. `cursor`: zeroed; the same one for all items of a page. */
NODISCARD bool api_view_write(struct api *api, const struct environment *environment,
			      struct queue_cursor *cursor, struct json_writer *json,
			      struct error *err);
json_t *api_view_history(const struct history_row *row);
struct lease_now api_view_now(void);

/* Consume the request. */
void api_answer_environment(struct api *api, struct http_request *request, int status,
			    const struct environment *environment);
void api_answer_stored(struct api *api, struct http_request *request, int status, struct env_id id);

/* {"items": [...], "next": TOKEN or null}; takes `items`. `next` 0: that was all. */
void api_answer_page(struct http_request *request, json_t *items, int64_t next);

/* "limit" and "next" of the request. A token is opaque to clients; `*after` 0: from the start. */
enum { PAGE_DEFAULT = 50, PAGE_MAX = 500, PAGE_TOKEN_SIZE = 24 };
NODISCARD bool api_page(const struct http_request *request, int64_t *limit, int64_t *after,
			struct error *err);
void api_page_token(int64_t after, char token[PAGE_TOKEN_SIZE]);

#endif
