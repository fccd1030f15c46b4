/*
 * tunnel_frames.h - what goes through the connection of an exec or a forward, both ways, once it
 * was answered with 101: frames of a type (1 byte), a length (3 bytes, big endian) and so many
 * bytes. Pure.
 *
 *	client -> server
 *	i  input of the command or connection; empty: that was all
 *	w  the terminal's size: rows, columns (2 bytes each, big endian)
 *	s  a signal for the command, by name: "INT"
 *	server -> client
 *	o  its output; of a connection, empty: that was all
 *	e  its error output
 *	x  the command's exit status, in decimal digits; the last frame
 *	p  why it is over without one: {"code","slug","message","hint"}; the last frame
 *	both
 *	a  empty: still there
 */
#ifndef ENVD_WIRE_TUNNEL_FRAMES_H
#define ENVD_WIRE_TUNNEL_FRAMES_H

#include "base/error.h"
#include "base/text.h"

/* Of the Upgrade header. */
#define TUNNEL_PROTOCOL "envd-tunnel"
/* Where a worker finds its end. */
#define TUNNEL_FD 3
#define TUNNEL_FRAME_BYTES_MAX ((size_t)65536)

enum tunnel_type {
	TUNNEL_NONE = 0,
	TUNNEL_ALIVE = 'a',
	TUNNEL_INPUT = 'i',
	TUNNEL_WINDOW = 'w',
	TUNNEL_SIGNAL = 's',
	TUNNEL_OUTPUT = 'o',
	TUNNEL_ERROUT = 'e',
	TUNNEL_EXIT = 'x',
	TUNNEL_PROBLEM = 'p',
};

/* Longer bytes become several frames; none become an empty one. */
void tunnel_frame_add(struct text *into, enum tunnel_type type, const void *bytes, size_t length);
void tunnel_window_add(struct text *into, int rows, int columns);

struct tunnel_frame {
	enum tunnel_type type; /* TUNNEL_NONE: no whole frame is there */
	const char *bytes;     /* until the next call; not terminated */
	size_t length;
};

/* Start with zeroes. */
struct tunnel_reader {
	struct text bytes;
	size_t taken;
};

void tunnel_reader_feed(struct tunnel_reader *reader, const void *bytes, size_t length);
void tunnel_reader_release(struct tunnel_reader *reader);

/* ERR_INVALID "tunnel_broken": a frame that is too long. Types are not judged. */
NODISCARD bool tunnel_reader_next(struct tunnel_reader *reader, struct tunnel_frame *frame,
				  struct error *err);

/* False: it is no size, or one that no terminal has. */
NODISCARD bool tunnel_window_read(const struct tunnel_frame *frame, int *rows, int *columns);

/* ---- bytes that wait to be written ---- */

struct tunnel_queue {
	struct text bytes;
	size_t sent;
};

size_t tunnel_queue_length(const struct tunnel_queue *queue);
void tunnel_queue_sent(struct tunnel_queue *queue, size_t length);
void tunnel_queue_release(struct tunnel_queue *queue);

/* As much as a non-blocking descriptor takes now. False: nobody takes anything any more. */
NODISCARD bool tunnel_queue_write(struct tunnel_queue *queue, int fd);

#endif
