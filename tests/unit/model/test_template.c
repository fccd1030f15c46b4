#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "model/template.h"

#define HEAD "apiVersion: envd/v1\nname: demo\n"

static struct template *parse(const char *yaml)
{
	struct template *template = NULL;
	struct error err;

	if (!template_parse(yaml, strlen(yaml), "template.yaml", "demo", &template, &err))
		fail_msg("%s", err.message);
	return template;
}

static void assert_refused(const char *yaml, const char *message, const char *hint)
{
	struct template *template = NULL;
	struct error err;

	if (template_parse(yaml, strlen(yaml), "template.yaml", "demo", &template, &err)) {
		template_free(template);
		fail_msg("accepted: %s", yaml);
	}
	assert_null(template);
	assert_string_equal(err.message, message);
	assert_string_equal(err.hint, hint);
	assert_int_equal(err.code, ERR_INVALID);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void a_short_template_has_the_documented_defaults(void **unused)
{
	AUTO(template_free) struct template *template = parse(HEAD);

	(void)unused;
	assert_string_equal(template->name, "demo");
	assert_string_equal(template->description, "");
	assert_string_equal(template->engine, "container");
	assert_string_equal(template->source, "compose.yaml");
	assert_string_equal(template->sources[0], "compose.yaml");
	assert_null(template->sources[1]);
	assert_null(template->checks);
	assert_int_equal(template->limits.provision_ms, 600000);
	assert_int_equal(template->limits.lease_default_ms, 7200000);
	assert_int_equal(template->limits.lease_min_ms, 10000);
	assert_int_equal(template->limits.lease_max_ms, 86400000);
	assert_int_equal(template->limits.attempts, 2);
	assert_int_equal(template->limits.memory_bytes, 0);
	assert_int_equal(template->price.microcents_per_hour, 0);
	assert_string_equal(template->price.currency, "USD");
}

static void a_whole_template_is_read(void **unused)
{
	AUTO(template_free)
	struct template *template = parse(
	    HEAD
	    "description: all of it\nengine: external\nsource: /opt/engine\nchecks: "
	    "checks/smoke.yaml\n"
	    "parameters:\n"
	    "  size: { type: string, enum: [small, large], default: small, description: how big }\n"
	    "  wait: { type: duration, minimum: 1s, maximum: 1h }\n"
	    "components:\n"
	    "  web: { default: '1.0', versions: ['1.0', '2.0'], image: 'web:{version}', "
	    "description: it }\n"
	    "  db: { default: '17', variable: PG }\n"
	    "  all: { members: [web] }\n"
	    "limits: { provision: 3m, lease: { default: 1h, minimum: 1m, maximum: 2h }, memory: "
	    "512MiB, attempts: "
	    "1 }\n"
	    "price: { per_hour: 0.125, currency: EUR, note: cheap }\n"
	    "outputs:\n  url: 'https://{{web.host}}:{{web.port.443}}'\n  ca: { service: web, file: "
	    "/ca.pem }\n");

	(void)unused;
	assert_string_equal(template->source, "/opt/engine");
	assert_string_equal(template->checks, "checks/smoke.yaml");
	assert_int_equal(template->parameter_count, 2);
	assert_string_equal(template->parameters[0].variable, "SIZE");
	assert_int_equal(template->parameters[1].type, PARAMETER_DURATION);
	assert_null(template->parameters[1].default_value);
	assert_int_equal(template->component_count, 3);
	assert_string_equal(template->components[0].variable, "WEB_IMAGE");
	assert_string_equal(template->components[1].variable, "PG");
	assert_null(template->components[1].image);
	assert_true(template_component_is_group(template_component_find(template, "all")));
	assert_null(template_component_find(template, "none"));
	assert_int_equal(template->limits.provision_ms, 180000);
	assert_int_equal(template->limits.lease_max_ms, 7200000);
	assert_int_equal(template->limits.attempts, 1);
	assert_int_equal(template->limits.memory_bytes, INT64_C(512) << 20);
	assert_int_equal(template->price.microcents_per_hour, 12500000);
	assert_string_equal(template->price.currency, "EUR");
	assert_int_equal(template->output_count, 2);
	assert_string_equal(template->outputs[1].file, "/ca.pem");
	assert_null(template->outputs[1].text);
}

static void prices_are_read_digit_by_digit(void **unused)
{
	static const struct {
		const char *text;
		int64_t microcents;
	} cases[] = { { "0", 0 },
		      { "0.1", 10000000 },
		      { "0.10", 10000000 },
		      { "0.00000001", 1 },
		      { "3", 300000000 },
		      { "1000000", 100000000000000 },
		      { "12.3456", 1234560000 } };
	static const char *const wrong[] = { "-1",      "1.",   ".5",  "1e3", "0.000000001",
					     "1000001", "free", "1,5", "0x10" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = xasprintf(HEAD "price: { per_hour: %s }\n", cases[i].text);
		AUTO(template_free) struct template *template = parse(yaml);

		assert_int_equal(template->price.microcents_per_hour, cases[i].microcents);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free) char *yaml = xasprintf(HEAD "price: { per_hour: '%s' }\n", wrong[i]);
		AUTO(free)
		char *message =
		    xasprintf("template.yaml:3:20: \"per_hour\" must be an amount such as 0.12, at "
			      "most 1000000 (got \"%s\")",
			      wrong[i]);

		assert_refused(yaml, message, "");
	}
}

