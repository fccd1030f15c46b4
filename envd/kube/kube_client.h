/*
 * kube_client.h - requests to a Kubernetes API server by a kubeconfig, with libcurl alone.
 */
#ifndef ENVD_KUBE_CLIENT_H
#define ENVD_KUBE_CLIENT_H

#include <curl/curl.h>

#include "base/json_read.h"
#include "base/text.h"
#include "kube/kube_access.h"

DEFINE_AUTO(CURL *, curl_easy_cleanup)

/* For a request that somebody else makes: whom it believes, and its client certificate. */
void kube_set_trust(CURL *curl, const struct kube_access *access);
/* "Authorization: ...", its secret part; NULL where it needs none. The caller frees. */
char *kube_authorization(const struct kube_access *access);

/* GET; new reference. ERR_NOT_FOUND with the server's own words; ERR_EXTERNAL "cluster_refused"
 * with its status; ERR_UNAVAILABLE "cluster_unreachable". */
NODISCARD bool kube_get(const struct kube_access *access, const char *path, json_t **answer,
			struct error *err);

/* Every item of a list, page by page: "/apis/apps/v1/deployments", perhaps with a query. `on_item`
 * borrows it. Errors as above; ERR_LIMIT beyond 5,000 items. */
NODISCARD bool kube_each(const struct kube_access *access, const char *list,
			 void (*on_item)(void *arg, const json_t *item), void *arg,
			 struct error *err);

/* A connection that speaks WebSocket from now on (websocket.h), by `protocol`. `rest` gets what the
 * server has said already. Errors as above; ERR_EXTERNAL "websocket_refused". */
NODISCARD bool kube_websocket(const struct kube_access *access, const char *path,
			      const char *protocol, CURL **curl, struct text *rest,
			      struct error *err);

#endif
