/*
 * job_stage.h - for tests: a private folder with jobs, one environment and the template "fake",
 * whose engine is tests/support/fake_engine; jobs are launched as the daemon does it, by the real
 * envd.
 */
#ifndef TESTS_SUPPORT_JOB_STAGE_H
#define TESTS_SUPPORT_JOB_STAGE_H

#include "jobs/job.h"

#define STAGE_LIMIT_MS 20000

struct job_stage {
	char *folder, *jobs_folder, *environment_folder, *template_folder, *world;
	struct loop *loop;
	struct timer *tick; /* so that conditions are asked now and then */
	struct jobs *jobs;
	struct env_id environment;
};

/* What came back from one job so far. */
struct stage_run {
	struct job_stage *stage;
	struct job_id id;
	struct job *job;   /* NULL once over */
	bool goes_at_once; /* job_go() from on_ready */
	bool is_ready, has_start_failed, has_ended;
	struct process_identity identity;
	struct error failure;
	struct job_end end; /* its data is `data` */
	json_t *data;
	json_t *lines;
	int64_t offset;
	int ends; /* calls of on_end and on_start_failed */
};

struct job_stage *job_stage_new(void);
void job_stage_free(struct job_stage *stage);

/* `fake`: the parameter of that name (see fake_engine), or NULL. Limits are generous. New
 * reference. */
json_t *job_stage_request(const struct job_stage *stage, const char *task, const char *fake);
void job_stage_limit(json_t *request, const char *limit, int64_t value);

struct job_id job_stage_make(const struct job_stage *stage, const json_t *request);
void stage_run_launch(struct stage_run *run, struct job_stage *stage, struct job_id id);
void stage_run_adopt(struct stage_run *run, struct job_stage *stage, struct job_id id,
		     const struct process_identity *identity, int64_t offset);
void stage_run_release(struct stage_run *run);

/* Loop turns until it holds; fails the test after STAGE_LIMIT_MS. */
void stage_run_until(struct stage_run *run, bool (*condition)(struct stage_run *run));
bool stage_run_is_ready(struct stage_run *run);
bool stage_run_is_over(struct stage_run *run);

/* Make, launch, go, wait for the end. `request` is taken. */
void stage_run_whole(struct stage_run *run, struct job_stage *stage, json_t *request);

/* ---- the engine's world, and the machine, seen from outside ---- */

int stage_count_items(const struct job_stage *stage);
bool stage_world_has(const struct job_stage *stage, const char *name);
void stage_world_touch(const struct job_stage *stage, const char *name);
char *stage_world_read(const struct job_stage *stage, const char *name); /* "" if not there */

/* Processes that the engine noted and that live. */
int stage_count_processes(const struct job_stage *stage);

/* Of the processes whose command line holds `text`. */
int stage_count_commands(const char *text);

#endif
