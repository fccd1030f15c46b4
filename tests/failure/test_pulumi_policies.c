/*
 * Policy packs of a template, by the real CLI and the real pulumi-policy: what is forbidden is not
 * made, and the refusal names the policy and the resource.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/engine_stage.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000 };

static const char *source_folder(void)
{
	const char *folder = getenv("ENVD_SOURCE");

	return folder ? folder : ".";
}

/* What runs packs of runtime "house": the Python of the part that has pulumi-policy. */
static void have_analyzer(const struct pulumi_bench *bench)
{
	AUTO(free) char *command = xasprintf("%s/ci/local/real-parts policy", source_folder());
	AUTO(free)
	char *program = xasprintf("%s/pulumi-analyzer-policy-house", bench->world->folder);
	AUTO(free) char *script = NULL;
	AUTO(free) char *path = NULL;
	char folder[1024] = "";
	FILE *pipe = popen(command, "r");
	struct error err;

	assert_non_null(fgets(folder, sizeof(folder), pipe));
	assert_int_equal(pclose(pipe), 0);
	folder[strcspn(folder, "\n")] = '\0';
	script =
	    xasprintf("#!/bin/sh\nexec '%s/python' -u -m pulumi.policy \"$1\" \"$2\"\n", folder);
	assert_true(file_write_atomically(program, script, strlen(script), 0755, &err));
	assert_int_equal(chmod(program, 0755), 0);
	path = xasprintf("%s:%s", bench->world->folder, getenv("PATH"));
	setenv("PATH", path, 1);
}

static void have_policies(struct pulumi_bench *bench, const char *folder)
{
	const struct copy_limits limits = { 100, 1 << 20 };
	AUTO(free) char *from = xasprintf("%s/tests/fixtures/pulumi/policies", source_folder());
	AUTO(free) char *to = xasprintf("%s/three/policies", bench->world->templates);
	AUTO(free) char *line = xasprintf("policies: [%s]\nlayers:\n", folder);
	struct error err;

	pulumi_bench_template(bench, "three");
	if (!folder_copy(from, to, &limits, &err))
		fail_msg("%s", err.message);
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n", line);
	world_start(bench->world);
}

static void what_a_policy_forbids_is_named_and_not_made(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *why = NULL;
	AUTO(free) char *history = NULL;
	AUTO(free) char *expected = NULL;
	char id[37];

	have_analyzer(bench);
	have_policies(bench, "policies/house");
	pulumi_bench_create(bench, "a", "three", id);
	why = pulumi_bench_failure(bench, id);
	expected = xasprintf("layer \"one\": policy \"closed\" of pack \"house\" forbids "
			     "one-envd-%.8s: closed projects project one is closed",
			     id);
	assert_string_equal(why, expected);
	history = pulumi_bench_history(bench, id);
	assert_null(strstr(history, "one ready"));
	stage_contains(history, "policy \"second-thoughts\" of pack \"house\" advises against "
				"one-envd-");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
}

static void a_pack_that_is_not_there_builds_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *why = NULL;
	char id[37];

	have_policies(bench, "policies/other");
	pulumi_bench_create(bench, "a", "three", id);
	why = pulumi_bench_failure(bench, id);
	assert_string_equal(why,
			    "policy pack \"policies/other\" is no folder of the template with a "
			    "PulumiPolicy.yaml");
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(what_a_policy_forbids_is_named_and_not_made),
		ON_BENCH(a_pack_that_is_not_there_builds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
