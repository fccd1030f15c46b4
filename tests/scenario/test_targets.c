/*
 * Targets that are claimed: one at a time, by name or labels, never while something may be left on
 * them, and another one when the first has no more to give. What is made are files
 * (tests/support/fake_engine); what is on a target are files, too (tests/support/fake_cluster).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"

enum { SOON_MS = 60000 };

/* ---- the stage ---- */

static void write_file(const char *path, const char *text)
{
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

static void write_targets(struct world *world, const char *text)
{
	AUTO(free) char *path = path_join(world->folder, "targets.yaml");

	write_file(path, text);
}

/* With this targets file ("%s" is the world's folder, twice for each target that has commands). */
static struct world *world_with(const char *targets)
{
	struct world *world = fake_world_new();
	AUTO(free) char *argument = xasprintf("--targets-file=%s/targets.yaml", world->folder);
	AUTO(free) char *here = getcwd(NULL, 0);
	AUTO(free) char *program = xasprintf("%s/tests/support/fake_cluster", here);
	struct text text = TEXT_EMPTY;
	AUTO(free) char *whole = NULL;

	for (const char *at = targets; *at; at++) {
		if (*at == '@')
			text_add(&text, program);
		else if (*at == '~')
			text_add(&text, world->folder);
		else
			text_add_bytes(&text, at, 1);
	}
	whole = text_take(&text);
	write_targets(world, whole);
	world_argument(world, argument);
	world_argument(world, "--destroy-retry=300ms");
	return world;
}

static const char one_lab[] =
    "targets:\n"
    "  - { name: lab, engine: external, kind: k3s, labels: { site: here }, settle: 200ms,\n"
    "      inventory: [\"@\", list, \"~/lab\"], clean: [\"@\", clean, \"~/lab\"] }\n";

static json_t *wish(const char *name, const char *fake, const char *target)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}, s:s*}", "template", "fake", "name", name, "ttl",
			 "30m", "parameters", "fake", fake, "target", target);
}

static void create(struct world *world, const char *name, const char *fake, const char *target)
{
	AUTO(json_decref) json_t *body = wish(name, fake, target);
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	answer = world_ask(world, "POST", "/v1/environments", body, &status);
	if (status != 201)
		fail_msg("%s was refused (%d): %s", name, status,
			 json_get_string(answer, "detail", "?"));
}

static json_t *get(struct world *world, const char *name)
{
	AUTO(free) char *path = xasprintf("/v1/environments/%s", name);

	return world_ask(world, "GET", path, NULL, NULL);
}

/* As `GET /v1/targets` tells it; new reference. */
static json_t *target(struct world *world, const char *name)
{
	AUTO(json_decref) json_t *page = world_ask(world, "GET", "/v1/targets", NULL, NULL);
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(page, "items"), i, item) {
		if (strcmp(json_get_string(item, "name", ""), name) == 0)
			return json_incref(item);
	}
	fail_msg("there is no target %s", name);
	return NULL;
}

struct standing {
	struct world *world;
	const char *target;
	const char *state;
};

static bool stands(void *arg)
{
	const struct standing *standing = arg;
	AUTO(json_decref) json_t *found = target(standing->world, standing->target);

	return strcmp(json_get_string(found, "state", ""), standing->state) == 0;
}

static void wait_for_target(struct world *world, const char *name, const char *state)
{
	struct standing standing = { world, name, state };

	if (!eventually(stands, &standing, SOON_MS)) {
		AUTO(json_decref) json_t *found = target(world, name);

		fail_msg("target %s is %s, not %s (%s)", name, json_get_string(found, "state", "?"),
			 state, json_get_string(found, "why", ""));
	}
}

static void destroy(struct world *world, const char *name)
{
	AUTO(free) char *path = xasprintf("/v1/environments/%s", name);

	assert_int_equal(http_ask(world->socket, "DELETE", path, NULL, NULL, NULL), 202);
}

