#include "wire/problem_json.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* "lease_ended" -> "Lease ended" */
static json_t *title_of(const char *slug)
{
	AUTO(free) char *title = xstrdup(slug);

	for (char *at = title; *at; at++)
		if (*at == '_')
			*at = ' ';
	*title = (char)toupper((unsigned char)*title);
	return json_string(title);
}

/* A message may quote what a client sent, cut in the middle of a character. */
static json_t *text_of(const char *message)
{
	AUTO(free) char *shown = NULL;

	if (text_is_utf8(message, strlen(message)))
		return json_string(message);
	shown = xstrdup(message);
	for (char *at = shown; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return json_string(shown);
}

json_t *problem_json(int status, const struct error *problem, const char *request_id)
{
	AUTO(free) char *type = xasprintf("about:blank#%s", problem->slug);
	json_t *json = json_object();

	json_object_set_new(json, "type", json_string(type));
	json_object_set_new(json, "title", title_of(problem->slug));
	json_object_set_new(json, "status", json_integer(status));
	json_object_set_new(json, "code", json_string(problem->slug));
	json_object_set_new(json, "detail", text_of(problem->message));
	if (*problem->hint)
		json_object_set_new(json, "hint", text_of(problem->hint));
	json_object_set_new(json, "request_id", json_string(request_id));
	return json;
}
