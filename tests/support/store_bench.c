#include "tests/support/store_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"

void store_bench_init(struct store_bench *bench)
{
	struct error err;

	snprintf(bench->folder, sizeof(bench->folder), "/tmp/envd-store-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	if (!store_open(bench->folder, true, &bench->store, &err))
		fail_msg("%s", err.message);
}

void store_bench_release(struct store_bench *bench)
{
	struct error err;

	store_close(TAKE(bench->store));
	assert_true(folder_remove(bench->folder, &err));
}

int store_bench_open(void **state)
{
	struct store_bench *bench = xcalloc(1, sizeof(*bench));

	store_bench_init(bench);
	*state = bench;
	return 0;
}

int store_bench_close(void **state)
{
	store_bench_release(*state);
	free(*state);
	return 0;
}

struct store_tx *store_bench_begin(const struct store_bench *bench)
{
	struct store_tx *tx;
	struct error err;

	if (!store_begin(bench->store, &tx, &err))
		fail_msg("%s", err.message);
	return tx;
}

void store_bench_commit(struct store_tx *tx)
{
	struct error err;

	assert_true(store_commit(tx, &err));
}

struct environment *store_bench_environment(const char *name, const char *engine,
					    const char *target)
{
	struct environment *env = environment_new();

	env->id = env_id_new();
	env->name = xstrdup(name);
	env->owner = xstrdup("alice");
	env->template_name = xstrdup("t");
	env->template_folder = xstrdup("/t");
	env->template_digest = xstrdup("d");
	env->engine = xstrdup(engine);
	env->target = xstrdup(target);
	env->created_at_ms = clock_wall_ms();
	env->hard_wall_at_ms = env->created_at_ms + 3600000;
	env->attempts_max = 1;
	return env;
}

unsigned store_bench_random(unsigned *seed, unsigned below)
{
	/* xorshift32 (Marsaglia, 2003) */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}
