#include "cli/quote_view.h"

#include <stdio.h>

#include "base/json_read.h"
#include "model/money.h"

void quote_amount(const json_t *object, const char *key, struct text *into)
{
	char text[MONEY_TEXT_SIZE];

	text_add(into,
		 json_has(object, key) ? money_format(json_get_int64(object, key, 0), text) : "-");
}

void quote_range(const json_t *object, const char *low, const char *high, struct text *into)
{
	AUTO(text_release) struct text least = TEXT_EMPTY;
	AUTO(text_release) struct text most = TEXT_EMPTY;

	quote_amount(object, low, &least);
	quote_amount(object, high, &most);
	if (!text_equal(text_get(&least), text_get(&most)))
		text_format(into, "%s to ", text_get(&least));
	text_add(into, text_get(&most));
}

void quote_remark(const json_t *quote, struct text *into)
{
	const char *oldest = json_get_string(quote, "oldest", NULL);
	const char *newest = json_get_string(quote, "newest", NULL);

	if (!oldest)
		return;
	text_format(into, "; %sprices as of %s",
		    json_get_bool(quote, "example", false) ? "EXAMPLE " : "", oldest);
	if (newest && !text_equal(oldest, newest))
		text_format(into, " to %s", newest);
}

static void print_component(const char *label, const json_t *line)
{
	AUTO(text_release) struct text cost = TEXT_EMPTY;
	const char *note = json_get_string(line, "note", "");

	if (json_has(line, "missing"))
		text_format(&cost, "no price: %s", json_get_string(line, "missing", ""));
	else
		quote_range(line, "low_microcents_per_hour", "high_microcents_per_hour", &cost);
	printf("  %-11s %-20s %s x %s (%s)  %s%s%s%s%s\n", label,
	       json_get_string(line, "name", "?"), json_get_string(line, "quantity", "?"),
	       json_get_string(line, "price", "?"), json_get_string(line, "unit", "?"),
	       text_get(&cost), json_has(line, "missing") ? "" : " an hour", *note ? "  (" : "",
	       note, *note ? ")" : "");
}

static void print_choice(const char *label, const json_t *choice, const char *currency)
{
	AUTO(text_release) struct text cost = TEXT_EMPTY;
	AUTO(text_release) struct text asked = TEXT_EMPTY;
	const json_t *parameters = json_object_get(choice, "parameters");
	const char *name;
	json_t *value;

	quote_range(choice, "low_microcents", "high_microcents", &cost);
	json_object_foreach_const(parameters, name, value) {
		AUTO(free)
		char *other = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

		text_format(&asked, " --param %s=%s", name,
			    other ? other : json_string_value(value));
	}
	printf("  %-11s %s: \xE2\x88\x92%lld %%, %s %s with%s\n", label,
	       json_get_string(choice, "name", "?"),
	       (long long)json_get_int64(choice, "saves_percent", 0), text_get(&cost), currency,
	       text_get(&asked));
}

void quote_print(const json_t *quote)
{
	const char *label = "";
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(quote, "components"), i, item) {
		print_component(label, item);
	}
	label = "cheaper";
	json_array_foreach(json_object_get(quote, "choices"), i, item) {
		print_choice(label, item, json_get_string(quote, "currency", ""));
		label = "";
	}
}
