/*
 * Credentials of registries, from files and helpers as Docker and Podman write them. The helpers
 * are programs of the test, run for real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "engine/container/registry_auth.h"

#define SECRET "hunter2-of-the-tests"

static char folder[64];

static int make_folder(void **state)
{
	static char path[128];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/envd-auth-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	setenv("PATH", path, 1);
	setenv("DOCKER_CONFIG", folder, 1);
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	return 0;
}

static int remove_folder(void **state)
{
	struct error err;

	(void)state;
	return folder_remove(folder, &err) ? 0 : 1;
}

static void write_at(const char *name, const char *text, mode_t mode)
{
	AUTO(free) char *path = path_join(folder, name);
	AUTO(free) char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct error err;

	assert_true(folder_make(parent, 0755, &err));
	assert_true(file_write_atomically(path, text, strlen(text), mode, &err));
}

static void expect(const char *repository, const char *user, const char *password)
{
	json_t *auth = NULL;
	struct error err;

	if (!registry_auth_find(repository, &auth, &err))
		fail_msg("%s: %s", repository, err.message);
	if (!user) {
		assert_null(auth);
		return;
	}
	assert_non_null(auth);
	assert_string_equal(json_get_string(auth, "username", ""), user);
	assert_string_equal(json_get_string(auth, "password", ""), password);
	registry_auth_forget(auth);
}

static void expect_error(const char *repository, const char *part)
{
	json_t *auth = NULL;
	struct error err;

	assert_false(registry_auth_find(repository, &auth, &err));
	assert_string_equal(err.slug, "registry_credentials");
	if (!strstr(err.message, part))
		fail_msg("\"%s\" is not in: %s", part, err.message);
	assert_null(strstr(err.message, SECRET));
}

/* u1:p1, u2:p2, u3:p3 */
static void entries_are_found_however_their_keys_are_written(void **unused)
{
	(void)unused;
	write_at("config.json",
		 "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTE6cDE=\"},"
		 "\"r.example:5000\":{\"auth\":\"dTI6cDI=\"},"
		 "\"r.example:5000/team/a\":{\"auth\":\"dTM6cDM=\"},"
		 "\"https://empty.example\":{}}}",
		 0600);
	expect("docker.io/library/nginx", "u1", "p1");
	expect("r.example:5000/team/b", "u2", "p2");
	expect("r.example:5000/team/a", "u3", "p3");
	expect("r.example:5000/team/a/deep", "u3", "p3");
	expect("r.example:5000/team/ab", "u2", "p2");
	expect("empty.example/a", NULL, NULL);
	expect("r.example/a", NULL, NULL);
	expect("other.example/a", NULL, NULL);
}

static void podmans_file_goes_before_dockers(void **unused)
{
	(void)unused;
	write_at("config.json", "{\"auths\":{\"r.example\":{\"auth\":\"dTE6cDE=\"}}}", 0600);
	write_at("run/containers/auth.json", "{\"auths\":{\"r.example\":{\"auth\":\"dTI6cDI=\"}}}",
		 0600);
	write_at("named.json", "{\"auths\":{\"r.example\":{\"auth\":\"dTM6cDM=\"}}}", 0600);
	expect("r.example/a", "u1", "p1");
	{
		AUTO(free) char *run = path_join(folder, "run");
		AUTO(free) char *named = path_join(folder, "named.json");

		setenv("XDG_RUNTIME_DIR", run, 1);
		expect("r.example/a", "u2", "p2");
		setenv("REGISTRY_AUTH_FILE", named, 1);
		expect("r.example/a", "u3", "p3");
	}
}

static void a_helper_is_asked_on_its_stdin_and_believed(void **unused)
{
	(void)unused;
	write_at("docker-credential-story",
		 "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r server || true\ncase $server in\n"
		 "r.example) echo '{\"Username\":\"helped\",\"Secret\":\"" SECRET "\"}' ;;\n"
		 "https://index.docker.io/v1/) echo '{\"Username\":\"hub\",\"Secret\":\"x\"}' ;;\n"
		 "*) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n",
		 0755);
	write_at("config.json",
		 "{\"credHelpers\":{\"r.example\":\"story\"},\"credsStore\":\"story\","
		 "\"auths\":{\"file.example\":{\"auth\":\"dTE6cDE=\"}}}",
		 0600);
	expect("r.example/a", "helped", SECRET);
	expect("docker.io/library/nginx", "hub", "x");
	expect("file.example/a", "u1", "p1");
	expect("nobody.example/a", NULL, NULL);
}

static void a_token_of_a_helper_is_sent_as_one(void **unused)
{
	json_t *auth = NULL;
	struct error err;

	(void)unused;
	write_at("docker-credential-story",
		 "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"" SECRET "\"}'\n", 0755);
	write_at("config.json", "{\"credsStore\":\"story\"}", 0600);
	assert_true(registry_auth_find("r.example/a", &auth, &err));
	assert_string_equal(json_get_string(auth, "identitytoken", ""), SECRET);
	assert_false(json_has(auth, "username"));
	registry_auth_forget(auth);
}

static void what_is_wrong_names_the_file_or_the_helper_and_no_secret(void **unused)
{
	(void)unused;
	write_at("config.json", "{\"auths\":{\"r.example\":{\"auth\":\"" SECRET "!\"}}}", 0600);
	expect_error("r.example/a", "config.json");
	write_at("config.json", "{\"auths\": " SECRET, 0600);
	expect_error("r.example/a", "config.json");
	write_at("config.json", "{\"credsStore\":\"absent\"}", 0600);
	expect_error("r.example/a", "\"docker-credential-absent\", which is not on PATH");
	write_at("config.json", "{\"credsStore\":\"../../bin/sh\"}", 0600);
	expect_error("r.example/a", "not on PATH");
	write_at("docker-credential-story", "#!/bin/sh\necho " SECRET "; exit 3\n", 0755);
	write_at("config.json", "{\"credsStore\":\"story\"}", 0600);
	expect_error("r.example/a", "docker-credential-story");
	write_at("docker-credential-story", "#!/bin/sh\necho " SECRET "\n", 0755);
	expect_error("r.example/a", "did not answer with a Username and a Secret");
}

static void a_header_holds_what_was_found(void **unused)
{
	json_t *auth = json_pack("{s:s}", "username", "u");
	AUTO(free) char *header = registry_auth_header(auth);

	(void)unused;
	assert_string_equal(header, "X-Registry-Auth: eyJ1c2VybmFtZSI6InUifQ==");
	registry_auth_forget(auth);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(entries_are_found_however_their_keys_are_written),
		ROW(podmans_file_goes_before_dockers),
		ROW(a_helper_is_asked_on_its_stdin_and_believed),
		ROW(a_token_of_a_helper_is_sent_as_one),
		ROW(what_is_wrong_names_the_file_or_the_helper_and_no_secret),
		ROW(a_header_holds_what_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
