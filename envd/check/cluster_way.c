#include "check/cluster_way.h"

#include <string.h>

#include "base/text.h"

#define LABEL_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

bool cluster_way_is_base(const char *base)
{
	return text_starts_with(base, "cluster:") || text_starts_with(base, "cluster+https:");
}

/* A value that was captured from an answer must not lead to another service, or to secrets. */
static bool stays_inside(const char *path, struct error *err)
{
	if (*path == '/' && !strstr(path, "..") && !strcasestr(path, "%2e") &&
	    !strcasestr(path, "%2f"))
		return true;
	return error_set(
	    err, ERR_INVALID,
	    "path \"%.100s\" cannot be asked for through a cluster: it must begin with "
	    "\"/\" and stay below it",
	    path);
}

static bool may_read_api(const struct check_http *http, struct error *err)
{
	bool has_body = http->has_form || http->json || http->body;

	return (strcmp(http->method, "GET") == 0 && !has_body) ||
	       error_set(err, ERR_INVALID, "a check may read the API of a cluster (GET), not %s it",
			 http->method);
}

/* "NAMESPACE/SERVICE:PORT" */
static bool service_url(const struct kube_access *cluster, const char *scheme, const char *place,
			const char *path, char **url, struct error *err)
{
	size_t namespace = strspn(place, LABEL_CHARACTERS);
	const char *service = place + namespace + (place[namespace] == '/');
	size_t name = strspn(service, LABEL_CHARACTERS);
	const char *port = service + name + (service[name] == ':');

	if (!namespace || place[namespace] != '/' || !name || service[name] != ':' || !*port ||
	    port[strspn(port, LABEL_CHARACTERS)])
		return error_set(
		    err, ERR_INVALID, "base \"%s%.100s\" is none: expected NAMESPACE/SERVICE:PORT",
		    *scheme == 'h' && scheme[4] == 's' ? "cluster+https://" : "cluster://", place);
	*url = xasprintf("%s/api/v1/namespaces/%.*s/services/%s:%.*s:%s/proxy%s", cluster->server,
			 (int)namespace, place, scheme, (int)name, service, port, path);
	return true;
}

bool cluster_way_url(const struct kube_access *cluster, const struct check_http *http,
		     const char *base, const char *path, char **url, struct error *err)
{
	if (!stays_inside(path, err))
		return false;
	if (text_starts_with(base, "cluster+https://"))
		return service_url(cluster, "https", base + strlen("cluster+https://"), path, url,
				   err);
	if (text_starts_with(base, "cluster://"))
		return service_url(cluster, "http", base + strlen("cluster://"), path, url, err);
	if (strcmp(base, "cluster:") != 0)
		return error_set(err, ERR_INVALID,
				 "base \"%.100s\" is none: expected cluster:, "
				 "cluster://NAMESPACE/SERVICE:PORT or cluster+https://...",
				 base);
	*url = xasprintf("%s%s", cluster->server, path);
	return may_read_api(http, err);
}
