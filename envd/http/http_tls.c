#include "http/http_tls.h"

#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { FILE_COUNT = 3 };

/* What tells one version of a file from the next. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed_at;
};

struct http_tls {
	char *paths[FILE_COUNT]; /* certificate, key, client CA (may be NULL) */
	struct stamp stamps[FILE_COUNT];
	SSL_CTX *context;
};

DEFINE_AUTO(SSL_CTX *, SSL_CTX_free)

static void take_stamps(const struct http_tls *tls, struct stamp stamps[FILE_COUNT])
{
	memset(stamps, 0, FILE_COUNT * sizeof(*stamps));
	for (int i = 0; i < FILE_COUNT; i++) {
		struct stat found;

		if (!tls->paths[i] || stat(tls->paths[i], &found) < 0)
			continue;
		stamps[i].device = found.st_dev;
		stamps[i].inode = found.st_ino;
		stamps[i].size = found.st_size;
		stamps[i].changed_at = found.st_ctim;
	}
}

/* What the library complains about, without its numbers: "no start line". */
static bool unusable(const char *what, const char *path, struct error *err)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	error_set_as(err, ERR_INVALID, "tls_unusable", "%s \"%s\" cannot be used: %s", what, path,
		     reason ? reason : "it cannot be read");
	ERR_clear_error();
	return false;
}

/* Asking for a passphrase would stop the loop until somebody types one. */
static int no_passphrase(char *into, int size, int writing, void *arg)
{
	(void)into;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

static void be_strict(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* Only what gives forward secrecy and authenticates as it encrypts; TLS 1.3 has no other.
	 */
	SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
	/* Nothing to resume, so no key that would have to be changed, and a client certificate is
	 * looked at every time. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
}

static bool ask_for_certificates(SSL_CTX *context, const char *client_ca, struct error *err)
{
	if (!client_ca)
		return true;
	if (SSL_CTX_load_verify_locations(context, client_ca, NULL) != 1)
		return unusable("client CA", client_ca, err);
	SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(client_ca));
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

static bool read_files(const struct http_tls *tls, SSL_CTX **context, struct error *err)
{
	const char *certificate = tls->paths[0], *key = tls->paths[1];
	AUTO(SSL_CTX_free) SSL_CTX *made = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	be_strict(made);
	if (SSL_CTX_use_certificate_chain_file(made, certificate) != 1)
		return unusable("certificate", certificate, err);
	if (SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1)
		return unusable("key", key, err);
	if (SSL_CTX_check_private_key(made) != 1)
		return unusable("key", key, err);
	if (!ask_for_certificates(made, tls->paths[2], err))
		return false;
	*context = TAKE(made);
	return true;
}

bool http_tls_reload(struct http_tls *tls, struct error *err)
{
	SSL_CTX *context = NULL; /* gcc does not see at -O1 that a success sets it */

	/* Before reading: what changes meanwhile is then seen as a change. */
	take_stamps(tls, tls->stamps);
	if (!read_files(tls, &context, err))
		return false;
	/* Connections under way keep their own reference to the old one. */
	SSL_CTX_free(tls->context);
	tls->context = context;
	return true;
}

bool http_tls_has_changed(const struct http_tls *tls)
{
	struct stamp now[FILE_COUNT];

	take_stamps(tls, now);
	return memcmp(now, tls->stamps, sizeof(now)) != 0;
}

bool http_tls_new(const struct http_tls_files *files, struct http_tls **tls, struct error *err)
{
	struct http_tls *made = xcalloc(1, sizeof(*made));

	made->paths[0] = xstrdup(files->certificate);
	made->paths[1] = xstrdup(files->key);
	made->paths[2] = files->client_ca ? xstrdup(files->client_ca) : NULL;
	if (!http_tls_reload(made, err)) {
		http_tls_free(made);
		return false;
	}
	*tls = made;
	return true;
}

void http_tls_free(struct http_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	for (int i = 0; i < FILE_COUNT; i++)
		free(tls->paths[i]);
	free(tls);
}

SSL *http_tls_accept(struct http_tls *tls)
{
	SSL *ssl = SSL_new(tls->context);

	/* It fails only without memory, where everything of ours aborts. */
	if (!ssl)
		abort();
	return ssl;
}
