/* Each kind of step: right, and wrong for its own reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/check_bench.h"

static int start_bank(void **state)
{
	*state = fake_bank_start(CERTIFICATE_GOOD);
	return 0;
}

static int stop_bank(void **state)
{
	fake_bank_stop(*state);
	return 0;
}

/* ---- tls ----------------------------------------------------------------------------------- */

#define TLS(more)                                                                                  \
	"smoke:\n  - { name: it, tls: { host: \"${host}\", port: \"${port}\", ca: \"${ca}\" " more

static void a_good_certificate_is_told_in_full(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    TLS("}, expect: [ \"tls.version >= 1.2\", \"tls.expires_in >= 9d\", \"tls.expires_in "
		"<= "
		"10d\", \"tls.san contains '127.0.0.1'\", \"tls.san contains 'bank.example'\", "
		"\"tls.san !contains 'example'\", \"tls.subject contains 'bank.example'\", "
		"\"tls.issuer contains 'Fake Bank CA'\" ] }\n"),
	    NULL);

	assert_check(report, "it", "passed");
}

static void a_tls_version_that_is_too_old_is_caught(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(*state, TLS("}, expect: [ \"tls.version >= 1.4\" ] }\n"), NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "tls.version >= 1.4: saw 1.3");
}

static void a_name_that_is_missing_in_the_certificate_is_caught(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state, TLS(", server_name: shop.example }, expect: [ \"tls.version >= 1.2\" ] }\n"),
	    NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "certificate not accepted: hostname mismatch");
}

static void check_certificate(enum bank_certificate certificate, const char *message)
{
	AUTO(fake_bank_stop) struct fake_bank *bank = fake_bank_start(certificate);
	AUTO(json_decref)
	json_t *report =
	    bench_run(bank,
		      TLS("}, expect: [ \"tls.version >= 1.2\", \"tls.expires_in >= 1h\" ] }\n"
			  "  - { name: http, http: { path: / }, expect: [ \"status == 200\" ] }\n"),
		      NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), message);
	if (certificate != CERTIFICATE_SHORT)
		assert_check(report, "http", "failed");
}

static void bad_certificates_are_caught_each_for_its_own_reason(void **unused)
{
	(void)unused;
	check_certificate(CERTIFICATE_STRANGE, "certificate not accepted: certificate signature");
	check_certificate(CERTIFICATE_WRONG_NAME, "certificate not accepted: IP address mismatch");
	check_certificate(CERTIFICATE_EXPIRED, "certificate not accepted: certificate has expired");
	check_certificate(CERTIFICATE_SHORT, "tls.expires_in >= 1h: saw 28m");
}

static void a_port_that_speaks_no_tls_is_caught(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(*state,
				   "smoke:\n  - { name: it, tls: { host: \"${host}\", port: "
				   "\"${ingress.port.80}\" }, expect: "
				   "[ \"tls.version >= 1.2\" ] }\n",
				   NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "handshake");
}

static void https_without_the_right_ca_is_refused(void **state)
{
	AUTO(json_decref)
	json_t *outputs = json_pack("{s:s, s:s}", "url", "https://127.0.0.1", "ca", "no PEM");
	struct check_request request = { .run_smoke = true };
	AUTO(json_decref) json_t *report = NULL;
	AUTO(json_decref) json_t *other = NULL;

	other = bench_run(*state,
			  "smoke:\n  - { name: it, http: { path: /, ca: \"${environment.name}\" }, "
			  "expect: [ \"status == 200\" ] }\n",
			  NULL);
	assert_check(other, "it", "error");
	request.outputs = outputs;
	report =
	    bench_run_as(*state,
			 "smoke:\n  - { name: it, http: { path: / }, expect: [ \"status == 200\" ] "
			 "}\n",
			 &request);
	assert_check(report, "it", "error");
	assert_contains(bench_message(report, "it"), "not a certificate in PEM form");
}

