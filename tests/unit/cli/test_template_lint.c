#include "cli/template_lint.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"

static const char template_yaml[] =
    "apiVersion: envd/v1\n"
    "name: shop\n"
    "description: two services\n"
    "engine: container\n"
    "source: compose.yaml\n"
    "parameters:\n"
    "  users: { type: integer, default: 10, variable: SEED_USERS }\n"
    "components:\n"
    "  web: { default: \"1.0\", variable: WEB_IMAGE, image: \"shop/web:{version}\" }\n"
    "checks: checks.yaml\n"
    "outputs:\n"
    "  url: \"http://{{web.host}}:{{web.port.80}}\"\n";

static const char compose_yaml[] = "services:\n"
				   "  web:\n"
				   "    image: ${WEB_IMAGE:-shop/web:1.0}\n"
				   "    environment: { USERS: \"${SEED_USERS:-1}\" }\n"
				   "    ports: [\"80\"]\n";

static const char checks_yaml[] = "apiVersion: envd/v1\n"
				  "kind: CheckPlan\n"
				  "name: shop\n"
				  "stages: [app]\n"
				  "smoke:\n"
				  "  - name: index\n"
				  "    stage: app\n"
				  "    steps:\n"
				  "      - http: { base: \"${url}\", path: / }\n"
				  "        expect: [ \"status == 200\" ]\n";

struct folder {
	char parent[40];
	char *path; /* .../shop */
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(folder->path, name);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

/* A template that is well; tests spoil one file of it. */
static int set_up(void **state)
{
	struct folder *folder = xcalloc(1, sizeof(*folder));
	struct error err;

	strcpy(folder->parent, "/tmp/envctl-lint-XXXXXX");
	assert_non_null(mkdtemp(folder->parent));
	folder->path = path_join(folder->parent, "shop");
	assert_true(folder_make(folder->path, 0755, &err));
	write_file(folder, "template.yaml", template_yaml);
	write_file(folder, "compose.yaml", compose_yaml);
	write_file(folder, "checks.yaml", checks_yaml);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	struct error err;

	assert_true(folder_remove(folder->parent, &err));
	free(folder->path);
	free(folder);
	return 0;
}

/* `text` with the first `old` replaced; the caller frees. */
static char *with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	return xasprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static void assert_refused(const struct folder *folder, const char *slug, const char *words)
{
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	struct error err;

	assert_false(template_lint(folder->path, &notes, &err));
	assert_string_equal(err.slug, slug);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" is not in: %s", words, err.message);
}

static void a_template_that_is_well_has_no_notes(void **state)
{
	const struct folder *folder = *state;
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	struct error err;

	if (!template_lint(folder->path, &notes, &err))
		fail_msg("%s", err.message);
	assert_string_equal(text_get(&notes), "");
}

static void an_output_of_a_service_that_is_not_there_is_found(void **state)
{
	AUTO(free) char *text = with(template_yaml, "{{web.host}}", "{{wbe.host}}");

	write_file(*state, "template.yaml", text);
	assert_refused(*state, "template_invalid", "names a service \"wbe\" that compose.yaml");
}

static void an_output_of_a_port_that_is_not_published_is_found(void **state)
{
	AUTO(free) char *text = with(template_yaml, "web.port.80", "web.port.8080");

	write_file(*state, "template.yaml", text);
	assert_refused(*state, "template_invalid", "wants port 8080 of service \"web\"");
}

static void a_mistake_in_the_compose_file_is_found_with_its_place(void **state)
{
	AUTO(free) char *text = with(compose_yaml, "ports:", "network_mode: host\n    ports:");

	write_file(*state, "compose.yaml", text);
	assert_refused(*state, "compose_unsupported", "compose.yaml:5:");
}

static void a_name_that_no_output_has_is_found_in_the_checks(void **state)
{
	AUTO(free) char *text = with(checks_yaml, "${url}", "${ulr}");
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	const struct folder *folder = *state;
	struct error err;

	write_file(*state, "checks.yaml", text);
	assert_false(template_lint(folder->path, &notes, &err));
	assert_non_null(strstr(err.message, "ulr"));
}

static void a_pin_or_parameter_that_changes_nothing_is_worth_a_note(void **state)
{
	const struct folder *folder = *state;
	AUTO(free) char *no_pin = with(compose_yaml, "${WEB_IMAGE:-shop/web:1.0}", "shop/web:1.0");
	AUTO(free) char *text = with(no_pin, "${SEED_USERS:-1}", "7");
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	struct error err;

	write_file(folder, "compose.yaml", text);
	assert_true(template_lint(folder->path, &notes, &err));
	assert_non_null(strstr(text_get(&notes), "component \"web\""));
	assert_non_null(strstr(text_get(&notes), "parameter \"users\""));
}

static void what_only_a_trusted_source_may_ask_is_worth_a_note(void **state)
{
	const struct folder *folder = *state;
	AUTO(free)
	char *text = with(compose_yaml, "ports:", "volumes: [\"/etc/hosts:/h:ro\"]\n    ports:");
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	struct error err;

	write_file(folder, "compose.yaml", text);
	if (!template_lint(folder->path, &notes, &err))
		fail_msg("%s", err.message);
	assert_non_null(
	    strstr(text_get(&notes), "refused unless its source is trusted: compose.yaml:"));
}

static void a_folder_that_is_called_otherwise_is_found(void **state)
{
	AUTO(free) char *text = with(template_yaml, "name: shop", "name: store");
	AUTO(text_release) struct text notes = TEXT_EMPTY;
	const struct folder *folder = *state;
	struct error err;

	write_file(*state, "template.yaml", text);
	assert_false(template_lint(folder->path, &notes, &err));
	assert_non_null(strstr(err.message, "store"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_template_that_is_well_has_no_notes),
		TEST(an_output_of_a_service_that_is_not_there_is_found),
		TEST(an_output_of_a_port_that_is_not_published_is_found),
		TEST(a_mistake_in_the_compose_file_is_found_with_its_place),
		TEST(a_name_that_no_output_has_is_found_in_the_checks),
		TEST(a_pin_or_parameter_that_changes_nothing_is_worth_a_note),
		TEST(what_only_a_trusted_source_may_ask_is_worth_a_note),
		TEST(a_folder_that_is_called_otherwise_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
