#include "tests/support/own_runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"

enum { START_TRIES = 3 };

static char folder[64];

static bool succeeds(const char *program, const char *argument)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free) char *command = NULL;

	if (!source)
		fail_msg("ENVD_SOURCE is not set: run the tests with tests/run");
	command =
	    xasprintf("cd %s && %s %s >>%s.log 2>&1 </dev/null", source, program, argument, folder);
	return system(command) == 0;
}

static void run(const char *program, const char *argument)
{
	if (!succeeds(program, argument))
		fail_msg("%s %s failed; see %s.log", program, argument, folder);
}

/* dockerd sometimes waits in vain for its containerd when it was stopped a moment ago. */
void own_runtime_start(const char *program)
{
	for (int tries = 0; tries < START_TRIES; tries++)
		if (succeeds(program, folder))
			return;
	fail_msg("no runtime could be started; see %s.log", folder);
}

void own_runtime_stop(void)
{
	run("ci/local/runtime --stop", folder);
}

struct world *own_runtime_open(const char *program, const char *socket)
{
	AUTO(free) char *path = NULL;

	snprintf(folder, sizeof(folder), "/tmp/envd-runtime-XXXXXX");
	assert_non_null(mkdtemp(folder));
	own_runtime_start(program);
	path = own_runtime_path(socket);
	run("tests/support/busybox-image", path);
	setenv("ENVD_TEST_OWN", path, 1);
	return world_new("ENVD_TEST_OWN");
}

void own_runtime_close(struct world *world)
{
	AUTO(free) char *log = xasprintf("%s.log", folder);
	struct error ignored; /* a folder that stays is only untidy */

	world_free(world);
	own_runtime_stop();
	unlink(log);
	if (!folder_remove(folder, &ignored))
		print_message("%s\n", ignored.message);
}

char *own_runtime_path(const char *name)
{
	return path_join(folder, name);
}

pid_t own_runtime_pid(const char *name)
{
	AUTO(free) char *path = own_runtime_path(name);
	AUTO(free) char *text = NULL;
	struct error err;

	if (!file_read(path, 64, &text, NULL, &err))
		fail_msg("%s", err.message);
	return (pid_t)atoi(text);
}
