#include "kube/websocket.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/ids.h"

/* Of RFC 6455, section 1.3. */
#define WEBSOCKET_SALT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { FINAL = 0x80, MASKED = 0x80, RESERVED = 0x70, CONTROL = 0x08, CONTROL_BYTES_MAX = 125 };

/* ---- the handshake ---- */

void websocket_key(char key[WEBSOCKET_KEY_SIZE])
{
	unsigned char random[16];
	AUTO(free) char *text = NULL;

	random_bytes(random, sizeof(random));
	text = base64_encode(random, sizeof(random), false);
	snprintf(key, WEBSOCKET_KEY_SIZE, "%s", text);
}

bool websocket_accepts(const char *key, const char *accept)
{
	AUTO(free) char *both = xasprintf("%s%s", key, WEBSOCKET_SALT);
	AUTO(free) char *expected = NULL;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (!EVP_Digest(both, strlen(both), hash, &length, EVP_sha1(), NULL))
		return false;
	expected = base64_encode(hash, length, false);
	return strcmp(expected, accept) == 0;
}

/* ---- frames out ---- */

static void add_length(struct text *into, size_t length)
{
	int bytes = length > 0xffff ? 8 : length > CONTROL_BYTES_MAX ? 2 : 0;

	text_add_char(into, (char)(MASKED | (bytes == 8 ? 127 : bytes == 2 ? 126 : (int)length)));
	for (int i = bytes - 1; i >= 0; i--)
		text_add_char(into, (char)((uint64_t)length >> (8 * i)));
}

void websocket_frame_add(struct text *into, enum websocket_opcode opcode, const void *bytes,
			 size_t length)
{
	const unsigned char *from = bytes;
	unsigned char mask[4];

	random_bytes(mask, sizeof(mask));
	text_add_char(into, (char)(FINAL | (int)opcode));
	add_length(into, length);
	text_add_bytes(into, mask, sizeof(mask));
	for (size_t i = 0; i < length; i++)
		text_add_char(into, (char)(from[i] ^ mask[i % 4]));
}

/* ---- frames in ---- */

void websocket_feed(struct websocket_reader *reader, const void *bytes, size_t length)
{
	/* What was taken goes: a stream's blocks hardly ever end where a frame does. */
	if (reader->taken) {
		reader->bytes.length -= reader->taken;
		memmove(reader->bytes.bytes, reader->bytes.bytes + reader->taken,
			reader->bytes.length);
		reader->taken = 0;
	}
	text_add_bytes(&reader->bytes, bytes, length);
}

struct frame {
	bool is_whole, is_final;
	enum websocket_opcode opcode;
	const unsigned char *bytes;
	size_t length;
};

static bool broken(struct error *err, const char *why)
{
	return error_set_as(err, ERR_EXTERNAL, "websocket_broken",
			    "the other side breaks the rules of WebSocket: %s", why);
}

static bool check_frame(const struct frame *frame, unsigned first, unsigned second,
			struct error *err)
{
	if (first & RESERVED)
		return broken(err, "a reserved bit");
	if (second & MASKED)
		return broken(err, "a masked frame from a server");
	if (frame->length > WEBSOCKET_MESSAGE_BYTES_MAX)
		return broken(err, "a frame that is too long");
	if ((frame->opcode & CONTROL) && (!frame->is_final || frame->length > CONTROL_BYTES_MAX))
		return broken(err, "a control frame in parts");
	return true;
}

static bool read_frame(struct websocket_reader *reader, struct frame *frame, struct error *err)
{
	const unsigned char *at = (const unsigned char *)text_get(&reader->bytes) + reader->taken;
	size_t there = reader->bytes.length - reader->taken, head = 2;

	*frame = (struct frame){ .is_whole = false };
	if (there < head)
		return true;
	frame->is_final = at[0] & FINAL;
	frame->opcode = at[0] & 0x0f;
	frame->length = at[1] & 0x7f;
	if (frame->length >= 126) {
		size_t bytes = frame->length == 126 ? 2 : 8;

		head += bytes;
		if (there < head)
			return true;
		frame->length = 0;
		for (size_t i = 0; i < bytes; i++)
			frame->length = frame->length << 8 | at[2 + i];
	}
	if (!check_frame(frame, at[0], at[1], err))
		return false;
	if (there - head < frame->length)
		return true;
	frame->is_whole = true;
	frame->bytes = at + head;
	reader->taken += head + frame->length;
	return true;
}

static bool take_part(struct websocket_reader *reader, const struct frame *frame, struct error *err)
{
	bool is_first = frame->opcode != WEBSOCKET_CONTINUED;

	if (is_first == reader->is_in_parts)
		return broken(err, "parts of two messages are mixed");
	if (is_first) {
		text_clear(&reader->parts);
		reader->opcode = frame->opcode;
	}
	if (reader->parts.length + frame->length > WEBSOCKET_MESSAGE_BYTES_MAX)
		return broken(err, "a message that is too long");
	text_add_bytes(&reader->parts, frame->bytes, frame->length);
	reader->is_in_parts = !frame->is_final;
	return true;
}

bool websocket_next(struct websocket_reader *reader, struct websocket_message *message,
		    struct error *err)
{
	struct frame frame;

	*message = (struct websocket_message){ .is_there = false };
	for (;;) {
		if (!read_frame(reader, &frame, err))
			return false;
		if (!frame.is_whole)
			return true;
		/* They may come between the parts of a message. */
		if (frame.opcode & CONTROL) {
			*message =
			    (struct websocket_message){ true, frame.opcode,
							(const char *)frame.bytes, frame.length };
			return true;
		}
		if (!take_part(reader, &frame, err))
			return false;
		if (reader->is_in_parts)
			continue;
		*message =
		    (struct websocket_message){ true, reader->opcode, text_get(&reader->parts),
						reader->parts.length };
		return true;
	}
}

void websocket_reader_release(struct websocket_reader *reader)
{
	text_release(&reader->bytes);
	text_release(&reader->parts);
}
