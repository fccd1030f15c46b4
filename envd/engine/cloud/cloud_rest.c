#include "engine/cloud/cloud_rest.h"

#include <string.h>

#include "base/clock.h"

static bool refuse(const struct cloud_rest *rest, const char *path, const struct cloud_call *call,
		   struct error *err)
{
	AUTO(json_decref) json_t *answer = json_loads(text_get(&call->answer), 0, NULL);
	const char *words = answer ? rest->words(answer) : NULL;
	char shown[200];

	text_printable(words ? words : "it does not say why", shown, sizeof(shown));
	if (call->status == 404)
		return error_set(err, ERR_NOT_FOUND, "%s %.100s: 404 %s", rest->who, path, shown);
	return error_set_as(err, ERR_EXTERNAL, "cloud_denied", "%s %.100s: %d %s", rest->who, path,
			    call->status, shown);
}

bool cloud_rest_get(const struct cloud_rest *rest, const struct cloud_question *question,
		    const char *path, json_t **answer, struct error *err)
{
	AUTO(free)
	char *url =
	    xasprintf("%s%s", question->endpoint ? question->endpoint : rest->address, path);
	AUTO(cloud_call_release) struct cloud_call call = { .method = "GET", .url = url };

	if (!cloud_run(&question->session, &call, err))
		return error_wrap(err, "%s", rest->who);
	if (call.status / 100 != 2)
		return refuse(rest, path, &call, err);
	return cloud_json(&call, answer, err) || error_wrap(err, "%s", rest->who);
}

static bool take_page(const struct cloud_rest *rest, const char *path, const json_t *page,
		      json_t *all, struct error *err)
{
	if (!json_is_array(page))
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "%s %s: the answer has no list", rest->who, path);
	json_array_extend(all, (json_t *)(uintptr_t)page);
	return json_array_size(all) <= CLOUD_ITEMS_MAX || cloud_too_many(path, err);
}

static bool is_whole(const struct cloud_rest *rest, const char *path, const json_t *all,
		     int64_t total, struct error *err)
{
	return total == (int64_t)json_array_size(all) ||
	       error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
			    "%s %s: %zu things came and it says that there are %lld", rest->who,
			    path, json_array_size(all), (long long)total);
}

bool cloud_rest_list(const struct cloud_rest *rest, const struct cloud_question *question,
		     const char *path, const char *set, json_t **items, struct error *err)
{
	AUTO(json_decref) json_t *all = json_array();
	size_t before;
	int64_t total;
	int page = 1;

	do {
		AUTO(free) char *target = xasprintf("%s?page=%d&%s", path, page++, rest->size);
		AUTO(json_decref) json_t *answer = NULL;

		before = json_array_size(all);
		if (!cloud_rest_get(rest, question, target, &answer, err) ||
		    !take_page(rest, path, json_object_get(answer, rest->set ? rest->set : set),
			       all, err))
			return false;
		total = rest->total(answer);
	} while ((int64_t)json_array_size(all) < total && json_array_size(all) > before);
	if (!is_whole(rest, path, all, total, err))
		return false;
	*items = TAKE(all);
	return true;
}

int64_t cloud_rest_seconds(const char *text)
{
	struct error ignored; /* then nobody knows how old it is */
	size_t length = text ? strlen(text) : 0;
	bool has_zone =
	    length && (text[length - 1] == 'Z' || (length > 6 && text[length - 6] == '+'));
	AUTO(free) char *whole = xasprintf("%s%s", text ? text : "", has_zone ? "" : "Z");
	int64_t at_ms;

	return clock_parse(whole, &at_ms, &ignored) ? at_ms / 1000 : 0;
}

const char *cloud_rest_id(const json_t *value, char into[32])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (!json_is_integer(value))
		return NULL;
	snprintf(into, 32, "%lld", (long long)json_integer_value(value));
	return into;
}