static void assert_holds(const json_t *json, const char *key, const char *part)
{
	const char *text = json_get_string(json, key, "");

	if (!strstr(text, part))
		fail_msg("\"%s\" is \"%s\", without \"%s\"", key, text, part);
}

/* Lines of a file of the fake engine's or of a target's; the caller frees. */
static char *lines_of(struct world *world, const char *file)
{
	AUTO(free) char *path = path_join(world->folder, file);
	char *text = NULL;
	struct error err;

	return file_read(path, 1 << 20, &text, NULL, &err) ? text : xstrdup("");
}

/* ---- stories ---- */

static void touch(struct world *world, const char *file)
{
	AUTO(free) char *path = path_join(world->folder, file);

	write_file(path, "");
}

static void who_waits_is_told_who_has_it_and_until_when(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(json_decref) json_t *waiting = NULL, *lab = NULL, *holder = NULL;
	AUTO(free) char *shown = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "destroy=wait:go", "lab");
	world_wait(world, "first", "ready", SOON_MS);
	create(world, "second", "", "site=here");
	waiting = get(world, "second");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	assert_holds(waiting, "message", "waits for target \"lab\": \"first\" (");
	assert_holds(waiting, "message", " has it until 2");
	holder = json_incref(json_array_get(json_object_get(waiting, "holders"), 0));
	assert_string_equal(json_get_string(holder, "environment", ""), "first");
	assert_holds(holder, "until", "T");
	lab = target(world, "lab");
	assert_string_equal(json_get_string(lab, "state", ""), "held");
	assert_int_equal(world_envctl(world, &shown, "targets", NULL), 0);
	assert_non_null(strstr(shown, "first ("));

	/* Not while it is being destroyed: only when it is proved gone. */
	destroy(world, "first");
	world_wait(world, "first", "destroying", SOON_MS);
	json_decref(waiting);
	waiting = get(world, "second");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	assert_holds(waiting, "message", "is being destroyed");
	touch(world, "fake/go");
	world_wait(world, "second", "ready", SOON_MS);
	world_free(world);
}

static bool is_quarantined(void *arg)
{
	AUTO(json_decref) json_t *found = get(arg, "first");

	return json_get_bool(found, "quarantined", false);
}

static void take_away(struct world *world, const char *file)
{
	AUTO(free) char *path = path_join(world->folder, file);

	assert_int_equal(unlink(path), 0);
}

static void make_folder(struct world *world, const char *name)
{
	AUTO(free) char *path = path_join(world->folder, name);
	struct error err;

	assert_true(folder_make(path, 0755, &err));
}

static void what_was_not_proved_clean_is_given_to_nobody_until_it_is(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", "first");
	AUTO(json_decref) json_t *waiting = NULL, *lab = NULL;
	AUTO(free) char *calls = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "destroy=leave", NULL);
	world_wait(world, "first", "ready", SOON_MS);
	make_folder(world, "lab");
	touch(world, "lab/volume-7");
	touch(world, "lab.stubborn");
	destroy(world, "first");
	assert_true(eventually(is_quarantined, world, SOON_MS));
	/* It is still the first one's, and not dirty: somebody is trying. */
	lab = target(world, "lab");
	assert_string_equal(json_get_string(lab, "state", ""), "held");
	json_decref(world_ask(world, "POST", "/v1/environments/first/acknowledge", body, NULL));
	world_wait(world, "first", "destroyed", SOON_MS);

	create(world, "second", "", NULL);
	waiting = get(world, "second");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	assert_holds(waiting, "message", "waits: target \"lab\" is ");
	assert_holds(waiting, "message", "not given before it is proved clean");
	wait_for_target(world, "lab", "dirty");
	json_decref(lab);
	lab = target(world, "lab");
	assert_non_null(json_get_string(lab, "why", NULL));

	take_away(world, "lab.stubborn");
	world_wait(world, "second", "ready", SOON_MS);
	calls = lines_of(world, "lab.calls");
	assert_non_null(strstr(calls, "clean lab\nlist lab\nlist lab\n"));
	{
		AUTO(free) char *left = path_join(world->folder, "lab/volume-7");

		assert_false(file_exists(left));
	}
	world_free(world);
}

