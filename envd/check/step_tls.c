/* tls: a handshake with a verified chain and name; then what was agreed on and shown. */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/step.h"

struct seen_tls {
	char *version; /* "1.3" */
	char *names;   /* of the certificate, one a line */
	char *subject;
	char *issuer;
	int64_t expires_in_us;
	int64_t duration_us;
};

static void release(void *seen)
{
	struct seen_tls *tls = seen;

	free(tls->version);
	free(tls->names);
	free(tls->subject);
	free(tls->issuer);
	free(tls);
}

static void auto_SSL_CTX_free(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

static void auto_SSL_free(SSL **ssl)
{
	SSL_free(*ssl);
}

static void auto_BIO_free(BIO **bio)
{
	BIO_free(*bio);
}

static bool openssl_failed(struct error *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return error_set(err, ERR_EXTERNAL, "%s: %s", what, reason ? reason : "unknown reason");
}

/* ---- what to believe ----------------------------------------------------------------------- */

static bool add_certificates(X509_STORE *store, const char *pem, struct error *err)
{
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	size_t count = 0;

	for (;; count++) {
		X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

		if (!certificate)
			break;
		X509_STORE_add_cert(store, certificate);
		X509_free(certificate);
	}
	ERR_clear_error();
	return count > 0 ? true
			 : error_set(err, ERR_INVALID, "\"ca\" is not a certificate in PEM form");
}

static bool believe(SSL_CTX *context, const char *pem, struct error *err)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	if (!pem)
		return SSL_CTX_set_default_verify_paths(context) == 1 ||
		       openssl_failed(err, "cannot load the system's certificates");
	return add_certificates(SSL_CTX_get_cert_store(context), pem, err);
}

/* `name` is not const only because a macro of OpenSSL casts so. */
static bool expect_name(SSL *ssl, char *name, struct error *err)
{
	X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);

	/* An address is looked for among the addresses of the certificate, and never sent as SNI.
	 */
	if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1)
		return true;
	ERR_clear_error();
	return (SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1) ||
	       openssl_failed(err, "cannot set the server's name");
}

/* ---- handshake ----------------------------------------------------------------------------- */

static bool handshake_failed(SSL *ssl, struct error *err)
{
	long result = SSL_get_verify_result(ssl);

	if (result == X509_V_OK)
		return openssl_failed(err, "handshake");
	ERR_clear_error();
	return error_set(err, ERR_EXTERNAL, "certificate not accepted: %s",
			 X509_verify_cert_error_string(result));
}

static bool wait_for(int fd, short events, int64_t until_mono_ms, struct error *err)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int64_t left_ms = until_mono_ms - clock_mono_ms();

	return poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) > 0 ||
	       error_set(err, ERR_TIMEOUT, "no handshake in time");
}

static bool shake_hands(SSL *ssl, int fd, int64_t until_mono_ms, struct error *err)
{
	for (;;) {
		int status = SSL_connect(ssl);
		int problem = SSL_get_error(ssl, status);
		short events = problem == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;

		if (status == 1)
			return true;
		if (problem == SSL_ERROR_SYSCALL && !ERR_peek_error())
			return error_set(err, ERR_EXTERNAL, "handshake: the connection was closed");
		if (problem != SSL_ERROR_WANT_READ && problem != SSL_ERROR_WANT_WRITE)
			return handshake_failed(ssl, err);
		if (!wait_for(fd, events, until_mono_ms, err))
			return false;
	}
}

/* ---- looking at the certificate ------------------------------------------------------------ */

static void add_name(struct text *names, const GENERAL_NAME *name)
{
	const unsigned char *bytes;

	if (name->type == GEN_DNS) {
		bytes = ASN1_STRING_get0_data(name->d.dNSName);
		text_add_bytes(names, bytes, (size_t)ASN1_STRING_length(name->d.dNSName));
		text_add_char(names, '\n');
	} else if (name->type == GEN_IPADD) {
		int length = ASN1_STRING_length(name->d.iPAddress);

		bytes = ASN1_STRING_get0_data(name->d.iPAddress);
		for (int i = 0; length == 4 && i < 4; i++)
			text_format(names, "%s%d", i ? "." : "", bytes[i]);
		for (int i = 0; length == 16 && i < 16; i += 2)
			text_format(names, "%s%x", i ? ":" : "", bytes[i] << 8 | bytes[i + 1]);
		text_add_char(names, '\n');
	}
}

