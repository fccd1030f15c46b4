#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <openssl/evp.h>
#include <cmocka.h>

#include "source/git_checkout.h"
#include "source/known_hosts.h"

/* Made by ssh-keygen, as are the hashed names (-H) and the fingerprint (-l). */
#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIGzSgs1yotcomfgWrE33qdaoW9WzRJbpY5xPIOsx7l/+"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIJe8E3JEKBsQOVA3LXIAEmVI0SMvryzTAobS/84Rsfya"
#define FINGERPRINT "SHA256:zqvJMQwDkMtJM2FygzC/P2Y+V5VdsqHmuSOCUmSiG4c"
#define HASHED "|1|sEm408V8I3OpnN3AuDdmJ0giZ18=|5eVH2SVkuWg89L+v0q+aVu8fWMU="
#define HASHED_WITH_PORT "|1|/F/iatbKAWGcah6JuLduXfBTG6U=|6JhLBN04OqT2MAWWwscy9NB9zrc="

/* The slug of the refusal, "" when it is known. */
static const char *judge(const char *text, const char *host, int port, struct error *err)
{
	unsigned char bytes[128];
	struct host_key key = { host, port, bytes, 51 };

	EVP_DecodeBlock(bytes, (const unsigned char *)KEY, (int)strlen(KEY));
	return known_hosts_check(text, "/etc/known", &key, err) ? "" : err->slug;
}

static void a_host_is_known_by_every_way_to_name_it(void **unused)
{
	static const struct {
		const char *text, *host;
		int port;
		const char *slug;
	} cases[] = {
		{ "git.example ssh-ed25519 " KEY "\n", "git.example", 22, "" },
		{ "# a\n\nx,git.example\tssh-ed25519 " KEY " comment", "git.example", 22, "" },
		{ "*.example ssh-ed25519 " KEY, "git.example", 22, "" },
		{ "*.example,!git.example ssh-ed25519 " KEY, "git.example", 22,
		  "host_key_unknown" },
		{ HASHED " ssh-ed25519 " KEY, "git.example", 22, "" },
		{ HASHED " ssh-ed25519 " KEY, "git.exampl", 22, "host_key_unknown" },
		{ HASHED_WITH_PORT " ssh-ed25519 " KEY, "git.example", 2222, "" },
		{ HASHED_WITH_PORT " ssh-ed25519 " KEY, "git.example", 22, "host_key_unknown" },
		{ "[git.example]:2222 ssh-ed25519 " KEY, "git.example", 2222, "" },
		{ "git.example ssh-ed25519 " KEY, "git.example", 2222, "host_key_unknown" },
		{ "git.example ssh-ed25519 " OTHER, "git.example", 22, "host_key_changed" },
		{ "git.example ssh-ed25519 " OTHER "\ngit.example ssh-ed25519 " KEY, "git.example",
		  22, "" },
		{ "git.example ssh-rsa " OTHER, "git.example", 22, "host_key_unknown" },
		{ "git.example ssh-ed25519 " KEY "\n@revoked * ssh-ed25519 " KEY, "git.example", 22,
		  "host_key_revoked" },
		{ "@cert-authority git.example ssh-ed25519 " KEY, "git.example", 22,
		  "host_key_unknown" },
		{ "", "git.example", 22, "host_key_unknown" },
		{ "git.example", "git.example", 22, "host_key_unknown" },
		{ "|1|x|y ssh-ed25519 " KEY, "git.example", 22, "host_key_unknown" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		const char *slug = judge(cases[i].text, cases[i].host, cases[i].port, &err);

		if (strcmp(slug, cases[i].slug) != 0)
			fail_msg("case %zu: \"%s\"", i, slug);
	}
}

static void a_refusal_has_the_fingerprint_that_ssh_shows(void **unused)
{
	struct error err;

	(void)unused;
	assert_string_equal(judge("", "git.example", 2222, &err), "host_key_unknown");
	assert_non_null(strstr(err.message, FINGERPRINT));
	assert_non_null(strstr(err.message, "[git.example]:2222"));
	assert_non_null(
	    strstr(err.hint, "ssh-keyscan -p 2222 -t ed25519 git.example >> /etc/known"));
}

static void links_may_point_inside_only(void **unused)
{
	static const struct {
		const char *target;
		int depth;
		bool is_safe;
	} cases[] = {
		{ "a", 0, true },        { "a/b", 0, true },      { "../a", 1, true },
		{ "../../a", 2, true },  { "./a", 0, true },      { "..", 1, true },
		{ "../a", 0, false },    { "../../a", 1, false }, { "/a", 5, false },
		{ "a/..", 5, false },    { "./../a", 5, false },  { "../a/../b", 5, false },
		{ "", 5, false },        { "..", 0, false },      { "a/.git/config", 0, false },
		{ "../.git", 1, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (git_checkout_link_is_safe(cases[i].target, strlen(cases[i].target),
					      cases[i].depth) != cases[i].is_safe)
			fail_msg("%s at %d", cases[i].target, cases[i].depth);
	assert_false(git_checkout_link_is_safe("a\0b", 3, 1));
}

static void names_of_files_are_plain(void **unused)
{
	static const char *const wrong[] = { "",      ".",   "..",   ".git", ".GiT",
					     "git~1", "a/b", "a\\b", "a\nb", "\xff" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(git_checkout_name_is_safe(wrong[i]));
	assert_true(git_checkout_name_is_safe(".gitmodules"));
	assert_true(git_checkout_name_is_safe("with space"));
	assert_true(git_checkout_name_is_safe("-x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_known_by_every_way_to_name_it),
		cmocka_unit_test(a_refusal_has_the_fingerprint_that_ssh_shows),
		cmocka_unit_test(links_may_point_inside_only),
		cmocka_unit_test(names_of_files_are_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
