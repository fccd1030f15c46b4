#include "tests/support/fake_bank.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>

#include "base/text.h"

/* What the child tells before it serves. */
struct greeting {
	int http_port;
	int https_port;
	char ca[4096];
};

struct bank {
	struct event_base *loop;
	struct bank_switches *switches;
	SSL_CTX *tls;
	int http_port;
	int https_port;
};

/* ---- certificates -------------------------------------------------------------------------- */

static X509 *certificate_new(const char *name, long from_s, long until_s)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	static long serial = 1;

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	return certificate;
}

static void extend(X509 *certificate, int what, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, what, value);

	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *ca_new(const char *name, EVP_PKEY *key)
{
	X509 *ca = certificate_new(name, -3600, 86400);

	X509_set_issuer_name(ca, X509_get_subject_name(ca));
	X509_set_pubkey(ca, key);
	extend(ca, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(ca, key, EVP_sha256());
	return ca;
}

static SSL_CTX *tls_new(enum bank_certificate kind, char ca_pem[4096])
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	EVP_PKEY *other_key = EVP_EC_gen("P-256");
	X509 *ca = ca_new("Fake Bank CA", ca_key), *certificate;
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	BIO *pem = BIO_new(BIO_s_mem());
	int length;

	certificate = certificate_new("bank.example", kind == CERTIFICATE_EXPIRED ? -7200 : -60,
				      kind == CERTIFICATE_EXPIRED ? -3600
				      : kind == CERTIFICATE_SHORT ? 1700
								  : 864000);
	X509_set_issuer_name(certificate, X509_get_subject_name(ca));
	X509_set_pubkey(certificate, key);
	extend(certificate, NID_subject_alt_name,
	       kind == CERTIFICATE_WRONG_NAME
		   ? "DNS:other.example"
		   : "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:bank.example");
	X509_sign(certificate, kind == CERTIFICATE_STRANGE ? other_key : ca_key, EVP_sha256());
	SSL_CTX_use_certificate(tls, certificate);
	SSL_CTX_use_PrivateKey(tls, key);
	PEM_write_bio_X509(pem, ca);
	length = BIO_read(pem, ca_pem, 4095);
	ca_pem[length > 0 ? length : 0] = '\0';
	BIO_free(pem);
	X509_free(ca);
	X509_free(certificate);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return tls;
}

/* ---- answering ----------------------------------------------------------------------------- */

struct late_answer {
	struct evhttp_request *request;
	struct evbuffer *body;
	int status;
	struct event *timer;
};

static void send_late(evutil_socket_t fd, short what, void *arg)
{
	struct late_answer *answer = arg;

	(void)fd;
	(void)what;
	evhttp_send_reply(answer->request, answer->status, NULL, answer->body);
	event_free(answer->timer);
	evbuffer_free(answer->body);
	free(answer);
}

static void answer(struct bank *bank, struct evhttp_request *request, int status, const char *body)
{
	struct bank_switches *switches = bank->switches;
	struct late_answer *late = xcalloc(1, sizeof(*late));
	struct timeval wait = { 0 };

	if (switches->error_percent && switches->requests % 100 < switches->error_percent)
		status = 500;
	if (switches->slow_ms && switches->requests > switches->slow_after) {
		wait.tv_sec = switches->slow_ms / 1000;
		wait.tv_usec = switches->slow_ms % 1000 * 1000;
	}
	late->request = request;
	late->status = status;
	late->body = evbuffer_new();
	evbuffer_add(late->body, body, strlen(body));
	late->timer = evtimer_new(bank->loop, send_late, late);
	if (wait.tv_sec || wait.tv_usec)
		evtimer_add(late->timer, &wait);
	else
		send_late(-1, 0, late);
}

static void header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static const char *sent(struct evhttp_request *request, const char *name)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);

	return value ? value : "";
}

static char *sent_body(struct evhttp_request *request)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t length = evbuffer_get_length(body);

	return length ? xstrndup((const char *)evbuffer_pullup(body, -1), length) : xstrdup("");
}

static void redirect(struct bank *bank, struct evhttp_request *request, const char *to)
{
	header(request, "Location", to);
	answer(bank, request, 302, "");
}

/* ---- the bank ------------------------------------------------------------------------------ */

static bool field_is(const struct evkeyvalq *form, const char *name, const char *value)
{
	const char *found = evhttp_find_header(form, name);

	return found && strcmp(found, value) == 0;
}

