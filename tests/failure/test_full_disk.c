/*
 * The disk of the data folder is full, truly: a small tmpfs of its own in a mount namespace of this
 * test. What was accepted is not lost, nothing new is accepted, and what is due is destroyed on
 * time.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static int open_world(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "small", true);
	world_argument(world, "--lease-grace=0s");
	world_argument(world, "--destroy-retry=500ms");
	assert_int_equal(mkdir(world->data, 0700), 0);
	if (mount("tmpfs", world->data, "tmpfs", 0, "size=64m") != 0)
		fail_msg("a tmpfs cannot be mounted: this test needs root");
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;
	AUTO(free) char *filler = path_join(world->data, "filler");
	AUTO(free) char *data = xstrdup(world->data);

	unlink(filler);
	if (!world->envd)
		world_start(world);
	/* The folder goes last: the mount is on it. */
	world_end(world, SIGTERM);
	while (world_reaper(world))
		world_kill_reaper(world);
	umount2(data, MNT_DETACH);
	world_free(world);
	return 0;
}

static void fill(struct world *world)
{
	AUTO(free) char *path = path_join(world->data, "filler");
	static char block[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	size_t size = sizeof(block);

	assert_true(fd >= 0);
	while (size) {
		ssize_t wrote = write(fd, block, size);

		if (wrote <= 0)
			size /= 2;
	}
	close(fd);
}

struct emptiness {
	struct world *world;
	const char *id;
};

static bool is_empty(void *arg)
{
	struct emptiness *empty = arg;

	return world_count(empty->world, "envd-environment", empty->id) == 0;
}

static void a_lease_ends_on_time_with_the_disk_full(void **state)
{
	struct world *world = *state;
	struct emptiness empty = { .world = world };
	char id[37];

	world_start(world);
	world_create(world, "small", "e1", "10s", id);
	world_wait(world, id, "ready", 30000);
	fill(world);
	empty.id = id;
	if (!eventually(is_empty, &empty, 40000))
		fail_msg("still there with the disk full (log: %s/log)", world->folder);
}

static void a_full_disk_refuses_a_create_and_keeps_what_was_accepted(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *request = json_pack("{s:s}", "template", "small");
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(free) char *filler = path_join(world->data, "filler");
	char id[37], current[32];
	int status;

	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	fill(world);
	answer = world_ask(world, "POST", "/v1/environments", request, &status);
	assert_int_equal(status, 503);
	assert_non_null(strstr(json_get_string(answer, "code", ""), "disk"));
	world_state(world, id, current);
	assert_string_equal(current, "ready");
	unlink(filler);
	json_decref(answer);
	answer = world_ask(world, "DELETE", "/v1/environments/e1", NULL, &status);
	assert_int_equal(status, 202);
	world_wait(world, id, "destroyed", 30000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lease_ends_on_time_with_the_disk_full),
		TEST(a_full_disk_refuses_a_create_and_keeps_what_was_accepted),
	};

	/* The mounts are nobody else's. */
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		print_message("no mount namespace: the mounts are seen by others for a moment\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