static void an_administrator_marks_one_by_name_and_is_written_down(void **state)
{
	struct world *world = world_with("targets:\n  - { name: lab, engine: external }\n");
	AUTO(json_decref) json_t *audit = NULL, *entry = NULL, *waiting = NULL;
	AUTO(free) char *said = NULL, *detail = NULL;
	int status;

	(void)state;
	world_start(world);
	assert_int_equal(
	    world_envctl(world, &said, "target", "dirty", "lab", "--why", "smells", NULL), 0);
	assert_string_equal(said, "target lab is dirty\n");
	create(world, "first", "", NULL);
	waiting = get(world, "first");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	assert_int_equal(world_envctl(world, NULL, "target", "clean", "lab", NULL), 0);
	world_wait(world, "first", "ready", SOON_MS);
	audit = world_ask(world, "GET", "/v1/audit", NULL, &status);
	entry = json_incref(json_array_get(json_object_get(audit, "items"), 2));
	assert_string_equal(json_get_string(entry, "action", ""), "target");
	assert_string_equal(json_get_string(entry, "subject", ""), "lab");
	detail = json_to_text(json_object_get(entry, "detail"));
	assert_non_null(strstr(detail, "smells"));
	assert_int_not_equal(world_envctl(world, NULL, "target", "dirty", "nowhere", NULL), 0);
	world_free(world);
}

static const char two_accounts[] =
    "targets:\n"
    "  - { name: aws-1, engine: external, kind: aws, labels: { use: tests } }\n"
    "  - { name: do-1, engine: external, kind: digitalocean, labels: { use: tests } }\n";

static bool is_leaving(void *arg)
{
	AUTO(free) char *placed = lines_of(arg, "fake/placed");

	return strstr(placed, "destroy ") != NULL;
}

/* In the middle of going from one to the other: both are its own until the first is proved empty.
 */
static void going_elsewhere_survives_kill_9_of_everything(void **state)
{
	struct world *world = world_with(two_accounts);
	AUTO(json_decref) json_t *first = NULL, *second = NULL, *found = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "create=quota:aws-1,destroy=wait:go", NULL);
	assert_true(eventually(is_leaving, world, SOON_MS));
	first = target(world, "aws-1");
	second = target(world, "do-1");
	assert_string_equal(json_get_string(first, "state", ""), "held");
	assert_string_equal(json_get_string(second, "state", ""), "held");
	world_end(world, SIGKILL);
	world_kill_reaper(world);
	world_start(world);
	touch(world, "fake/go");
	world_wait(world, "first", "ready", SOON_MS);
	found = get(world, "first");
	assert_string_equal(json_get_string(found, "target", ""), "do-1");
	wait_for_target(world, "aws-1", "free");
	world_free(world);
}

static void one_that_is_unwanted_while_it_goes_elsewhere_leaves_both_free(void **state)
{
	struct world *world = world_with(two_accounts);
	AUTO(free) char *placed = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "create=quota:aws-1,destroy=wait:go", NULL);
	assert_true(eventually(is_leaving, world, SOON_MS));
	destroy(world, "first");
	touch(world, "fake/go");
	world_wait(world, "first", "destroyed", SOON_MS);
	wait_for_target(world, "aws-1", "free");
	wait_for_target(world, "do-1", "free");
	placed = lines_of(world, "fake/placed");
	assert_null(strstr(placed, " do-1"));
	world_free(world);
}

