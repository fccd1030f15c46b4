#include "http/http_target.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static bool invalid(struct error *err, const char *why)
{
	return error_set_as(err, ERR_INVALID, "target_invalid", "the request target %s", why);
}

/* RFC 3986 pchar without the percent sign, plus what a path or a query adds. */
static bool is_target_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~!$&'()*+,;=:@/?", c));
}

static bool check_characters(const char *target, size_t length, struct error *err)
{
	for (size_t i = 0; i < length; i++) {
		if (is_target_char(target[i]))
			continue;
		if (target[i] != '%')
			return invalid(err, "contains a character that must be percent-encoded");
		if (i + 2 >= length || !isxdigit((unsigned char)target[i + 1]) ||
		    !isxdigit((unsigned char)target[i + 2]))
			return invalid(err, "contains a broken percent-encoding");
		i += 2;
	}
	return true;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* `into` holds `length` + 1 bytes. Returns the length, which a NUL inside makes longer than strlen.
 */
static size_t decode(const char *piece, size_t length, bool plus_is_space, char *into)
{
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		char c = piece[i];

		if (c == '%') {
			c = (char)(hex_value(piece[i + 1]) * 16 + hex_value(piece[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		into[written++] = c;
	}
	into[written] = '\0';
	return written;
}

/* U+0000 to U+001F, DEL, and U+0080 to U+009F, which a terminal may obey as well. */
static bool is_control(const char *at)
{
	unsigned char c = (unsigned char)at[0], next = (unsigned char)at[c != '\0'];

	return c < 0x20 || c == 0x7F || (c == 0xC2 && next >= 0x80 && next <= 0x9F);
}

static bool check_decoded(const char *decoded, size_t length, struct error *err)
{
	for (size_t i = 0; i < length; i++)
		if (is_control(decoded + i))
			return invalid(err, "contains an encoded control character");
	if (!text_is_utf8(decoded, length))
		return invalid(err, "is not UTF-8 when decoded");
	return true;
}

static size_t count_slashes(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '/';
	return count;
}

static bool has_dot_segment(const char *path)
{
	for (const char *at = path; at; at = strchr(at, '/')) {
		size_t length;

		if (*at == '/')
			at++;
		length = strcspn(at, "/");
		if ((length == 1 || length == 2) && strncmp(at, "..", length) == 0)
			return true;
	}
	return false;
}

/* Decoding shows dots and slashes that were hidden, and never hides one: looking once is enough. */
static bool check_path(const char *path, size_t length, struct error *err)
{
	AUTO(free) char *decoded = xcalloc(length + 1, 1);
	size_t decoded_length = decode(path, length, false, decoded);

	if (!check_decoded(decoded, decoded_length, err))
		return false;
	if (count_slashes(decoded, decoded_length) != count_slashes(path, length))
		return invalid(err, "contains an encoded slash");
	if (strstr(decoded, "//"))
		return invalid(err, "contains an empty segment");
	if (has_dot_segment(decoded))
		return invalid(err, "contains a dot segment");
	return true;
}

static bool check_query(const char *query, size_t length, struct error *err)
{
	AUTO(free) char *decoded = xcalloc(length + 1, 1);

	return check_decoded(decoded, decode(query, length, true, decoded), err);
}

bool http_target_check(const char *target, size_t length, struct error *err)
{
	const char *query = memchr(target, '?', length);
	size_t path_length = query ? (size_t)(query - target) : length;

	if (!length || target[0] != '/')
		return invalid(err, "must be a path that starts with \"/\"");
	if (!check_characters(target, length, err) || !check_path(target, path_length, err))
		return false;
	return !query || check_query(query + 1, length - path_length - 1, err);
}

char *http_target_decode(const char *piece, size_t length, bool plus_is_space)
{
	char *decoded = xcalloc(length + 1, 1);

	decode(piece, length, plus_is_space, decoded);
	return decoded;
}
