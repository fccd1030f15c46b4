/*
 * pulumi_bench.h - for tests: templates of tests/fixtures/pulumi built by the real Pulumi CLI
 * (ci/local/real-parts), in a world of files that can be counted.
 */
#ifndef TESTS_SUPPORT_PULUMI_BENCH_H
#define TESTS_SUPPORT_PULUMI_BENCH_H

#include "tests/support/world.h"

struct pulumi_bench {
	struct world *world;
	char things[128]; /* the world of files */
};

/* cmocka's setup and teardown. envd is not started yet. Builds the CLI when it is not in the cache:
 * the test fails without it. */
int pulumi_bench_open(void **state);
int pulumi_bench_close(void **state);

/* Virtual environments are made anew, for this bench alone. */
void pulumi_bench_own_python(const struct pulumi_bench *bench);
/* Folders in DATA/python. */
size_t pulumi_bench_count_venvs(const struct pulumi_bench *bench);

/* A copy of a fixture as a template of the same name, or of another one. */
void pulumi_bench_template(struct pulumi_bench *bench, const char *fixture);
void pulumi_bench_template_as(struct pulumi_bench *bench, const char *fixture, const char *name);
/* In a file of a template: every `from` becomes `to`; the test fails when it is not there. */
void pulumi_bench_edit(struct pulumi_bench *bench, const char *name, const char *file,
		       const char *from, const char *to);

/* POST; the id. The template's parameter "world" is set if it is "counted". */
void pulumi_bench_create(struct pulumi_bench *bench, const char *name, const char *template_name,
			 char id[37]);
/* The same, and it becomes ready. */
void pulumi_bench_build(struct pulumi_bench *bench, const char *name, const char *template_name,
			char id[37]);
/* Starts envd, and "a" of "counted" stands in the middle of its first creates: things are there,
 * and the CLI knows of none of them until somebody removes the switch "gate". */
void pulumi_bench_build_halfway(struct pulumi_bench *bench, char id[37]);
/* It fails to build; the message that says why, freed by the caller. */
char *pulumi_bench_failure(struct pulumi_bench *bench, const char *environment);
/* The environment as the API shows it; new reference. */
json_t *pulumi_bench_get(struct pulumi_bench *bench, const char *environment);
void pulumi_bench_destroy(struct pulumi_bench *bench, const char *environment);
/* The same, and it is proved gone. */
void pulumi_bench_end(struct pulumi_bench *bench, const char *environment);
/* Its history, one message after another, each on a line; freed by the caller. */
char *pulumi_bench_history(struct pulumi_bench *bench, const char *environment);
/* DATA/environments/ID/pulumi/NAME; freed by the caller. */
char *pulumi_bench_path(const struct pulumi_bench *bench, const char *id, const char *name);

/* Things whose names begin so, by looking at the files. */
size_t pulumi_bench_count(const struct pulumi_bench *bench, const char *name);
/* A switch of the world: lib/counted.py. */
void pulumi_bench_switch(struct pulumi_bench *bench, const char *name, const char *content);
void pulumi_bench_unswitch(struct pulumi_bench *bench, const char *name);

/* kill -9 of envd, reaper, workers, guards, the CLI, its hosts and plugins. Returns when none of
 * them lives. */
void pulumi_bench_kill_everything(struct pulumi_bench *bench);
/* kill -9 of the CLI's processes alone, when there is one at `pulumi up`. False: there was none. */
bool pulumi_bench_kill_cli(const struct pulumi_bench *bench);
/* Programs of environments that live. */
size_t pulumi_bench_programs(const struct pulumi_bench *bench);

#endif
