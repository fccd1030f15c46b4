/* A check reaches its own environment and nothing else. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "check/address_guard.h"
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

static bool allows_v4(struct address_guard *guard, const char *ip, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
	return address_guard_allows(guard, (const struct sockaddr *)&address);
}

static bool allows_v6(struct address_guard *guard, const char *ip, int port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons((uint16_t)port) };

	assert_int_equal(inet_pton(AF_INET6, ip, &address.sin6_addr), 1);
	return address_guard_allows(guard, (const struct sockaddr *)&address);
}

static void an_address_is_allowed_with_its_own_port_only(void **unused)
{
	AUTO(json_decref)
	json_t *addresses = json_pack("[{s:s, s:i}]", "host", "127.0.0.1", "port", 8443);
	AUTO(address_guard_free)
	struct address_guard *guard = address_guard_new(addresses, NULL, NULL, false);

	(void)unused;
	assert_true(allows_v4(guard, "127.0.0.1", 8443));
	assert_true(allows_v6(guard, "::ffff:127.0.0.1", 8443));
	assert_false(allows_v4(guard, "127.0.0.1", 8444));
	assert_false(allows_v4(guard, "127.0.0.2", 8443));
	assert_false(allows_v4(guard, "169.254.169.254", 80));
	assert_false(allows_v6(guard, "::1", 8443));
}

static void outputs_and_allow_count_only_when_trusted(void **unused)
{
	AUTO(json_decref)
	json_t *outputs = json_pack("{s:s, s:s, s:s}", "url", "https://10.1.2.3", "db",
				    "10.1.2.4:5432", "six", "http://[fd00::1]:81/path");
	const char *const allow[] = { "10.1.2.5", "10.1.2.6:99", "[fd00::2]:82", "fd00::3", NULL };
	AUTO(address_guard_free)
	struct address_guard *trusted = address_guard_new(NULL, outputs, allow, true);
	AUTO(address_guard_free)
	struct address_guard *untrusted = address_guard_new(NULL, outputs, allow, false);

	(void)unused;
	assert_true(allows_v4(trusted, "10.1.2.3", 443));
	assert_false(allows_v4(trusted, "10.1.2.3", 80));
	assert_true(allows_v4(trusted, "10.1.2.4", 5432));
	assert_true(allows_v6(trusted, "fd00::1", 81));
	assert_true(allows_v4(trusted, "10.1.2.5", 12345));
	assert_true(allows_v4(trusted, "10.1.2.6", 99));
	assert_false(allows_v4(trusted, "10.1.2.6", 98));
	assert_true(allows_v6(trusted, "fd00::2", 82));
	assert_true(allows_v6(trusted, "fd00::3", 83));
	assert_false(allows_v4(untrusted, "10.1.2.3", 443));
	assert_false(allows_v4(untrusted, "10.1.2.4", 5432));
	assert_false(allows_v4(untrusted, "10.1.2.5", 1));
}

/* The bank's plain port is not in the list of these, only its TLS port. */
static json_t *run_confined(const struct fake_bank *bank, const char *checks, bool is_trusted)
{
	AUTO(json_decref)
	json_t *addresses = json_pack("[{s:s, s:s, s:i, s:i}]", "service", "ingress", "host",
				      "127.0.0.1", "port", bank->https_port, "container_port", 443);
	struct check_request request = { .run_smoke = true,
					 .run_load = true,
					 .addresses = addresses,
					 .is_trusted = is_trusted };

	return bench_run_as(bank, checks, &request);
}

static void assert_refused(const json_t *report, const char *name)
{
	assert_check(report, name, "error");
	assert_contains(bench_message(report, name), "is not an address of this environment");
	assert_contains(bench_message(report, name), "address_not_allowed");
}

static void no_spelling_of_an_address_gets_around_the_list(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(free)
	char *checks = xasprintf(
	    "smoke:\n"
	    "  - { name: own, http: { path: / }, expect: [ \"status == 200\" ] }\n"
	    "  - { name: port, http: { base: \"http://127.0.0.1:%d\", path: / }, expect: [ "
	    "\"status "
	    "== 200\" ] }\n"
	    "  - { name: hex, http: { base: \"http://0x7f000001:%d\", path: / }, expect: [ "
	    "\"status "
	    "== 200\" ] }\n"
	    "  - { name: decimal, http: { base: \"http://2130706433:%d\", path: / }, expect: [ "
	    "\"status == 200\" ] }\n"
	    "  - { name: short, http: { base: \"http://127.1:%d\", path: / }, expect: [ \"status "
	    "== "
	    "200\" ] }\n"
	    "  - { name: name, http: { base: \"http://localhost:%d\", path: / }, expect: [ "
	    "\"status "
	    "== 200\" ] }\n"
	    "  - { name: metadata, http: { base: \"http://169.254.169.254\", path: / }, expect: [ "
	    "\"status == 200\" ] }\n"
	    "  - { name: tcp, tcp: { host: 127.0.0.1, port: %d } }\n"
	    "  - { name: tls, tls: { host: 127.0.0.1, port: %d }, expect: [ \"tls.version >= 1.2\" "
	    "] "
	    "}\n"
	    "  - { name: metrics, prometheus: { base: \"http://127.0.0.1:%d\" }, expect: [ ready ] "
	    "}\n",
	    bank->http_port, bank->http_port, bank->http_port, bank->http_port, bank->http_port,
	    bank->http_port, bank->http_port, bank->http_port);
	AUTO(json_decref) json_t *report = run_confined(bank, checks, false);
	static const char *const refused[] = { "port",     "hex", "decimal", "short",   "name",
					       "metadata", "tcp", "tls",     "metrics", NULL };

	assert_check(report, "own", "passed");
	for (size_t i = 0; refused[i]; i++)
		assert_refused(report, refused[i]);
	assert_string_equal(json_get_string(report, "verdict", ""), "inconclusive");
}

