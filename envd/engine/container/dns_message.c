#include "engine/container/dns_message.h"

#include <string.h>

enum {
	HEADER_BYTES = 12,
	LABEL_BYTES_MAX = 63,
	NAME_BYTES_MAX = 253,
	IS_ANSWER = 0x80, /* in the third byte */
	RECURSION_DESIRED = 0x01,
	CODE_MASK = 0x0f, /* in the fourth */
	TYPE_A = 1,
	CLASS_IN = 1,
};

static unsigned char *put_number(unsigned char *at, unsigned number)
{
	*at++ = (unsigned char)(number >> 8);
	*at++ = (unsigned char)number;
	return at;
}

static unsigned get_number(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Each part with its length before it. NULL: it cannot be written. */
static unsigned char *put_name(unsigned char *at, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_BYTES_MAX)
			return NULL;
		*at++ = (unsigned char)length;
		memcpy(at, name, length);
		at += length;
		name += length;
		name += *name == '.';
	}
	*at++ = 0;
	return at;
}

size_t dns_question(const char *name, uint16_t id, unsigned char into[DNS_QUESTION_BYTES_MAX])
{
	unsigned char *at = into + HEADER_BYTES;

	if (!*name || strlen(name) > NAME_BYTES_MAX)
		return 0;
	memset(into, 0, HEADER_BYTES);
	put_number(into, id);
	into[2] = RECURSION_DESIRED;
	put_number(into + 4, 1); /* one question */
	at = put_name(at, name);
	if (!at)
		return 0;
	at = put_number(put_number(at, TYPE_A), CLASS_IN);
	return (size_t)(at - into);
}

enum dns_answer dns_answer(const unsigned char *bytes, size_t length, uint16_t id)
{
	if (length < HEADER_BYTES || get_number(bytes) != id || !(bytes[2] & IS_ANSWER))
		return DNS_NOT_OURS;
	if ((bytes[3] & CODE_MASK) != 0 || get_number(bytes + 6) == 0)
		return DNS_UNKNOWN;
	return DNS_KNOWN;
}
