/*
 * Reachable, and only by those who may: agents on TCP with TLS and tokens, what each role may do,
 * projects that keep apart, quotas, and what the audit history says afterwards. The engine is
 * tests/support/fake_engine, so no container runtime is needed.
 */
#include <arpa/inet.h>
#include <ftw.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/api_context.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"

static const char template_text[] =
    "apiVersion: envd/v1\n"
    "name: fake\n"
    "engine: external\n"
    "source: fake_engine\n"
    "parameters: { fake: { type: string, default: '' } }\n"
    "limits: { memory: 256MiB, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n"
    "price: { per_hour: 0.36, currency: USD }\n";

static const char configuration[] = "projects:\n"
				    "  - name: web\n"
				    "  - name: ops\n"
				    "  - { name: few, environments: 1 }\n"
				    "  - { name: short, lease: 5m }\n"
				    "  - { name: small, memory: 300MiB }\n"
				    "  - { name: slow, creates_per_hour: 2 }\n"
				    "  - { name: poor, cost_per_hour: 0.50 }\n"
				    "  - { name: last, environments: 3 }\n";

static struct world *world;
static char folder[96]; /* of certificates and token files */
static char tls_server[64];
static char ca[128];
static int plain_port;

/* ---- the server ---- */

static void write_file(const char *where, const char *name, const char *content, mode_t mode)
{
	AUTO(free) char *path = path_join(where, name);
	struct error err;

	assert_true(file_write_atomically(path, content, strlen(content), mode, &err));
}

static void give_argument(const char *format, const char *value)
{
	AUTO(free) char *argument = NULL;

	/* The formats are literals below. */
	argument = xasprintf("%s%s", format, value);
	world_argument(world, argument);
}

static void give_file(const char *option, const char *name)
{
	AUTO(free) char *path = path_join(folder, name);

	give_argument(option, path);
}

static char *read_log(void)
{
	AUTO(free) char *path = path_join(world->folder, "log");
	struct error err;
	char *text;

	assert_true(file_read(path, 64 << 20, &text, NULL, &err));
	return text;
}

/* The newest port that the log tells of. */
static int port_in_log(const char *how)
{
	AUTO(free) char *log = read_log();
	int port = 0, found;
	char words[16];

	for (const char *at = log; (at = strstr(at, "listening on 127.0.0.1:")); at++)
		if (sscanf(at, "listening on 127.0.0.1:%d %15s", &found, words) == 2 &&
		    strcmp(words, how) == 0)
			port = found;
	assert_int_not_equal(port, 0);
	return port;
}

static void start_server(void)
{
	world_start(world);
	plain_port = port_in_log("without");
	snprintf(tls_server, sizeof(tls_server), "--server=https://127.0.0.1:%d",
		 port_in_log("with"));
	snprintf(ca, sizeof(ca), "--ca=%s/ca.pem", folder);
}

static int start(void **state)
{
	struct error err;

	(void)state;
	setenv("ENVD_TEST_PODMAN", "/nonexistent/podman.sock", 0);
	world = world_new("ENVD_TEST_PODMAN");
	snprintf(folder, sizeof(folder), "%s/access", world->folder);
	assert_true(folder_make(folder, 0700, &err));
	certificates_ca(folder, "ca");
	certificates_issue(folder, "ca", "server", "IP:127.0.0.1");
	write_file(folder, "envd.yaml", configuration, 0600);
	fake_world_template(world, "fake", template_text);
	world_argument(world, "--listen=127.0.0.1:0");
	world_argument(world, "--plain-tcp=127.0.0.1:0");
	give_file("--tls-certificate=", "server.pem");
	give_file("--tls-key=", "server.key");
	give_file("--config=", "envd.yaml");
	start_server();
	return 0;
}

static int end(void **state)
{
	(void)state;
	unsetenv("ENVCTL_TOKEN");
	world_free(world);
	return 0;
}

/* ---- tokens ---- */

struct made_token {
	char id[16];
	char text[64];
};

static struct made_token make_token(const char *role, const char *project, const char *expires_in)
{
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:s, s:s, s:s*}", "name", role, "role", role, "project",
				 project, "expires_in", expires_in);
	AUTO(json_decref) json_t *answer = NULL;
	struct made_token token;
	int status;

	answer = world_ask(world, "POST", "/v1/tokens", body, &status);
	assert_int_equal(status, 201);
	snprintf(token.id, sizeof(token.id), "%s", json_get_string(answer, "id", ""));
	snprintf(token.text, sizeof(token.text), "%s", json_get_string(answer, "token", ""));
	assert_int_equal(strlen(token.text), 57);
	return token;
}