static void one_without_room_is_left_clean_for_the_next(void **state)
{
	struct world *world = world_with(two_accounts);
	AUTO(json_decref) json_t *found = NULL, *aws = NULL;
	AUTO(free) char *placed = NULL, *expected = NULL;
	const char *id;

	(void)state;
	world_start(world);
	create(world, "first", "create=quota:aws-1", "use=tests");
	world_wait(world, "first", "ready", SOON_MS);
	found = get(world, "first");
	id = json_get_string(found, "id", "?");
	assert_string_equal(json_get_string(found, "target", ""), "do-1");
	placed = lines_of(world, "fake/placed");
	expected = xasprintf("create %s aws-1\ndestroy %s aws-1\ncreate %s do-1\n", id, id, id);
	assert_string_equal(placed, expected);
	aws = target(world, "aws-1");
	assert_string_equal(json_get_string(aws, "state", ""), "free");
	assert_non_null(json_get_string(aws, "no_room_until", NULL));
	json_decref(aws);
	aws = target(world, "do-1");
	assert_string_equal(json_get_string(aws, "state", ""), "held");

	/* The next one does not ask there again so soon. */
	create(world, "second", "", "use=tests");
	json_decref(found);
	found = get(world, "second");
	assert_string_equal(json_get_string(found, "state", ""), "queued");
	world_free(world);
}

static void what_cannot_go_elsewhere_fails_with_the_clouds_own_words(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(json_decref) json_t *found = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "create=quota:lab", NULL);
	world_wait(world, "first", "destroyed", SOON_MS);
	found = get(world, "first");
	assert_string_equal(json_get_string(found, "reason", ""), "create_failed");
	assert_holds(json_object_get(found, "error"), "message", "no more addresses");
	wait_for_target(world, "lab", "free");
	world_free(world);
}

/* Two at a time are looked at with one slot: more than that wait for the lab. */
static void who_waits_for_one_target_does_not_hide_who_waits_for_another(void **state)
{
	struct world *world = world_with("targets:\n"
					 "  - { name: lab, engine: external }\n"
					 "  - { name: other, engine: external }\n");

	(void)state;
	world_argument(world, "--create-slots=1");
	world_start(world);
	create(world, "first", "", "lab");
	world_wait(world, "first", "ready", SOON_MS);
	create(world, "second", "", "lab");
	create(world, "third", "", "lab");
	create(world, "fourth", "", "lab");
	create(world, "fifth", "", "other");
	world_wait(world, "fifth", "ready", SOON_MS);
	world_free(world);
}

static void a_claim_outlives_kill_9_of_everything(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(json_decref) json_t *before = NULL, *after = NULL, *waiting = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "create=wait:go", NULL);
	world_wait(world, "first", "provisioning", SOON_MS);
	before = target(world, "lab");
	world_end(world, SIGKILL);
	world_kill_reaper(world);
	world_start(world);
	create(world, "second", "", NULL);
	after = target(world, "lab");
	assert_true(
	    json_equal(json_object_get(before, "holders"), json_object_get(after, "holders")));
	assert_int_equal(json_array_size(json_object_get(after, "holders")), 1);
	waiting = get(world, "second");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	touch(world, "fake/go");
	world_wait(world, "first", "ready", SOON_MS);
	json_decref(waiting);
	waiting = get(world, "second");
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	world_free(world);
}

static void a_sweep_finds_what_is_left_on_a_free_one(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(free) char *left = path_join(world->folder, "lab/namespace-bos");

	(void)state;
	world_argument(world, "--sweep-interval=1s");
	world_start(world);
	make_folder(world, "lab");
	touch(world, "lab.stubborn");
	touch(world, "lab/namespace-bos");
	wait_for_target(world, "lab", "dirty");
	take_away(world, "lab.stubborn");
	wait_for_target(world, "lab", "free");
	assert_false(file_exists(left));
	world_free(world);
}

static bool knows_two(void *arg)
{
	AUTO(json_decref) json_t *page = world_ask(arg, "GET", "/v1/targets", NULL, NULL);
	AUTO(free) char *text = json_to_text(page);

	return strstr(text, "\"late\"") != NULL;
}

static bool has_complained(void *arg)
{
	AUTO(free) char *log = lines_of(arg, "log");

	return strstr(log, "stay in use") != NULL;
}

