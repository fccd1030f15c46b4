/*
 * http_trust.h - the client's side of TLS: whom we believe when we send something to a server of
 * somebody's. TLS 1.2 or newer; the certificate must lead to a CA of ours and name the host.
 */
#ifndef ENVD_HTTP_HTTP_TRUST_H
#define ENVD_HTTP_HTTP_TRUST_H

#include "base/error.h"

struct http_trust;
struct ssl_st;

/* `ca_file`: PEM, these CAs alone; NULL: those of the system (SSL_CERT_FILE and SSL_CERT_DIR
 * count). Read once. ERR_INVALID "tls_unusable", naming the file. */
NODISCARD bool http_trust_new(const char *ca_file, struct http_trust **trust, struct error *err);
void http_trust_free(struct http_trust *trust);
DEFINE_AUTO(struct http_trust *, http_trust_free)

/* One connection's state, the caller's. `host`: a name or an IP address. */
struct ssl_st *http_trust_connect(struct http_trust *trust, const char *host);

/* Why the other side was not believed; NULL: it was, or did not get so far. */
const char *http_trust_complaint(const struct ssl_st *ssl);

#endif
