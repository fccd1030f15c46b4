/*
 * The engines that come with envd and are no part of it: templates/engines/terraform with the real
 * terraform, and templates/engines/shell. The things that they make are files, which are counted
 * here. Without terraform its tests are skipped, and named in the summary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "conformance/rig.h"
#include "tests/support/world.h"

enum { LIMIT_MS = 120000 };

struct adapter {
	char folder[64];
	char *program;
	char *template_folder;
	char *things; /* the folder of what it made */
	json_t *parameters;
	struct conformance_spec spec;
};

static void ignore_trial(void *arg, const json_t *trial)
{
	(void)arg;
	(void)trial;
}

/* `kind` is "terraform" or "shell". */
static struct adapter *adapter_new(const char *kind, int slow_s)
{
	struct adapter *adapter = xcalloc(1, sizeof(*adapter));
	AUTO(free) char *source = realpath(".", NULL), *home = NULL;

	strcpy(adapter->folder, "/tmp/envd-adapter-XXXXXX");
	assert_non_null(mkdtemp(adapter->folder));
	adapter->program = xasprintf("%s/templates/engines/%s/%s-engine", source, kind, kind);
	adapter->template_folder = xasprintf("%s/tests/fixtures/engines/%s-things", source, kind);
	adapter->things = path_join(adapter->folder, "things");
	home = path_join(adapter->folder, "home");
	setenv("ENVD_EXTERNAL_TERRAFORM_HOME", home, 1);
	setenv("ENVD_EXTERNAL_SHELL_HOME", home, 1);
	adapter->parameters = json_pack("{s:s, s:i, s:s}", "world", adapter->things, "slow", slow_s,
					"secret", "hunter2-hunter2");
	adapter->spec = (struct conformance_spec){ .program = adapter->program,
						   .template_folder = adapter->template_folder,
						   .parameters = adapter->parameters,
						   .time_limit_ms = LIMIT_MS,
						   .grace_ms = 30000,
						   .stop_fd = -1,
						   .on_trial = ignore_trial };
	return adapter;
}

static void adapter_free(struct adapter *adapter)
{
	struct error err;

	assert_true(folder_remove(adapter->folder, &err));
	json_decref(adapter->parameters);
	free(adapter->program);
	free(adapter->template_folder);
	free(adapter->things);
	free(adapter);
}

static void need_terraform(void)
{
	if (system("command -v terraform >/dev/null || command -v tofu >/dev/null") != 0) {
		print_message("neither terraform nor tofu is installed\n");
		skip();
	}
}

static struct adapter *terraform_new(int slow_s)
{
	need_terraform();
	return adapter_new("terraform", slow_s);
}

