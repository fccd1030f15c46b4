/*
 * One commit of a repository, fetched by the real worker from a real git server over https and ssh:
 * what is found, what is refused, and what is left when it goes wrong.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/git_server.h"

static int open_server(void **state)
{
	*state = git_server_start();
	return 0;
}

static int close_server(void **state)
{
	git_server_stop(*state);
	return 0;
}

static void set(json_t *source, const char *key, const char *value)
{
	json_object_set_new(source, key, json_string(value));
}

static void limit(json_t *source, const char *key, int64_t value)
{
	json_object_set_new(json_object_get(source, "limits"), key, json_integer(value));
}

static json_t *source_by_ssh(const struct git_server *server)
{
	AUTO(free) char *url = git_server_url(server, "ssh", "demo.git");
	AUTO(free) char *key = git_server_path(server, "user_key");
	AUTO(free) char *hosts = git_server_path(server, "known_hosts");
	json_t *source = git_server_source(server, NULL);

	set(source, "repository", url);
	set(source, "ssh_key_file", key);
	set(source, "known_hosts", hosts);
	return source;
}

/* What was fetched; takes `source`. The last answer is kept for those who look closer. */
static const json_t *must(const struct git_server *server, json_t *source)
{
	static json_t *last;

	json_decref(last);
	last = git_server_ask(server, source);
	if (!json_get_bool(last, "ok", false)) {
		AUTO(free) char *text = json_to_text(last);

		fail_msg("%s", text);
	}
	return json_object_get(last, "data");
}

/* The whole of the error as text, so that a test can see what is not in it, too; takes `source`.
 * The caller frees. */
static char *must_not(const struct git_server *server, json_t *source, const char *slug)
{
	AUTO(json_decref) json_t *result = git_server_ask(server, source);
	char *text = json_to_text(result);

	if (json_get_bool(result, "ok", false) ||
	    strcmp(json_get_string(json_object_get(result, "error"), "slug", ""), slug) != 0)
		fail_msg("expected %s: %s", slug, text);
	return text;
}

static char *commit_of(const json_t *data)
{
	return xstrdup(json_get_string(data, "commit", ""));
}

static bool tree_has(const json_t *data, const char *path)
{
	AUTO(free) char *whole = path_join(json_get_string(data, "folder", ""), path);
	struct stat status;

	return lstat(whole, &status) == 0;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not said in %s", part, text);
}

static void https_and_ssh_bring_the_same_commit(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *head = git_server_do(server, "git rev-parse HEAD");
	AUTO(free) char *first = commit_of(must(server, git_server_source(server, NULL)));
	const json_t *data = must(server, source_by_ssh(server));

	assert_string_equal(first, head);
	assert_string_equal(json_get_string(data, "commit", ""), head);
	assert_string_equal(json_get_string(data, "ref", ""), "refs/heads/main");
	assert_true(json_get_bool(data, "reviewed", false));
	assert_true(tree_has(data, "templates/hello/template.yaml"));
}

static void tags_branches_commits_and_their_beginnings_are_found(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *one =
	    git_server_do(server, "git tag -a v1 -m v1; git branch feature/x; git rev-parse HEAD");
	AUTO(free)
	char *two =
	    git_server_do(server, "echo two > templates/hello/version; git commit -qam two; "
				  "git publish; git rev-parse HEAD");
	AUTO(free) char *beginning = xstrndup(one, 9);
	const char *refs[] = { "v1", "feature/x", "refs/tags/v1", one, beginning };

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		const json_t *data = must(server, git_server_source(server, refs[i]));

		assert_string_equal(json_get_string(data, "commit", ""), one);
		assert_true(json_get_bool(data, "reviewed", false));
	}
	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, "main")), "commit", ""), two);
}