static void base64url(struct text *into, const char *text)
{
	char encoded[512];
	int length = EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text,
				     (int)strlen(text));

	for (int i = 0; i < length && encoded[i] != '='; i++)
		text_add_char(into, encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i]);
}

static void set_cookie(struct bank *bank, struct evhttp_request *request)
{
	const struct bank_switches *switches = bank->switches;
	AUTO(text_release) struct text cookie = TEXT_EMPTY;
	char payload[128];

	snprintf(payload, sizeof(payload), "{\"user\":\"testuser\",\"exp\":%lld}",
		 (long long)time(NULL) + (switches->token_has_ended ? -60 : 3600));
	text_add(&cookie, "token=");
	if (switches->cookie_is_no_token) {
		text_add(&cookie, "abcdef");
	} else {
		base64url(&cookie, "{\"alg\":\"RS256\"}");
		text_add_char(&cookie, '.');
		base64url(&cookie, payload);
		text_add(&cookie, ".c2lnbmF0dXJl");
	}
	text_add(&cookie, switches->cookie_has_no_flags
			      ? "; Path=/"
			      : "; Path=/; Secure; HttpOnly; SameSite=Lax");
	header(request, "Set-Cookie", text_get(&cookie));
}

static void login(struct bank *bank, struct evhttp_request *request)
{
	AUTO(free) char *body = sent_body(request);
	struct evkeyvalq form;
	char location[128];
	bool is_right;

	if (evhttp_request_get_command(request) == EVHTTP_REQ_GET) {
		answer(bank, request, 200,
		       "<html><title>Bank of Sirius</title><form action=\"/login\" "
		       "method=\"POST\"></form></html>");
		return;
	}
	evhttp_parse_query_str(body, &form);
	is_right =
	    field_is(&form, "username", "testuser") && field_is(&form, "password", "bankofsirius");
	evhttp_clear_headers(&form);
	if ((!is_right && !bank->switches->login_always_works) ||
	    bank->switches->login_never_works) {
		redirect(bank, request, "/login?msg=Login+Failed");
		return;
	}
	set_cookie(bank, request);
	snprintf(location, sizeof(location), "%s://%s/home",
		 bank->switches->redirects_to_http ? "http" : "https", sent(request, "Host"));
	redirect(bank, request, location);
}

static void home(struct bank *bank, struct evhttp_request *request)
{
	const struct bank_switches *switches = bank->switches;
	AUTO(text_release) struct text page = TEXT_EMPTY;
	int64_t cents = switches->balance_cents;

	if (!strstr(sent(request, "Cookie"), "token=")) {
		redirect(bank, request, "/login");
		return;
	}
	text_add(&page, "<html><span id=\"account-user-name\">Test User</span>\n"
			"<span id=\"current-balance\">");
	if (switches->balance_is_down)
		text_add(&page, "$---");
	else if (cents >= 100000)
		text_format(&page, "$%d,%03d.%02d", (int)(cents / 100000),
			    (int)(cents / 100 % 1000), (int)(cents % 100));
	else
		text_format(&page, "$%d.%02d", (int)(cents / 100), (int)(cents % 100));
	text_add(&page, "</span>\n<table id=\"transaction-table\">");
	text_add(&page, switches->history_is_empty ? "No transactions" : "<tr><td>1.00</td></tr>");
	text_add(&page, "</table>\n<select id=\"payment-accounts\">");
	text_add(&page, switches->contacts_are_empty ? "" : "<option>Alice</option>");
	text_add(&page, "</select></html>\n");
	answer(bank, request, 200, text_get(&page));
}

static void deposit(struct bank *bank, struct evhttp_request *request)
{
	AUTO(free) char *body = sent_body(request);
	struct evkeyvalq form;
	const char *amount;

	if (!strstr(sent(request, "Cookie"), "token=")) {
		answer(bank, request, 401, "not logged in");
		return;
	}
	evhttp_parse_query_str(body, &form);
	amount = evhttp_find_header(&form, "amount");
	if (amount && !bank->switches->deposits_are_lost)
		bank->switches->balance_cents += (int64_t)(strtod(amount, NULL) * 100 + 0.5);
	evhttp_clear_headers(&form);
	redirect(bank, request, "/home?msg=Deposit+successful");
}