/* envctl as an agent runs it: over TLS. */
#define AGENT(token, ...)                                                                          \
	(setenv("ENVCTL_TOKEN", (token), 1),                                                       \
	 world_envctl(world, NULL, tls_server, ca, __VA_ARGS__, NULL))

/* ---- requests on plain TCP, from any loopback address ---- */

struct reply {
	int status;
	char *text;
};

static void auto_reply_release(struct reply *reply)
{
	free(reply->text);
}

static int dial(const char *from)
{
	struct sockaddr_in source = { .sin_family = AF_INET };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)plain_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, from, &source.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

struct ask {
	const char *from; /* NULL: 127.0.0.1 */
	const char *authorization;
	const char *method;
	const char *target;
	const char *body; /* NULL: none */
	bool only_head;   /* of a stream, there is no end to wait for */
};

static struct reply request(const struct ask *ask)
{
	AUTO(free)
	char *bytes = xasprintf(
	    "%s %s HTTP/1.1\r\nHost: h\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", ask->method,
	    ask->target, ask->authorization ? "Authorization: " : "",
	    ask->authorization ? ask->authorization : "", ask->authorization ? "\r\n" : "",
	    ask->body ? strlen(ask->body) : 0, ask->body ? ask->body : "");
	int fd = dial(ask->from ? ask->from : "127.0.0.1");
	struct text answer = TEXT_EMPTY;
	struct reply reply = { 0, NULL };
	char block[8192];
	ssize_t got;

	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	while ((got = recv(fd, block, sizeof(block), 0)) > 0) {
		text_add_bytes(&answer, block, (size_t)got);
		if (ask->only_head && strstr(text_get(&answer), "\r\n\r\n"))
			break;
	}
	close(fd);
	reply.text = text_take(&answer);
	if (sscanf(reply.text, "HTTP/1.1 %d", &reply.status) != 1)
		reply.status = -1;
	return reply;
}

static char *bearer(const struct made_token *token)
{
	return xasprintf("Bearer %s", token->text);
}

static struct reply as(const struct made_token *token, const char *method, const char *target,
		       const char *body)
{
	AUTO(free) char *authorization = token ? bearer(token) : NULL;

	return request(&(struct ask){
	    .authorization = authorization, .method = method, .target = target, .body = body });
}

static void assert_refused(const struct made_token *token, int status, const char *code,
			   const char *method, const char *target)
{
	AUTO(reply_release) struct reply reply = as(token, method, target, NULL);

	if (reply.status != status || !strstr(reply.text, code))
		fail_msg("%s %s: wanted %d %s, got: %s", method, target, status, code, reply.text);
}

/* ---- roles ---- */

static char *fill_in(const char *path)
{
	struct text target = TEXT_EMPTY;

	for (const char *at = path; *at; at++) {
		if (*at != '{') {
			text_add_char(&target, *at);
			continue;
		}
		text_add(&target, "nobody");
		at = strchr(at, '}');
	}
	return text_take(&target);
}

static bool may(enum role role, const struct http_route *route)
{
	struct caller caller = { .name = "x", .role = role, .project = "web" };
	struct error err;

	return route->access == API_OPEN_TO_ALL ||
	       permission_check(&caller, (enum permission)route->access, NULL, &err);
}

/* Who may is asked before what is there, so nothing exists and nothing is changed here. */
static void check_route(const struct http_route *route, enum role role,
			const struct made_token *token)
{
	AUTO(free) char *target = fill_in(route->path);
	AUTO(free) char *authorization = token ? bearer(token) : NULL;
	AUTO(reply_release)
	struct reply reply = request(&(struct ask){ .authorization = authorization,
						    .method = route->method,
						    .target = target,
						    .only_head = true });
	bool was_admitted = reply.status != 401 && reply.status != 403;

	if (reply.status < 200 || was_admitted != may(role, route) ||
	    (!may(role, route) && reply.status != (token ? 403 : 401)))
		fail_msg("%s and %s %s: %s", role_name(role), route->method, route->path,
			 reply.text);
}

