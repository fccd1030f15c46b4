#include "wire/quote_json.h"

#include "base/text.h"
#include "model/decimal.h"

static void set_text(json_t *json, const char *key, const char *text)
{
	json_object_set_new(json, key, text ? json_string(text) : json_null());
}

static void set_amount(json_t *json, const char *key, int64_t microcents)
{
	json_object_set_new(json, key, json_integer(microcents));
}

static json_t *line_json(const struct quote_line *line)
{
	struct decimal quantity = { line->quantity_billionths };
	char text[DECIMAL_TEXT_SIZE], low[MONEY_TEXT_SIZE], high[MONEY_TEXT_SIZE];
	json_t *json = json_object();

	set_text(json, "name", line->of->name);
	set_text(json, "note", line->of->note);
	set_text(json, "price", line->row);
	set_text(json, "quantity", decimal_format(quantity, 0, text));
	set_text(json, "unit", line->price ? price_unit_name(line->price->unit) : NULL);
	set_text(json, "unit_low",
		 line->price ? money_exact(line->price->low_microcents, low) : NULL);
	set_text(json, "unit_high",
		 line->price ? money_exact(line->price->high_microcents, high) : NULL);
	set_amount(json, "low_microcents_per_hour", line->low_microcents_per_hour);
	set_amount(json, "high_microcents_per_hour", line->high_microcents_per_hour);
	set_text(json, "book", line->book ? line->book->name : NULL);
	set_text(json, "as_of", line->book ? line->book->as_of : NULL);
	set_text(json, "source", line->book ? line->book->source : NULL);
	json_object_set_new(json, "example", json_boolean(line->book && line->book->is_example));
	set_text(json, "missing", line->why);
	return json;
}

static json_t *choice_json(const struct quote_choice *choice, const struct quote_time *time)
{
	struct quote quote = { .low_microcents_per_hour = choice->low_microcents_per_hour,
			       .high_microcents_per_hour = choice->high_microcents_per_hour };
	json_t *json = json_object();

	set_text(json, "name", choice->name);
	json_object_set(json, "parameters", choice->parameters);
	set_amount(json, "low_microcents", quote_low(&quote, time));
	set_amount(json, "high_microcents", quote_high(&quote, time));
	json_object_set_new(json, "saves_percent", json_integer(choice->saves_percent));
	return json;
}

json_t *quote_json(const struct quote *quote, const struct quote_time *time,
		   const struct quote_choices *choices)
{
	json_t *json = json_object(), *lines = json_array(), *cheaper = json_array();

	for (size_t i = 0; i < quote->line_count; i++)
		json_array_append_new(lines, line_json(&quote->lines[i]));
	for (size_t i = 0; choices && i < choices->count; i++)
		json_array_append_new(cheaper, choice_json(&choices->items[i], time));
	set_text(json, "currency", quote->currency);
	set_text(json, "provider", quote->provider);
	set_text(json, "region", quote->region);
	set_amount(json, "lease_seconds", time->lease_ms / 1000);
	set_amount(json, "building_seconds", time->building_max_ms / 1000);
	set_amount(json, "low_microcents_per_hour", quote->low_microcents_per_hour);
	set_amount(json, "high_microcents_per_hour", quote->high_microcents_per_hour);
	set_amount(json, "low_microcents", quote_low(quote, time));
	set_amount(json, "high_microcents", quote_high(quote, time));
	set_text(json, "oldest", quote->oldest);
	set_text(json, "newest", quote->newest);
	json_object_set_new(json, "example", json_boolean(quote->is_example));
	json_object_set_new(json, "missing", json_integer((json_int_t)quote->missing_count));
	json_object_set_new(json, "components", lines);
	json_object_set_new(json, "choices", cheaper);
	return json;
}

json_t *price_books_json(const struct price_books *books, int64_t now_ms, int64_t age_ms)
{
	json_t *items = json_array();

	for (size_t i = 0; i < books->count; i++) {
		const struct price_book *book = books->items[i];
		json_t *json = json_object();

		set_text(json, "name", book->name);
		set_text(json, "provider", book->provider);
		set_text(json, "region", book->region);
		set_text(json, "currency", book->currency);
		set_text(json, "as_of", book->as_of);
		set_text(json, "source", book->source);
		json_object_set_new(json, "example", json_boolean(book->is_example));
		json_object_set_new(json, "old", json_boolean(book->as_of_ms < now_ms - age_ms));
		json_object_set_new(json, "prices", json_integer((json_int_t)book->row_count));
		json_array_append_new(items, json);
	}
	return items;
}
