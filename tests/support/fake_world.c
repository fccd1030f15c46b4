#include "tests/support/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"

static const char fake_template[] =
    "apiVersion: envd/v1\n"
    "name: fake\n"
    "engine: external\n"
    "source: fake_engine\n"
    "parameters: { fake: { type: string, default: '' } }\n"
    "limits: { attempts: 1, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n"
    "price: { per_hour: 0.36, currency: USD }\n";

void fake_world_template(struct world *world, const char *name, const char *text)
{
	AUTO(free) char *path = xasprintf("%s/%s/fake_engine", world->templates, name);
	AUTO(free) char *folder = path_join(world->folder, "fake");
	AUTO(free) char *bytes = NULL;
	struct error err;
	size_t length;

	world_write(world, name, "template.yaml", text);
	assert_true(file_read("tests/support/fake_engine", 1 << 20, &bytes, &length, &err));
	assert_true(file_write_atomically(path, bytes, length, 0755, &err));
	assert_true(folder_make(folder, 0755, &err));
	setenv("ENVD_EXTERNAL_FAKE_WORLD", folder, 1);
}

struct world *fake_world_new(void)
{
	struct world *world;

	setenv("ENVD_TEST_PODMAN", "/nonexistent/podman.sock", 0);
	world = world_new("ENVD_TEST_PODMAN");
	fake_world_template(world, "fake", fake_template);
	return world;
}