static void a_default_lease_follows_its_bounds(void **unused)
{
	AUTO(template_free)
	struct template *low = parse(HEAD "limits: { lease: { maximum: 30m } }\n");
	AUTO(template_free)
	struct template *high = parse(HEAD "limits: { lease: { minimum: 3h } }\n");

	(void)unused;
	assert_int_equal(low->limits.lease_default_ms, 1800000);
	assert_int_equal(high->limits.lease_default_ms, 10800000);
}

static void mistakes_are_named_with_their_place(void **unused)
{
	static const struct {
		const char *yaml, *message, *hint;
	} cases[] = {
		{ "", "template.yaml:1:1: must be a map (got nothing)", "" },
		{ "name: demo\n", "template.yaml:1:1: \"apiVersion\" is missing", "" },
		{ "apiVersion: envd/v2\nname: demo\n",
		  "template.yaml:1:13: apiVersion \"envd/v2\" is not known (expected envd/v1)",
		  "" },
		{ "apiVersion: envd/v1\n", "template.yaml:1:1: \"name\" is missing", "" },
		{ "apiVersion: envd/v1\nname: other\n",
		  "template.yaml:2:7: name \"other\" must be that of its folder, \"demo\"", "" },
		{ "apiVersion: envd/v1\nname: Demo\n",
		  "template.yaml:2:7: name \"Demo\" must be 1 to 40 of a-z, 0-9 and \"-\" and "
		  "start with a letter",
		  "" },
		{ HEAD "component: {}\n", "template.yaml:3:1: unknown key \"component\"",
		  "did you mean \"components\"?" },
		{ HEAD "colour: red\n", "template.yaml:3:1: unknown key \"colour\"",
		  "known: apiVersion, name, description, engine, source, targets, checks, "
		  "parameters, components, limits, price, outputs" },
		{ HEAD "engine: pulmi\n", "template.yaml:3:9: there is no engine \"pulmi\"",
		  "did you mean \"pulumi\"?" },
		{ HEAD "engine: \"\"\n", "template.yaml:3:9: there is no engine \"\"",
		  "known: container, external, pulumi" },
		{ HEAD "name: x\n",
		  "template.yaml:3:1: key \"name\" is there twice (first at line 2)", "" },
		{ HEAD "source: ../compose.yaml\n",
		  "template.yaml:3:9: \"source\" must be a path inside the template's folder (got "
		  "\"../compose.yaml\")",
		  "" },
		{ HEAD "source: /etc/compose.yaml\n",
		  "template.yaml:3:9: \"source\" must be a path inside the template's folder (got "
		  "\"/etc/compose.yaml\")",
		  "" },
		{ HEAD "checks: a/../../b\n",
		  "template.yaml:3:9: \"checks\" must be a path inside the template's folder (got "
		  "\"a/../../b\")",
		  "" },
		{ HEAD "engine: external\n", "template.yaml:1:1: \"source\" is missing", "" },
		{ HEAD "source: [compose.yaml, ../more.yaml]\n",
		  "template.yaml:3:24: \"source\" must be paths inside the template's folder", "" },
		{ HEAD "source: []\n", "template.yaml:3:9: \"source\" must name 1 to 10 files",
		  "" },
		{ HEAD "parameters: []\n",
		  "template.yaml:3:13: \"parameters\" must be a map (got a list)", "" },
		{ HEAD "parameters: { a: 5 }\n",
		  "template.yaml:3:18: parameter \"a\" must be a map (got a value)", "" },
		{ HEAD "parameters: { A: { type: string } }\n",
		  "template.yaml:3:15: parameter \"A\" must be 1 to 40 of a-z, 0-9, \"_\" and "
		  "\"-\" and start with a "
		  "letter",
		  "" },
		{ HEAD "parameters: { a: {} }\n", "template.yaml:3:18: \"type\" is missing", "" },
		{ HEAD "parameters: { a: { type: int } }\n",
		  "template.yaml:3:26: there is no type \"int\" (expected string, integer, number, "
		  "boolean or duration)",
		  "" },
		{ HEAD "parameters: { a: { type: sting } }\n",
		  "template.yaml:3:26: there is no type \"sting\" (expected string, integer, "
		  "number, boolean or "
		  "duration)",
		  "did you mean \"string\"?" },
		{ HEAD "parameters: { a: { type: boolean, minimum: 1 } }\n",
		  "template.yaml:3:35: unknown key \"minimum\"",
		  "known: type, default, description, variable" },
		{ HEAD "parameters: { a: { type: integer, default: 5, maximum: 4 } }\n",
		  "template.yaml:3:44: \"default\": parameter \"a\" may not pass 4 (got \"5\")",
		  "" },
		{ HEAD "parameters: { a: { type: integer, default: 1.5 } }\n",
		  "template.yaml:3:44: \"default\": parameter \"a\" must be a whole number (got "
		  "\"1.5\")",
		  "" },
		{ HEAD "parameters: { a: { type: integer, minimum: 5, maximum: 4 } }\n",
		  "template.yaml:3:44: \"minimum\" is above \"maximum\"", "" },
		{ HEAD "parameters: { a: { type: duration, minimum: 90 } }\n",
		  "template.yaml:3:45: \"minimum\": parameter \"a\" must be a duration, such as "
		  "90s, 10m or 1h30m (got "
		  "\"90\")",
		  "" },
		{ HEAD "parameters: { a: { type: string, default: 1.20 } }\n",
		  "template.yaml:3:43: \"default\": parameter \"a\" must be text (got \"1.2\")",
		  "" },
		{ HEAD "parameters: { a: { type: string, enum: [x, 1] } }\n",
		  "template.yaml:3:44: \"enum\" holds texts: write numbers and such in quotes",
		  "" },
		{ HEAD "parameters: { a: { type: string, enum: [] } }\n",
		  "template.yaml:3:40: \"enum\" must be a list of 1 to 100 texts", "" },
		{ HEAD "parameters: { a: { type: string, pattern: '(' } }\n",
		  "template.yaml:3:43: pattern \"(\" is not a POSIX extended regular expression",
		  "" },
		{ HEAD "parameters: { a: { type: string, pattern: '(x{100}){100}' } }\n",
		  "template.yaml:3:43: pattern \"(x{100}){100}\" repeats too often with {...}",
		  "" },
		{ HEAD "parameters: { a: { type: string, pattern: '(a)\\1' } }\n",
		  "template.yaml:3:43: pattern \"(a)\\1\" refers to a group, such as \\1", "" },
		{ HEAD "parameters: { a: { type: string, max_length: 0 } }\n",
		  "template.yaml:3:46: \"max_length\" must be 1 to 4096", "" },
		{ HEAD "parameters: { a: { type: string, variable: ENVD_NAME } }\n",
		  "template.yaml:3:44: \"ENVD_NAME\" cannot be a variable: 1 to 64 of A-Z, a-z, "
		  "0-9 and \"_\", no digit "
		  "first, and not ENVD_...",
		  "" },
		{ HEAD "parameters: { a: { type: string, variable: X }, b: { type: string, "
		       "variable: X } }\n",
		  "template.yaml:3:49: variable \"X\" is that of \"a\" already", "" },
		{ HEAD "parameters: { a: { type: string, variable: X } }\ncomponents: { c: { "
		       "default: '1', variable: X } }\n",
		  "template.yaml:4:15: variable \"X\" is that of \"a\" already", "" },
		{ HEAD "components: { a: {} }\n", "template.yaml:3:18: \"default\" is missing",
		  "" },
		{ HEAD "components: { a: { default: 1.20 } }\n",
		  "template.yaml:3:29: version 1.20 must be in quotes",
		  "write \"1.20\": without quotes it is a number, and 1.20 is 1.2" },
		{ HEAD "components: { a: { default: '1', versions: ['2'] } }\n",
		  "template.yaml:3:29: default \"1\" is not among its versions", "" },
		{ HEAD "components: { a: { default: '1', versions: [] } }\n",
		  "template.yaml:3:44: \"versions\" must be a list with something in it", "" },
		{ HEAD "components: { a: { default: '1', versions: ['1', '1'] } }\n",
		  "template.yaml:3:50: \"1\" is there twice", "" },
		{ HEAD "components: { a: { default: '-rf' } }\n",
		  "template.yaml:3:29: a version is 1 to 128 letters, digits, \".\", \"_\", \"-\" "
		  "and \"+\", in quotes",
		  "" },
		{ HEAD "components: { a: { default: '1', image: nginx } }\n",
		  "template.yaml:3:41: image \"nginx\" has no {version} in it, so a pin would "
		  "change nothing",
		  "" },
		{ HEAD "components: { a: { default: '1', verions: ['1'] } }\n",
		  "template.yaml:3:34: unknown key \"verions\"", "did you mean \"versions\"?" },
		{ HEAD "components: { a: { members: [b] } }\n",
		  "template.yaml:3:30: member \"b\" of \"a\" is no component", "" },
		{ HEAD "components: { a: { members: [a] } }\n",
		  "template.yaml:3:30: member \"a\" of \"a\" is a group itself", "" },
		{ HEAD "components: { a: { members: [b], default: '1' }, b: { default: '1' } }\n",
		  "template.yaml:3:34: unknown key \"default\"",
		  "a group has members and versions; all else is its members' to say" },
		{ HEAD "components: { a: { members: [b], versions: ['1', '2'] }, b: { default: "
		       "'1', versions: ['1'] } }\n",
		  "template.yaml:3:30: \"a\" has version \"2\", which its member \"b\" has not",
		  "" },
		{ HEAD "limits: { provision: 2 hours }\n",
		  "template.yaml:3:22: provision \"2 hours\" is not a duration (expected a number "
		  "and a unit, such as "
		  "90s, 10m, 2h or 1h30m)",
		  "" },
		{ HEAD "limits: { lease: { minimum: 5s } }\n",
		  "template.yaml:3:29: \"minimum\" must be between 10s and 2160h", "" },
		{ HEAD "limits: { lease: { minimum: 2h, maximum: 1h } }\n",
		  "template.yaml:3:18: the shortest lease is longer than the longest", "" },
		{ HEAD "limits: { lease: { default: 48h } }\n",
		  "template.yaml:3:29: \"default\" is not between \"minimum\" and \"maximum\"",
		  "" },
		{ HEAD "limits: { attempts: 3 }\n",
		  "template.yaml:3:21: \"attempts\" must be 1 or 2", "" },
		{ HEAD "limits: { memory: lots }\n",
		  "template.yaml:3:19: memory \"lots\" is not a size, such as 512MiB or 2GiB", "" },
		{ HEAD "limits: { attempts: two }\n",
		  "template.yaml:3:21: \"attempts\" must be a whole number (got \"two\")", "" },
		{ HEAD "price: { currency: dollars }\n",
		  "template.yaml:3:20: \"currency\" must be three capital letters, such as USD",
		  "" },
		{ HEAD "outputs: { u: '{{web}}' }\n",
		  "template.yaml:3:15: {{web}} is not known (expected environment.id, "
		  "environment.name, SERVICE.host or "
		  "SERVICE.port.NUMBER)",
		  "" },
		{ HEAD "outputs: { u: '{{web.port.x}}' }\n",
		  "template.yaml:3:15: {{web.port.x}} is not known (expected environment.id, "
		  "environment.name, "
		  "SERVICE.host or SERVICE.port.NUMBER)",
		  "" },
		{ HEAD "outputs: { u: '{{web.host' }\n",
		  "template.yaml:3:15: \"{{\" without \"}}\"", "" },
		{ HEAD "outputs: { u: { service: web } }\n",
		  "template.yaml:3:15: output \"u\" needs a \"file\": an absolute path in the "
		  "container",
		  "" },
		{ HEAD "outputs: { u: { file: /x } }\n",
		  "template.yaml:3:15: output \"u\" needs a \"service\"", "" },
		{ HEAD "outputs: { u: }\n",
		  "template.yaml:3:15: output \"u\" must be text, or a map of service and file, or "
		  "of "
		  "layer and output",
		  "" },
		{ HEAD "outputs: { u: { layer: app } }\n",
		  "template.yaml:3:15: output \"u\" needs an \"output\"", "" },
		{ HEAD "outputs: { u: { layer: app, output: url, file: /x } }\n",
		  "template.yaml:3:42: unknown key \"file\"", "known: layer, output" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, cases[i].message, cases[i].hint);
}

static void malformed_yaml_keeps_its_own_slug(void **unused)
{
	struct template *template;
	struct error err;

	(void)unused;
	assert_false(template_parse("a: [", 4, "template.yaml", NULL, &template, &err));
	assert_string_equal(err.slug, "yaml_malformed");
	assert_false(template_parse("a: b", 4, "template.yaml", NULL, &template, &err));
	assert_string_equal(err.slug, "template_invalid");
}

/* ---- folders ------------------------------------------------------------------------------- */

static void a_folder_is_loaded_when_its_files_are_there(void **unused)
{
	char folder[] = "/tmp/test-template-XXXXXX";
	static const char yaml[] = HEAD "checks: checks.yaml\n";
	AUTO(free) char *file = NULL;
	AUTO(free) char *source = NULL;
	AUTO(free) char *checks = NULL;
	AUTO(template_free) struct template *template = NULL;
	struct error err;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	file = path_join(folder, "template.yaml");
	source = path_join(folder, "compose.yaml");
	checks = path_join(folder, "checks.yaml");
	assert_false(template_load(folder, "demo", &template, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_true(file_write_atomically(file, yaml, strlen(yaml), 0600, &err));
	assert_false(template_load(folder, "demo", &template, &err));
	assert_string_equal(err.message,
			    "template.yaml: \"source\" names \"compose.yaml\", which is not there");
	assert_true(file_write_atomically(source, "", 0, 0600, &err));
	assert_false(template_load(folder, "demo", &template, &err));
	assert_string_equal(err.message,
			    "template.yaml: \"checks\" names \"checks.yaml\", which is not there");
	assert_true(file_write_atomically(checks, "", 0, 0600, &err));
	assert_false(template_load(folder, "other", &template, &err));
	assert_true(template_load(folder, "demo", &template, &err));
	assert_true(folder_remove(folder, &err));
}

/* ---- parameters ---------------------------------------------------------------------------- */

static const char with_parameters[] =
    HEAD "parameters:\n"
	 "  users: { type: integer, default: 10, minimum: 1, maximum: 1000 }\n"
	 "  ratio: { type: number, default: 0.5, minimum: 0, maximum: 1 }\n"
	 "  debug: { type: boolean, default: false }\n"
	 "  wait: { type: duration, default: 30s, minimum: 1s, maximum: 1h }\n"
	 "  size: { type: string, default: small, enum: [small, large] }\n"
	 "  host: { type: string, default: a.example, pattern: '[a-z.]{1,20}', max_length: 15 }\n"
	 "  owner: { type: string, description: whom to ask }\n";

static char *resolve(const char *given_text)
{
	AUTO(template_free) struct template *template = parse(with_parameters);
	AUTO(json_decref) json_t *given = json_loads(given_text, 0, NULL);
	AUTO(json_decref) json_t *full = NULL;
	struct error err;

	assert_non_null(given);
	if (!template_resolve_parameters(template, given, &full, &err))
		fail_msg("%s", err.message);
	return json_to_text(full);
}

static void defaults_fill_what_was_not_given(void **unused)
{
	AUTO(free) char *full = resolve("{\"owner\":\"me\"}");

	(void)unused;
	assert_string_equal(
	    full, "{\"users\":10,\"ratio\":0.5,\"debug\":false,\"wait\":\"30s\",\"size\":\"small\","
		  "\"host\":\"a.example\",\"owner\":\"me\"}");
}

static void text_stands_for_every_type(void **unused)
{
	AUTO(free)
	char *full = resolve("{\"owner\":\"5\",\"users\":\"25\",\"ratio\":\"1\",\"debug\":\"true\","
			     "\"wait\":\"1m30s\"}");

	(void)unused;
	assert_string_equal(
	    full, "{\"users\":25,\"ratio\":1,\"debug\":true,\"wait\":\"1m30s\",\"size\":\"small\","
		  "\"host\":\"a.example\",\"owner\":\"5\"}");
}

static void values_at_their_bounds_are_fine(void **unused)
{
	AUTO(free) char *low = resolve("{\"owner\":\"\",\"users\":1,\"ratio\":0,\"wait\":\"1s\"}");
	AUTO(free)
	char *high = resolve("{\"owner\":\"\",\"users\":1000,\"ratio\":1.0,\"wait\":\"60m\"}");

	(void)unused;
	assert_non_null(strstr(low, "\"users\":1,"));
	assert_non_null(strstr(high, "\"users\":1000,"));
}

static void wrong_parameters_say_what_would_be_right(void **unused)
{
	static const struct {
		const char *given, *slug, *message, *hint;
	} cases[] = {
		{ "{\"user\":5}", "unknown_parameter",
		  "template \"demo\" has no parameter \"user\"", "did you mean \"users\"?" },
		{ "{\"elephants\":5}", "unknown_parameter",
		  "template \"demo\" has no parameter \"elephants\"",
		  "known: users, ratio, debug, wait, size, host, owner" },
		{ "{}", "parameter_missing", "parameter \"owner\" must be given",
		  "it is string: whom to ask" },
		{ "{\"users\":0}", "parameter_invalid",
		  "parameter \"users\" must be at least 1 (got \"0\")", "" },
		{ "{\"users\":1001}", "parameter_invalid",
		  "parameter \"users\" may not pass 1000 (got \"1001\")", "" },
		{ "{\"users\":\"ten\"}", "parameter_invalid",
		  "parameter \"users\" must be a whole number (got \"ten\")", "" },
		{ "{\"users\":1.5}", "parameter_invalid",
		  "parameter \"users\" must be a whole number (got \"1.5\")", "" },
		{ "{\"users\":true}", "parameter_invalid",
		  "parameter \"users\" must be a whole number (got \"true\")", "" },
		{ "{\"users\":null}", "parameter_invalid",
		  "parameter \"users\" must be a whole number (got \"null\")", "" },
		{ "{\"users\":\"99999999999999999999\"}", "parameter_invalid",
		  "parameter \"users\" must be a whole number (got \"99999999999999999999\")", "" },
		{ "{\"ratio\":\"half\"}", "parameter_invalid",
		  "parameter \"ratio\" must be a number (got \"half\")", "" },
		{ "{\"ratio\":1.01}", "parameter_invalid",
		  "parameter \"ratio\" may not pass 1 (got \"1.01\")", "" },
		{ "{\"debug\":\"yes\"}", "parameter_invalid",
		  "parameter \"debug\" must be true or false (got \"yes\")", "" },
		{ "{\"debug\":1}", "parameter_invalid",
		  "parameter \"debug\" must be true or false (got \"1\")", "" },
		{ "{\"wait\":\"2 hours\"}", "parameter_invalid",
		  "parameter \"wait\" must be a duration, such as 90s, 10m or 1h30m (got \"2 "
		  "hours\")",
		  "" },
		{ "{\"wait\":\"2h\"}", "parameter_invalid",
		  "parameter \"wait\" may not pass 1h (got \"2h\")", "" },
		{ "{\"wait\":\"0s\"}", "parameter_invalid",
		  "parameter \"wait\" must be at least 1s (got \"0s\")", "" },
		{ "{\"size\":\"huge\"}", "parameter_invalid",
		  "parameter \"size\" must be one of small, large (got \"huge\")", "" },
		{ "{\"size\":5}", "parameter_invalid",
		  "parameter \"size\" must be text (got \"5\")", "" },
		{ "{\"host\":\"UPPER\"}", "parameter_invalid",
		  "parameter \"host\" must match [a-z.]{1,20} (got \"UPPER\")", "" },
		{ "{\"host\":\"a\\nb\"}", "parameter_invalid",
		  "parameter \"host\" must match [a-z.]{1,20} (got \"a?b\")", "" },
		{ "{\"host\":\"abcdefghijklmnop\"}", "parameter_invalid",
		  "parameter \"host\" may not be longer than 15 bytes (got \"abcdefghijklmnop\")",
		  "" },
		{ "{\"owner\":\"a\\u0000b\"}", "parameter_invalid",
		  "parameter \"owner\" must be text (got \"a\")", "whom to ask" },
		{ "[]", "parameter_invalid", "parameters must be an object of names and values",
		  "" },
	};
	AUTO(template_free) struct template *template = parse(with_parameters);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *given = json_loads(cases[i].given, JSON_ALLOW_NUL, NULL);
		json_t *full = NULL;
		struct error err;

		assert_non_null(given);
		assert_false(template_resolve_parameters(template, given, &full, &err));
		assert_null(full);
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.slug, cases[i].slug);
		assert_string_equal(err.hint, cases[i].hint);
	}
}

/* ---- outputs ------------------------------------------------------------------------------- */

static const char with_outputs[] =
    HEAD "outputs:\n"
	 "  url: 'https://{{ingress.host}}:{{ ingress.port.443 }}/?e={{environment.name}}'\n"
	 "  id: '{{environment.id}}'\n"
	 "  dotted: '{{a.b-c_d.port.80}}'\n"
	 "  fixed: 'no { braces } here'\n"
	 "  ca: { service: ingress, file: /ca.pem }\n";

static json_t *addresses(void)
{
	return json_pack("[{s:s,s:s,s:i,s:i}, {s:s,s:s,s:i,s:i}, {s:s,s:s,s:i,s:i}]", "service",
			 "ingress", "host", "127.0.0.1", "port", 40080, "container_port", 80,
			 "service", "ingress", "host", "127.0.0.1", "port", 40443, "container_port",
			 443, "service", "a.b-c_d", "host", "10.0.0.1", "port", 41,
			 "container_port", 80);
}

static void outputs_are_filled_in_and_files_left_to_the_engine(void **unused)
{
	AUTO(template_free) struct template *template = parse(with_outputs);
	AUTO(json_decref) json_t *where = addresses();
	AUTO(json_decref) json_t *outputs = NULL;
	AUTO(free) char *text = NULL;
	struct template_subject subject = { "id-1", "nightly", where };
	struct error err;

	(void)unused;
	assert_true(template_outputs(template, &subject, &outputs, &err));
	text = json_to_text(outputs);
	assert_string_equal(
	    text,
	    "{\"url\":\"https://127.0.0.1:40443/?e=nightly\",\"id\":\"id-1\",\"dotted\":\"41\","
	    "\"fixed\":\"no { braces } here\"}");
}

static void an_output_of_a_port_that_is_not_there_is_refused(void **unused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{{ingress.port.8443}}",
		  "output \"u\": service \"ingress\" does not publish port 8443" },
		{ "{{db.host}}", "output \"u\": service \"db\" publishes no port" },
	};
	AUTO(json_decref) json_t *where = addresses();
	struct template_subject subject = { "id-1", "nightly", where };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = xasprintf(HEAD "outputs: { u: '%s' }\n", cases[i].text);
		AUTO(template_free) struct template *template = parse(yaml);
		json_t *outputs = NULL;
		struct error err;

		assert_false(template_outputs(template, &subject, &outputs, &err));
		assert_null(outputs);
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.slug, "output_invalid");
	}
}