static void what_is_not_there_is_a_wrong_request(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *nothing = git_server_do(server, "git branch x; git tag x; git publish");
	AUTO(free)
	char *name = must_not(server, git_server_source(server, "nobody"), "ref_not_found");
	AUTO(free)
	char *commit = must_not(server, git_server_source(server, "0123456789"), "ref_not_found");
	AUTO(free) char *both = must_not(server, git_server_source(server, "x"), "ref_ambiguous");
	AUTO(free) char *path = NULL;
	json_t *source = git_server_source(server, NULL);

	assert_says(name, "no branch, tag or commit \\\"nobody\\\"");
	assert_says(name, "\"code\":\"invalid\"");
	assert_says(both, "refs/heads/x or refs/tags/x");
	assert_non_null(commit);
	set(source, "path", "nowhere");
	path = must_not(server, source, "source_path_missing");
	assert_says(path, "nowhere");
}

static void a_whole_commit_that_was_fetched_needs_no_server(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *commit = commit_of(must(server, git_server_source(server, NULL)));
	AUTO(free) char *gone = NULL;

	git_server_end(server);
	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, commit)), "commit", ""), commit);
	gone = must_not(server, git_server_source(server, "main"), "source_failed");
	assert_says(gone, "\"code\":\"external\"");
}

static void a_pull_request_is_fetched_and_not_taken_for_reviewed(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *commit = git_server_do(
	    server, "git checkout -q -b pr; git commit -q --allow-empty -m pr;"
		    "git push -q ../repositories/demo.git pr:refs/pull/7/head; git rev-parse HEAD");
	const json_t *data = must(server, git_server_source(server, "refs/pull/7/head"));

	assert_string_equal(json_get_string(data, "commit", ""), commit);
	assert_false(json_get_bool(data, "reviewed", true));
	/* By its commit it is the same code. */
	assert_false(
	    json_get_bool(must(server, git_server_source(server, commit)), "reviewed", true));
}

static void an_unknown_host_key_is_refused_with_what_to_do(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *print = git_server_do(server, "ssh-keygen -lf ../host_key.pub | cut -d' ' -f2");
	AUTO(free) char *said = NULL;

	git_server_set(server, "known_hosts", "# nobody\n");
	said = must_not(server, source_by_ssh(server), "host_key_unknown");
	assert_says(said, print);
	assert_says(said, "ssh-keyscan");
}

static void another_host_key_is_refused(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *line = git_server_do(server, "ssh-keygen -q -t ed25519 -N '' -f ../other; "
					   "cut -d' ' -f1,2 ../other.pub");
	AUTO(free) char *hosts = xasprintf("[localhost]:%d %s\n", server->ssh, line);
	AUTO(free) char *said = NULL;

	git_server_set(server, "known_hosts", hosts);
	said = must_not(server, source_by_ssh(server), "host_key_changed");
	assert_says(said, "somebody else answers");
}

static void a_key_that_the_server_does_not_know_is_refused(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *nothing = git_server_do(server, "ssh-keygen -q -t ed25519 -N '' -f ../stranger");
	AUTO(free) char *key = git_server_path(server, "stranger");
	AUTO(free) char *said = NULL;
	json_t *source = source_by_ssh(server);

	set(source, "ssh_key_file", key);
	said = must_not(server, source, "source_denied");
	assert_says(said, "refused the key");
}

static void a_certificate_of_another_ca_or_name_is_refused(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *by_address = xasprintf("https://127.0.0.1:%d/demo.git", server->https);
	AUTO(free) char *said = NULL;
	AUTO(free) char *other = NULL;
	json_t *source = git_server_source(server, NULL);

	json_object_del(source, "ca_file");
	said = must_not(server, source, "certificate_invalid");
	assert_says(said, "ca_file");
	source = git_server_source(server, NULL);
	set(source, "repository", by_address);
	other = must_not(server, source, "certificate_invalid");
	assert_non_null(other);
}

