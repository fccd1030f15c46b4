#include "http/http_strict.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http/http_target.h"

enum { READING_REQUEST_LINE, READING_HEADERS, READING_BODY, IS_COMPLETE, IS_REFUSED };

static bool refuse(struct http_strict *strict, int status, const char *slug, const char *detail)
{
	strict->state = IS_REFUSED;
	strict->refusal_status = status;
	return error_set_as(&strict->refusal, ERR_INVALID, slug, "%s", detail);
}

/* RFC 9110 section 5.6.2 */
static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
			return false;
	return length > 0;
}

static bool equals(const char *text, size_t length, const char *wanted)
{
	return length == strlen(wanted) && strncasecmp(text, wanted, length) == 0;
}

/* ---- the request line ---- */

static const struct {
	const char *name;
	bool may_have_body;
} methods[] = {
	{ "GET", false },
	{ "POST", true },
	{ "PUT", true },
	{ "PATCH", true },
	{ "DELETE", false },
	/* No path takes these; which ones it takes instead is for the router to say. */
	{ "OPTIONS", false },
	{ "TRACE", false },
	{ "HEAD", false },
};

static bool check_method(struct http_strict *strict, const char *method, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (length == strlen(methods[i].name) &&
		    memcmp(method, methods[i].name, length) == 0) {
			strict->may_have_body = methods[i].may_have_body;
			return true;
		}
	}
	if (!is_token(method, length))
		return refuse(strict, 400, "request_malformed", "the request line is malformed");
	return refuse(strict, 501, "method_unknown",
		      "the method must be GET, POST, PUT, PATCH or DELETE");
}

static bool check_version(struct http_strict *strict, const char *version)
{
	if (strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "HTTP/1.0") == 0)
		return true;
	if (strncmp(version, "HTTP/", 5) == 0)
		return refuse(strict, 505, "version_unsupported",
			      "the version must be HTTP/1.1 or HTTP/1.0");
	return refuse(strict, 400, "request_malformed", "the request line is malformed");
}

static bool check_target(struct http_strict *strict, const char *target, size_t length)
{
	struct error err;

	if (length > strict->limits->target_bytes_max)
		return refuse(strict, 414, "target_too_long", "the request target is too long");
	if (!http_target_check(target, length, &err))
		return refuse(strict, 400, err.slug, err.message);
	return true;
}

static bool take_request_line(struct http_strict *strict, const char *line)
{
	const char *target = strchr(line, ' ');
	const char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return refuse(strict, 400, "request_malformed", "the request line is malformed");
	if (!check_method(strict, line, (size_t)(target - line)) ||
	    !check_version(strict, version + 1) ||
	    !check_target(strict, target + 1, (size_t)(version - target - 1)))
		return false;
	strict->state = READING_HEADERS;
	return true;
}

/* ---- headers ---- */

static bool take_host(struct http_strict *strict, const char *value)
{
	size_t length =
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			  "-._~[]:%");

	if (!length || value[length])
		return refuse(strict, 400, "host_invalid", "the Host header is not a host");
	return true;
}

static bool take_content_length(struct http_strict *strict, const char *value)
{
	if (!text_to_int64(value, &strict->body_left))
		return refuse(strict, 400, "content_length_invalid",
			      "Content-Length must be one number of digits only");
	if ((uint64_t)strict->body_left > strict->limits->body_bytes_max)
		return refuse(strict, 413, "body_too_large", "the request body is too large");
	if (strict->body_left && !strict->may_have_body)
		return refuse(strict, 400, "body_not_allowed", "this method takes no request body");
	return true;
}

static bool take_transfer_encoding(struct http_strict *strict, const char *value)
{
	(void)value;
	return refuse(strict, 411, "length_required",
		      "Transfer-Encoding is not accepted: send the body with Content-Length");
}

static bool take_content_encoding(struct http_strict *strict, const char *value)
{
	if (strcasecmp(value, "identity") == 0)
		return true;
	return refuse(strict, 415, "content_encoding_unsupported",
		      "the request body must not be compressed");
}

static bool take_expect(struct http_strict *strict, const char *value)
{
	if (strcasecmp(value, "100-continue") == 0)
		return true;
	return refuse(strict, 417, "expectation_failed", "Expect must be 100-continue");
}