static void add_mention(void *arg, const char *service, int port)
{
	text_format(arg, "%s:%d ", service, port);
}

static void every_service_that_an_output_mentions_is_told(void **unused)
{
	AUTO(template_free) struct template *template = parse(with_outputs);
	AUTO(text_release) struct text mentions = TEXT_EMPTY;

	(void)unused;
	for (size_t i = 0; i < template->output_count; i++)
		template_output_services(&template->outputs[i], add_mention, &mentions);
	assert_string_equal(text_get(&mentions), "ingress:0 ingress:443 a.b-c_d:80 ingress:0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_template_has_the_documented_defaults),
		cmocka_unit_test(a_whole_template_is_read),
		cmocka_unit_test(prices_are_read_digit_by_digit),
		cmocka_unit_test(a_default_lease_follows_its_bounds),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(malformed_yaml_keeps_its_own_slug),
		cmocka_unit_test(a_folder_is_loaded_when_its_files_are_there),
		cmocka_unit_test(defaults_fill_what_was_not_given),
		cmocka_unit_test(text_stands_for_every_type),
		cmocka_unit_test(values_at_their_bounds_are_fine),
		cmocka_unit_test(wrong_parameters_say_what_would_be_right),
		cmocka_unit_test(outputs_are_filled_in_and_files_left_to_the_engine),
		cmocka_unit_test(an_output_of_a_port_that_is_not_there_is_refused),
		cmocka_unit_test(every_service_that_an_output_mentions_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