static void a_redirect_does_not_lead_out(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(free)
	char *checks = xasprintf("smoke:\n"
				 "  - { name: out, http: { path: \"/away?http://127.0.0.1:%d/\", "
				 "follow: true }, expect: [ "
				 "\"status == 200\" ] }\n"
				 "  - { name: file, http: { path: \"/away?file:///etc/passwd\", "
				 "follow: true }, expect: [ "
				 "\"status == 200\" ] }\n"
				 "  - { name: stay, http: { path: \"/away?http://127.0.0.1:%d/\" "
				 "}, expect: [ \"status == "
				 "302\" ] }\n"
				 "  - name: captured\n"
				 "    steps:\n"
				 "      - http: { path: \"/away?http://127.0.0.1:%d/\" }\n"
				 "        expect: [ \"status == 302\" ]\n"
				 "        capture: { next: header.location }\n"
				 "      - http: { path: \"${next}\" }\n"
				 "        expect: [ \"status == 200\" ]\n",
				 bank->http_port, bank->http_port, bank->http_port);
	AUTO(json_decref) json_t *report = run_confined(bank, checks, false);

	assert_refused(report, "out");
	assert_refused(report, "captured");
	assert_check(report, "file", "failed");
	assert_check(report, "stay", "passed");
}

static void a_refusal_is_not_tried_again(void **state)
{
	AUTO(json_decref)
	json_t *report = run_confined(
	    *state,
	    "smoke:\n  - { name: it, http: { base: \"http://127.0.0.1:1\", path: / }, expect: [ "
	    "\"status == 200\" ], eventually: { timeout: 1h, interval: 1s } }\n",
	    false);

	assert_refused(report, "it");
	assert_int_equal(json_get_int64(bench_smoke(report, "it"), "attempts", 0), 1);
}

/* Only the environment knows the name of its load balancer. */
static void what_is_allowed_may_be_an_output_and_counts_with_its_port_only(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(free)
	char *checks = xasprintf("allow: [ \"${host}:%d\" ]\nsmoke:\n"
				 "  - { name: it, tcp: { host: \"${host}\", port: %d } }\n"
				 "  - { name: other, tcp: { host: \"${host}\", port: 1 } }\n",
				 bank->http_port, bank->http_port);
	AUTO(json_decref) json_t *trusted = run_confined(bank, checks, true);
	AUTO(json_decref) json_t *untrusted = run_confined(bank, checks, false);

	assert_check(trusted, "it", "passed");
	assert_refused(trusted, "other");
	assert_refused(untrusted, "it");
}

static void a_trusted_plan_may_allow_more_and_an_untrusted_one_may_not(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(free)
	char *checks = xasprintf("allow: [ \"127.0.0.1:%d\" ]\n"
				 "smoke:\n  - { name: it, tcp: { host: 127.0.0.1, port: %d } }\n",
				 bank->http_port, bank->http_port);
	AUTO(json_decref) json_t *trusted = run_confined(bank, checks, true);
	AUTO(json_decref) json_t *untrusted = run_confined(bank, checks, false);

	assert_check(trusted, "it", "passed");
	assert_refused(untrusted, "it");
}

static void a_load_check_is_confined_as_well(void **state)
{
	AUTO(json_decref)
	json_t *report = run_confined(
	    *state,
	    "load:\n  - { name: it, rate: 50/s, duration: 200ms, steps: [ { http: { base: "
	    "\"http://127.0.0.1:1\", path: / }, expect: [ \"status == 200\" ] } ], thresholds: [ "
	    "\"errors count == 0\" ] }\n",
	    false);
	const json_t *load = json_array_get(json_object_get(report, "load"), 0);

	assert_string_equal(json_get_string(load, "verdict", ""), "inconclusive");
	assert_contains(json_get_string(load, "message", ""), "address_not_allowed");
}

#define story(name) cmocka_unit_test_setup_teardown(name, start_bank, stop_bank)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_allowed_with_its_own_port_only),
		cmocka_unit_test(outputs_and_allow_count_only_when_trusted),
		story(no_spelling_of_an_address_gets_around_the_list),
		story(a_redirect_does_not_lead_out),
		story(a_refusal_is_not_tried_again),
		story(what_is_allowed_may_be_an_output_and_counts_with_its_port_only),
		story(a_trusted_plan_may_allow_more_and_an_untrusted_one_may_not),
		story(a_load_check_is_confined_as_well),
	};

	return cmocka_run_group_tests_name("address guard", tests, NULL, NULL);
}
