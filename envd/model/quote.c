#include "model/quote.h"

#include <string.h>

#include "base/text.h"
#include "model/cost.h"
#include "model/decimal.h"

enum { BILLION = 1000000000, QUANTITY_MAX = 1000000, TRIES_MAX = 64 };

/* ---- one line ---- */

static bool refuse_quantity(const struct template_price_line *line, const char *value,
			    struct error *err)
{
	return error_set_as(
	    err, ERR_INVALID, "price_invalid",
	    "the quantity of price component \"%s\" must be 0 to %d (got \"%.40s\")", line->name,
	    QUANTITY_MAX, value);
}

static bool read_quantity(const struct template_price_line *line, const json_t *parameters,
			  int64_t *billionths, struct error *err)
{
	__int128 product = BILLION;

	for (size_t i = 0; line->factors[i]; i++) {
		AUTO(free) char *text = template_price_fill(line->factors[i], parameters);
		struct decimal factor;

		if (strspn(text, "0123456789.") != strlen(text) || !decimal_read(text, &factor) ||
		    factor.billionths > (__int128)QUANTITY_MAX * BILLION)
			return refuse_quantity(line, text, err);
		product = product * factor.billionths / BILLION;
		if (product > (__int128)QUANTITY_MAX * BILLION)
			return refuse_quantity(line, text, err);
	}
	*billionths = (int64_t)product;
	return true;
}

static int64_t per_hour(int64_t microcents, const struct quote_line *line, bool is_up)
{
	__int128 whole = (__int128)microcents * line->quantity_billionths;
	__int128 divisor = (__int128)BILLION * price_unit_hours(line->price->unit);
	__int128 hourly = (whole + (is_up ? divisor - 1 : 0)) / divisor;

	return hourly > INT64_MAX ? INT64_MAX : (int64_t)hourly;
}

static void look_up(const struct quote_ask *ask, const struct quote *quote, struct quote_line *line)
{
	const struct price_book *book;

	if (!quote->region) {
		line->why = xstrdup("no region of the template's price is for these parameters");
		return;
	}
	book = price_books_find(ask->books, quote->provider, quote->region, ask->now_ms);
	line->book = book;
	if (!book) {
		line->why = xasprintf("no price book of %s %s", quote->provider, quote->region);
		return;
	}
	if (strcmp(book->currency, quote->currency) != 0) {
		line->why = xasprintf("price book %s is in %s, the template in %s", book->name,
				      book->currency, quote->currency);
		return;
	}
	line->price = price_book_row(book, line->row);
	if (!line->price) {
		line->why = xasprintf("price book %s has no \"%s\"", book->name, line->row);
		return;
	}
	line->low_microcents_per_hour = per_hour(line->price->low_microcents, line, false);
	line->high_microcents_per_hour = per_hour(line->price->high_microcents, line, true);
}

/* ---- the sum ---- */

static void note_book(struct quote *quote, const struct price_book *book)
{
	quote->is_example |= book->is_example;
	if (!quote->oldest || strcmp(book->as_of, quote->oldest) < 0) {
		quote->oldest = book->as_of;
		quote->oldest_ms = book->as_of_ms;
	}
	if (!quote->newest || strcmp(book->as_of, quote->newest) > 0)
		quote->newest = book->as_of;
}

static bool add_line(const struct quote_ask *ask, const struct template_price_line *of,
		     struct quote *quote, struct error *err)
{
	struct quote_line *line = &quote->lines[quote->line_count];

	if (!template_price_holds(&of->when, ask->parameters))
		return true;
	*line = (struct quote_line){ .of = of };
	if (!read_quantity(of, ask->parameters, &line->quantity_billionths, err))
		return false;
	quote->line_count++;
	line->row = template_price_fill(of->row, ask->parameters);
	look_up(ask, quote, line);
	if (!line->price) {
		quote->missing_count++;
		return true;
	}
	note_book(quote, line->book);
	quote->low_microcents_per_hour =
	    money_add(quote->low_microcents_per_hour, line->low_microcents_per_hour);
	quote->high_microcents_per_hour =
	    money_add(quote->high_microcents_per_hour, line->high_microcents_per_hour);
	return true;
}

static bool add_lines(const struct quote_ask *ask, struct quote *quote, struct error *err)
{
	char text[MONEY_TEXT_SIZE];

	for (size_t i = 0; i < ask->price->line_count; i++)
		if (!add_line(ask, &ask->price->lines[i], quote, err))
			return false;
	return quote->high_microcents_per_hour <= QUOTE_PER_HOUR_MAX ||
	       error_set_as(err, ERR_INVALID, "price_invalid",
			    "this would cost %s %s an hour: more than anything that is meant",
			    money_format(quote->high_microcents_per_hour, text), quote->currency);
}

bool quote_make(const struct quote_ask *ask, struct quote *quote, struct error *err)
{
	const struct template_price *price = ask->price;

	*quote = (struct quote){ .currency = price->currency,
				 .low_microcents_per_hour = price->microcents_per_hour,
				 .high_microcents_per_hour = price->microcents_per_hour };
	if (!price->line_count)
		return true;
	quote->provider = template_price_fill(price->provider, ask->parameters);
	quote->region = template_price_region(price, ask->parameters);
	quote->lines = xcalloc(price->line_count, sizeof(*quote->lines));
	if (add_lines(ask, quote, err))
		return true;
	quote_release(quote);
	return false;
}