static void logout(struct bank *bank, struct evhttp_request *request)
{
	if (!bank->switches->logout_keeps_cookie)
		header(request, "Set-Cookie",
		       "token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0");
	redirect(bank, request, "/login");
}

static void readiness(struct bank *bank, struct evhttp_request *request)
{
	struct bank_switches *switches = bank->switches;
	int64_t number = ++switches->readiness_requests;
	bool is_up = !switches->is_not_ready && number > switches->ready_after &&
		     !(switches->flaps && number % 2 == 0);

	answer(bank, request, is_up ? 200 : 503,
	       is_up ? "{\"status\":\"UP\",\"components\":{\"ledger\":{\"status\":\"UP\"}},"
		       "\"checked\":[1,2,3]}"
		     : "{\"status\":\"DOWN\"}");
}

/* ---- its Prometheus ------------------------------------------------------------------------ */

static void prometheus_ready(struct bank *bank, struct evhttp_request *request)
{
	bool is_ready = !bank->switches->prometheus_is_not_ready;

	answer(bank, request, is_ready ? 200 : 503, is_ready ? "ready" : "starting");
}

static void prometheus_targets(struct bank *bank, struct evhttp_request *request)
{
	AUTO(text_release) struct text body = TEXT_EMPTY;

	text_format(&body,
		    "{\"status\":\"success\",\"data\":{\"activeTargets\":["
		    "{\"labels\":{\"job\":\"frontend\"},\"health\":\"up\",\"lastError\":\"\"},"
		    "{\"labels\":{\"job\":\"ledger\"},\"health\":\"%s\",\"lastError\":\"%s\"},"
		    "{\"labels\":{\"job\":\"etcd\"},\"health\":\"down\",\"lastError\":\"\"}]}}",
		    bank->switches->target_is_down ? "down" : "up",
		    bank->switches->target_is_down ? "connection refused" : "");
	answer(bank, request, 200, text_get(&body));
}

static void prometheus_query(struct bank *bank, struct evhttp_request *request)
{
	answer(bank, request, 200,
	       "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
	       "{\"metric\":{\"job\":\"frontend\"},\"value\":[1700000000,\"1\"]},"
	       "{\"metric\":{\"job\":\"ledger\"},\"value\":[1700000000,\"0.5\"]}]}}");
}

/* ---- odd ones ------------------------------------------------------------------------------ */

/* "/hop/3" leads to "/hop/2"; "/hop/0" is the end. */
static void hop(struct bank *bank, struct evhttp_request *request)
{
	int left = atoi(strrchr(evhttp_request_get_uri(request), '/') + 1);
	char next[32];

	if (!left) {
		answer(bank, request, 200, "arrived");
		return;
	}
	snprintf(next, sizeof(next), "/hop/%d", left - 1);
	redirect(bank, request, next);
}

/* "/away?http://elsewhere/" */
static void away(struct bank *bank, struct evhttp_request *request)
{
	const char *to = strchr(evhttp_request_get_uri(request), '?');

	redirect(bank, request, to ? to + 1 : "/");
}

static void status(struct bank *bank, struct evhttp_request *request)
{
	answer(bank, request, atoi(strrchr(evhttp_request_get_uri(request), '/') + 1), "as asked");
}

/* What was sent, for tests of requests. */
static void echo(struct bank *bank, struct evhttp_request *request)
{
	AUTO(free) char *body = sent_body(request);
	AUTO(text_release) struct text page = TEXT_EMPTY;

	text_format(&page, "method=%d\ncontent-type=%s\ncookie=%s\nx-test=%s\nbody=%s\n",
		    (int)evhttp_request_get_command(request), sent(request, "Content-Type"),
		    sent(request, "Cookie"), sent(request, "X-Test"), body);
	answer(bank, request, 200, text_get(&page));
}

static void large(struct bank *bank, struct evhttp_request *request)
{
	AUTO(free) char *body = xcalloc(5 * 1024 * 1024, 1);

	memset(body, 'x', 5 * 1024 * 1024 - 1);
	answer(bank, request, 200, body);
}

/* ---- serving ------------------------------------------------------------------------------- */