/* ---- tcp, dns, exec ------------------------------------------------------------------------ */

static void an_open_port_is_connected_and_a_closed_one_says_why_not(void **state)
{
	AUTO(json_decref)
	json_t *addresses = json_pack(
	    "[{s:s, s:s, s:i, s:i}, {s:s, s:s, s:i, s:i}]", "service", "a", "host", "127.0.0.1",
	    "port", ((struct fake_bank *)*state)->https_port, "container_port", 1, "service", "b",
	    "host", "127.0.0.1", "port", 1, "container_port", 1);
	struct check_request request = { .run_smoke = true, .addresses = addresses };
	AUTO(json_decref)
	json_t *report = bench_run_as(
	    *state,
	    "smoke:\n"
	    "  - { name: open, tcp: { host: \"${a.host}\", port: \"${a.port.1}\" } }\n"
	    "  - { name: closed, tcp: { host: \"${b.host}\", port: \"${b.port.1}\" } }\n"
	    "  - { name: quiet, tcp: { host: \"${b.host}\", port: 1 }, expect: [ \"connected == "
	    "false\" ] }\n",
	    &request);

	assert_check(report, "open", "passed");
	assert_check(report, "closed", "failed");
	assert_contains(bench_message(report, "closed"),
			"connected: saw false (Connection refused)");
	assert_check(report, "quiet", "passed");
}

#define DNS                                                                                        \
	"smoke:\n  - { name: it, dns: { service: ingress, name: ledger-db }, expect: [ "           \
	"\"dns.count "                                                                             \
	"== 1\", \"dns.addresses contains '10.89.0.3'\" ] }\n"

static void a_name_is_looked_up_inside_the_service(void **state)
{
	struct bench_exec exec = { .output = "10.89.0.3   STREAM ledger-db\n"
					     "10.89.0.3   DGRAM\n10.89.0.3   RAW\n" };
	AUTO(json_decref) json_t *report = bench_run(*state, DNS, &exec);

	assert_check(report, "it", "passed");
	assert_int_equal(exec.calls, 1);
}

static void a_name_that_is_unknown_inside_the_service_is_caught(void **state)
{
	struct bench_exec exec = { .status = 2 };
	AUTO(json_decref) json_t *report = bench_run(*state, DNS, &exec);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"),
			"dns.count == 1: saw 0 (getent inside ingress: exit 2)");
}

static void a_service_without_getent_cannot_be_judged(void **state)
{
	struct bench_exec exec = { .status = 127 };
	AUTO(json_decref) json_t *report = bench_run(*state, DNS, &exec);

	assert_check(report, "it", "error");
	assert_string_equal(json_get_string(report, "verdict", ""), "inconclusive");
}

static void a_name_is_looked_up_from_here(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(*state,
				   "smoke:\n"
				   "  - { name: it, dns: { name: localhost } }\n"
				   "  - { name: none, dns: { name: nowhere.invalid } }\n",
				   NULL);

	assert_check(report, "it", "passed");
	assert_check(report, "none", "failed");
	assert_contains(bench_message(report, "none"), "dns.count >= 1: saw 0 (");
}

#define EXEC                                                                                       \
	"smoke:\n  - { name: it, exec: { service: db, argv: [pg_isready] }, expect: [ \"exit == "  \
	"0\", \"output contains 'accepting'\" ] }\n"

static void a_command_inside_a_service_is_judged_by_status_and_output(void **state)
{
	struct bench_exec exec = { .output = "accepting connections" };
	AUTO(json_decref) json_t *good = bench_run(*state, EXEC, &exec);
	AUTO(json_decref) json_t *bad = NULL;

	assert_check(good, "it", "passed");
	exec = (struct bench_exec){ .status = 2, .output = "no response" };
	bad = bench_run(*state, EXEC, &exec);
	assert_check(bad, "it", "failed");
	assert_contains(bench_message(bad, "it"), "exit == 0: saw 2 (no response)");
}

