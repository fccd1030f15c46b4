/*
 * api_listen.h - where the API can be reached, as the settings say, and the certificates for it:
 * read again when they change, and on SIGHUP.
 */
#ifndef ENVD_API_API_LISTEN_H
#define ENVD_API_API_LISTEN_H

#include "base/error.h"

struct api;
struct api_listen;

/* As http_server_listen_unix() and http_server_listen_tcp(); errors of http_tls_new(). */
NODISCARD bool api_listen_open(struct api *api, struct api_listen **listen, struct error *err);

/* After the server is freed. */
void api_listen_close(struct api_listen *listen);

#endif