static size_t entries_of(const char *path)
{
	AUTO(closedir) DIR *folder = opendir(path);
	size_t count = 0;

	for (const struct dirent *entry = NULL; folder && (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	return count;
}

/* ---- whether they keep to the manual ---- */

static void must_conform(const char *kind)
{
	struct adapter *adapter = adapter_new(kind, 0);
	AUTO(json_decref) json_t *trials = NULL;
	struct error err;

	assert_true(conformance_run(&adapter->spec, &trials, &err));
	for (size_t i = 0; i < json_array_size(trials); i++) {
		const json_t *trial = json_array_get(trials, i);
		AUTO(free) char *text = json_dumps(trial, 0);

		/* Both give a result when they are stopped, so there is no note either. */
		if (strcmp(json_get_string(trial, "status", ""), "ok") != 0)
			fail_msg("%s", text);
	}
	assert_int_equal(entries_of(adapter->things), 0);
	adapter_free(adapter);
}

static void the_terraform_adapter_conforms(void **unused)
{
	(void)unused;
	need_terraform();
	must_conform("terraform");
}

static void the_shell_adapter_conforms(void **unused)
{
	(void)unused;
	must_conform("shell");
}

/* ---- run by run ---- */

static void ask(struct rig *rig, struct run *run, const char *verb, struct subject *subject)
{
	*run = (struct run){ .verb = verb, .subjects = { subject } };
	rig_run(rig, run);
}

static void must(struct rig *rig, const char *verb, struct subject *subject)
{
	struct run run;

	ask(rig, &run, verb, subject);
	if (run.err[0].code != ERR_NONE)
		fail_msg("%s: %s", verb, run.err[0].message);
	run_release(&run);
}

static bool inventory_is_complete(struct rig *rig, struct subject *subject)
{
	struct run run;
	bool is_complete;

	ask(rig, &run, "inventory", subject);
	assert_int_equal(run.err[0].code, ERR_NONE);
	is_complete = json_get_bool(run.data[0], "complete", false);
	run_release(&run);
	return is_complete;
}

static struct subject *open_rig(struct adapter *adapter, struct rig *rig)
{
	AUTO(text_release) struct text why = TEXT_EMPTY;
	struct subject *subject;
	struct error err;

	assert_true(rig_open(rig, &adapter->spec, &err));
	subject = rig_subject(rig, &why);
	assert_non_null(subject);
	return subject;
}

/* Nobody but terraform can tell what there is, or remove it. */
static void leave_to_terraform_alone(const struct subject *subject)
{
	AUTO(free) char *inventory = path_join(subject->template_folder, "inventory");
	AUTO(free) char *removal = path_join(subject->template_folder, "remove");

	assert_int_equal(unlink(inventory), 0);
	assert_int_equal(unlink(removal), 0);
}

static void close_rig(struct adapter *adapter, struct rig *rig)
{
	rig_close(rig);
	adapter_free(adapter);
}

static void a_missing_terraform_is_named(void **unused)
{
	struct adapter *adapter = adapter_new("terraform", 0);
	struct rig rig;
	struct run run;

	(void)unused;
	setenv("ENVD_EXTERNAL_TERRAFORM", "no-such-terraform", 1);
	open_rig(adapter, &rig);
	ask(&rig, &run, "probe", NULL);
	unsetenv("ENVD_EXTERNAL_TERRAFORM");
	assert_string_equal(run.err[0].slug, "tool_missing");
	assert_non_null(strstr(run.err[0].message, "\"no-such-terraform\""));
	run_release(&run);
	close_rig(adapter, &rig);
}

/* Without a program that asks the cloud, nobody can know whether it exists. */
static void a_create_killed_in_the_middle_is_unknown_to_terraform_alone(void **unused)
{
	struct adapter *adapter = terraform_new(30);
	struct rig rig;
	struct subject *subject;
	struct run run = { .verb = "create",
			   .stop = STOP_BY_FORCE,
			   .stop_at_first_line = true,
			   .stop_after_ms = LIMIT_MS };

	(void)unused;
	subject = open_rig(adapter, &rig);
	leave_to_terraform_alone(subject);
	must(&rig, "plan", subject);
	assert_true(inventory_is_complete(&rig, subject));
	run.subjects[0] = subject;
	rig_run(&rig, &run);
	assert_true(run.was_stopped);
	run_release(&run);
	must(&rig, "recover", subject);
	must(&rig, "destroy", subject);
	assert_false(inventory_is_complete(&rig, subject));
	/* A sweep that knows no environment is told the same. */
	assert_false(inventory_is_complete(&rig, NULL));
	close_rig(adapter, &rig);
}

static char *state_path(const struct subject *subject)
{
	return path_join(subject->folder, "terraform/state/terraform.tfstate");
}

static void a_state_cut_in_half_comes_back_and_everything_is_destroyed(void **unused)
{
	struct adapter *adapter = terraform_new(0);
	struct rig rig;
	struct subject *subject;
	AUTO(free) char *state = NULL;

	(void)unused;
	subject = open_rig(adapter, &rig);
	leave_to_terraform_alone(subject);
	must(&rig, "create", subject);
	assert_int_equal(entries_of(adapter->things), 2);
	state = state_path(subject);
	assert_int_equal(truncate(state, 200), 0);
	must(&rig, "destroy", subject);
	assert_int_equal(entries_of(adapter->things), 0);
	assert_true(inventory_is_complete(&rig, subject));
	close_rig(adapter, &rig);
}

static void a_state_that_could_not_be_saved_is_pushed_back_first(void **unused)
{
	struct adapter *adapter = terraform_new(0);
	AUTO(json_decref) json_t *state = NULL, *after = NULL;
	AUTO(free) char *path = NULL, *errored = NULL;
	struct rig rig;
	struct subject *subject;
	struct error err;

	(void)unused;
	subject = open_rig(adapter, &rig);
	must(&rig, "create", subject);
	path = state_path(subject);
	errored = path_join(subject->folder, "terraform/work/errored.tfstate");
	assert_true(json_read_file(path, 1 << 20, &state, &err));
	json_object_set_new(state, "serial", json_integer(1000));
	assert_int_equal(json_dump_file(state, errored, 0), 0);
	assert_true(inventory_is_complete(&rig, subject));
	assert_false(file_exists(errored));
	assert_true(json_read_file(path, 1 << 20, &after, &err));
	assert_int_equal(json_get_int64(after, "serial", 0), 1000);
	must(&rig, "destroy", subject);
	assert_int_equal(entries_of(adapter->things), 0);
	close_rig(adapter, &rig);
}

/* ---- with envd ---- */

static void write_template(const struct adapter *adapter, const struct world *world,
			   const char *name)
{
	AUTO(free) char *folder = path_join(world->templates, name);
	AUTO(free)
	char *text = xasprintf(
	    "apiVersion: envd/v1\nname: %s\nengine: external\nsource: %s\n"
	    "parameters:\n"
	    "  world: { type: string, default: %s }\n"
	    "  slow: { type: integer, default: 0 }\n"
	    "  secret: { type: string, default: hunter2-hunter2 }\n"
	    "limits: { attempts: 1, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n",
	    name, adapter->program, adapter->things);
	struct error err;

	assert_true(folder_copy(adapter->template_folder, folder,
				&(struct copy_limits){ 100, 1 << 20 }, &err));
	world_write((struct world *)(uintptr_t)world, name, "template.yaml", text);
}

static void live_and_end(const char *kind)
{
	struct adapter *adapter = adapter_new(kind, 0);
	AUTO(json_decref) json_t *environment = NULL;
	AUTO(free) char *name = xasprintf("%s-things", kind), *url = NULL, *text = NULL;
	struct world *world;
	char id[37];
	int status;

	setenv("ENVD_TEST_PODMAN", "/nonexistent/podman.sock", 0);
	world = world_new("ENVD_TEST_PODMAN");
	write_template(adapter, world, name);
	world_start(world);
	world_create(world, name, "blue", "10m", id);
	world_wait(world, id, "ready", LIMIT_MS);
	assert_int_equal(entries_of(adapter->things), 2);
	environment = world_ask(world, "GET", "/v1/environments/blue", NULL, &status);
	url = xasprintf("file://%s/%s.web", adapter->things, id);
	assert_string_equal(json_get_string(json_object_get(environment, "outputs"), "url", ""),
			    url);
	text = json_dumps(json_object_get(environment, "outputs"), 0);
	assert_null(strstr(text, "hunter2"));
	assert_int_equal(world_envctl(world, NULL, "destroy", "blue", NULL), 0);
	world_wait(world, id, "destroyed", LIMIT_MS);
	assert_int_equal(entries_of(adapter->things), 0);
	world_free(world);
	adapter_free(adapter);
}

static void envd_lends_what_terraform_made_and_proves_it_gone(void **unused)
{
	(void)unused;
	need_terraform();
	live_and_end("terraform");
}

static void envd_lends_what_scripts_made_and_proves_it_gone(void **unused)
{
	(void)unused;
	live_and_end("shell");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_terraform_adapter_conforms),
		cmocka_unit_test(the_shell_adapter_conforms),
		cmocka_unit_test(a_missing_terraform_is_named),
		cmocka_unit_test(a_create_killed_in_the_middle_is_unknown_to_terraform_alone),
		cmocka_unit_test(a_state_cut_in_half_comes_back_and_everything_is_destroyed),
		cmocka_unit_test(a_state_that_could_not_be_saved_is_pushed_back_first),
		cmocka_unit_test(envd_lends_what_terraform_made_and_proves_it_gone),
		cmocka_unit_test(envd_lends_what_scripts_made_and_proves_it_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
