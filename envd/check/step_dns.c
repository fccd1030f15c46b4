/*
 * dns: which addresses has a name? Inside a service (getent through the engine), because names of
 * services mean nothing outside, or from here.
 */

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/step.h"

struct seen_dns {
	struct text addresses; /* one a line */
	int64_t count;
	int64_t duration_us;
	char why[120];
};

static void release(void *seen)
{
	struct seen_dns *dns = seen;

	text_release(&dns->addresses);
	free(dns);
}
DEFINE_AUTO(struct seen_dns *, release)

static void add(struct seen_dns *dns, const char *address)
{
	AUTO(free) char *line = xasprintf("%s\n", address);

	if (strstr(text_get(&dns->addresses), line))
		return;
	text_add(&dns->addresses, line);
	dns->count++;
}

static void resolve_here(struct seen_dns *dns, const char *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int status = getaddrinfo(name, NULL, &hints, &list);

	if (status != 0)
		snprintf(dns->why, sizeof(dns->why), "%s", gai_strerror(status));
	for (const struct addrinfo *at = list; at; at = at->ai_next) {
		char text[INET6_ADDRSTRLEN];

		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0)
			add(dns, text);
	}
	if (list)
		freeaddrinfo(list);
}

/* "10.89.0.3   ledger-db.dns.podman", a line for each kind of socket. */
static void read_getent(struct seen_dns *dns, const char *output)
{
	while (*output) {
		size_t line = strcspn(output, "\n");
		AUTO(free) char *address = xstrndup(output, strcspn(output, " \t\n"));
		unsigned char bytes[16];

		if (inet_pton(AF_INET, address, bytes) == 1 ||
		    inet_pton(AF_INET6, address, bytes) == 1)
			add(dns, address);
		output += line + (output[line] == '\n');
	}
}

static bool resolve_inside(struct scenario *scenario, const char *service, const char *name,
			   int64_t time_limit_ms, struct seen_dns *dns, struct error *err)
{
	const struct check_request *request = scenario->request;
	const char *const argv[] = { "getent", "ahosts", name, NULL };
	AUTO(free) char *output = NULL;
	int status = 0;

	if (!request->exec)
		return error_set_as(err, ERR_INVALID, "exec_not_possible",
				    "this engine cannot run commands inside a service");
	if (!request->exec(request->exec_arg, service, argv, time_limit_ms, &status, &output, err))
		return false;
	if (status == 126 || status == 127)
		return error_set_as(err, ERR_INVALID, "exec_not_possible",
				    "service \"%s\" has no \"getent\" to look names up with",
				    service);
	if (status != 0)
		snprintf(dns->why, sizeof(dns->why), "getent inside %.60s: exit %d", service,
			 status);
	else
		read_getent(dns, output ? output : "");
	return true;
}

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	AUTO(release) struct seen_dns *dns = xcalloc(1, sizeof(*dns));
	AUTO(free) char *service = NULL;
	AUTO(free) char *name = NULL;
	int64_t start_us = clock_mono_us();

	if (!scope_fill(scenario->scope, step->dns.name, &name, err))
		return false;
	if (!step->dns.service)
		resolve_here(dns, name);
	else if (!scope_fill(scenario->scope, step->dns.service, &service, err) ||
		 !resolve_inside(scenario, service, name, time_limit_ms, dns, err))
		return false;
	dns->duration_us = clock_mono_us() - start_us;
	*seen = TAKE(dns);
	return true;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_dns *dns = seen;
	struct observed found;

	if (strcmp(subject, "duration") == 0)
		return observed_duration(dns->duration_us);
	found = strcmp(subject, "dns.count") == 0 ? observed_number(dns->count)
						  : observed_list(text_get(&dns->addresses));
	found.note = *dns->why ? xstrdup(dns->why) : NULL;
	return found;
}

const struct step_kind step_dns = { perform, look, release };