static void every_route_admits_exactly_the_roles_that_may(void **state)
{
	struct made_token tokens[ROLE_ADMIN + 1];

	(void)state;
	for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++)
		tokens[role] = make_token(role_name(role), "web", NULL);
	for (size_t i = 0; i < api_route_count; i++)
		for (enum role role = ROLE_NONE; role <= ROLE_ADMIN; role++)
			check_route(&api_routes[i], role, role == ROLE_NONE ? NULL : &tokens[role]);
}

/* ---- tokens and TLS ---- */

static void an_agent_with_a_token_works_over_tls(void **state)
{
	struct made_token token = make_token("ci", "web", NULL);
	AUTO(free) char *shown = NULL;

	(void)state;
	assert_int_equal(AGENT(token.text, "create", "fake", "--name", "agents"), 0);
	assert_int_equal(AGENT(token.text, "extend", "agents", "1m"), 0);
	assert_int_equal(world_envctl(world, &shown, tls_server, ca, "list", NULL), 0);
	assert_non_null(strstr(shown, "web/ci"));
	assert_int_equal(AGENT(token.text, "destroy", "agents"), 0);
}

static void without_a_token_nobody_gets_in_but_to_ask_for_health(void **state)
{
	AUTO(reply_release) struct reply health = as(NULL, "GET", "/healthz", NULL);
	AUTO(reply_release) struct reply list = as(NULL, "GET", "/v1/environments", NULL);

	(void)state;
	assert_int_equal(health.status, 200);
	assert_int_equal(list.status, 401);
	assert_non_null(strstr(list.text, "WWW-Authenticate: Bearer"));
	assert_non_null(strstr(list.text, "token_missing"));
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, tls_server, ca, "list", NULL), 3);
}

static void a_server_of_another_ca_gets_no_token(void **state)
{
	struct made_token token = make_token("ci", "web", NULL);
	AUTO(free) char *other = xasprintf("--ca=%s/strangers.pem", folder);

	(void)state;
	certificates_ca(folder, "strangers");
	setenv("ENVCTL_TOKEN", token.text, 1);
	assert_int_equal(world_envctl(world, NULL, tls_server, other, "list", NULL), 3);
	assert_int_equal(world_envctl(world, NULL, tls_server, "list", NULL), 3);
}

static void a_revoked_token_is_refused_from_the_next_request_on(void **state)
{
	struct made_token token = make_token("ci", "web", NULL);

	(void)state;
	assert_int_equal(AGENT(token.text, "list"), 0);
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "token", "revoke", token.id, NULL), 0);
	assert_int_equal(world_envctl(world, NULL, "token", "revoke", token.id, NULL), 0);
	assert_int_equal(AGENT(token.text, "list"), 3);
	assert_refused(&token, 401, "token_revoked", "GET", "/v1/environments");
}

static bool is_expired(void *arg)
{
	AUTO(reply_release) struct reply reply = as(arg, "GET", "/v1/environments", NULL);

	return reply.status == 401 && strstr(reply.text, "token_expired");
}

static void a_token_ends_by_itself(void **state)
{
	struct made_token token = make_token("ci", "web", "1s");

	(void)state;
	assert_true(eventually(is_expired, &token, 20000));
}

static void a_token_lives_no_longer_than_the_server_allows(void **state)
{
	AUTO(json_decref)
	json_t *body =
	    json_pack("{s:s, s:s, s:s}", "name", "long", "role", "ci", "expires_in", "91d");
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	(void)state;
	answer = world_ask(world, "POST", "/v1/tokens", body, &status);
	assert_int_equal(status, 400);
}

static void what_is_nearly_a_token_is_refused(void **state)
{
	struct made_token token = make_token("admin", "web", NULL);
	struct made_token other = make_token("viewer", "web", NULL);
	char wrong[9][80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		snprintf(wrong[i], sizeof(wrong[i]), "Bearer %s", token.text);
	wrong[0][7 + 56] = wrong[0][7 + 56] == 'A' ? 'E' : 'A';
	wrong[1][7 + 20] = '=';
	memcpy(wrong[2] + 7 + 5, other.id, 8);   /* another's id with this secret */
	memcpy(wrong[3] + 7 + 5, "00000000", 8); /* nobody's */
	wrong[4][7 + 56] = '\0';
	memcpy(wrong[5], "Basic  ", 7);
	wrong[6][7] = '\0';
	snprintf(wrong[7], sizeof(wrong[7]), "%s", token.text);
	snprintf(wrong[8], sizeof(wrong[8]), "Bearer %sA", token.text);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free) char *from = xasprintf("127.0.1.%zu", i + 1);
		AUTO(reply_release)
		struct reply reply = request(&(struct ask){ .from = from,
							    .authorization = wrong[i],
							    .method = "GET",
							    .target = "/v1/tokens" });

		if (reply.status != 401 || !strstr(reply.text, "token_refused"))
			fail_msg("case %zu: %s", i, reply.text);
	}
}

