#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "control/admission.h"

#define MIB ((int64_t)1024 * 1024)

/* ---- what a template needs ---- */

static int64_t need(const char *limits, const char *services, int64_t max, struct error *err)
{
	char folder[] = "/tmp/envd-need-XXXXXX", name[] = "local";
	AUTO(free)
	char *text = xasprintf("apiVersion: envd/v1\nname: t\nengine: container\n"
			       "source: compose.yaml\n"
			       "parameters: { room: { type: string, default: 64m } }\n%s",
			       limits);
	AUTO(free) char *template_path = NULL;
	AUTO(free) char *compose_path = NULL;
	AUTO(template_free) struct template *template = NULL;
	const struct target target = { .name = name, .memory_bytes_max = max };
	AUTO(json_decref) json_t *parameters = json_pack("{s:s}", "room", "128m");
	struct template_entry entry;
	int64_t bytes = -1;
	struct error removal;

	assert_non_null(mkdtemp(folder));
	template_path = path_join(folder, "template.yaml");
	compose_path = path_join(folder, "compose.yaml");
	assert_true(file_write_atomically(template_path, text, strlen(text), 0600, err));
	assert_true(file_write_atomically(compose_path, services, strlen(services), 0600, err));
	if (!template_load(folder, NULL, &template, err))
		fail_msg("%s", err->message);
	entry = (struct template_entry){ .template = template, .folder = folder };
	if (!admission_need(&target, &entry, NULL, parameters, &bytes, err))
		bytes = -1;
	assert_true(folder_remove(folder, &removal));
	return bytes;
}

#define SERVICES                                                                                   \
	"services:\n  a: { image: x, mem_limit: 100m }\n  b: { image: x }\n"                       \
	"  c: { image: x, mem_limit: '${ROOM}' }\n"

static void an_environment_needs_what_its_services_may_use(void **unused)
{
	struct error err;

	(void)unused;
	assert_int_equal(need("", SERVICES, 9000 * MIB, &err), (100 + 256 + 128) * MIB);
	assert_int_equal(need("limits: { memory: 2g }\n", SERVICES, 9000 * MIB, &err), 2048 * MIB);
	/* What cannot be read is the build's to say. */
	assert_int_equal(need("", "services: [", 9000 * MIB, &err), 256 * MIB);
}

static void memory_is_not_looked_at_where_the_target_has_no_limit(void **unused)
{
	struct error err;

	(void)unused;
	assert_int_equal(need("limits: { memory: 2g }\n", SERVICES, 0, &err), 0);
}

static void what_can_never_fit_is_refused_at_once(void **unused)
{
	struct error err;

	(void)unused;
	assert_int_equal(need("limits: { memory: 2g }\n", SERVICES, 1024 * MIB, &err), -1);
	assert_string_equal(err.slug, "memory_never_fits");
	assert_string_equal(err.message, "template \"t\" needs 2 GiB of memory, and target "
					 "\"local\" has 1 GiB in all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_environment_needs_what_its_services_may_use),
		cmocka_unit_test(memory_is_not_looked_at_where_the_target_has_no_limit),
		cmocka_unit_test(what_can_never_fit_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