static void a_wrong_token_is_refused_and_never_shown(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *file = git_server_path(server, "my_token");
	AUTO(free) char *wrong = NULL;
	AUTO(free) char *none = NULL;
	AUTO(free) char *asked = NULL;
	json_t *source;

	git_server_set(server, "token", "right-canary");
	git_server_set(server, "my_token", "wrong-canary\n");
	source = git_server_source(server, NULL);
	set(source, "token_file", file);
	wrong = must_not(server, source, "source_denied");
	assert_says(wrong, "refused the token");
	assert_null(strstr(wrong, "canary"));
	none = must_not(server, git_server_source(server, NULL), "source_denied");
	assert_says(none, "token_file");
	git_server_set(server, "my_token", "right-canary\n");
	source = git_server_source(server, NULL);
	set(source, "token_file", file);
	assert_non_null(must(server, source));
	asked = git_server_do(server, "grep -c canary ../requests ../source -r || true");
	assert_null(strstr(asked, ":1"));
}

static void redirects_to_other_hosts_are_not_followed(void **state)
{
	struct git_server *server = *state;
	AUTO(git_server_stop) struct git_server *other = git_server_start();
	AUTO(free) char *target = xasprintf("https://127.0.0.1:%d", other->https);
	AUTO(free) char *log = git_server_path(other, "requests");
	AUTO(free) char *token = git_server_path(server, "my_token");
	AUTO(free) char *said = NULL;
	json_t *source = git_server_source(server, NULL);

	git_server_set(server, "my_token", "secret\n");
	git_server_set(server, "redirect", target);
	set(source, "token_file", token);
	said = must_not(server, source, "source_failed");
	assert_non_null(said);
	assert_false(file_exists(log)); /* nobody has asked there */
}

static void a_repository_that_is_too_large_is_refused(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *nothing = git_server_do(server, "head -c 3000000 /dev/urandom > blob; mkdir many; "
					      "for i in $(seq 50); do echo $i > many/$i; done; "
					      "git add -A; git commit -qm large; git publish");
	static const struct {
		const char *limit;
		int64_t value;
		const char *words;
	} cases[] = {
		{ "wire_bytes", 1 << 20, "more than 1 MiB to fetch" },
		{ "objects", 20, "more than 20 objects to fetch" },
		{ "checkout_bytes", 1 << 20, "more than 1 MiB of files" },
		{ "files", 30, "more than 30 files" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *source = git_server_source(server, NULL);
		AUTO(free) char *said = NULL;

		limit(source, cases[i].limit, cases[i].value);
		said = must_not(server, source, "source_too_large");
		assert_says(said, cases[i].words);
	}
	assert_true(tree_has(must(server, git_server_source(server, NULL)), "many/50"));
}

static void a_fetch_that_is_cut_leaves_a_mirror_that_works(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *first = commit_of(must(server, git_server_source(server, NULL)));
	AUTO(free)
	char *next = git_server_do(server, "head -c 2000000 /dev/urandom > blob; git add -A; "
					   "git commit -qm next; git publish; git rev-parse HEAD");
	AUTO(free) char *said = NULL;

	git_server_set(server, "cut", "900000");
	said = must_not(server, git_server_source(server, NULL), "source_failed");
	assert_non_null(said);
	/* What was there is there, and what was cut comes whole. */
	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, first)), "commit", ""), first);
	git_server_set(server, "cut", NULL);
	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, NULL)), "commit", ""), next);
}

static bool has_half_a_pack(void *arg)
{
	AUTO(free)
	char *found = git_server_do(arg, "find ../source -path '*/objects/pack/*' -size +300k "
					 "! -name '*.pack' ! -name '*.idx' | head -n 1");

	return *found != '\0';
}

