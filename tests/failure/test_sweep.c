/*
 * Left-overs: everything is killed and the data folder is deleted; what carries our label is found
 * and removed without a store, under the guards. The witness is the runtime.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static int open_world(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "small", false);
	world_start(world);
	*state = world;
	return 0;
}

/* envd-reaper sweep with these arguments; its output is freed by the caller. */
static int sweep(struct world *world, const char *arguments, char **output)
{
	const char *folder = getenv("ENVD_BIN");
	AUTO(free) char *report = path_join(world->folder, "sweep");
	AUTO(free)
	char *command = xasprintf(
	    "XDG_STATE_HOME=%s %s/envd-reaper sweep --data=%s --runtime=unix:%s %s >%s 2>&1",
	    world->folder, folder ? folder : "build/bin", world->data, world->runtime, arguments,
	    report);
	int status = system(command);
	struct error err;

	assert_true(file_read(report, 1 << 20, output, NULL, &err));
	return WEXITSTATUS(status);
}

static void lose_everything(struct world *world)
{
	struct error err;

	world_end(world, SIGKILL);
	world_kill_reaper(world);
	assert_true(folder_remove(world->data, &err));
}

static void what_a_lost_installation_left_is_found_and_removed_by_label(void **state)
{
	struct world *world = *state;
	AUTO(free) char *listed = NULL;
	AUTO(free) char *kept = NULL;
	AUTO(free) char *wrong = NULL;
	AUTO(free) char *removed = NULL;
	AUTO(free) char *dry = NULL;
	AUTO(free) char *plain = NULL;
	AUTO(free) char *mistaken = NULL;
	AUTO(free) char *confirmed = NULL;
	char one[37], two[37], instance[37];

	world_create(world, "small", "one", "10m", one);
	world_create(world, "small", "two", "10m", two);
	world_wait(world, one, "ready", 30000);
	world_wait(world, two, "ready", 30000);
	world_instance(world, instance);
	lose_everything(world);
	assert_int_equal(world_count(world, "envd-instance", instance), 6);

	dry = xasprintf("--no-store --instance=%s --dry-run", instance);
	assert_int_equal(sweep(world, dry, &listed), 0);
	assert_non_null(strstr(listed, one));
	assert_non_null(strstr(listed, two));
	assert_int_equal(world_count(world, "envd-instance", instance), 6);

	/* Before their hard wall they may be in use: not without being told how many. */
	plain = xasprintf("--no-store --instance=%s", instance);
	assert_int_equal(sweep(world, plain, &kept), 0);
	assert_non_null(strstr(kept, "--confirm 2"));
	assert_int_equal(world_count(world, "envd-instance", instance), 6);

	mistaken = xasprintf("--no-store --instance=%s --confirm 3", instance);
	assert_int_equal(sweep(world, mistaken, &wrong), 4);
	assert_int_equal(world_count(world, "envd-instance", instance), 6);

	confirmed = xasprintf("--no-store --instance=%s --confirm 2", instance);
	assert_int_equal(sweep(world, confirmed, &removed), 0);
	assert_int_equal(world_count(world, "envd-instance", instance), 0);
}

static void a_sweep_touches_nothing_that_the_store_knows(void **state)
{
	struct world *world = *state;
	AUTO(free) char *output = NULL;
	char id[37];

	world_create(world, "small", "one", "10m", id);
	world_wait(world, id, "ready", 30000);
	assert_int_equal(sweep(world, "", &output), 0);
	assert_null(strstr(output, id));
	assert_int_equal(world_count(world, "envd-environment", id), 3);
}

static void a_sweep_leaves_another_installations_things_alone(void **state)
{
	struct world *world = *state;
	AUTO(free) char *output = NULL;
	char id[37], instance[37];

	world_create(world, "small", "one", "10m", id);
	world_wait(world, id, "ready", 30000);
	world_instance(world, instance);
	assert_int_equal(
	    sweep(world, "--no-store --instance=11111111-2222-4333-8444-555555555555 --confirm 1",
		  &output),
	    4);
	assert_int_equal(world_count(world, "envd-instance", instance), 3);
}

static void a_sweep_without_a_store_asks_for_the_instance(void **state)
{
	struct world *world = *state;
	AUTO(free) char *output = NULL;

	assert_int_equal(sweep(world, "--no-store", &output), 2);
	assert_non_null(strstr(output, "--instance"));
}