// clang-format off
static const struct {
	const char *path;
	void (*serve)(struct bank *bank, struct evhttp_request *request);
} routes[] = {
	{ "/login", login },       { "/home", home },          { "/deposit", deposit },
	{ "/logout", logout },     { "/z/health", readiness }, { "/-/ready", prometheus_ready },
	{ "/api/v1/targets", prometheus_targets },             { "/api/v1/query", prometheus_query },
	{ "/hop/", hop },          { "/away", away },          { "/status/", status },
	{ "/echo", echo },         { "/large", large },
};
// clang-format on

static bool knows_host(const struct bank *bank, struct evhttp_request *request)
{
	const char *host = sent(request, "Host");

	return bank->switches->any_host_is_served || strncmp(host, "127.0.0.1", 9) == 0 ||
	       strncmp(host, "localhost", 9) == 0 || strncmp(host, "bank.example", 12) == 0;
}

/* Headers and body leave as two records, and 40 ms of waiting between them would hide everything
 * that tests measure. */
static void send_at_once(struct evhttp_request *request)
{
	struct bufferevent *stream =
	    evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	int yes = 1;

	setsockopt(bufferevent_getfd(stream), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void serve(struct evhttp_request *request, void *arg)
{
	struct bank *bank = arg;
	const char *uri = evhttp_request_get_uri(request);

	bank->switches->requests++;
	send_at_once(request);
	header(request, "Server", "nginx/1.26.0");
	if (!knows_host(bank, request)) {
		answer(bank, request, 404, "unknown host");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (text_starts_with(uri, routes[i].path)) {
			routes[i].serve(bank, request);
			return;
		}
	if (strcmp(uri, "/") == 0)
		answer(bank, request, 200, "welcome");
	else
		answer(bank, request, 404, "no such page");
}

/* Port 80: everything is on the other port, but for "/plain/...", which tests ask for. */
static void serve_plain(struct evhttp_request *request, void *arg)
{
	struct bank *bank = arg;
	char location[256];

	if (bank->switches->http_is_served) {
		serve(request, arg);
		return;
	}
	header(request, "Server", "nginx/1.26.0");
	snprintf(location, sizeof(location), "https://127.0.0.1:%d%.100s", bank->https_port,
		 evhttp_request_get_uri(request));
	header(request, "Location", location);
	answer(bank, request, 301, "");
}

static struct bufferevent *secure(struct event_base *loop, void *arg)
{
	struct bank *bank = arg;

	return bufferevent_openssl_socket_new(loop, -1, SSL_new(bank->tls),
					      BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static int listen_on(struct bank *bank, void (*on_request)(struct evhttp_request *, void *),
		     bool is_secure)
{
	struct evhttp *http = evhttp_new(bank->loop);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	evhttp_set_gencb(http, on_request, bank);
	if (is_secure)
		evhttp_set_bevcb(http, secure, bank);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size);
	return ntohs(address.sin_port);
}

static void run(enum bank_certificate certificate, struct bank_switches *switches, int told)
{
	struct greeting greeting = { 0 };
	struct bank bank = { .loop = event_base_new(), .switches = switches };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	bank.tls = tls_new(certificate, greeting.ca);
	greeting.http_port = bank.http_port = listen_on(&bank, serve_plain, false);
	greeting.https_port = bank.https_port = listen_on(&bank, serve, true);
	if (write(told, &greeting, sizeof(greeting)) == (ssize_t)sizeof(greeting))
		event_base_dispatch(bank.loop);
	_exit(0);
}

struct fake_bank *fake_bank_start(enum bank_certificate certificate)
{
	struct fake_bank *bank = xcalloc(1, sizeof(*bank));
	struct greeting greeting;
	int told[2];

	bank->switches = mmap(NULL, sizeof(*bank->switches), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bank->switches->balance_cents = 123450;
	if (bank->switches == MAP_FAILED || pipe(told) != 0)
		abort();
	bank->pid = fork();
	if (bank->pid == 0)
		run(certificate, bank->switches, told[1]);
	close(told[1]);
	if (read(told[0], &greeting, sizeof(greeting)) != (ssize_t)sizeof(greeting))
		abort();
	close(told[0]);
	bank->http_port = greeting.http_port;
	bank->https_port = greeting.https_port;
	bank->ca = xstrdup(greeting.ca);
	return bank;
}

void fake_bank_stop(struct fake_bank *bank)
{
	kill(bank->pid, SIGKILL);
	waitpid(bank->pid, NULL, 0);
	munmap(bank->switches, sizeof(*bank->switches));
	free(bank->ca);
	free(bank);
}