static void what_cannot_be_run_inside_is_an_error(void **state)
{
	struct bench_exec exec = { .is_unknown_service = true };
	AUTO(json_decref) json_t *unknown = bench_run(*state, EXEC, &exec);
	AUTO(json_decref) json_t *impossible = bench_run(*state, EXEC, NULL);

	assert_check(unknown, "it", "error");
	assert_contains(bench_message(unknown, "it"), "there is no service \"db\"");
	assert_check(impossible, "it", "error");
	assert_contains(bench_message(impossible, "it"), "exec_not_possible");
}

/* ---- prometheus ---------------------------------------------------------------------------- */

static void a_job_without_any_target_counts_as_down(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(*state,
				   "smoke:\n  - { name: it, prometheus: { base: \"${url}\", jobs: "
				   "[frontend, gone] }, expect: "
				   "[ \"targets.down == 0\" ] }\n",
				   NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "saw 1 (gone: has no target)");
}

static void the_values_of_a_query_are_compared(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(*state,
				   "smoke:\n"
				   "  - { name: good, prometheus: { base: \"${url}\", query: \"up "
				   "> 0\", ignore: [etcd] }, "
				   "expect: [ \"query.count == 2\", \"query.min == 0.5\", "
				   "\"query.max == 1\", \"query.value "
				   "== 1\", \"targets.total == 2\" ] }\n"
				   "  - { name: bad, prometheus: { base: \"${url}\", query: up }, "
				   "expect: [ \"query.min >= 1\" "
				   "] }\n",
				   NULL);

	assert_check(report, "good", "passed");
	assert_check(report, "bad", "failed");
}

/* ---- http ---------------------------------------------------------------------------------- */

static void requests_are_made_as_the_plan_says(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n"
	    "  - name: form\n"
	    "    http: { path: /echo, form: { a: \"1 & 2\", \"b[]\": \"${environment.name}\" }, "
	    "headers: "
	    "{ X-Test: \"yes\" } }\n"
	    "    expect: [ \"body contains 'body=a=1%20%26%202&b%5B%5D=name'\", \"body contains "
	    "'application/x-www-form-urlencoded'\", \"body contains 'x-test=yes'\", \"body "
	    "contains "
	    "'method=2'\" ]\n"
	    "  - name: json\n"
	    "    http: { path: /echo, json: { a: [1, \"${environment.id}\", true] } }\n"
	    "    expect: [ 'body contains ''body={\"a\":[1,\"id\",true]}''', \"body contains "
	    "'application/json'\" ]\n"
	    "  - name: put\n"
	    "    http: { method: PUT, path: /echo, body: \"$${plain} text\" }\n"
	    "    expect: [ \"body contains 'body=$${plain} text'\", \"body contains 'method=8'\" "
	    "]\n"
	    "  - name: head\n"
	    "    http: { method: HEAD, path: / }\n"
	    "    expect: [ \"status == 200\", \"size == 0\", \"header.server exists\" ]\n",
	    NULL);

	assert_check(report, "form", "passed");
	assert_check(report, "json", "passed");
	assert_check(report, "put", "passed");
	assert_check(report, "head", "passed");
}

static void cookies_are_kept_for_the_check_and_not_for_the_next(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n"
	    "  - name: first\n"
	    "    steps:\n"
	    "      - http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	    "        expect: [ \"status == 302\" ]\n"
	    "      - http: { path: /echo }\n"
	    "        expect: [ \"body contains 'cookie=token='\", \"jwt.token.user == 'testuser'\" "
	    "]\n"
	    "  - name: second\n"
	    "    http: { path: /echo }\n"
	    "    expect: [ \"body !contains 'cookie=token='\" ]\n",
	    NULL);

	assert_check(report, "first", "passed");
	assert_check(report, "second", "passed");
}

