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

/* The Python of the part that has pulumi-policy; freed by the caller. */
static char *find_python(void)
{
	AUTO(free) char *command = xasprintf("%s/ci/local/real-parts policy", source_folder());
	char folder[1024] = "";
	FILE *pipe = popen(command, "r");

	assert_non_null(fgets(folder, sizeof(folder), pipe));
	assert_int_equal(pclose(pipe), 0);
	folder[strcspn(folder, "\n")] = '\0';
	return xasprintf("%s/python", folder);
}

static void write_program(const char *path, const char *script)
{
	struct error err;

	assert_true(file_write_atomically(path, script, strlen(script), 0755, &err));
	assert_int_equal(chmod(path, 0755), 0);
}

/* What runs packs of runtime "house". */
static void have_analyzer(const struct pulumi_bench *bench)
{
	AUTO(free) char *python = find_python();
	AUTO(free)
	char *program = xasprintf("%s/pulumi-analyzer-policy-house", bench->world->folder);
	AUTO(free)
	char *script =
	    xasprintf("#!/bin/sh\nexec '%s' -u -m pulumi.policy \"$1\" \"$2\"\n", python);
	AUTO(free) char *path = xasprintf("%s:%s", bench->world->folder, getenv("PATH"));

	write_program(program, script);
	setenv("PATH", path, 1);
}

/* The same policies as one program, which names the Python that has its packages. */
static void have_program(struct pulumi_bench *bench)
{
	AUTO(free) char *python = find_python();
	AUTO(free)
	char *source = xasprintf("%s/three/policies/house/__main__.py", bench->world->templates);
	AUTO(free) char *program = xasprintf("%s/three/policies/pack", bench->world->templates);
	AUTO(free) char *policies = NULL;
	AUTO(free) char *script = NULL;
	struct error err;

	assert_true(file_read(source, 1 << 16, &policies, NULL, &err));
	script = xasprintf("#!%s -u\n%s", python, policies);
	write_program(program, script);
}

static void have_policies(struct pulumi_bench *bench, const char *pack)
{
	const struct copy_limits limits = { 100, 1 << 20 };
	AUTO(free) char *from = xasprintf("%s/tests/fixtures/pulumi/policies", source_folder());
	AUTO(free) char *to = xasprintf("%s/three/policies", bench->world->templates);
	AUTO(free) char *line = xasprintf("policies: [%s]\nlayers:\n", pack);
	struct error err;

	pulumi_bench_template(bench, "three");
	if (!folder_copy(from, to, &limits, &err))
		fail_msg("%s", err.message);
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n", line);
}

static void is_forbidden_by_name(struct pulumi_bench *bench)
{
	AUTO(free) char *why = NULL;
	AUTO(free) char *history = NULL;
	AUTO(free) char *expected = NULL;
	char id[37];

	world_start(bench->world);
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

static void what_a_policy_forbids_is_named_and_not_made(void **state)
{
	have_analyzer(*state);
	have_policies(*state, "policies/house");
	is_forbidden_by_name(*state);
}

static void a_pack_may_be_a_program(void **state)
{
	have_policies(*state, "policies/pack");
	have_program(*state);
	is_forbidden_by_name(*state);
}

static void what_is_no_pack_builds_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *why = NULL;
	char id[37];

	have_policies(bench, "policies/house/__main__.py");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	why = pulumi_bench_failure(bench, id);
	assert_string_equal(why,
			    "policy pack \"policies/house/__main__.py\" is neither a folder of the "
			    "template with a PulumiPolicy.yaml nor a program of it");
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(what_a_policy_forbids_is_named_and_not_made),
		ON_BENCH(a_pack_may_be_a_program),
		ON_BENCH(what_is_no_pack_builds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
