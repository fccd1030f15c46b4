#include "engine/cloud/aws_pages.h"

/* An empty element is text; one that is missing is no list at all. */
static bool take_page(const struct aws_pages *pages, const json_t *answer, json_t *all,
		      struct error *err)
{
	const json_t *page = json_object_get(answer, pages->set);

	if (!json_is_array(page) && !(json_is_string(page) && !*json_string_value(page)))
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "AWS %s: the answer has no \"%s\"", pages->action, pages->set);
	json_array_extend(all, (json_t *)(uintptr_t)page);
	return json_array_size(all) <= CLOUD_ITEMS_MAX || cloud_too_many(pages->action, err);
}

static char *next_page(const struct aws_pages *pages, const json_t *answer)
{
	const char *token = pages->token ? json_get_string(answer, pages->token, "") : "";
	AUTO(free) char *encoded = *token ? cloud_encode(token) : NULL;

	return encoded ? xasprintf("&%s=%s", pages->asked, encoded) : NULL;
}

bool aws_pages_read(const struct aws_way *way, const struct aws_pages *pages, json_t **items,
		    struct error *err)
{
	AUTO(json_decref) json_t *all = json_array();
	AUTO(free) char *next = xstrdup("");

	while (next) {
		AUTO(free) char *more = xasprintf("%s%s", pages->more ? pages->more : "", next);
		AUTO(json_decref) json_t *answer = NULL;

		if (!aws_query(way, pages->service, pages->action, more, &answer, err) ||
		    !take_page(pages, answer, all, err))
			return false;
		free(next);
		next = next_page(pages, answer);
	}
	*items = TAKE(all);
	return true;
}
