#include "worker/line_recorder.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

static void break_off(struct line_recorder *recorder, enum job_outcome how, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void break_off(struct line_recorder *recorder, enum job_outcome how, const char *format, ...)
{
	va_list args;

	recorder->broken = how;
	va_start(args, format);
	vsnprintf(recorder->message, sizeof(recorder->message), format, args);
	va_end(args);
}

/* All of the line or nothing: half a line would be the start of the next one. */
static void write_down(struct line_recorder *recorder, const char *line, size_t length)
{
	AUTO(text_release) struct text whole = TEXT_EMPTY;
	struct stat before;
	ssize_t wrote;

	text_add_bytes(&whole, line, length);
	text_add_char(&whole, '\n');
	if (fstat(recorder->fd, &before) != 0)
		before.st_size = -1;
	do
		wrote = write(recorder->fd, whole.bytes, whole.length);
	while (wrote < 0 && errno == EINTR);
	if (wrote == (ssize_t)whole.length)
		return;
	recorder->lines_lost++;
	if (wrote > 0 && before.st_size >= 0 && ftruncate(recorder->fd, before.st_size) != 0)
		break_off(recorder, JOB_CRASHED, "its lines could not be written: %s",
			  strerror(errno));
}

static void on_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct line_recorder *recorder = arg;
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;
	struct error err;

	if (recorder->broken != JOB_COMPLETED)
		return;
	recorder->bytes += (int64_t)length + 1;
	if (recorder->bytes > recorder->bytes_max) {
		break_off(recorder, JOB_FLOODED, "said more than %lld bytes",
			  (long long)recorder->bytes_max);
		return;
	}
	if (was_cut) {
		break_off(recorder, JOB_PROTOCOL, "said a line of more than %d bytes",
			  WORKER_LINE_BYTES_MAX);
		return;
	}
	if (!worker_line_parse(line, length, &type, &object, &err)) {
		break_off(recorder, JOB_PROTOCOL,
			  "said something that is not a line of a worker: %s", err.message);
		return;
	}
	if (!worker_dialogue_accept(&recorder->dialogue, type, &err)) {
		break_off(recorder, JOB_PROTOCOL, "%s", err.message);
		return;
	}
	if (type == WORKER_RESULT)
		recorder->result = TAKE(object);
	write_down(recorder, line, length);
}

void line_recorder_init(struct line_recorder *recorder, int fd, int64_t bytes_max)
{
	*recorder = (struct line_recorder){
		.fd = fd,
		.bytes_max = bytes_max,
		.broken = JOB_COMPLETED,
		.reader = { .line_bytes_max = WORKER_LINE_BYTES_MAX,
			    .on_line = on_line,
			    .arg = recorder },
	};
}

void line_recorder_feed(struct line_recorder *recorder, const char *bytes, size_t length)
{
	line_reader_feed(&recorder->reader, bytes, length);
	/* A line without an end would otherwise be found out only when the task is over. */
	if (recorder->reader.was_cut && recorder->broken == JOB_COMPLETED)
		break_off(recorder, JOB_PROTOCOL, "said a line of more than %d bytes",
			  WORKER_LINE_BYTES_MAX);
}

void line_recorder_finish(struct line_recorder *recorder)
{
	line_reader_finish(&recorder->reader);
}

void line_recorder_release(struct line_recorder *recorder)
{
	line_reader_release(&recorder->reader);
	json_decref(recorder->result);
	recorder->result = NULL;
}
