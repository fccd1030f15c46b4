#include "base/ids.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "base/text.h"

static void new_id(char text[ID_TEXT_SIZE])
{
	uuid_t bytes = { 0 };

	/* RFC 9562, section 5.4. By one question to the kernel: uuid_generate_random() asks sixteen
	 * times.
	 */
	random_bytes(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0F) | 0x40;
	bytes[8] = (bytes[8] & 0x3F) | 0x80;
	uuid_unparse_lower(bytes, text);
}

struct env_id env_id_new(void)
{
	struct env_id id = { "" };

	new_id(id.text);
	return id;
}

struct job_id job_id_new(void)
{
	struct job_id id = { "" };

	new_id(id.text);
	return id;
}

bool id_is_valid(const char *text)
{
	for (size_t i = 0; i < ID_TEXT_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return text[ID_TEXT_SIZE - 1] == '\0';
}

struct env_id env_id_from(const char *text)
{
	struct env_id id;

	memcpy(id.text, text, sizeof(id.text));
	return id;
}

struct job_id job_id_from(const char *text)
{
	struct job_id id;

	memcpy(id.text, text, sizeof(id.text));
	return id;
}

bool name_check(const char *name, const char *what, struct error *err)
{
	size_t length = strlen(name);
	char shown[NAME_LENGTH_MAX + 8];
	bool fits = length >= 1 && length <= NAME_LENGTH_MAX && name[0] >= 'a' && name[0] <= 'z' &&
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;

	if (fits && id_is_valid(name))
		return error_set(err, ERR_INVALID, "%s \"%s\" must not have the form of an id",
				 what, name);
	if (fits)
		return true;
	return error_set(err, ERR_INVALID,
			 "%s \"%s\" must be 1 to %d of a-z, 0-9 and \"-\" and start with a letter",
			 what, text_printable(name, shown, sizeof(shown)), NAME_LENGTH_MAX);
}

/* Up to 256 bytes come at once, whole. */
void random_bytes(void *into, size_t length)
{
	for (size_t done = 0; done < length;) {
		size_t piece = length - done < 256 ? length - done : 256;

		if (getrandom((char *)into + done, piece, 0) == (ssize_t)piece)
			done += piece;
		else if (errno != EINTR)
			abort();
	}
}

void random_hex(char *into, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	/* Into the place itself: a byte gives one digit, half of it is not used. */
	random_bytes(into, length);
	for (size_t i = 0; i < length; i++)
		into[i] = digits[into[i] & 15];
	into[length] = '\0';
}
