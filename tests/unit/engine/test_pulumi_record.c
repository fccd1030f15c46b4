#include "engine/pulumi/pulumi_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"

/* As the CLI writes it: one that was made, one that was looked up by its id, and what is Pulumi's.
 */
static const char state[] =
    "{\"version\":3,\"checkpoint\":{\"latest\":{\"resources\":["
    "{\"type\":\"pulumi:pulumi:Stack\",\"urn\":\"a\"},"
    "{\"type\":\"pulumi:providers:digitalocean\",\"custom\":true,\"id\":\"p\"},"
    "{\"type\":\"digitalocean:index/volume:Volume\",\"custom\":true,\"id\":\"v-1\"},"
    "{\"type\":\"digitalocean:index/containerRegistry:ContainerRegistry\",\"custom\":true,"
    "\"external\":true,\"id\":\"everybodys\"},"
    "{\"type\":\"eks:index:Cluster\",\"id\":\"a-component\"}]}}}";

static void what_was_only_looked_up_is_not_the_environments(void **unused)
{
	char folder[] = "/tmp/envd-record-XXXXXX", project[] = "registry", layer[] = "registry";
	struct layer_spec layers[] = { { .name = layer } };
	struct layer_list list = { .layers = layers, .count = 1 };
	struct pulumi_project projects[] = { { .name = project } };
	struct pulumi_place place = { .list = &list, .projects = projects, .stack = "envd-1" };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };
	AUTO(free) char *stacks = NULL, *path = NULL;
	const json_t *known;
	struct error err;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	place.folder = folder;
	stacks = xasprintf("%s/backend/.pulumi/stacks/registry", folder);
	path = xasprintf("%s/envd-1.json", stacks);
	if (!folder_make(stacks, 0700, &err) ||
	    !file_write_atomically(path, state, strlen(state), 0600, &err) ||
	    !record_open(&place, &record, &err) || !record_add_providers(&record, &place, 0, &err))
		fail_msg("%s", err.message);
	known = record_known(&record, "digitalocean");
	assert_non_null(json_object_get(known, "v-1"));
	assert_int_equal(json_object_size(known), 1);
	/* That it was asked at all is kept: who asks may have made something, too. */
	assert_non_null(json_object_get(record_providers(&record), "digitalocean"));
	assert_null(json_object_get(record_providers(&record), "eks"));
	assert_true(folder_remove(folder, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_only_looked_up_is_not_the_environments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
