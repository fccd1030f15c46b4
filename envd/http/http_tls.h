/*
 * http_tls.h - the server's side of TLS: its certificate and key, read from files and read again
 * without a restart. TLS 1.2 or newer, no renegotiation, no compression, no resumption.
 *
 * A new pair that is broken changes nothing: connections go on being served with the old one.
 */
#ifndef ENVD_HTTP_HTTP_TLS_H
#define ENVD_HTTP_HTTP_TLS_H

#include "base/error.h"

struct http_tls;
struct ssl_st;

struct http_tls_files {
	const char *certificate; /* PEM, followed by what leads to its CA */
	const char *key;         /* PEM, without a passphrase */
	const char *client_ca;   /* PEM; clients must show a certificate of it. NULL: none asked */
};

/* The paths are copied. ERR_INVALID "tls_unusable", naming the file. */
NODISCARD bool http_tls_new(const struct http_tls_files *files, struct http_tls **tls,
			    struct error *err);
void http_tls_free(struct http_tls *tls);

/* A file is another one, or has other content, than when it was last read, well or badly. */
bool http_tls_has_changed(const struct http_tls *tls);

/* Read the files again, for connections from now on. On failure the old pair stays. */
NODISCARD bool http_tls_reload(struct http_tls *tls, struct error *err);

/* For http/: one accepted connection's state. */
struct ssl_st *http_tls_accept(struct http_tls *tls);

#endif
