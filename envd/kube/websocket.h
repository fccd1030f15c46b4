/*
 * websocket.h - the client's side of RFC 6455: the handshake's key, frames out (masked, as clients
 * have to) and in. No sockets.
 */
#ifndef ENVD_KUBE_WEBSOCKET_H
#define ENVD_KUBE_WEBSOCKET_H

#include "base/error.h"
#include "base/text.h"

#define WEBSOCKET_KEY_SIZE 25
#define WEBSOCKET_MESSAGE_BYTES_MAX ((size_t)1 << 20)

enum websocket_opcode {
	WEBSOCKET_CONTINUED = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* A new one. */
void websocket_key(char key[WEBSOCKET_KEY_SIZE]);

/* The server's Sec-WebSocket-Accept is the answer to that key. */
bool websocket_accepts(const char *key, const char *accept);

void websocket_frame_add(struct text *into, enum websocket_opcode opcode, const void *bytes,
			 size_t length);

struct websocket_message {
	bool is_there; /* else: it is not whole yet */
	enum websocket_opcode opcode;
	const char *bytes; /* until the next call */
	size_t length;
};

/* Start with zeroes. */
struct websocket_reader {
	struct text bytes; /* as they came */
	size_t taken;
	struct text parts; /* of a message in several frames */
	enum websocket_opcode opcode;
	bool is_in_parts;
};

void websocket_feed(struct websocket_reader *reader, const void *bytes, size_t length);

/* ERR_EXTERNAL "websocket_broken". */
NODISCARD bool websocket_next(struct websocket_reader *reader, struct websocket_message *message,
			      struct error *err);
void websocket_reader_release(struct websocket_reader *reader);

#endif