void quote_release(struct quote *quote)
{
	for (size_t i = 0; i < quote->line_count; i++) {
		free(quote->lines[i].row);
		free(quote->lines[i].why);
	}
	free(quote->lines);
	free(quote->provider);
	free(quote->region);
	*quote = (struct quote){ 0 };
}

int64_t quote_low(const struct quote *quote, const struct quote_time *time)
{
	return cost_for(quote->low_microcents_per_hour, time->lease_ms);
}

int64_t quote_high(const struct quote *quote, const struct quote_time *time)
{
	return cost_for(quote->high_microcents_per_hour, time->lease_ms + time->building_max_ms);
}

/* ---- cheaper ones ---- */

struct search {
	const struct template *template;
	const struct quote_ask *ask;
	const struct quote *quote;
	struct quote_choices *choices;
	int tries;
};

static void release_choice(struct quote_choice *choice)
{
	free(choice->name);
	json_decref(choice->parameters);
}

/* Sorted by price; of two that cost the same the one that was tried first, which may have a name of
 * its own, and no second one that asks for the same. */
static void keep_choice(struct quote_choices *choices, struct quote_choice *choice)
{
	size_t at = choices->count;

	for (size_t i = 0; i < choices->count; i++) {
		if (json_equal(choices->items[i].parameters, choice->parameters)) {
			release_choice(choice);
			return;
		}
	}
	while (at > 0 &&
	       choices->items[at - 1].high_microcents_per_hour > choice->high_microcents_per_hour)
		at--;
	if (choices->count == QUOTE_CHOICES_MAX) {
		if (at == choices->count) {
			release_choice(choice);
			return;
		}
		release_choice(&choices->items[--choices->count]);
	}
	memmove(&choices->items[at + 1], &choices->items[at],
		(choices->count - at) * sizeof(choices->items[0]));
	choices->items[at] = *choice;
	choices->count++;
}

/* Without what is asked for anyway. */
static json_t *differences(const json_t *parameters, const json_t *instead)
{
	json_t *differing = json_object(), *value;
	const char *name;

	json_object_foreach_const(instead, name, value)
		if (!json_equal(json_object_get(parameters, name), value))
			json_object_set(differing, name, value);
	return differing;
}

static bool resolve(const struct search *search, const json_t *asked, json_t **instead)
{
	AUTO(json_decref) json_t *given = json_deep_copy(search->ask->parameters);
	struct error ignored; /* what could not be asked for is no choice */

	json_object_update(given, (json_t *)(uintptr_t)asked);
	return template_resolve_parameters(search->template, given, instead, &ignored);
}

static void try_choice(struct search *search, const char *name, const json_t *asked)
{
	AUTO(json_decref) json_t *instead = NULL, *differing = NULL;
	struct quote_ask ask = *search->ask;
	struct quote_choice choice;
	struct error ignored;
	struct quote other;

	if (search->tries++ >= TRIES_MAX || !resolve(search, asked, &instead))
		return;
	ask.parameters = instead;
	differing = differences(search->ask->parameters, instead);
	if (!json_object_size(differing) || !quote_make(&ask, &other, &ignored))
		return;
	choice = (struct quote_choice){
		.low_microcents_per_hour = other.low_microcents_per_hour,
		.high_microcents_per_hour = other.high_microcents_per_hour,
		.saves_percent = money_saving_percent(search->quote->high_microcents_per_hour,
						      other.high_microcents_per_hour),
	};
	/* Where nothing is counted it is somebody else who pays. */
	if (choice.saves_percent > 0 && other.line_count && !other.missing_count) {
		choice.name = xstrdup(name);
		choice.parameters = TAKE(differing);
		keep_choice(search->choices, &choice);
	}
	quote_release(&other);
}

static void try_value(struct search *search, const struct template_parameter *parameter,
		      json_t *value)
{
	AUTO(json_decref) json_t *asked = json_pack("{s:O}", parameter->name, value);
	AUTO(free) char *text = template_price_value(asked, parameter->name);
	AUTO(free) char *name = xasprintf("%s=%s", parameter->name, text);

	try_choice(search, name, asked);
}

static void try_parameter(struct search *search, const struct template_parameter *parameter)
{
	AUTO(json_decref) json_t *no = json_false(), *yes = json_true();
	size_t i;
	json_t *value;

	json_array_foreach(parameter->choices, i, value)
		try_value(search, parameter, value);
	if (parameter->type == PARAMETER_BOOLEAN) {
		try_value(search, parameter, no);
		try_value(search, parameter, yes);
	}
	if (parameter->type == PARAMETER_INTEGER && parameter->minimum)
		try_value(search, parameter, parameter->minimum);
}

void quote_choices_find(const struct template *template, const struct quote_ask *ask,
			const struct quote *quote, struct quote_choices *choices)
{
	struct search search = { template, ask, quote, choices, 0 };

	*choices = (struct quote_choices){ .count = 0 };
	if (!ask->price->line_count)
		return;
	for (size_t i = 0; i < ask->price->choice_count; i++)
		try_choice(&search, ask->price->choices[i].name, ask->price->choices[i].parameters);
	for (size_t i = 0; i < template->parameter_count; i++)
		try_parameter(&search, &template->parameters[i]);
}

void quote_choices_release(struct quote_choices *choices)
{
	for (size_t i = 0; i < choices->count; i++)
		release_choice(&choices->items[i]);
	choices->count = 0;
}
