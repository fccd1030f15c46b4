/* Where a base of a cluster leads, and where it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "check/cluster_way.h"

static char server[] = "https://10.0.0.1:6443";
static const struct kube_access cluster = { .server = server };

static bool go(const char *base, const char *path, const char *method, char **url,
	       struct error *err)
{
	const struct check_http http = { .method = (char *)(uintptr_t)method };

	*url = NULL;
	return cluster_way_url(&cluster, &http, base, path, url, err);
}

static void bases_lead_to_services_and_to_the_api(void **unused)
{
	static const struct {
		const char *base, *path, *method, *url;
	} rows[] = {
		{ "cluster://bos/frontend:80", "/login?a=b", "POST",
		  "https://10.0.0.1:6443/api/v1/namespaces/bos/services/http:frontend:80/proxy/"
		  "login?a=b" },
		{ "cluster+https://logstore/elastic:http", "/", "GET",
		  "https://10.0.0.1:6443/api/v1/namespaces/logstore/services/https:elastic:http/"
		  "proxy/" },
		{ "cluster:", "/version", "GET", "https://10.0.0.1:6443/version" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *url = NULL;
		struct error err;

		assert_true(cluster_way_is_base(rows[i].base));
		if (!go(rows[i].base, rows[i].path, rows[i].method, &url, &err))
			fail_msg("%s: %s", rows[i].base, err.message);
		assert_string_equal(url, rows[i].url);
	}
	assert_false(cluster_way_is_base("https://cluster"));
}

static void what_would_lead_elsewhere_is_refused(void **unused)
{
	static const struct {
		const char *base, *path, *method, *words;
	} rows[] = {
		{ "cluster://bos/frontend:80", "/../../secrets", "GET", "stay below it" },
		{ "cluster://bos/frontend:80", "/%2E%2e/x", "GET", "stay below it" },
		{ "cluster://bos/frontend:80", "/a%2fb", "GET", "stay below it" },
		{ "cluster://bos/frontend:80", "login", "GET", "must begin with" },
		{ "cluster://bos/frontend", "/", "GET", "expected NAMESPACE/SERVICE:PORT" },
		{ "cluster://bos/front/end:80", "/", "GET", "expected NAMESPACE/SERVICE:PORT" },
		{ "cluster://frontend:80", "/", "GET", "expected NAMESPACE/SERVICE:PORT" },
		{ "cluster://bos/frontend:80/proxy", "/", "GET",
		  "expected NAMESPACE/SERVICE:PORT" },
		{ "cluster+https://bos/", "/", "GET", "cluster+https://bos/" },
		{ "cluster:bos", "/", "GET", "expected cluster:" },
		{ "cluster:", "/api/v1/namespaces/bos", "DELETE", "may read the API" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *url = NULL;
		struct error err;

		assert_false(go(rows[i].base, rows[i].path, rows[i].method, &url, &err));
		if (!strstr(err.message, rows[i].words))
			fail_msg("\"%s\" does not say \"%s\"", err.message, rows[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bases_lead_to_services_and_to_the_api),
		cmocka_unit_test(what_would_lead_elsewhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
