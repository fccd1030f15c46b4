#include "http/http_trust.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct http_trust {
	SSL_CTX *context;
};

bool http_trust_new(const char *ca_file, struct http_trust **made, struct error *err)
{
	AUTO(http_trust_free) struct http_trust *trust = xcalloc(1, sizeof(*trust));
	const char *reason;

	if (ca_file && access(ca_file, R_OK) != 0)
		return error_set_as(err, ERR_INVALID, "tls_unusable",
				    "CA \"%s\" cannot be read: %s", ca_file, strerror(errno));
	ERR_clear_error();
	trust->context = SSL_CTX_new(TLS_client_method());
	if (!trust->context)
		abort();
	SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
	if (ca_file ? SSL_CTX_load_verify_locations(trust->context, ca_file, NULL) == 1
		    : SSL_CTX_set_default_verify_paths(trust->context) == 1) {
		*made = TAKE(trust);
		return true;
	}
	reason = ERR_reason_error_string(ERR_peek_last_error());
	error_set_as(err, ERR_INVALID, "tls_unusable", "CA \"%s\" cannot be used: %s",
		     ca_file ? ca_file : "of the system", reason ? reason : "it cannot be read");
	ERR_clear_error();
	return false;
}

void http_trust_free(struct http_trust *trust)
{
	if (!trust)
		return;
	SSL_CTX_free(trust->context);
	free(trust);
}

static bool is_address(const char *host)
{
	struct in6_addr ignored;

	return inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
}

SSL *http_trust_connect(struct http_trust *trust, const char *host)
{
	SSL *ssl = SSL_new(trust->context);
	char *name = (char *)(uintptr_t)host; /* only read, whatever the macro says */
	bool is_set;

	/* These fail only without memory, where everything of ours aborts. */
	if (!ssl)
		abort();
	if (is_address(host))
		is_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	else
		is_set = SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
	if (!is_set)
		abort();
	return ssl;
}

const char *http_trust_complaint(const SSL *ssl)
{
	long result = SSL_get_verify_result(ssl);

	return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}