static char *names_of(X509 *certificate)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	struct text names = TEXT_EMPTY;

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
		add_name(&names, sk_GENERAL_NAME_value(list, i));
	GENERAL_NAMES_free(list);
	return text_take(&names);
}

static char *name_text(const X509_NAME *name)
{
	AUTO(BIO_free) BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long length;

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
	length = BIO_get_mem_data(bio, &bytes);
	return xstrndup(bytes, (size_t)length);
}

static int64_t left_us(const ASN1_TIME *end)
{
	int days = 0, seconds = 0;

	ASN1_TIME_diff(&days, &seconds, NULL, end);
	return ((int64_t)days * 86400 + seconds) * 1000000;
}

static struct seen_tls *look_at(SSL *ssl, int64_t start_us)
{
	struct seen_tls *tls = xcalloc(1, sizeof(*tls));
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	const char *version = SSL_get_version(ssl);

	tls->version = xstrdup(strcmp(version, "TLSv1") == 0       ? "1.0"
			       : text_starts_with(version, "TLSv") ? version + strlen("TLSv")
								   : version);
	tls->names = names_of(certificate);
	tls->subject = name_text(X509_get_subject_name(certificate));
	tls->issuer = name_text(X509_get_issuer_name(certificate));
	tls->expires_in_us = left_us(X509_get0_notAfter(certificate));
	tls->duration_us = clock_mono_us() - start_us;
	return tls;
}

/* ---- the whole ----------------------------------------------------------------------------- */

struct filled {
	char *host;
	char *port;
	char *ca;
	char *name;
};

static void auto_filled_release(struct filled *filled)
{
	free(filled->host);
	free(filled->port);
	free(filled->ca);
	free(filled->name);
}

static bool fill(struct scope *scope, const struct check_tls *tls, struct filled *filled,
		 struct error *err)
{
	return scope_fill(scope, tls->host, &filled->host, err) &&
	       scope_fill(scope, tls->port, &filled->port, err) &&
	       (!tls->ca || scope_fill(scope, tls->ca, &filled->ca, err)) &&
	       scope_fill(scope, tls->server_name ? tls->server_name : tls->host, &filled->name,
			  err);
}

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	AUTO(filled_release) struct filled filled = { 0 };
	AUTO(SSL_CTX_free) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	AUTO(SSL_free) SSL *ssl = NULL;
	AUTO(close) int fd = -1;
	int64_t start_us = clock_mono_us(), until_mono_ms = clock_mono_ms() + time_limit_ms;

	if (!fill(scenario->scope, &step->tls, &filled, err) || !believe(context, filled.ca, err))
		return false;
	if (!address_guard_connect(scenario->guard, filled.host, filled.port, time_limit_ms, &fd,
				   err)) {
		/* A name that DNS does not know yet is the product's, as in the other kinds. */
		if (err->code == ERR_NOT_FOUND)
			err->code = ERR_EXTERNAL;
		return false;
	}
	ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (!expect_name(ssl, filled.name, err) || !shake_hands(ssl, fd, until_mono_ms, err))
		return false;
	*seen = look_at(ssl, start_us);
	return true;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_tls *tls = seen;
	struct observed version;

	if (strcmp(subject, "tls.san") == 0)
		return observed_list(tls->names);
	if (strcmp(subject, "tls.subject") == 0)
		return observed_text(tls->subject);
	if (strcmp(subject, "tls.issuer") == 0)
		return observed_text(tls->issuer);
	if (strcmp(subject, "tls.expires_in") == 0)
		return observed_duration(tls->expires_in_us);
	if (strcmp(subject, "duration") == 0)
		return observed_duration(tls->duration_us);
	version = observed_text(tls->version);
	version.kind = OBSERVED_NUMBER;
	return version;
}

const struct step_kind step_tls = { perform, look, release };
