#include "tests/support/priced_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "tests/support/fake_world.h"

/* As somebody's cloud: at most 2 an hour with the log store, 1 without. */
static const char template_text[] =
    "apiVersion: envd/v1\n"
    "name: cloud\n"
    "engine: external\n"
    "source: fake_engine\n"
    "parameters:\n"
    "  fake: { type: string, default: '' }\n"
    "  profile: { type: string, enum: [full, no-logs], default: full }\n"
    "limits: { attempts: 1, provision: 1h, lease: { default: 1h, minimum: 10s, maximum: 100h } }\n"
    "price:\n"
    "  provider: acme\n"
    "  region: here\n"
    "  components:\n"
    "    nodes: { price: node, quantity: 2 }\n"
    "    log-store: { price: node, quantity: 2, when: { profile: full } }\n"
    "  choices:\n"
    "    - { name: without the log store, parameters: { profile: no-logs } }\n";

void priced_template_put_book(const struct world *world, const char *day, const char *high)
{
	AUTO(free) char *path = xasprintf("%s/prices/acme-%s.yaml", world->folder, day);
	AUTO(free)
	char *text =
	    xasprintf("apiVersion: envd/v1\nkind: PriceBook\nname: acme\nprovider: acme\n"
		      "region: here\ncurrency: USD\nas_of: %s\nsource: a test\n"
		      "example: true\nprices: { node: { unit: hour, low: 0.25, high: %s } }\n",
		      day, high);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

void priced_template_add(struct world *world)
{
	AUTO(free) char *prices = path_join(world->folder, "prices");
	AUTO(free) char *option = xasprintf("--price-books=%s", prices);
	struct error err;

	assert_true(folder_make(prices, 0700, &err));
	priced_template_put_book(world, "2020-01-01", "0.50");
	fake_world_template(world, "cloud", template_text);
	world_argument(world, option);
}
