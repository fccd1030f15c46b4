/*
 * fake_bank.h - a small bank in a process of its own, with switches that a test can turn while it
 * runs. It speaks HTTP and HTTPS on ports chosen by the system, and answers for a Prometheus too.
 *
 * The switches lie in shared memory: what a test writes is true for the next request.
 */
#ifndef ENVD_TESTS_SUPPORT_FAKE_BANK_H
#define ENVD_TESTS_SUPPORT_FAKE_BANK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum bank_certificate {
	CERTIFICATE_GOOD,       /* 127.0.0.1, localhost, bank.example; 10 days */
	CERTIFICATE_STRANGE,    /* signed by another CA */
	CERTIFICATE_WRONG_NAME, /* other.example only */
	CERTIFICATE_EXPIRED,    /* an hour ago */
	CERTIFICATE_SHORT,      /* ends in half an hour */
};

struct bank_switches {
	bool balance_is_down; /* the page shows $--- */
	bool history_is_empty;
	bool contacts_are_empty;
	bool login_never_works;
	bool login_always_works;
	bool cookie_is_no_token;
	bool token_has_ended;
	bool redirects_to_http; /* Location of the login */
	bool deposits_are_lost;
	bool logout_keeps_cookie;
	bool cookie_has_no_flags;
	bool any_host_is_served;
	bool http_is_served; /* port 80 answers instead of redirecting */
	bool is_not_ready;
	bool target_is_down;
	bool prometheus_is_not_ready;
	int ready_after;   /* so many readiness requests are answered with 503 first */
	bool flaps;        /* every second readiness request is answered with 503 */
	int slow_ms;       /* every answer waits */
	int slow_after;    /* only after so many requests */
	int error_percent; /* of answers are 500 */
	int64_t balance_cents;
	int64_t requests; /* counted */
	int64_t readiness_requests;
};

struct fake_bank {
	pid_t pid;
	int http_port;
	int https_port;
	char *ca; /* PEM */
	struct bank_switches *switches;
};

struct fake_bank *fake_bank_start(enum bank_certificate certificate);
void fake_bank_stop(struct fake_bank *bank);
DEFINE_AUTO(struct fake_bank *, fake_bank_stop)

#endif