/* A wrong token on the unix socket does not fall back to who owns the process. */
static void a_token_decides_on_the_unix_socket_too(void **state)
{
	struct made_token viewer = make_token("viewer", "web", NULL);

	(void)state;
	setenv("ENVCTL_TOKEN", viewer.text, 1);
	assert_int_equal(world_envctl(world, NULL, "token", "list", NULL), 3);
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "token", "list", NULL), 0);
}

static void tokens_survive_a_restart(void **state)
{
	struct made_token token = make_token("ci", "web", NULL);

	(void)state;
	world_end(world, SIGTERM);
	start_server();
	assert_int_equal(AGENT(token.text, "list"), 0);
}

/* ---- projects ---- */

static void create_in(const char *project, const char *name)
{
	AUTO(free) char *option = xasprintf("--project=%s", project);

	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "create", "fake", "--name", name, option, NULL),
			 0);
}

static void another_projects_environment_is_neither_seen_nor_touched(void **state)
{
	static const struct {
		const char *method, *target;
	} tries[] = {
		{ "GET", "" },         { "DELETE", "" },      { "GET", "/lease" },
		{ "GET", "/outputs" }, { "GET", "/lock" },    { "GET", "/services" },
		{ "GET", "/logs" },    { "GET", "/history" }, { "GET", "/events" },
		{ "GET", "/checks" },  { "GET", "/report" },
	};
	struct made_token ci = make_token("ci", "web", NULL);
	struct made_token viewer = make_token("viewer", "web", NULL);
	struct made_token operator= make_token("operator", "web", NULL);
	AUTO(reply_release)
	struct reply list = { 0, NULL }, costs = { 0, NULL }, extended = { 0, NULL },
		     seen = { 0, NULL };

	(void)state;
	create_in("ops", "theirs");
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		AUTO(free) char *target = xasprintf("/v1/environments/theirs%s", tries[i].target);

		assert_refused(&ci, 403, "not_your_project", tries[i].method, target);
		if (strcmp(tries[i].method, "GET") == 0 && strcmp(tries[i].target, "/logs") != 0)
			assert_refused(&viewer, 403, "not_your_project", "GET", target);
	}
	extended = as(&ci, "PATCH", "/v1/environments/theirs/lease", "{\"extend\": \"1m\"}");
	assert_int_equal(extended.status, 403);
	list = as(&ci, "GET", "/v1/environments", NULL);
	costs = as(&viewer, "GET", "/v1/costs?by=project", NULL);
	assert_null(strstr(list.text, "theirs"));
	assert_null(strstr(costs.text, "ops"));
	assert_refused(&ci, 403, "not_your_project", "GET", "/v1/environments?project=ops");
	/* An operator works on all of them. */
	seen = as(&operator, "GET", "/v1/environments?project=ops", NULL);
	assert_non_null(strstr(seen.text, "theirs"));
	assert_int_equal(AGENT(operator.text, "destroy", "theirs"), 0);
}

static void a_token_of_the_same_project_may_end_what_another_made(void **state)
{
	struct made_token first = make_token("ci", "web", NULL);
	struct made_token second = make_token("ci", "web", NULL);

	(void)state;
	assert_int_equal(AGENT(first.text, "create", "fake", "--name", "shared"), 0);
	assert_int_equal(AGENT(second.text, "destroy", "shared"), 0);
}

static void a_token_works_in_its_own_project_only(void **state)
{
	struct made_token token = make_token("admin", "web", NULL);

	(void)state;
	assert_int_equal(AGENT(token.text, "--project=ops", "list"), 3);
	assert_int_equal(AGENT(token.text, "--project=web", "list"), 0);
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "--project=nobodys", "list", NULL), 2);
}

