#include "worker/log_recorder.h"

#include <string.h>
#include <sys/uio.h>

static void on_line(void *arg, const char *line, size_t length, bool was_cut)
{
	static char cut[] = "[cut: more than 1 MiB]\n";
	struct log_recorder *recorder = arg;
	struct iovec parts[] = { { (void *)(uintptr_t)line, length }, { (char[]){ '\n' }, 1 } };
	bool had_room = recorder->bytes <= LOG_RECORDER_BYTES_MAX;

	(void)was_cut;
	if (length)
		text_printable(line, recorder->last_line, sizeof(recorder->last_line));
	recorder->bytes += length + 1;
	if (recorder->bytes > LOG_RECORDER_BYTES_MAX) {
		parts[0] = (struct iovec){ cut, strlen(cut) };
		parts[1].iov_len = 0;
	}
	/* A log that cannot be written (full disk) must not end the work that it is about. */
	if (had_room && writev(recorder->fd, parts, 2) < 0)
		recorder->bytes = LOG_RECORDER_BYTES_MAX + 1;
}

void log_recorder_init(struct log_recorder *recorder, int fd)
{
	*recorder = (struct log_recorder){
		.fd = fd,
		.reader = { .line_bytes_max = 65536, .on_line = on_line, .arg = recorder },
	};
}

void log_recorder_feed(struct log_recorder *recorder, const char *bytes, size_t length)
{
	line_reader_feed(&recorder->reader, bytes, length);
}

void log_recorder_finish(struct log_recorder *recorder)
{
	line_reader_finish(&recorder->reader);
}

void log_recorder_release(struct log_recorder *recorder)
{
	line_reader_release(&recorder->reader);
}
