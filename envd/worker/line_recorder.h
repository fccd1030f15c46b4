/*
 * line_recorder.h - what a task says, held to the rules and written down.
 *
 * The first line is hello, then whatever, the last is a result, and there is one of each. Only
 * whole and valid lines reach the file, so whoever follows it needs no rules. After the first
 * broken rule nothing more is believed: the rest is read and thrown away.
 */
#ifndef ENVD_WORKER_LINE_RECORDER_H
#define ENVD_WORKER_LINE_RECORDER_H

#include "base/line_reader.h"
#include "wire/job_files.h"
#include "wire/worker_lines.h"

struct line_recorder {
	int fd; /* appended to */
	int64_t bytes_max;
	int64_t bytes;
	int lines_lost; /* could not be written, e.g. because the disk is full */
	struct worker_dialogue dialogue;
	json_t *result;          /* the result line, NULL until it came */
	enum job_outcome broken; /* JOB_PROTOCOL or JOB_FLOODED; JOB_COMPLETED while all is well */
	char message[512];
	struct line_reader reader;
};

void line_recorder_init(struct line_recorder *recorder, int fd, int64_t bytes_max);
void line_recorder_feed(struct line_recorder *recorder, const char *bytes, size_t length);
void line_recorder_finish(struct line_recorder *recorder);
void line_recorder_release(struct line_recorder *recorder);

#endif