/* The events of another project do not pass by. */
static void the_stream_of_all_events_tells_of_the_own_project_alone(void **state)
{
	struct made_token ci = make_token("ci", "web", NULL);
	AUTO(free) char *authorization = bearer(&ci);
	AUTO(free)
	char *bytes = xasprintf("GET /v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n\r\n",
				authorization);
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	int fd = dial("127.0.0.1");
	char block[4096];
	ssize_t got = 1;

	(void)state;
	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	while (got > 0 && !strstr(text_get(&heard), ": connected"))
		if ((got = recv(fd, block, sizeof(block), 0)) > 0)
			text_add_bytes(&heard, block, (size_t)got);
	create_in("ops", "not-heard-of");
	create_in("web", "heard-of");
	while (got > 0 && !strstr(text_get(&heard), "heard-of\""))
		if ((got = recv(fd, block, sizeof(block), 0)) > 0)
			text_add_bytes(&heard, block, (size_t)got);
	close(fd);
	assert_non_null(strstr(text_get(&heard), "\"heard-of\""));
	assert_null(strstr(text_get(&heard), "not-heard-of"));
}

static int follow_events(const struct made_token *token)
{
	AUTO(free) char *authorization = bearer(token);
	AUTO(free)
	char *bytes = xasprintf("GET /v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n\r\n",
				authorization);
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	int fd = dial("127.0.0.1");
	char block[4096];
	ssize_t got = 1;

	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	while (got > 0 && !strstr(text_get(&heard), ": connected"))
		if ((got = recv(fd, block, sizeof(block), 0)) > 0)
			text_add_bytes(&heard, block, (size_t)got);
	assert_true(got > 0);
	return fd;
}

/* The descriptor gives up after a minute, with -1. */
static void assert_ends(int fd)
{
	char block[4096];
	ssize_t got;

	while ((got = recv(fd, block, sizeof(block), 0)) > 0)
		;
	assert_int_equal(got, 0);
	close(fd);
}

static void a_stream_of_events_ends_with_its_token_and_no_other_does(void **state)
{
	struct made_token lasting = make_token("ci", "web", NULL);
	struct made_token revoked = make_token("ci", "web", NULL);
	struct made_token brief = make_token("ci", "web", "2s");
	int goes_on = follow_events(&lasting), by_revoke = follow_events(&revoked);
	int by_time = follow_events(&brief);
	char byte;

	(void)state;
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "token", "revoke", revoked.id, NULL), 0);
	assert_ends(by_revoke);
	assert_ends(by_time);
	assert_int_equal(recv(goes_on, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(goes_on);
}

/* Sums over all projects are nobody's who may see one alone. */
static void numbers_of_all_projects_are_for_those_who_may_see_all(void **state)
{
	struct made_token viewer = make_token("viewer", "web", NULL);
	struct made_token ci = make_token("ci", "web", NULL);
	struct made_token operator= make_token("operator", "web", NULL);
	AUTO(reply_release) struct reply reply = as(&operator, "GET", "/metrics", NULL);

	(void)state;
	assert_refused(&viewer, 403, "denied", "GET", "/metrics");
	assert_refused(&ci, 403, "denied", "GET", "/metrics");
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.text, "envd_environments"));
}

/* ---- quotas ---- */

static void assert_quota(const char *project, const char *code, const char *ttl)
{
	AUTO(free) char *option = xasprintf("--project=%s", project);
	AUTO(free) char *log = NULL;
	AUTO(free) char *words = xasprintf("error[%s]", code);

	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(
	    world_envctl(world, NULL, "create", "fake", "--no-wait", option, "--ttl", ttl, NULL),
	    5);
	log = read_log();
	if (!strstr(log, words))
		fail_msg("%s was not what refused it", code);
}

static void a_create_over_a_quota_ends_with_status_5_and_says_which(void **state)
{
	(void)state;
	create_in("few", "the-one");
	assert_quota("few", "quota_environments", "1m");
	assert_quota("short", "quota_lease", "6m");
	create_in("small", "fits");
	assert_quota("small", "quota_memory", "1m");
	create_in("slow", "slow-1");
	create_in("slow", "slow-2");
	assert_int_equal(world_envctl(world, NULL, "destroy", "slow-1", "slow-2", NULL), 0);
	assert_quota("slow", "quota_creates", "1m");
	create_in("poor", "cheap");
	assert_quota("poor", "quota_cost", "1m");
}

static void what_is_gone_counts_no_more(void **state)
{
	(void)state;
	assert_int_equal(world_envctl(world, NULL, "destroy", "the-one", NULL), 0);
	create_in("few", "the-next");
}

