#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/files.h"
#include "engine/pulumi/pulumi_cluster.h"

struct stage {
	char folder[64];
	struct engine_request request;
	struct pulumi_place place;
	struct pulumi_record record;
};

static int open_stage(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	struct error err;

	snprintf(stage->folder, sizeof(stage->folder), "/tmp/envd-cluster-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	stage->place.request = &stage->request;
	stage->place.folder = stage->folder;
	assert_true(record_open(&stage->place, &stage->record, &err));
	*state = stage;
	return 0;
}

static int close_stage(void **state)
{
	struct stage *stage = *state;
	struct error err;

	record_release(&stage->record);
	assert_true(folder_remove(stage->folder, &err));
	free(stage);
	return 0;
}

/* Two clusters in one file; `current` is the context. */
static void write_kubeconfig(const struct stage *stage, const char *current, const char *authority)
{
	AUTO(free) char *path = path_join(stage->folder, "kubeconfig");
	AUTO(free) char *data = base64_encode(authority, strlen(authority), false);
	AUTO(free)
	char *text = xasprintf("apiVersion: v1\nkind: Config\ncurrent-context: %s\n"
			       "clusters:\n"
			       "- name: one\n  cluster: { server: 'https://10.0.0.1:6443', "
			       "certificate-authority-data: %s }\n"
			       "- name: two\n  cluster: { server: 'https://10.0.0.2:6443', "
			       "certificate-authority-data: %s }\n"
			       "contexts:\n"
			       "- name: blue\n  context: { cluster: one, user: a }\n"
			       "- name: green\n  context: { cluster: two, user: a }\n",
			       current, data, data);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

static void refused(struct stage *stage, const char *slug, const char *words)
{
	struct error err;

	assert_false(cluster_check(&stage->place, &stage->record, &err));
	assert_string_equal(err.slug, slug);
	if (!strstr(err.message, words))
		fail_msg("says \"%s\"", err.message);
}

static void without_a_kubeconfig_there_is_nothing_to_compare(void **state)
{
	struct stage *stage = *state;
	struct error err;

	assert_true(cluster_check(&stage->place, &stage->record, &err));
	assert_null(record_fact(&stage->record, "cluster"));
}

static void a_changed_context_is_another_cluster(void **state)
{
	struct stage *stage = *state;
	struct error err;

	write_kubeconfig(stage, "blue", "authority");
	assert_true(cluster_check(&stage->place, &stage->record, &err));
	assert_true(cluster_check(&stage->place, &stage->record, &err));
	write_kubeconfig(stage, "green", "authority");
	refused(stage, "other_cluster", "https://10.0.0.2:6443");
	write_kubeconfig(stage, "blue", "authority");
	assert_true(cluster_check(&stage->place, &stage->record, &err));
}

static void a_cluster_made_anew_at_the_same_address_is_another_one(void **state)
{
	struct stage *stage = *state;
	struct error err;

	write_kubeconfig(stage, "blue", "authority");
	assert_true(cluster_check(&stage->place, &stage->record, &err));
	write_kubeconfig(stage, "blue", "another authority");
	refused(stage, "other_cluster", "nothing is done there");
}

static void what_it_is_on_is_still_known_after_a_restart(void **state)
{
	struct stage *stage = *state;
	struct error err;

	write_kubeconfig(stage, "blue", "authority");
	assert_true(cluster_check(&stage->place, &stage->record, &err));
	record_release(&stage->record);
	assert_true(record_open(&stage->place, &stage->record, &err));
	write_kubeconfig(stage, "green", "authority");
	refused(stage, "other_cluster", "https://10.0.0.1:6443");
}

static void a_context_that_leads_nowhere_is_named(void **state)
{
	struct stage *stage = *state;

	write_kubeconfig(stage, "red", "authority");
	refused(stage, "kubeconfig_invalid", "current context \"red\" leads to no cluster");
}

#define ON_STAGE(story) cmocka_unit_test_setup_teardown(story, open_stage, close_stage)

static void nothing_is_done_there_when_the_claim_of_the_target_has_ended(void **state)
{
	struct stage *stage = *state;
	struct error err;

	stage->request.target.name = "lab";
	stage->request.target.claim_number = 3;
	stage->request.target.claim_file = "/nonexistent/3";
	write_kubeconfig(stage, "one", "A");
	assert_false(cluster_check(&stage->place, &stage->record, &err));
	assert_string_equal(err.slug, "claim_lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(without_a_kubeconfig_there_is_nothing_to_compare),
		ON_STAGE(a_changed_context_is_another_cluster),
		ON_STAGE(a_cluster_made_anew_at_the_same_address_is_another_one),
		ON_STAGE(what_it_is_on_is_still_known_after_a_restart),
		ON_STAGE(a_context_that_leads_nowhere_is_named),
		ON_STAGE(nothing_is_done_there_when_the_claim_of_the_target_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