static void redirects_are_followed_only_when_asked_and_three_times_at_most(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n"
	    "  - { name: never, http: { path: /hop/1 }, expect: [ \"status == 302\", \"redirects "
	    "== 0\" "
	    "] }\n"
	    "  - { name: three, http: { path: /hop/3, follow: true }, expect: [ \"status == 200\", "
	    "\"redirects == 3\", \"body == 'arrived'\", \"url ~ '/hop/0$'\" ] }\n"
	    "  - { name: four, http: { path: /hop/4, follow: true }, expect: [ \"status == 200\" ] "
	    "}\n",
	    NULL);

	assert_check(report, "never", "passed");
	assert_check(report, "three", "passed");
	assert_check(report, "four", "failed");
	assert_contains(bench_message(report, "four"), "more than 3 redirects");
}

static void json_is_asked_for_by_path(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n"
	    "  - name: good\n"
	    "    http: { path: /z/health }\n"
	    "    expect: [ \"json.components.ledger.status == 'UP'\", \"json.checked[1] == 2\", "
	    "\"json.checked.# == 3\", \"json.components.cache !exists\" ]\n"
	    "  - { name: missing, http: { path: /z/health }, expect: [ \"json.components.cache == "
	    "'UP'\" ] }\n"
	    "  - { name: none, http: { path: /login }, expect: [ \"json.status == 'UP'\" ] }\n",
	    NULL);

	assert_check(report, "good", "passed");
	assert_contains(bench_message(report, "missing"),
			"saw nothing (there is no \"components.cache\" in the JSON)");
	assert_contains(bench_message(report, "none"), "saw nothing (the body is not JSON)");
}

static void a_capture_that_finds_nothing_fails_the_step(void **state)
{
	AUTO(json_decref)
	json_t *report =
	    bench_run(*state,
		      "smoke:\n"
		      "  - name: it\n"
		      "    steps:\n"
		      "      - http: { path: / }\n"
		      "        expect: [ \"status == 200\" ]\n"
		      "        capture: { balance: { from: body, match: 'balance=([0-9]+)' } }\n"
		      "      - http: { path: \"/${balance}\" }\n"
		      "        expect: [ \"status == 200\" ]\n",
		      NULL);

	assert_check(report, "it", "failed");
	assert_contains(
	    bench_message(report, "it"),
	    "step 1, GET /: capture balance from body: saw no match for 'balance=([0-9]+)'");
}

static void a_body_without_end_is_cut_off(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n  - { name: it, http: { path: /large }, expect: [ \"status == 200\" ] }\n",
	    NULL);

	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "larger than 4194304 bytes");
}

#define story(name) cmocka_unit_test_setup_teardown(name, start_bank, stop_bank)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_good_certificate_is_told_in_full),
		story(a_tls_version_that_is_too_old_is_caught),
		story(a_name_that_is_missing_in_the_certificate_is_caught),
		cmocka_unit_test(bad_certificates_are_caught_each_for_its_own_reason),
		story(a_port_that_speaks_no_tls_is_caught),
		story(https_without_the_right_ca_is_refused),
		story(an_open_port_is_connected_and_a_closed_one_says_why_not),
		story(a_name_is_looked_up_inside_the_service),
		story(a_name_that_is_unknown_inside_the_service_is_caught),
		story(a_service_without_getent_cannot_be_judged),
		story(a_name_is_looked_up_from_here),
		story(a_command_inside_a_service_is_judged_by_status_and_output),
		story(what_cannot_be_run_inside_is_an_error),
		story(a_job_without_any_target_counts_as_down),
		story(the_values_of_a_query_are_compared),
		story(requests_are_made_as_the_plan_says),
		story(cookies_are_kept_for_the_check_and_not_for_the_next),
		story(redirects_are_followed_only_when_asked_and_three_times_at_most),
		story(json_is_asked_for_by_path),
		story(a_capture_that_finds_nothing_fails_the_step),
		story(a_body_without_end_is_cut_off),
	};

	return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
