/*
 * The bank story: each thing that a bank environment must do has a case in which it does, and a
 * case in which it does not and the check fails for that reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/check_bench.h"

#define LOGIN                                                                                      \
	"      - http: { method: POST, path: /login, form: { username: testuser, password: "       \
	"bankofsirius } }\n"                                                                       \
	"        expect: [ \"status == 302\", \"header.location ~ '/home$'\", \"cookie.token "     \
	"exists\" ]\n"
#define BALANCE "match: 'id=\"current-balance\"[^>]*>\\s*\\$([0-9,.]+)'"

struct row {
	const char *name; /* of the test: what is caught */
	const char *check;
	size_t broken;       /* offset of the switch that breaks it */
	const char *status;  /* then */
	const char *message; /* a part of it */
};

#define BROKEN(field) offsetof(struct bank_switches, field)

static const struct row rows[] = {
	{ "port_80_that_does_not_redirect_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { base: \"${http_url}\", path: /login }, expect: [ \"status == "
	  "301\", "
	  "\"header.location ~ '^https://'\" ] }\n",
	  BROKEN(http_is_served), "failed", "status == 301: saw 200" },
	{ "an_ingress_that_serves_any_host_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { path: /, headers: { Host: elsewhere.example } }, expect: [ "
	  "\"status == 404\", \"header.server ~ '^nginx'\" ] }\n",
	  BROKEN(any_host_is_served), "failed", "status == 404: saw 200" },
	{ "a_service_that_is_down_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { path: /z/health }, expect: [ \"status == 200\", \"json.status "
	  "== "
	  "'UP'\", \"json.components.ledger.status == 'UP'\" ] }\n",
	  BROKEN(is_not_ready), "failed", "status == 200: saw 503" },
	{ "a_login_that_leads_back_to_the_login_page_is_caught",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN,
	  BROKEN(login_never_works), "failed",
	  "header.location ~ '/home$': saw '/login?msg=Login+Failed'" },
	{ "a_cookie_that_is_no_token_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { path: /login, form: { username: testuser, password: "
	  "bankofsirius } "
	  "}, expect: [ \"jwt.token exists\", \"jwt.token.exp > now\" ] }\n",
	  BROKEN(cookie_is_no_token), "failed", "it is not a token of three parts" },
	{ "a_token_that_has_ended_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { path: /login, form: { username: testuser, password: "
	  "bankofsirius } "
	  "}, expect: [ \"jwt.token.exp > now + 10m\" ] }\n",
	  BROKEN(token_has_ended), "failed", "jwt.token.exp > now + 10m: saw 1" },
	{ "a_login_that_takes_any_password_is_caught",
	  "smoke:\n"
	  "  - { name: it, http: { path: /login, form: { username: testuser, password: wrong } }, "
	  "expect: [ \"cookie.token !exists\", \"header.location contains '/login?msg='\" ] }\n",
	  BROKEN(login_always_works), "failed", "cookie.token !exists: saw a value of" },
	{ "a_home_page_without_a_balance_is_caught_although_its_status_is_200",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN "      - http: { path: /home }\n"
	  "        expect: [ \"status == 200\", \"body !contains '$---'\", \"body ~ "
	  "'current-balance\\\"[^>]*>\\\\$[0-9,]+[.][0-9]{2}<'\" ]\n",
	  BROKEN(balance_is_down), "failed", "body !contains '$---': saw ..." },
	{ "an_empty_history_is_caught",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN "      - http: { path: /home }\n"
	  "        expect: [ \"body ~ 'transaction-table\\\"><tr>'\" ]\n",
	  BROKEN(history_is_empty), "failed", "step 2, GET /home: body ~" },
	{ "missing_contacts_are_caught",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN "      - http: { path: /home }\n"
	  "        expect: [ \"body contains '<option>'\" ]\n",
	  BROKEN(contacts_are_empty), "failed", "body contains '<option>'" },
	{ "a_deposit_that_is_lost_is_caught",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN "      - http: { path: /home }\n"
	  "        expect: [ \"status == 200\" ]\n"
	  "        capture: { before: { from: body, " BALANCE " } }\n"
	  "      - http: { path: /deposit, form: { amount: 25.00, uuid: \"${uuid}\" } }\n"
	  "        expect: [ \"header.location ~ 'msg=Deposit'\" ]\n"
	  "      - http: { path: /home }\n"
	  "        eventually: { timeout: 300ms, interval: 50ms }\n"
	  "        capture: { after: { from: body, " BALANCE " } }\n"
	  "        expect: [ \"captured.after == ${before} + 25.00\" ]\n",
	  BROKEN(deposits_are_lost), "failed", "saw '1,259.50', wanted 1284.50" },
	{ "a_logout_that_keeps_the_cookie_is_caught",
	  "smoke:\n"
	  "  - name: it\n"
	  "    steps:\n" LOGIN "      - http: { method: POST, path: /logout }\n"
	  "        expect: [ \"status == 302\", \"jar.token !exists\" ]\n"
	  "      - http: { path: /home }\n"
	  "        expect: [ \"status == 302\", \"header.location ~ '/login$'\" ]\n",
	  BROKEN(logout_keeps_cookie), "failed", "jar.token !exists: saw a value of" },
	{ "a_redirect_to_plain_http_is_told_as_a_warning",
	  "smoke:\n"
	  "  - name: it\n"
	  "    http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	  "    expect: [ \"status == 302\", { that: \"header.location ~ '^https://'\", severity: "
	  "warn } "
	  "]\n",
	  BROKEN(redirects_to_http), "warned", "header.location ~ '^https://': saw 'http://" },
	{ "a_cookie_without_flags_is_told_as_a_warning",
	  "smoke:\n"
	  "  - name: it\n"
	  "    http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	  "    expect: [ \"status == 302\", { that: \"cookie.token.secure\", severity: warn }, { "
	  "that: "
	  "\"cookie.token.samesite == 'Lax'\", severity: warn } ]\n",
	  BROKEN(cookie_has_no_flags), "warned", "cookie.token.secure: saw false" },
	{ "a_target_that_is_down_is_caught",
	  "smoke:\n"
	  "  - { name: it, prometheus: { base: \"${url}\", query: up, jobs: [frontend, ledger] }, "
	  "expect: [ \"ready\", \"targets.down == 0\", \"targets.up >= 2\", \"query.count == 2\" ] "
	  "}\n",
	  BROKEN(target_is_down), "failed",
	  "targets.down == 0: saw 1 (ledger: connection refused)" },
	{ "a_prometheus_that_is_not_ready_is_caught",
	  "smoke:\n"
	  "  - { name: it, prometheus: { base: \"${url}\", ignore: [etcd] }, expect: [ \"ready\", "
	  "\"targets.down == 0\" ] }\n",
	  BROKEN(prometheus_is_not_ready), "failed", "ready: saw false" },
};

/* One bank for all rows. */
static struct fake_bank *bank;

static int start_bank(void **unused)
{
	(void)unused;
	bank = fake_bank_start(CERTIFICATE_GOOD);
	return 0;
}

static int stop_bank(void **unused)
{
	(void)unused;
	fake_bank_stop(bank);
	return 0;
}

static void check_row(void **state)
{
	const struct row *row = *state;
	AUTO(json_decref) json_t *good = NULL;
	AUTO(json_decref) json_t *bad = NULL;

	*bank->switches = (struct bank_switches){ .balance_cents = 123450 };
	good = bench_run(bank, row->check, NULL);
	assert_check(good, "it", "passed");
	assert_string_equal(json_get_string(good, "verdict", ""), "passed");

	*((bool *)bank->switches + row->broken) = true;
	bad = bench_run(bank, row->check, NULL);
	assert_check(bad, "it", row->status);
	assert_contains(bench_message(bad, "it"), row->message);
	assert_string_equal(json_get_string(bad, "verdict", ""),
			    strcmp(row->status, "failed") == 0 ? "failed" : "passed");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		union {
			const struct row *row;
			void *state;
		} given = { .row = &rows[i] };

		tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, given.state };
	}
	return cmocka_run_group_tests_name("bank story", tests, start_bank, stop_bank);
}
