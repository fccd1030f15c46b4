#include "api/api_listen.h"

#include <signal.h>
#include <string.h>

#include "api/api_context.h"
#include "base/files.h"
#include "base/log.h"
#include "http/http_server.h"
#include "http/http_tls.h"
#include "loop/timer.h"

enum { LOOK_MS = 1000 };

struct api_listen {
	struct api *api;
	struct http_tls *tls; /* NULL: nobody speaks it */
	struct timer *look;
};

/* Only root may give the socket to a group that it is not in. */
static gid_t socket_group(const struct api *api)
{
	return api->auth.own_uid == 0 ? api->auth.ci_gid : (gid_t)-1;
}

static bool listen_unix(struct api *api, const char *path, struct error *err)
{
	AUTO(free) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash && slash != folder) {
		*slash = '\0';
		if (!folder_make(folder, 0755, err))
			return false;
	}
	return http_server_listen_unix(api->server, path, 0660, socket_group(api), err);
}

static bool listen_tcp(struct api_listen *listen, const struct option_list *addresses,
		       struct http_tls *tls, struct error *err)
{
	char bound[HTTP_BOUND_SIZE];

	for (size_t i = 0; i < addresses->count; i++) {
		if (!http_server_listen_tcp(listen->api->server, addresses->items[i], tls, bound,
					    err))
			return false;
		log_info("listening on %s %s", bound, tls ? "with TLS" : "without TLS");
	}
	return true;
}

/* ---- certificates ---- */

static void reload(void *arg)
{
	struct api_listen *listen = arg;
	struct error err;

	if (http_tls_reload(listen->tls, &err))
		log_info("the TLS certificate was read again");
	else
		log_error("the TLS certificate from before stays in use: %s", err.message);
}

static void look(void *arg)
{
	struct api_listen *listen = arg;

	if (http_tls_has_changed(listen->tls))
		reload(listen);
	timer_set_ms(listen->look, LOOK_MS);
}

static bool open_tls(struct api_listen *listen, const struct settings *settings, struct error *err)
{
	const struct http_tls_files files = { settings->tls_certificate, settings->tls_key,
					      settings->tls_client_ca };

	if (!settings->tls_certificate)
		return true;
	if (!http_tls_new(&files, &listen->tls, err))
		return false;
	listen->look = timer_new(listen->api->control->loop, look, listen);
	timer_set_ms(listen->look, LOOK_MS);
	loop_on_signal(listen->api->control->loop, SIGHUP, reload, listen);
	return true;
}

bool api_listen_open(struct api *api, struct api_listen **opened, struct error *err)
{
	const struct settings *settings = api->control->settings;
	struct api_listen *listen = xcalloc(1, sizeof(*listen));

	listen->api = api;
	*opened = listen; /* also when half open: the server is freed first */
	return listen_unix(api, settings->unix_socket, err) && open_tls(listen, settings, err) &&
	       listen_tcp(listen, &settings->tcp, listen->tls, err) &&
	       listen_tcp(listen, &settings->plain_tcp, NULL, err);
}

void api_listen_close(struct api_listen *listen)
{
	if (!listen)
		return;
	timer_free(listen->look);
	http_tls_free(listen->tls);
	free(listen);
}
