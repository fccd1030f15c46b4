/*
 * job_follow.h - read lines.jsonl while it grows: inotify tells when, a look every second makes
 * sure.
 */
#ifndef ENVD_JOBS_JOB_FOLLOW_H
#define ENVD_JOBS_JOB_FOLLOW_H

#include "base/json_read.h"
#include "loop/folder_watch.h"
#include "wire/worker_lines.h"

struct job_follow;

/* Whole lines from byte `offset` on; never from inside job_follow_new(). A line that cannot be read
 * is passed over: the supervisor wrote it, so the disk was full in its middle. */
struct job_follow *job_follow_new(struct loop *loop, struct folder_watches *watches,
				  const char *folder, int64_t offset,
				  void (*on_line)(void *arg, enum worker_line_type type,
						  const json_t *object, int64_t offset_after),
				  void *arg);

/* Everything that is there now. */
void job_follow_read_to_end(struct job_follow *follow);

/* Also from on_line: no further line comes. NULL is fine. */
void job_follow_free(struct job_follow *follow);

#endif