static size_t count_folders(const struct world *world, const char *kind)
{
	AUTO(free) char *path = path_join(world->data, kind);
	DIR *listing = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		count += entry->d_name[0] != '.';
	closedir(listing);
	return count;
}

static void age(const struct world *world, const char *folder)
{
	AUTO(free) char *path = path_join(world->data, folder);
	const struct timespec two_hours_ago[2] = { { time(NULL) - 7200, 0 },
						   { time(NULL) - 7200, 0 } };

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, two_hours_ago, 0), 0);
}

static void a_sweep_forgets_what_ended_long_ago_and_its_folders(void **state)
{
	struct world *world = *state;
	AUTO(free) char *early = NULL;
	AUTO(free) char *late = NULL;
	char live[37], gone[37];
	int status;

	world_create(world, "small", "live", "10m", live);
	world_create(world, "small", "gone", "10m", gone);
	world_wait(world, live, "ready", 60000);
	world_wait(world, gone, "ready", 60000);
	assert_int_equal(world_envctl(world, NULL, "destroy", "gone", NULL), 0);
	age(world, "jobs/11111111-2222-4333-8444-555555555555"); /* a crash left it */

	assert_int_equal(sweep(world, "--keep-ended=1h", &early), 0);
	assert_non_null(strstr(early, "0 records of ended environments and 1 stray folders"));
	assert_int_equal(count_folders(world, "environments"), 2);

	assert_int_equal(sweep(world, "--keep-ended=0s", &late), 0);
	assert_non_null(strstr(late, "1 records of ended environments"));
	assert_int_equal(count_folders(world, "environments"), 1);
	assert_int_equal(count_folders(world, "jobs"), 1);
	json_decref(world_ask(world, "GET", "/v1/environments/gone", NULL, &status));
	assert_int_equal(status, 404);
	json_decref(world_ask(world, "GET", "/v1/environments/live", NULL, &status));
	assert_int_equal(status, 200);
	assert_int_equal(world_count(world, "envd-environment", live), 3);
}

/* How many images the runtime has that this installation built. */
static size_t built_images(const struct world *world, const char *instance)
{
	AUTO(free)
	char *target = xasprintf("/v1.41/images/json?filters=%%7B%%22label%%22%%3A%%5B%%22"
				 "envd-built-by%%3D%s%%22%%5D%%7D",
				 instance);
	AUTO(json_decref) json_t *images = NULL;

	assert_int_equal(http_ask_json(world->runtime, "GET", target, NULL, NULL, &images), 200);
	return json_array_size(images);
}

static bool sweep_removed_image(void *arg)
{
	struct world *world = arg;
	AUTO(free) char *output = NULL;

	return sweep(world, "--image-keep=0s", &output) == 0 &&
	       strstr(output, "image localhost/envd-build/") && strstr(output, "removed");
}

static void an_image_that_was_built_goes_when_nothing_uses_it(void **state)
{
	struct world *world = *state;
	AUTO(free) char *output = NULL;
	char id[37], instance[37];

	world_write(world, "own", "template.yaml",
		    "apiVersion: envd/v1\nname: own\nengine: container\nsource: compose.yaml\n");
	world_write(world, "own", "compose.yaml",
		    "services: { web: { build: ., command: [httpd, -f, -h, /www] } }\n");
	world_write(world, "own", "Dockerfile",
		    "FROM localhost/envd-test/busybox:1\nCOPY template.yaml /www/\n");
	world_instance(world, instance);
	world_create(world, "own", "built", "10m", id);
	world_wait(world, id, "ready", 60000);
	assert_int_equal(built_images(world, instance), 1);
	assert_int_equal(sweep(world, "--image-keep=0s", &output), 0);
	assert_null(strstr(output, "image "));

	assert_int_equal(world_envctl(world, NULL, "destroy", "built", NULL), 0);
	assert_true(eventually(sweep_removed_image, world, 60000));
	assert_int_equal(built_images(world, instance), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_image_that_was_built_goes_when_nothing_uses_it),
		TEST(what_a_lost_installation_left_is_found_and_removed_by_label),
		TEST(a_sweep_touches_nothing_that_the_store_knows),
		TEST(a_sweep_leaves_another_installations_things_alone),
		TEST(a_sweep_without_a_store_asks_for_the_instance),
		TEST(a_sweep_forgets_what_ended_long_ago_and_its_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
