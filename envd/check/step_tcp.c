/* tcp: can one connect? What is refused or not answered is seen, not an error. */

#include <string.h>

#include "base/clock.h"
#include "check/step.h"

struct seen_tcp {
	bool is_connected;
	int64_t duration_us;
	char why[200];
};

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	AUTO(free) struct seen_tcp *tcp = xcalloc(1, sizeof(*tcp));
	AUTO(free) char *host = NULL;
	AUTO(free) char *port = NULL;
	AUTO(close) int fd = -1;
	int64_t start_us = clock_mono_us();

	if (!scope_fill(scenario->scope, step->tcp.host, &host, err) ||
	    !scope_fill(scenario->scope, step->tcp.port, &port, err))
		return false;
	tcp->is_connected =
	    address_guard_connect(scenario->guard, host, port, time_limit_ms, &fd, err);
	tcp->duration_us = clock_mono_us() - start_us;
	if (!tcp->is_connected && (err->code == ERR_DENIED || err->code == ERR_INVALID))
		return false;
	if (!tcp->is_connected)
		snprintf(tcp->why, sizeof(tcp->why), "%.199s", err->message);
	*seen = TAKE(tcp);
	return true;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_tcp *tcp = seen;
	struct observed connected;

	if (strcmp(subject, "duration") == 0)
		return observed_duration(tcp->duration_us);
	connected = observed_boolean(tcp->is_connected);
	connected.note = *tcp->why ? xstrdup(tcp->why) : NULL;
	return connected;
}

const struct step_kind step_tcp = { perform, look, free };
