/*
 * docker_stream.h - the output of a container as runtimes send it: frames of one stream each, in
 * pieces of any size. Pure.
 *
 *	byte 0: 1 stdout, 2 stderr; bytes 4..7: length, big endian; then the bytes
 */
#ifndef ENVD_ENGINE_CONTAINER_DOCKER_STREAM_H
#define ENVD_ENGINE_CONTAINER_DOCKER_STREAM_H

#include <stdint.h>

#include "base/text.h"

#define DOCKER_STDOUT 1
#define DOCKER_STDERR 2
#define DOCKER_LINE_BYTES_MAX 16384 /* a longer line comes in pieces */

struct docker_stream {
	/* Without its newline, at most DOCKER_LINE_BYTES_MAX bytes. */
	void (*on_line)(void *arg, int stream, const char *line, size_t length);
	/* Instead of lines: the bytes as they come. */
	void (*on_bytes)(void *arg, int stream, const char *bytes, size_t length);
	void *arg;

	unsigned char header[8];
	size_t header_length;
	size_t frame_left;
	struct text lines[2]; /* begun and not ended, by stream - 1 */
};

void docker_stream_feed(struct docker_stream *stream, const char *bytes, size_t length);

/* No more will come: what was begun is a line too. Releases what the stream holds. */
void docker_stream_end(struct docker_stream *stream);

/* The bytes of all frames, one after the other, at most `bytes_max` of them; the caller frees. */
char *docker_stream_text(const char *bytes, size_t length, size_t bytes_max);

#endif
