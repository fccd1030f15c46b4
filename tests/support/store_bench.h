/*
 * store_bench.h - for tests: a store in a folder of its own, and what is put into it.
 */
#ifndef TESTS_SUPPORT_STORE_BENCH_H
#define TESTS_SUPPORT_STORE_BENCH_H

#include "model/environment.h"
#include "store/store.h"

struct store_bench {
	char folder[64];
	struct store *store; /* may be closed and opened again */
};

/* cmocka's setup and teardown, where the bench is all that a test needs. */
int store_bench_open(void **state);
int store_bench_close(void **state);

/* The same inside of something larger. */
void store_bench_init(struct store_bench *bench);
void store_bench_release(struct store_bench *bench);

struct store_tx *store_bench_begin(const struct store_bench *bench);
void store_bench_commit(struct store_tx *tx);

/* Of alice, by template "t", made now and for an hour at the most, with one attempt; not inserted.
 * The caller frees. */
struct environment *store_bench_environment(const char *name, const char *engine,
					    const char *target);

/* Below `below`; the same row of numbers for the same seed, which may not be 0. */
unsigned store_bench_random(unsigned *seed, unsigned below);

#endif
