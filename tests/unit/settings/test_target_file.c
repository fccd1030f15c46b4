#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "settings/target_file.h"

struct fixture {
	char path[64];
	struct settings settings;
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/envd-targets-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->settings.target_count; i++)
		target_release(&f->settings.targets[i]);
	free(f->settings.targets);
	unlink(f->path);
	free(f);
	return 0;
}

static bool read_text(struct fixture *f, const char *text, struct error *err)
{
	struct error wrong;

	assert_true(file_write_atomically(f->path, text, strlen(text), 0600, &wrong));
	return target_file_read(&f->settings, f->path, err);
}

static void every_key_is_read(void **state)
{
	struct fixture *f = *state;
	const struct target *target;
	const json_t *reference;
	struct error err;

	if (!read_text(f,
		       "targets:\n"
		       "  - name: lab-1\n"
		       "    kind: k3s\n"
		       "    kubeconfig: /etc/lab.yaml\n"
		       "    labels: { site: lab, rack: \"3\" }\n"
		       "    environments: 2\n"
		       "    credentials: { TOKEN: { file: /etc/token } }\n"
		       "    inventory: [/bin/lab, list]\n"
		       "    clean: [/bin/lab, clean]\n"
		       "    settle: 2s\n"
		       "    clean_limit: 3m\n"
		       "  - { name: lab-2, engine: external }\n",
		       &err))
		fail_msg("%s", err.message);
	assert_int_equal(f->settings.target_count, 2);
	target = &f->settings.targets[0];
	assert_true(target->is_listed);
	assert_string_equal(target->engine, "pulumi");
	assert_string_equal(target->kubeconfig, "/etc/lab.yaml");
	assert_string_equal(json_get_string(target->labels, "kind", ""), "k3s");
	assert_string_equal(json_get_string(target->labels, "rack", ""), "3");
	assert_int_equal(target->environments_max, 2);
	reference = json_object_get(target->credentials, "TOKEN");
	assert_string_equal(json_get_string(reference, "file", ""), "/etc/token");
	assert_string_equal(target->inventory[1], "list");
	assert_null(target->inventory[2]);
	assert_string_equal(target->clean[0], "/bin/lab");
	assert_int_equal(target->settle_ms, 2000);
	assert_int_equal(target->clean_limit_ms, 180000);
	/* What nobody says: one at a time. */
	assert_int_equal(f->settings.targets[1].environments_max, 1);
	assert_string_equal(json_get_string(f->settings.targets[1].labels, "kind", ""),
			    "kubernetes");
}

static void a_bad_file_is_refused_with_line_key_and_what_was_expected(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "", "must be a map with the list \"targets\"" },
		{ "targets: {}\n", "must be a map with the list \"targets\"" },
		{ "targets: []\nmore: 1\n", ":2:1: unknown key \"more\"" },
		{ "targets:\n  - lab\n", ":2:5: a target must be a map" },
		{ "targets:\n  - { kind: k3s }\n", ":2:5: a target needs a \"name\"" },
		{ "targets:\n  - { name: Lab }\n", ":2:13: target name" },
		{ "targets:\n  - { name: ../x }\n", ":2:13: target name" },
		{ "targets:\n  - { name: a }\n  - { name: a }\n", "two targets \"a\"" },
		{ "targets:\n  - { name: a, kinds: x }\n", "unknown key \"kinds\"" },
		{ "targets:\n  - { name: a, engine: container }\n",
		  "\"engine\" must be pulumi or external" },
		{ "targets:\n  - { name: a, environments: 0 }\n",
		  "\"environments\" must be 1 (exclusive) to 1000" },
		{ "targets:\n  - { name: a, environments: many }\n", "environments" },
		{ "targets:\n  - { name: a, kubeconfig: lab.yaml }\n",
		  "\"kubeconfig\" must be a file of the server by its absolute path" },
		{ "targets:\n  - { name: a, labels: [x] }\n", "\"labels\" must be a map" },
		{ "targets:\n  - { name: a, labels: { kind: x } }\n", "label \"kind\"" },
		{ "targets:\n  - { name: a, labels: { \"a b\": x } }\n", "label \"a b\" must be" },
		{ "targets:\n  - { name: a, labels: { a: [x] } }\n", "\"labels\" must be a map" },
		{ "targets:\n  - { name: a, inventory: lab }\n",
		  "\"inventory\" must be a list of 1 to 32 words" },
		{ "targets:\n  - { name: a, inventory: [lab] }\n",
		  "the first one a program by its absolute path" },
		{ "targets:\n  - { name: a, clean: [/bin/lab] }\n",
		  "\"clean\" needs an \"inventory\"" },
		{ "targets:\n  - { name: a, settle: 1ms }\n", "\"settle\" must be between" },
		{ "targets:\n  - { name: a, clean_limit: 2h }\n",
		  "\"clean_limit\" must be between" },
		{ "targets:\n  - { name: a, credentials: { 9X: { file: /x } } }\n",
		  "must be the name of a variable" },
		{ "targets:\n  - { name: a, credentials: { X: { file: x } } }\n",
		  "\"file\" must be a file of the server" },
		{ "targets:\n  - { name: a, credentials: { X: { variable: HOME } } }\n",
		  "must say where it is, not what" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;

		assert_false(read_text(f, cases[i].text, &err));
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.message, cases[i].words) || !strstr(err.message, f->path))
			fail_msg("\"%s\" is said as \"%s\"", cases[i].words, err.message);
		assert_int_equal(f->settings.target_count, 0);
	}
}

/* Written where a reference belongs, it must not be repeated in the log. */
static void a_credential_in_clear_is_refused_and_not_repeated(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_false(
	    read_text(f, "targets:\n  - { name: a, credentials: { TOKEN: hunter-two } }\n", &err));
	assert_non_null(strstr(err.message, "credential \"TOKEN\" must say where it is, not what"));
	assert_null(strstr(err.message, "hunter-two"));
}

static void reading_again_replaces_what_was_listed_and_a_wrong_file_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_true(read_text(f, "targets:\n  - { name: a }\n  - { name: b }\n", &err));
	assert_true(read_text(f, "targets:\n  - { name: c }\n", &err));
	assert_int_equal(f->settings.target_count, 1);
	assert_string_equal(f->settings.targets[0].name, "c");
	assert_false(read_text(f, "targets:\n  - { name: d }\n  - { name: d }\n", &err));
	assert_int_equal(f->settings.target_count, 1);
	assert_string_equal(f->settings.targets[0].name, "c");
}

#define STORY(story) cmocka_unit_test_setup_teardown(story, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(every_key_is_read),
		STORY(a_bad_file_is_refused_with_line_key_and_what_was_expected),
		STORY(a_credential_in_clear_is_refused_and_not_repeated),
		STORY(reading_again_replaces_what_was_listed_and_a_wrong_file_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