static void a_worker_that_is_killed_leaves_a_mirror_that_works(void **state)
{
	struct git_server *server = *state;
	AUTO(free)
	char *next = git_server_do(server, "head -c 2000000 /dev/urandom > blob; git add -A; "
					   "git commit -qm next; git publish; git rev-parse HEAD");
	AUTO(free) char *nothing = NULL;
	pid_t pid;

	git_server_set(server, "stall", "900000");
	pid = git_server_begin(server, git_server_source(server, NULL), "killed");
	assert_true(eventually(has_half_a_pack, server, 30000));
	kill(-pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	git_server_set(server, "stall", NULL);
	nothing = git_server_do(server, "for m in ../source/mirror-*; do touch $m/HEAD.lock "
					"$m/refs/heads/main.lock; done");
	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, NULL)), "commit", ""), next);
	assert_false(has_half_a_pack(server));
}

static void a_mirror_that_is_broken_is_made_anew(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *commit = commit_of(must(server, git_server_source(server, NULL)));
	AUTO(free)
	char *nothing =
	    git_server_do(server, "rm -rf ../source/trees/*; for p in "
				  "../source/mirror-*/objects/pack/*.pack; do chmod u+w $p; "
				  "truncate -s 40 $p; done");

	assert_string_equal(
	    json_get_string(must(server, git_server_source(server, "main")), "commit", ""), commit);
}

static void several_workers_share_a_mirror(void **state)
{
	struct git_server *server = *state;
	static const char *const names[] = { "a", "b", "c", "d" };
	pid_t pids[ARRAY_SIZE(names)];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		pids[i] = git_server_begin(server, git_server_source(server, NULL), names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(json_decref) json_t *result = git_server_finish(server, pids[i], names[i]);

		assert_true(json_get_bool(result, "ok", false));
	}
}

static void a_link_inside_is_kept_and_one_that_leaves_is_refused(void **state)
{
	struct git_server *server = *state;
	static const char *const outside[] = { "/etc/passwd", "../x", "a/../../x",
					       "../../../../x" };
	AUTO(free)
	char *nothing = git_server_do(server, "ln -s templates/hello inside; git add -A; "
					      "git commit -qm inside; git publish");

	assert_true(tree_has(must(server, git_server_source(server, NULL)), "inside"));
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		AUTO(free)
		char *script = xasprintf(
		    "ln -sfn %s leaves; git add -A; git commit -qm l; git publish", outside[i]);
		AUTO(free) char *made = git_server_do(server, script);
		AUTO(free)
		char *said = must_not(server, git_server_source(server, NULL), "source_unsafe");

		assert_says(said,
			    "\\\"leaves\\\" in the repository is a link that leaves the tree");
	}
}

/* Trees that no git would write, made of raw objects. */
static void names_that_are_not_are_refused(void **state)
{
	struct git_server *server = *state;
	static const char *const names[] = { ".git", ".GIT", "..", "a\\\\b", "git~1" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(free)
		char *script = xasprintf(
		    "blob=$(echo x | git hash-object -w --stdin)\n"
		    "printf '100644 blob %%s\\t%s\\n' $blob | git mktree > ../tree\n"
		    "git update-ref refs/heads/bad $(git commit-tree -m b $(cat ../tree))\n"
		    "git publish",
		    names[i]);
		AUTO(free) char *made = git_server_do(server, script);
		AUTO(json_decref)
		json_t *result = git_server_ask(server, git_server_source(server, "bad"));

		if (json_get_bool(result, "ok", false))
			fail_msg("%s was written", names[i]);
	}
}

static void add_submodule(const struct git_server *server, const char *url)
{
	AUTO(free)
	char *script = xasprintf(
	    "git init -q -b main --bare ../repositories/part.git\n"
	    "git init -q -b main ../part; (cd ../part; echo part > file; git add -A; "
	    "git commit -qm part; git push -q ../repositories/part.git main; "
	    "git rev-parse HEAD > ../part.commit; echo later > file; git commit -qam later; "
	    "git push -q ../repositories/part.git main)\n"
	    "printf '[submodule \"p\"]\\n\\tpath = lib/part\\n\\turl = %s\\n' > .gitmodules\n"
	    "git add .gitmodules\n"
	    "git update-index --add --cacheinfo 160000,$(cat ../part.commit),lib/part\n"
	    "git commit -qm submodule; git publish",
	    url);
	AUTO(free) char *nothing = git_server_do(server, script);
}