/* Headers that mean something to us; each may come once. The first must be there. */
static const struct {
	const char *name;
	bool (*take)(struct http_strict *strict, const char *value);
} once[] = {
	{ "Host", take_host },
	{ "Content-Length", take_content_length },
	{ "Transfer-Encoding", take_transfer_encoding },
	{ "Content-Encoding", take_content_encoding },
	{ "Expect", take_expect },
	{ "Content-Type", NULL },
	{ "Authorization", NULL },
	{ "Idempotency-Key", NULL },
	{ "Last-Event-ID", NULL },
	{ "Envd-Project", NULL },
};

static bool take_header(struct http_strict *strict, const char *name, size_t name_length,
			const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(once); i++) {
		if (!equals(name, name_length, once[i].name))
			continue;
		if (strict->seen & (1u << i))
			return refuse(strict, 400, "header_repeated",
				      "a header that may come once came twice");
		strict->seen |= 1u << i;
		return !once[i].take || once[i].take(strict, value);
	}
	return true;
}

static bool end_headers(struct http_strict *strict)
{
	if (!(strict->seen & 1u))
		return refuse(strict, 400, "host_missing", "the Host header is missing");
	strict->state = strict->body_left ? READING_BODY : IS_COMPLETE;
	return true;
}

static bool take_header_line(struct http_strict *strict, char *line)
{
	char *colon = strchr(line, ':');
	size_t end = strlen(line);

	if (!*line)
		return end_headers(strict);
	if (*line == ' ' || *line == '\t')
		return refuse(strict, 400, "header_folded", "folded header lines are not accepted");
	if (++strict->header_count > strict->limits->header_count_max)
		return refuse(strict, 431, "too_many_headers", "the request has too many headers");
	if (!colon || !is_token(line, (size_t)(colon - line)))
		return refuse(strict, 400, "header_malformed", "a header's name is malformed");
	while (end && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		line[--end] = '\0';
	return take_header(strict, line, (size_t)(colon - line),
			   colon + 1 + strspn(colon + 1, " \t"));
}

/* ---- bytes ---- */

static bool take_line(struct http_strict *strict)
{
	bool is_fine;

	text_add(&strict->line, ""); /* an empty line has bytes, too */
	if (strict->state == READING_REQUEST_LINE)
		is_fine = take_request_line(strict, strict->line.bytes);
	else
		is_fine = take_header_line(strict, strict->line.bytes);
	text_clear(&strict->line);
	return is_fine;
}

static bool ends_in_cr(const struct text *line)
{
	return line->length && line->bytes[line->length - 1] == '\r';
}

static bool take_line_byte(struct http_strict *strict, char c)
{
	bool after_cr = ends_in_cr(&strict->line);

	if (++strict->header_bytes > strict->limits->header_bytes_max)
		return refuse(strict, 431, "headers_too_large",
			      "the request's headers are too large");
	if (c == '\n' && after_cr) {
		strict->line.bytes[--strict->line.length] = '\0';
		return take_line(strict);
	}
	if (c == '\n' || after_cr)
		return refuse(strict, 400, "line_end_invalid", "lines must end in CR LF");
	if (c != '\r' && (((unsigned char)c < 0x20 && c != '\t') || c == 0x7F))
		return refuse(strict, 400, "control_character",
			      "the request contains a control character");
	text_add_char(&strict->line, c);
	return true;
}

static size_t take_body(struct http_strict *strict, size_t length)
{
	size_t taken = length < (uint64_t)strict->body_left ? length : (size_t)strict->body_left;

	strict->body_left -= (int64_t)taken;
	if (!strict->body_left)
		strict->state = IS_COMPLETE;
	return taken;
}

void http_strict_init(struct http_strict *strict, const struct http_limits *limits)
{
	*strict = (struct http_strict){ .limits = limits, .state = READING_REQUEST_LINE };
}

void http_strict_release(struct http_strict *strict)
{
	/* It has held an Authorization header. */
	if (strict->line.bytes)
		explicit_bzero(strict->line.bytes, strict->line.allocated);
	text_release(&strict->line);
}

enum http_verdict http_strict_feed(struct http_strict *strict, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && strict->state != IS_REFUSED;) {
		if (strict->state == READING_BODY)
			i += take_body(strict, length - i);
		else if (strict->state == IS_COMPLETE)
			refuse(strict, 400, "request_pipelined",
			       "bytes follow the request: send one request per connection");
		else if (take_line_byte(strict, bytes[i]))
			i++;
	}
	if (strict->state == IS_REFUSED)
		return HTTP_REFUSED;
	return strict->state == IS_COMPLETE ? HTTP_COMPLETE : HTTP_MORE;
}