static void a_changed_file_is_read_again_and_a_wrong_one_is_not_believed(void **state)
{
	struct world *world = world_with(one_lab);
	AUTO(free) char *log = NULL;

	(void)state;
	world_start(world);
	create(world, "first", "", "lab");
	world_wait(world, "first", "ready", SOON_MS);
	write_targets(world, "targets:\n  - { name: lab, engine: external }\n"
			     "  - { name: late, engine: external }\n");
	assert_true(eventually(knows_two, world, SOON_MS));
	create(world, "second", "", NULL);
	world_wait(world, "second", "ready", SOON_MS);
	write_targets(world, "targets:\n  - { name: late, engine: external, kubeconfig: here }\n");
	assert_true(eventually(has_complained, world, SOON_MS));
	log = lines_of(world, "log");
	assert_non_null(strstr(log, "targets.yaml:2:"));
	assert_non_null(strstr(log, "must be a file of the server by its absolute path"));
	wait_for_target(world, "lab", "held");
	world_free(world);
}

/* Where they are is written down; what they are is not: not in the API, the store, the job's folder
 * or the log. */
static void a_credential_reaches_the_commands_of_its_target_and_nobody_else(void **state)
{
	struct world *world = world_with(
	    "targets:\n"
	    "  - name: lab\n"
	    "    engine: external\n"
	    "    inventory: [\"@\", list, \"~/lab\"]\n"
	    "    credentials: { LAB_TOKEN: { file: \"~/token\" }, LAB_WORD: { command: [/bin/echo, "
	    "sesame] } }\n");
	AUTO(free) char *path = path_join(world->folder, "token"), *seen = NULL;
	AUTO(free)
	char *search = xasprintf("grep -rlE 'hunter-two|=sesame' %s/data %s/log", world->folder,
				 world->folder);
	AUTO(json_decref) json_t *page = NULL;
	AUTO(free) char *shown = NULL;

	(void)state;
	write_file(path, "hunter-two\n");
	world_argument(world, "--sweep-interval=1s");
	world_start(world);
	create(world, "first", "", NULL);
	world_wait(world, "first", "ready", SOON_MS);
	destroy(world, "first");
	world_wait(world, "first", "destroyed", SOON_MS);
	assert_int_equal(world_envctl(world, NULL, "target", "dirty", "lab", NULL), 0);
	wait_for_target(world, "lab", "free");
	seen = lines_of(world, "lab.variables");
	assert_non_null(strstr(seen, "LAB_TOKEN=hunter-two\n"));
	assert_non_null(strstr(seen, "LAB_WORD=sesame\n"));
	assert_non_null(strstr(seen, "ENVD_TARGET=lab\n"));
	page = world_ask(world, "GET", "/v1/targets", NULL, NULL);
	shown = json_to_text(page);
	assert_null(strstr(shown, "token"));
	assert_int_not_equal(system(search), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_is_told_who_has_it_and_until_when),
		cmocka_unit_test(what_was_not_proved_clean_is_given_to_nobody_until_it_is),
		cmocka_unit_test(an_administrator_marks_one_by_name_and_is_written_down),
		cmocka_unit_test(one_without_room_is_left_clean_for_the_next),
		cmocka_unit_test(going_elsewhere_survives_kill_9_of_everything),
		cmocka_unit_test(one_that_is_unwanted_while_it_goes_elsewhere_leaves_both_free),
		cmocka_unit_test(who_waits_for_one_target_does_not_hide_who_waits_for_another),
		cmocka_unit_test(what_cannot_go_elsewhere_fails_with_the_clouds_own_words),
		cmocka_unit_test(a_claim_outlives_kill_9_of_everything),
		cmocka_unit_test(a_changed_file_is_read_again_and_a_wrong_one_is_not_believed),
		cmocka_unit_test(a_credential_reaches_the_commands_of_its_target_and_nobody_else),
		cmocka_unit_test(a_sweep_finds_what_is_left_on_a_free_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
