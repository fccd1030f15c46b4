#include "wire/tunnel_frames.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { HEAD_BYTES = 4, WINDOW_MAX = 10000 };

static void add_one(struct text *into, enum tunnel_type type, const char *bytes, size_t length)
{
	const unsigned char head[HEAD_BYTES] = { (unsigned char)type,
						 (unsigned char)(length >> 16 & 0xFF),
						 (unsigned char)(length >> 8 & 0xFF),
						 (unsigned char)(length & 0xFF) };

	text_add_bytes(into, head, sizeof(head));
	if (length)
		text_add_bytes(into, bytes, length);
}

void tunnel_frame_add(struct text *into, enum tunnel_type type, const void *bytes, size_t length)
{
	const char *at = bytes;

	do {
		size_t part = length < TUNNEL_FRAME_BYTES_MAX ? length : TUNNEL_FRAME_BYTES_MAX;

		add_one(into, type, at, part);
		at += part;
		length -= part;
	} while (length);
}

void tunnel_window_add(struct text *into, int rows, int columns)
{
	const unsigned char size[] = { (unsigned char)(rows >> 8), (unsigned char)rows,
				       (unsigned char)(columns >> 8), (unsigned char)columns };

	tunnel_frame_add(into, TUNNEL_WINDOW, size, sizeof(size));
}

bool tunnel_window_read(const struct tunnel_frame *frame, int *rows, int *columns)
{
	const unsigned char *at = (const unsigned char *)frame->bytes;

	if (frame->length != 4)
		return false;
	*rows = at[0] << 8 | at[1];
	*columns = at[2] << 8 | at[3];
	return *rows > 0 && *rows <= WINDOW_MAX && *columns > 0 && *columns <= WINDOW_MAX;
}

/* What was sent or read is moved out of the way when it is the larger part. */
static void drop_front(struct text *text, size_t *used)
{
	if (*used < text->length && *used < text->length / 2)
		return;
	memmove(text->bytes, text->bytes + *used, text->length - *used);
	text->length -= *used;
	text->bytes[text->length] = '\0';
	*used = 0;
}

void tunnel_reader_feed(struct tunnel_reader *reader, const void *bytes, size_t length)
{
	if (reader->taken)
		drop_front(&reader->bytes, &reader->taken);
	text_add_bytes(&reader->bytes, bytes, length);
}

void tunnel_reader_release(struct tunnel_reader *reader)
{
	text_release(&reader->bytes);
	reader->taken = 0;
}

bool tunnel_reader_next(struct tunnel_reader *reader, struct tunnel_frame *frame, struct error *err)
{
	const unsigned char *at = (const unsigned char *)text_get(&reader->bytes) + reader->taken;
	size_t left = reader->bytes.length - reader->taken, length;

	*frame = (struct tunnel_frame){ .type = TUNNEL_NONE };
	if (left < HEAD_BYTES)
		return true;
	length = (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	if (length > TUNNEL_FRAME_BYTES_MAX)
		return error_set_as(err, ERR_INVALID, "tunnel_broken",
				    "a frame of %zu bytes came, where %zu are the most", length,
				    TUNNEL_FRAME_BYTES_MAX);
	if (left < HEAD_BYTES + length)
		return true;
	*frame = (struct tunnel_frame){ .type = (enum tunnel_type)at[0],
					.bytes = (const char *)at + HEAD_BYTES,
					.length = length };
	reader->taken += HEAD_BYTES + length;
	return true;
}

size_t tunnel_queue_length(const struct tunnel_queue *queue)
{
	return queue->bytes.length - queue->sent;
}

void tunnel_queue_sent(struct tunnel_queue *queue, size_t length)
{
	queue->sent += length;
	if (queue->sent)
		drop_front(&queue->bytes, &queue->sent);
}

void tunnel_queue_release(struct tunnel_queue *queue)
{
	text_release(&queue->bytes);
	queue->sent = 0;
}

bool tunnel_queue_write(struct tunnel_queue *queue, int fd)
{
	while (tunnel_queue_length(queue)) {
		ssize_t sent = send(fd, queue->bytes.bytes + queue->sent,
				    tunnel_queue_length(queue), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		tunnel_queue_sent(queue, (size_t)sent);
	}
	return true;
}
