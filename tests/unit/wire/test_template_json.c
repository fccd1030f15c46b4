#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "wire/template_json.h"

static const char yaml[] =
    "apiVersion: envd/v1\nname: demo\ndescription: a demo\nchecks: checks.yaml\n"
    "parameters:\n"
    "  users: { type: integer, default: 10, minimum: 1, maximum: 1000, description: accounts }\n"
    "  wait: { type: duration, minimum: 1s }\n"
    "  size: { type: string, default: s, enum: [s, l], pattern: '[a-z]' }\n"
    "components:\n"
    "  web: { default: '1.0', versions: ['1.0', '2.0'], image: 'web:{version}', description: front "
    "}\n"
    "  any: { default: latest }\n"
    "  all: { members: [web], versions: ['1.0'] }\n"
    "limits: { provision: 3m, lease: { default: 1h, minimum: 1m, maximum: 2h }, attempts: 1 }\n"
    "price: { per_hour: 0.12, currency: EUR, note: cheap }\n"
    "outputs: { url: 'http://{{web.host}}', ca: { service: web, file: /ca.pem } }\n";

static struct template *parse(const char *text)
{
	struct template *template = NULL;
	struct error err;

	if (!template_parse(text, strlen(text), "template.yaml", NULL, &template, &err))
		fail_msg("%s", err.message);
	return template;
}

static void a_template_is_shown_as_documented(void **unused)
{
	AUTO(template_free) struct template *template = parse(yaml);
	AUTO(json_decref) json_t *json = template_json(template, "abc123", true);
	AUTO(free) char *text = json_to_text(json);

	(void)unused;
	assert_string_equal(
	    text,
	    "{\"apiVersion\":\"envd/"
	    "v1\",\"kind\":\"Template\",\"name\":\"demo\",\"description\":\"a demo\","
	    "\"engine\":\"container\",\"digest\":\"abc123\",\"trusted\":true,\"parameters\":["
	    "{\"name\":\"users\",\"type\":\"integer\",\"description\":\"accounts\",\"variable\":"
	    "\"USERS\","
	    "\"default\":10,\"minimum\":1,\"maximum\":1000},"
	    "{\"name\":\"wait\",\"type\":\"duration\",\"description\":\"\",\"variable\":\"WAIT\","
	    "\"minimum\":\"1s\"},"
	    "{\"name\":\"size\",\"type\":\"string\",\"description\":\"\",\"variable\":\"SIZE\","
	    "\"default\":\"s\","
	    "\"enum\":[\"s\",\"l\"],\"pattern\":\"[a-z]\",\"max_length\":1024}],"
	    "\"components\":[{\"name\":\"web\",\"description\":\"front\",\"versions\":[\"1.0\",\"2."
	    "0\"],"
	    "\"default\":\"1.0\"},{\"name\":\"any\",\"description\":\"\",\"versions\":[],"
	    "\"default\":\"latest\"},"
	    "{\"name\":\"all\",\"description\":\"\",\"versions\":[\"1.0\"],\"members\":[\"web\"]}],"
	    "\"limits\":{\"provision_ms\":180000,\"attempts\":1,\"lease\":{\"default_ms\":3600000,"
	    "\"minimum_ms\":60000,\"maximum_ms\":7200000}},"
	    "\"price\":{\"per_hour\":0.12,\"currency\":\"EUR\",\"note\":\"cheap\",\"components\":[]"
	    "},"
	    "\"outputs\":[\"url\",\"ca\"],\"checks\":true}");
}

static void an_unknown_digest_is_null(void **unused)
{
	AUTO(template_free) struct template *template = parse("apiVersion: envd/v1\nname: demo\n");
	AUTO(json_decref) json_t *json = template_json(template, NULL, false);

	(void)unused;
	assert_true(json_is_null(json_object_get(json, "digest")));
	assert_true(json_is_false(json_object_get(json, "trusted")));
	assert_true(json_is_false(json_object_get(json, "checks")));
	assert_int_equal(json_array_size(json_object_get(json, "parameters")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_is_shown_as_documented),
		cmocka_unit_test(an_unknown_digest_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