static json_t *source_with_modules(const struct git_server *server, const char *host)
{
	json_t *source = git_server_source(server, NULL);

	json_object_set_new(source, "submodules", json_true());
	json_object_set_new(source, "submodule_hosts", json_pack("[s]", host));
	return source;
}

static void submodules_come_when_asked_for_each_at_its_commit(void **state)
{
	struct git_server *server = *state;
	AUTO(free) char *content = NULL;
	AUTO(free) char *path = NULL;
	const json_t *data;
	struct error err;

	add_submodule(server, "../part.git");
	data = must(server, git_server_source(server, NULL));
	assert_true(tree_has(data, "lib/part"));
	assert_false(tree_has(data, "lib/part/file"));
	data = must(server, source_with_modules(server, "localhost"));
	path = path_join(json_get_string(data, "folder", ""), "lib/part/file");
	assert_true(file_read(path, 100, &content, NULL, &err));
	assert_string_equal(content, "part\n");
}

static void a_submodule_of_a_host_that_is_not_listed_is_refused(void **state)
{
	struct git_server *server = *state;
	static const char *const urls[] = { "../part.git", "https://elsewhere.example/part.git",
					    "file:///etc", "https://user:pw@localhost/part.git" };
	static const char *const slugs[] = { "submodule_refused", "submodule_refused",
					     "submodule_refused", "address_invalid" };

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		AUTO(free) char *said = NULL;
		AUTO(free) char *again = NULL;

		if (i)
			again = git_server_do(server, "rm -rf ../part ../repositories/part.git");
		add_submodule(server, urls[i]);
		said = must_not(server, source_with_modules(server, "listed.example"), slugs[i]);
		assert_says(said, "lib/part");
		assert_null(strstr(said, "user:pw"));
	}
}

static void the_configuration_of_the_machine_is_not_read(void **state)
{
	struct git_server *server = *state;

	/* HOME of the worker is this folder. */
	git_server_set(server, ".gitconfig",
		       "[url \"https://elsewhere.invalid/\"]\n\tinsteadOf = https://localhost\n"
		       "[http]\n\tsslVerify = false\n\tproxy = http://127.0.0.1:1\n");
	assert_non_null(must(server, git_server_source(server, NULL)));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_server, close_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(https_and_ssh_bring_the_same_commit),
		TEST(tags_branches_commits_and_their_beginnings_are_found),
		TEST(what_is_not_there_is_a_wrong_request),
		TEST(a_whole_commit_that_was_fetched_needs_no_server),
		TEST(a_pull_request_is_fetched_and_not_taken_for_reviewed),
		TEST(an_unknown_host_key_is_refused_with_what_to_do),
		TEST(another_host_key_is_refused),
		TEST(a_key_that_the_server_does_not_know_is_refused),
		TEST(a_certificate_of_another_ca_or_name_is_refused),
		TEST(a_wrong_token_is_refused_and_never_shown),
		TEST(redirects_to_other_hosts_are_not_followed),
		TEST(a_repository_that_is_too_large_is_refused),
		TEST(a_fetch_that_is_cut_leaves_a_mirror_that_works),
		TEST(a_worker_that_is_killed_leaves_a_mirror_that_works),
		TEST(a_mirror_that_is_broken_is_made_anew),
		TEST(several_workers_share_a_mirror),
		TEST(a_link_inside_is_kept_and_one_that_leaves_is_refused),
		TEST(names_that_are_not_are_refused),
		TEST(submodules_come_when_asked_for_each_at_its_commit),
		TEST(a_submodule_of_a_host_that_is_not_listed_is_refused),
		TEST(the_configuration_of_the_machine_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
