/*
 * log_recorder.h - a task's stderr: the beginning into a file, the last line into memory.
 */
#ifndef ENVD_WORKER_LOG_RECORDER_H
#define ENVD_WORKER_LOG_RECORDER_H

#include "base/line_reader.h"

#define LOG_RECORDER_BYTES_MAX 1048576

struct log_recorder {
	int fd;
	size_t bytes;
	char last_line[160]; /* printable; "" while nothing was said */
	struct line_reader reader;
};

void log_recorder_init(struct log_recorder *recorder, int fd);
void log_recorder_feed(struct log_recorder *recorder, const char *bytes, size_t length);
void log_recorder_finish(struct log_recorder *recorder);
void log_recorder_release(struct log_recorder *recorder);

#endif
