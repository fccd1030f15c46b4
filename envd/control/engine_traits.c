#include "control/engine_traits.h"

#include <string.h>

#include "base/cleanup.h"

#define GIB(n) ((int64_t)(n) << 30)

/* pulumi: what is under way is finished and noted, and a chart takes minutes; each of its
 * operations is the CLI, a host and plugins, 300 MB together. The last row is for a name that
 * nobody knows. */
static const struct engine_traits table[] = {
	{ "container", 500, 10000, GIB(2), false },
	{ "external", 500, 10000, GIB(2), false },
	{ "pulumi", 5000, 90000, GIB(12), true },
	{ "", 300000, 10000, GIB(2), false },
};

const struct engine_traits *engine_traits_of(const char *name)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(table) && strcmp(table[i].name, name) != 0)
		i++;
	return &table[i];
}
