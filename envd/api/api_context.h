/*
 * api_context.h - what the handlers share. For api/ only.
 */
#ifndef ENVD_API_API_CONTEXT_H
#define ENVD_API_API_CONTEXT_H

#include <sys/queue.h>

#include "api/api_auth.h"
#include "api/api_login.h"
#include "base/text.h"
#include "control/control.h"
#include "http/http_router.h"
#include "http/http_server.h"
#include "model/permission.h"

/* `access` of a route is a permission, or: */
enum { API_OPEN_TO_ALL = -1 };

/* A page of a browser is a dozen connections, of which the audit history needs one entry. */
enum { RECENT_FORWARDS = 16 };
struct recent_forward {
	char what[512]; /* who, of what */
	int64_t at_mono_ms;
};

struct api {
	struct control *control;
	struct http_server *server;
	struct http_server_settings http;
	struct http_server *metrics_server; /* serves /metrics and nothing else; NULL: none */
	struct api_auth auth;
	struct api_login *login;
	struct api_listen *listen;
	struct caller caller; /* of the request that is being handled, until its handler returns */
	struct http_router router;
	LIST_HEAD(api_questions, api_question) questions; /* that processes answer right now */
	size_t question_count;
	LIST_HEAD(api_visits, api_visit) visits; /* answers that go on */
	size_t reach_count;                      /* commands and connections into environments */
	struct recent_forward forwards[RECENT_FORWARDS];
	LIST_HEAD(api_source_asks, api_source_ask) source_asks; /* git sources being fetched */
	size_t source_wait_count;
	struct text event; /* the newest one that was sent to a follower, ready for the next */
	int64_t event_n;   /* its row of the history */
	int64_t sources_refreshed_mono_ms; /* 0: never */
	bool is_closing;                   /* nothing new is begun */
};

extern const struct http_route api_routes[];
extern const size_t api_route_count;

#endif
