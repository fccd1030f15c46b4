#include "tests/fuzz/http_oracle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2: tchar */
static bool is_tchar(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != 0 && memchr(others, c, sizeof(others) - 1));
}

static bool is_token(const char *at, size_t length)
{
	if (!length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_tchar((unsigned char)at[i]))
			return false;
	return true;
}

/* RFC 9110 5.5: field-vchar, obs-text, SP and HTAB */
static bool is_field_content(const char *at, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_method(const char *at, size_t length, bool *takes_body)
{
	static const char with_body[][8] = { "POST", "PUT", "PATCH" };
	static const char without[][8] = { "GET", "DELETE", "OPTIONS", "TRACE", "HEAD" };

	for (size_t i = 0; i < sizeof(with_body) / sizeof(*with_body); i++)
		if (length == strlen(with_body[i]) && memcmp(at, with_body[i], length) == 0)
			return *takes_body = true;
	*takes_body = false;
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		if (length == strlen(without[i]) && memcmp(at, without[i], length) == 0)
			return true;
	return false;
}

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986 3.3 and 3.4: pchar, "/" and "?" */
static bool is_uri_char(unsigned char c)
{
	static const char others[] = "-._~!$&'()*+,;=:@/?";

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && memchr(others, c, sizeof(others) - 1));
}

static bool is_dots(const unsigned char *segment, size_t length)
{
	return (length == 1 && segment[0] == '.') ||
	       (length == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Absolute, without empty segments but a last one, and without dot segments. */
static bool is_plain_path(const unsigned char *path, size_t length)
{
	size_t start = 1;

	if (!length || path[0] != '/')
		return false;
	for (size_t i = 1; i <= length; i++) {
		if (i < length && path[i] != '/')
			continue;
		if (i == start && i < length)
			return false;
		if (is_dots(path + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}

static bool is_utf8(const unsigned char *at, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char c = at[i];
		size_t more = c < 0x80                 ? 0
			      : c >= 0xc2 && c <= 0xdf ? 1
			      : (c & 0xf0) == 0xe0     ? 2
						       : 3;
		unsigned long point = more ? c & (0x3fu >> more) : c;

		if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		if (i + more >= length)
			return false;
		for (size_t k = 1; k <= more; k++) {
			if ((at[i + k] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (at[i + k] & 0x3fu);
		}
		if ((more == 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) ||
		    (more == 3 && (point < 0x10000 || point > 0x10ffff)))
			return false;
		if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
			return false; /* control characters */
		i += more + 1;
	}
	return true;
}

static bool is_target(const char *target, size_t length)
{
	unsigned char *decoded = malloc(length + 1);
	size_t count = 0, path_end = 0;
	bool in_path = true, is_fine = length > 0;

	for (size_t i = 0; is_fine && i < length; i++) {
		unsigned char c = (unsigned char)target[i];

		if (c == '?' && in_path) {
			in_path = false;
			path_end = count;
		}
		if (c == '%') {
			is_fine = i + 2 < length && hex((unsigned char)target[i + 1]) >= 0 &&
				  hex((unsigned char)target[i + 2]) >= 0;
			if (!is_fine)
				break;
			c = (unsigned char)(hex((unsigned char)target[i + 1]) * 16 +
					    hex((unsigned char)target[i + 2]));
			i += 2;
			/* A separator that only decoding shows. */
			is_fine = !(in_path && c == '/');
		} else {
			is_fine = is_uri_char(c);
		}
		decoded[count++] = c;
	}
	if (in_path)
		path_end = count;
	is_fine = is_fine && is_utf8(decoded, count) && is_plain_path(decoded, path_end);
	free(decoded);
	return is_fine;
}

struct line {
	const char *at;
	size_t length;
};

/* Up to the first CR LF. */
static bool next_line(const char **at, const char *end, struct line *line)
{
	const char *stop = memmem(*at, (size_t)(end - *at), "\r\n", 2);

	if (!stop)
		return false;
	*line = (struct line){ *at, (size_t)(stop - *at) };
	*at = stop + 2;
	return true;
}

static bool read_request_line(const struct http_limits *limits, struct line line, bool *takes_body,
			      struct oracle_request *request)
{
	const char *end = line.at + line.length;
	const char *first = memchr(line.at, ' ', line.length);
	const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;

	if (!second)
		return false;
	request->method = line.at;
	request->method_length = (size_t)(first - line.at);
	request->target = first + 1;
	request->target_length = (size_t)(second - first - 1);
	return is_method(request->method, request->method_length, takes_body) &&
	       end - second - 1 == 8 &&
	       (memcmp(second + 1, "HTTP/1.1", 8) == 0 || memcmp(second + 1, "HTTP/1.0", 8) == 0) &&
	       request->target_length <= limits->target_bytes_max &&
	       is_target(request->target, request->target_length);
}

struct fields {
	size_t count, hosts, lengths;
	bool is_bad;
	size_t content_length;
};

static bool is_called(struct line line, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(line.at, name, length) == 0;
}

static void read_length(const char *value, size_t length, struct fields *fields)
{
	fields->lengths++;
	fields->is_bad |= !length || length > 18;
	fields->content_length = 0;
	for (size_t i = 0; i < length && !fields->is_bad; i++) {
		fields->is_bad = value[i] < '0' || value[i] > '9';
		fields->content_length = fields->content_length * 10 + (size_t)(value[i] - '0');
	}
}

static void read_field(struct line line, struct fields *fields)
{
	const char *colon = memchr(line.at, ':', line.length);
	size_t name = colon ? (size_t)(colon - line.at) : 0;
	const char *value = colon ? colon + 1 : NULL, *end = line.at + line.length;

	if (!colon || !is_token(line.at, name) || !is_field_content(value, (size_t)(end - value))) {
		fields->is_bad = true;
		return;
	}
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	fields->count++;
	fields->hosts += is_called(line, name, "Host");
	fields->is_bad |= is_called(line, name, "Host") && value == end;
	fields->is_bad |= is_called(line, name, "Transfer-Encoding");
	if (is_called(line, name, "Content-Length"))
		read_length(value, (size_t)(end - value), fields);
}

enum oracle_verdict oracle_read(const struct http_limits *limits, const char *bytes, size_t length,
				struct oracle_request *request)
{
	const char *at = bytes, *end = bytes + length;
	struct fields fields = { 0, 0, 0, false, 0 };
	struct line line;
	bool takes_body;

	if (!next_line(&at, end, &line))
		return ORACLE_INCOMPLETE;
	if (!read_request_line(limits, line, &takes_body, request))
		return ORACLE_BAD;
	for (;;) {
		if (!next_line(&at, end, &line))
			return ORACLE_INCOMPLETE;
		if (!line.length)
			break;
		read_field(line, &fields);
	}
	if (fields.is_bad || fields.hosts != 1 || fields.lengths > 1 ||
	    fields.count > limits->header_count_max ||
	    (size_t)(at - bytes) > limits->header_bytes_max ||
	    fields.content_length > limits->body_bytes_max ||
	    (fields.content_length && !takes_body))
		return ORACLE_BAD;
	if ((size_t)(end - at) < fields.content_length)
		return ORACLE_INCOMPLETE;
	request->body = at;
	request->body_length = fields.content_length;
	request->length = (size_t)(at - bytes) + fields.content_length;
	return request->length == length ? ORACLE_COMPLETE : ORACLE_BAD;
}
