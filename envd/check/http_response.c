#include "check/http_response.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json_read.h"
#include "check/json_subject.h"

void http_response_release(struct http_response *response)
{
	for (size_t i = 0; i < response->header_count; i++) {
		free(response->headers[i].name);
		free(response->headers[i].value);
	}
	free(response->headers);
	free(response->url);
	text_release(&response->body);
	json_decref(response->json);
	*response = (struct http_response){ .keeps_body = response->keeps_body };
}

static char *trimmed(const char *text, size_t length)
{
	while (length && isspace((unsigned char)*text)) {
		text++;
		length--;
	}
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	return xstrndup(text, length);
}

void http_response_add_header(struct http_response *response, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	struct http_header *header;

	if (!colon || response->header_count == HTTP_HEADERS_MAX)
		return;
	response->headers =
	    xrealloc(response->headers, response->header_count + 1, sizeof(*response->headers));
	header = &response->headers[response->header_count++];
	header->name = trimmed(line, (size_t)(colon - line));
	header->value = trimmed(colon + 1, length - (size_t)(colon + 1 - line));
	for (char *at = header->name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
}

/* Several of one name are one list (RFC 9110); Set-Cookie is not asked for in this way. */
static struct observed look_header(const struct http_response *response, const char *name)
{
	AUTO(text_release) struct text value = TEXT_EMPTY;
	bool is_there = false;

	for (size_t i = 0; i < response->header_count; i++) {
		if (strcasecmp(response->headers[i].name, name) != 0)
			continue;
		if (is_there)
			text_add(&value, ", ");
		text_add(&value, response->headers[i].value);
		is_there = true;
	}
	return is_there ? observed_text(text_get(&value)) : observed_nothing(NULL);
}

/* ---- cookies ------------------------------------------------------------------------------- */

/* The Set-Cookie line for `name`, the last one if there are several. */
static const char *find_cookie(const struct http_response *response, const char *name)
{
	size_t length = strlen(name);
	const char *found = NULL;

	for (size_t i = 0; i < response->header_count; i++) {
		const struct http_header *header = &response->headers[i];

		if (strcmp(header->name, "set-cookie") == 0 &&
		    strncmp(header->value, name, length) == 0 && header->value[length] == '=')
			found = header->value;
	}
	return found;
}

/* An attribute behind the first ';': its value, "" for a flag, NULL when it is not there. */
static char *cookie_attribute(const char *cookie, const char *name)
{
	size_t length = strlen(name);
	const char *at = cookie;

	while ((at = strchr(at, ';'))) {
		at += 1 + strspn(at + 1, " \t");
		if (strncasecmp(at, name, length) != 0 || !strchr("=; \t", at[length]))
			continue;
		at += length + strspn(at + length, " \t");
		return *at == '=' ? trimmed(at + 1, strcspn(at + 1, ";")) : xstrdup("");
	}
	return NULL;
}

static bool cookie_is_deleted(const char *cookie)
{
	AUTO(free) char *max_age = cookie_attribute(cookie, "max-age");
	AUTO(free) char *expires = cookie_attribute(cookie, "expires");

	if (max_age)
		return strtoll(max_age, NULL, 10) <= 0;
	return expires && *expires && curl_getdate(expires, NULL) <= time(NULL);
}

static struct observed look_attribute(const char *cookie, const char *attribute)
{
	AUTO(free) char *value = NULL;

	if (strcmp(attribute, "deleted") == 0)
		return observed_boolean(cookie_is_deleted(cookie));
	value = cookie_attribute(cookie, attribute);
	if (strcmp(attribute, "secure") == 0 || strcmp(attribute, "httponly") == 0)
		return observed_boolean(value != NULL);
	return observed_text(value);
}

char *http_response_cookie(const struct http_response *response, const char *name)
{
	const char *cookie = find_cookie(response, name);

	if (!cookie || cookie_is_deleted(cookie))
		return NULL;
	cookie += strlen(name) + 1;
	return trimmed(cookie, strcspn(cookie, ";"));
}

/* "token", "token.secure" */
static struct observed look_cookie(const struct http_response *response, const char *subject)
{
	static const char *const attributes[] = { "secure", "httponly", "samesite", "path",
						  "domain", "max-age",  "expires",  "deleted" };
	const char *dot = strrchr(subject, '.');
	AUTO(free) char *value = http_response_cookie(response, subject);
	struct observed seen;

	for (size_t i = 0; dot && i < ARRAY_SIZE(attributes); i++) {
		AUTO(free) char *name = xstrndup(subject, (size_t)(dot - subject));
		const char *cookie;

		if (strcmp(dot + 1, attributes[i]) != 0)
			continue;
		cookie = find_cookie(response, name);
		return cookie ? look_attribute(cookie, attributes[i])
			      : observed_nothing("this response sets no such cookie");
	}
	if (!value)
		return observed_nothing(find_cookie(response, subject)
					    ? "this response deletes it"
					    : "this response sets no such cookie");
	seen = observed_text(value);
	seen.is_secret = true;
	return seen;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static struct observed look_json(struct http_response *response, const char *path)
{
	struct error why;

	if (!response->is_json_tried) {
		response->is_json_tried = true;
		if (!json_parse(text_get(&response->body), response->body.length, "body",
				&response->json, &why))
			response->json = NULL;
	}
	return response->json ? json_subject(response->json, path)
			      : observed_nothing("the body is not JSON");
}

static struct observed look_version(const struct http_response *response)
{
	struct observed seen;

	if (response->http_version % 10 == 0 && response->http_version >= 20)
		return observed_number(response->http_version / 10);
	seen = observed_text(response->http_version == 10 ? "1.0" : "1.1");
	seen.kind = OBSERVED_NUMBER;
	return seen;
}

struct observed http_response_look(struct http_response *response, const char *subject)
{
	if (strcmp(subject, "status") == 0)
		return observed_number(response->status);
	if (strcmp(subject, "body") == 0)
		return observed_bytes(text_get(&response->body), response->body.length);
	if (strcmp(subject, "size") == 0)
		return observed_number((int64_t)response->size);
	if (strcmp(subject, "url") == 0)
		return observed_text(response->url);
	if (strcmp(subject, "redirects") == 0)
		return observed_number(response->redirects);
	if (strcmp(subject, "http.version") == 0)
		return look_version(response);
	if (strcmp(subject, "duration") == 0)
		return observed_duration(response->duration_us);
	if (text_starts_with(subject, "header."))
		return look_header(response, subject + strlen("header."));
	if (text_starts_with(subject, "cookie."))
		return look_cookie(response, subject + strlen("cookie."));
	if (text_starts_with(subject, "json."))
		return look_json(response, subject + strlen("json."));
	return observed_nothing(NULL);
}
