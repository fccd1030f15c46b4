#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/container/image_reference.h"

static void names_are_read_as_docker_reads_them(void **unused)
{
	static const struct {
		const char *reference;
		const char *registry;
		const char *repository;
		const char *pull_name;
	} cases[] = {
		{ "nginx", "docker.io", "docker.io/library/nginx", "nginx:latest" },
		{ "nginx:1.26", "docker.io", "docker.io/library/nginx", "nginx:1.26" },
		{ "docker.io/nginx", "docker.io", "docker.io/library/nginx",
		  "docker.io/nginx:latest" },
		{ "index.docker.io/a/b", "docker.io", "docker.io/a/b",
		  "index.docker.io/a/b:latest" },
		{ "bank/web:2", "docker.io", "docker.io/bank/web", "bank/web:2" },
		{ "r.example:5000/a/b/c:2", "r.example:5000", "r.example:5000/a/b/c",
		  "r.example:5000/a/b/c:2" },
		{ "r.example:5000/a", "r.example:5000", "r.example:5000/a",
		  "r.example:5000/a:latest" },
		{ "localhost/own", "localhost", "localhost/own", "localhost/own:latest" },
		{ "a/b:1@sha256:00", "docker.io", "docker.io/a/b", "a/b@sha256:00" },
		{ "r.example/b@sha256:00", "r.example", "r.example/b", "r.example/b@sha256:00" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *registry = image_registry(cases[i].reference);
		AUTO(free) char *repository = image_repository(cases[i].reference);
		AUTO(free) char *pull_name = image_pull_name(cases[i].reference);

		assert_string_equal(registry, cases[i].registry);
		assert_string_equal(repository, cases[i].repository);
		assert_string_equal(pull_name, cases[i].pull_name);
	}
}

static void the_digest_of_another_repository_is_not_taken(void **unused)
{
	json_t *digests = json_pack("[s, s, s]", "mirror.example/nginx@sha256:11",
				    "docker.io/library/nginx@sha256:22", "nonsense");
	AUTO(free) char *hub = image_repo_digest("nginx:1.26", digests);
	AUTO(free) char *mirror = image_repo_digest("mirror.example/nginx", digests);

	(void)unused;
	assert_string_equal(hub, "docker.io/library/nginx@sha256:22");
	assert_string_equal(mirror, "mirror.example/nginx@sha256:11");
	assert_null(image_repo_digest("other.example/nginx", digests));
	assert_null(image_repo_digest("nginx", NULL));
	json_decref(digests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_docker_reads_them),
		cmocka_unit_test(the_digest_of_another_repository_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