static void the_quota_bounds_the_extended_lease_too(void **state)
{
	(void)state;
	create_in("short", "brief"); /* the default of 10m becomes 5m */
	assert_int_equal(world_envctl(world, NULL, "extend", "brief", "2m", NULL), 5);
}

static void the_last_places_are_given_once(void **state)
{
	enum { ASKING = 12, PLACES = 3 };
	struct made_token token = make_token("ci", "last", NULL);
	int created = 0, fds[ASKING];
	AUTO(free) char *authorization = bearer(&token);
	AUTO(free)
	char *bytes = xasprintf("POST /v1/environments HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n"
				"Content-Length: 19\r\n\r\n{\"template\":\"fake\"}",
				authorization);

	(void)state;
	for (int i = 0; i < ASKING; i++)
		fds[i] = dial("127.0.0.1");
	for (int i = 0; i < ASKING; i++)
		assert_int_equal(send(fds[i], bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	for (int i = 0; i < ASKING; i++) {
		char answer[256] = "";

		assert_true(recv(fds[i], answer, sizeof(answer) - 1, 0) > 0);
		created += strncmp(answer, "HTTP/1.1 201", 12) == 0;
		close(fds[i]);
	}
	assert_int_equal(created, PLACES);
}

/* ---- certificates ---- */

static bool trusts(void *arg)
{
	return world_envctl(world, NULL, tls_server, (const char *)arg, "list", NULL) == 0;
}

static bool was_told(void *arg)
{
	AUTO(free) char *log = read_log();

	return strstr(log, arg) != NULL;
}

static void certificates_change_without_a_restart_and_broken_ones_do_not(void **state)
{
	struct made_token token = make_token("viewer", "web", NULL);
	AUTO(free) char *new_ca = xasprintf("--ca=%s/new.pem", folder);
	char told[] = "certificate from before stays in use";
	pid_t before = world->envd;

	(void)state;
	setenv("ENVCTL_TOKEN", token.text, 1);
	assert_true(trusts(ca));
	certificates_ca(folder, "new");
	certificates_issue(folder, "new", "server", "IP:127.0.0.1");
	assert_true(eventually(trusts, new_ca, 20000));
	assert_false(trusts(ca));
	write_file(folder, "server.pem", "not a certificate", 0600);
	assert_true(eventually(was_told, told, 20000));
	assert_true(trusts(new_ca));
	/* On SIGHUP at once, which ends nothing. */
	certificates_issue(folder, "ca", "server", "IP:127.0.0.1");
	kill(world->envd, SIGHUP);
	assert_true(eventually(trusts, ca, 20000));
	assert_int_equal(waitpid(before, NULL, WNOHANG), 0);
}

/* ---- failed logins ---- */

static void who_fails_too_often_waits_and_a_good_token_does_not(void **state)
{
	static const char bad[] =
	    "Bearer envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct made_token token = make_token("viewer", "web", NULL);
	AUTO(free) char *good = bearer(&token);
	struct ask ask = {
		.from = "127.0.2.1", .authorization = bad, .method = "GET", .target = "/v1/version"
	};

	(void)state;
	for (int i = 0; i < 13; i++) {
		AUTO(reply_release) struct reply reply = request(&ask);

		/* On a slow machine a minute may pass meanwhile; here it takes milliseconds. */
		assert_int_equal(reply.status, i < 10 ? 401 : 429);
		if (i >= 10) {
			const char *after = strstr(reply.text, "Retry-After: ");

			assert_non_null(after);
			assert_in_range(atoi(after + 13), 1, 10);
			assert_non_null(strstr(reply.text, "too_many_failed_logins"));
		}
	}
	ask.authorization = good;
	{
		AUTO(reply_release) struct reply reply = request(&ask);

		assert_int_equal(reply.status, 200);
	}
	ask.authorization = bad;
	ask.from = "127.0.2.2";
	{
		AUTO(reply_release) struct reply reply = request(&ask);

		assert_int_equal(reply.status, 401);
	}
}

/* ---- audit ---- */

/* The newest entry with this action and this address, borrowed from `*page`. */
static const json_t *audit_entry(json_t **page, const char *action, const char *from)
{
	size_t i;
	json_t *item;

	json_decref(*page);
	*page = world_ask(world, "GET", "/v1/audit?limit=500", NULL, NULL);
	json_array_foreach(json_object_get(*page, "items"), i, item) {
		if (strcmp(json_get_string(item, "action", ""), action) == 0 &&
		    strcmp(json_get_string(item, "from", ""), from) == 0)
			return item;
	}
	return NULL;
}

static void every_change_is_in_the_audit_history(void **state)
{
	static const char *const actions[] = { "create", "extend", "destroy" };
	struct made_token token = make_token("ci", "web", NULL);
	AUTO(json_decref) json_t *page = NULL;
	const json_t *entry;

	(void)state;
	assert_int_equal(AGENT(token.text, "create", "fake", "--name", "audited"), 0);
	assert_int_equal(AGENT(token.text, "extend", "audited", "1m"), 0);
	assert_int_equal(AGENT(token.text, "destroy", "audited"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		entry = audit_entry(&page, actions[i], "127.0.0.1");
		assert_non_null(entry);
		assert_string_equal(json_get_string(entry, "who", ""), "web/ci");
		assert_string_equal(json_get_string(entry, "role", ""), "ci");
		assert_string_equal(json_get_string(entry, "project", ""), "web");
		assert_string_equal(json_get_string(entry, "token", ""), token.id);
		assert_int_equal(strlen(json_get_string(entry, "request", "")), 16);
		assert_int_equal(strlen(json_get_string(entry, "subject", "")), 36);
	}
	entry = audit_entry(&page, "token create", "unix");
	assert_non_null(entry);
	assert_string_equal(json_get_string(entry, "role", ""), "admin");
	assert_string_equal(json_get_string(entry, "subject", ""), token.id);
}

static void a_refused_change_is_not_in_it(void **state)
{
	AUTO(json_decref) json_t *before = NULL, *after = NULL;

	(void)state;
	before = world_ask(world, "GET", "/v1/audit?limit=1", NULL, NULL);
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "create", "no-such", "--no-wait", NULL), 6);
	after = world_ask(world, "GET", "/v1/audit?limit=1", NULL, NULL);
	assert_true(json_equal(json_object_get(before, "items"), json_object_get(after, "items")));
}

static bool failures_are_told(void *arg)
{
	AUTO(json_decref) json_t *page = NULL;
	const json_t *entry = audit_entry(&page, "failed logins", arg);

	return json_get_int64(json_object_get(entry, "detail"), "count", 0) == 3;
}

/* A server that has just started tells of the first ones after 2 s, later ones once a minute. */
static void failed_logins_are_told_in_one_sum(void **state)
{
	char from[] = "127.0.3.1";

	(void)state;
	world_end(world, SIGTERM);
	start_server();
	for (int i = 0; i < 3; i++) {
		AUTO(reply_release)
		struct reply reply = request(&(struct ask){ .from = from,
							    .authorization = "Bearer x",
							    .method = "GET",
							    .target = "/v1/version" });

		assert_int_equal(reply.status, 401);
	}
	assert_true(eventually(failures_are_told, from, 20000));
}

static void pages_of_the_audit_history_have_everything_once(void **state)
{
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(free) char *next = NULL;
	size_t seen = 0, at = 0;

	(void)state;
	whole = world_ask(world, "GET", "/v1/audit?limit=40", NULL, NULL);
	do {
		AUTO(free)
		char *target =
		    xasprintf("/v1/audit?limit=8%s%s", next ? "&next=" : "", next ? next : "");
		AUTO(json_decref) json_t *page = world_ask(world, "GET", target, NULL, NULL);
		json_t *item;
		size_t i;

		json_array_foreach(json_object_get(page, "items"), i, item) {
			assert_true(json_equal(
			    item, json_array_get(json_object_get(whole, "items"), at++)));
			seen++;
		}
		free(next);
		next = json_has(page, "next") ? xstrdup(json_get_string(page, "next", "")) : NULL;
	} while (next && seen < 40);
	assert_int_equal(seen, json_array_size(json_object_get(whole, "items")));
}

/* ---- the canary ---- */

static struct made_token canary;
static size_t files_seen;

static int look_for_canary(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	AUTO(free) char *bytes = NULL;
	struct error err;
	size_t length;

	(void)status;
	(void)ftw;
	if (kind != FTW_F || !file_read(path, 256 << 20, &bytes, &length, &err))
		return 0;
	files_seen++;
	if (memmem(bytes, length, canary.text + 14, 43))
		fail_msg("the token is in %s", path);
	return 0;
}

/* Used well, used wrongly, pasted where it does not belong: it is in no file of the server, of the
 * store, of the log, which has what envctl says too. */
static void a_token_is_written_nowhere(void **state)
{
	AUTO(free) char *in_path = NULL, *in_query = NULL, *in_body = NULL, *shown = NULL;
	AUTO(reply_release)
	struct reply path = { 0, NULL }, query = { 0, NULL }, body = { 0, NULL }, cut = { 0, NULL };

	(void)state;
	canary = make_token("admin", "web", NULL);
	assert_int_equal(AGENT(canary.text, "create", "fake", "--name", "canary"), 0);
	assert_int_equal(AGENT(canary.text, "get", "no-such"), 6);
	assert_int_equal(
	    world_envctl(world, &shown, tls_server, ca, "-o", "json", "token", "list", NULL), 0);
	assert_null(strstr(shown, canary.text + 14));
	in_path = xasprintf("/v1/tokens/%s", canary.text);
	in_query = xasprintf("/v1/environments?owner=%s", canary.text);
	in_body = xasprintf("{\"template\": \"fake\", \"token\": \"%s\"}", canary.text);
	path = as(&canary, "DELETE", in_path, NULL);
	assert_int_equal(path.status, 404);
	assert_null(strstr(path.text, canary.text + 14));
	query = as(&canary, "GET", in_query, NULL);
	assert_int_equal(query.status, 200);
	body = as(&canary, "POST", "/v1/environments", in_body);
	assert_int_equal(body.status, 400);
	assert_null(strstr(body.text, canary.text + 14));
	cut = request(
	    &(struct ask){ .authorization = canary.text, .method = "GET", .target = "/v1/tokens" });
	assert_int_equal(cut.status, 401);
	assert_null(strstr(cut.text, canary.text + 14));
	assert_int_equal(AGENT(canary.text, "destroy", "canary"), 0);
	unsetenv("ENVCTL_TOKEN");
	assert_int_equal(world_envctl(world, NULL, "token", "revoke", canary.id, NULL), 0);
	assert_int_equal(nftw(world->folder, look_for_canary, 16, FTW_PHYS), 0);
	assert_true(files_seen > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_admits_exactly_the_roles_that_may),
		cmocka_unit_test(an_agent_with_a_token_works_over_tls),
		cmocka_unit_test(without_a_token_nobody_gets_in_but_to_ask_for_health),
		cmocka_unit_test(a_server_of_another_ca_gets_no_token),
		cmocka_unit_test(a_revoked_token_is_refused_from_the_next_request_on),
		cmocka_unit_test(a_token_ends_by_itself),
		cmocka_unit_test(a_token_lives_no_longer_than_the_server_allows),
		cmocka_unit_test(what_is_nearly_a_token_is_refused),
		cmocka_unit_test(a_token_decides_on_the_unix_socket_too),
		cmocka_unit_test(another_projects_environment_is_neither_seen_nor_touched),
		cmocka_unit_test(a_token_of_the_same_project_may_end_what_another_made),
		cmocka_unit_test(a_token_works_in_its_own_project_only),
		cmocka_unit_test(the_stream_of_all_events_tells_of_the_own_project_alone),
		cmocka_unit_test(a_stream_of_events_ends_with_its_token_and_no_other_does),
		cmocka_unit_test(numbers_of_all_projects_are_for_those_who_may_see_all),
		cmocka_unit_test(a_create_over_a_quota_ends_with_status_5_and_says_which),
		cmocka_unit_test(what_is_gone_counts_no_more),
		cmocka_unit_test(the_quota_bounds_the_extended_lease_too),
		cmocka_unit_test(the_last_places_are_given_once),
		cmocka_unit_test(certificates_change_without_a_restart_and_broken_ones_do_not),
		cmocka_unit_test(who_fails_too_often_waits_and_a_good_token_does_not),
		cmocka_unit_test(every_change_is_in_the_audit_history),
		cmocka_unit_test(a_refused_change_is_not_in_it),
		cmocka_unit_test(pages_of_the_audit_history_have_everything_once),
		cmocka_unit_test(tokens_survive_a_restart),
		cmocka_unit_test(a_token_is_written_nowhere),
		cmocka_unit_test(failed_logins_are_told_in_one_sum),
	};

	return cmocka_run_group_tests(tests, start, end);
}
