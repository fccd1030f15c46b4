/*
 * templates/clusters: each script makes a cluster, finds it, takes it away, may be told so twice,
 * and says so when its tool cannot tell. The tools are stand-ins (tests/support/fake_cluster_tool);
 * the mechanism around the scripts is tested with the real Pulumi CLI (test_pulumi_targets.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"

struct stage {
	char folder[64];
	const char *tool;
};

static int run(const struct stage *stage, const char *words)
{
	AUTO(free)
	char *command = xasprintf(
	    "cd %s && PATH=%s/bin:$PATH FAKE_CLUSTERS=%s/clusters PULUMI_STACK=envd-12345678 "
	    "KUBECONFIG=%s/kubeconfig ENVD_FOLDER=%s MINIKUBE_HOME=%s/home "
	    "%s/scripts/%s %s >%s/said 2>%s/complained",
	    stage->folder, stage->folder, stage->folder, stage->folder, stage->folder,
	    stage->folder, stage->folder, stage->tool, words, stage->folder, stage->folder);
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *text_of(const struct stage *stage, const char *file)
{
	AUTO(free) char *path = path_join(stage->folder, file);
	char *text = NULL;
	struct error err;

	return file_read(path, 1 << 20, &text, NULL, &err) ? text : xstrdup("");
}

static size_t count_listed(const struct stage *stage)
{
	AUTO(free) char *text = NULL;
	AUTO(json_decref) json_t *list = NULL;

	assert_int_equal(run(stage, "list"), 0);
	text = text_of(stage, "said");
	list = json_loads(text, 0, NULL);
	assert_true(json_is_array(list));
	if (json_array_size(list)) {
		const json_t *item = json_array_get(list, 0);

		assert_string_equal(json_get_string(item, "id", ""), "envd-12345678");
		assert_non_null(json_get_string(item, "kind", NULL));
	}
	return json_array_size(list);
}

static void touch(const struct stage *stage, const char *name)
{
	AUTO(free) char *path = path_join(stage->folder, name);
	struct error err;

	assert_true(file_write_atomically(path, "", 0, 0600, &err));
}

static void take_away(const struct stage *stage, const char *name)
{
	AUTO(free) char *path = path_join(stage->folder, name);

	assert_int_equal(unlink(path), 0);
}

static int set_up(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	AUTO(free) char *command = NULL;

	stage->tool = *state;
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/envd-clusters-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	command = xasprintf(
	    "mkdir %s/bin %s/scripts && cp tests/support/fake_cluster_tool %s/bin/%s "
	    "&& cp templates/clusters/%s %s/scripts/",
	    stage->folder, stage->folder, stage->folder, stage->tool, stage->tool, stage->folder);
	assert_int_equal(system(command), 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	struct error err;

	assert_true(folder_remove(stage->folder, &err));
	free(stage);
	return 0;
}

static void a_cluster_is_made_found_and_taken_away(void **state)
{
	const struct stage *stage = *state;
	AUTO(free) char *config = NULL;

	assert_int_equal(count_listed(stage), 0);
	assert_int_equal(run(stage, "up"), 0);
	assert_int_equal(count_listed(stage), 1);
	config = text_of(stage, "kubeconfig");
	assert_non_null(strstr(config, "https://envd-12345678"));
	/* Once more: it is the same one. */
	assert_int_equal(run(stage, "up"), 0);
	assert_int_equal(count_listed(stage), 1);
	assert_int_equal(run(stage, "down envd-12345678"), 0);
	assert_int_equal(count_listed(stage), 0);
	assert_int_equal(run(stage, "down"), 0);
}

static void what_cannot_be_told_is_not_told(void **state)
{
	const struct stage *stage = *state;
	AUTO(free) char *said = NULL;

	assert_int_equal(run(stage, "up"), 0);
	touch(stage, "clusters.broken");
	assert_int_not_equal(run(stage, "list"), 0);
	said = text_of(stage, "said");
	assert_null(strstr(said, "["));
	assert_int_not_equal(run(stage, "down"), 0);
	take_away(stage, "clusters.broken");
	assert_int_equal(count_listed(stage), 1);
}

static void one_that_was_half_made_is_found_and_mended(void **state)
{
	const struct stage *stage = *state;

	touch(stage, "clusters.fails");
	assert_int_not_equal(run(stage, "up"), 0);
	assert_int_equal(count_listed(stage), 1);
	take_away(stage, "clusters.fails");
	assert_int_equal(run(stage, "up"), 0);
	assert_int_equal(run(stage, "down"), 0);
	assert_int_equal(count_listed(stage), 0);
}

static void other_words_are_refused(void **state)
{
	assert_int_equal(run(*state, "sideways"), 2);
}

/* There is one a machine. */
static void microk8s_of_another_environment_is_left_alone(void **state)
{
	const struct stage *stage = *state;
	AUTO(free) char *path = path_join(stage->folder, "clusters");
	AUTO(free) char *calls = NULL;
	struct error err;

	assert_true(folder_make(path, 0755, &err));
	touch(stage, "clusters/envd-99999999");
	assert_int_not_equal(run(stage, "up"), 0);
	assert_int_equal(count_listed(stage), 0);
	assert_int_equal(run(stage, "down"), 0);
	calls = text_of(stage, "clusters.calls");
	assert_null(strstr(calls, "reset"));
}

#define WITH(tool, story) { tool ": " #story, story, set_up, tear_down, (void *)(uintptr_t)tool }
#define STORIES_OF(tool)                                                                           \
	WITH(tool, a_cluster_is_made_found_and_taken_away),                                        \
	    WITH(tool, what_cannot_be_told_is_not_told),                                           \
	    WITH(tool, one_that_was_half_made_is_found_and_mended),                                \
	    WITH(tool, other_words_are_refused)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORIES_OF("k3d"),
		STORIES_OF("kind"),
		STORIES_OF("minikube"),
		STORIES_OF("microk8s"),
		WITH("microk8s", microk8s_of_another_environment_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
