/*
 * quote.h - what an environment would cost, before it is made: a pure function of its template, its
 * parameters and the price books. Whole microcents throughout.
 *
 * A quote is a range. At least: the low prices, for the lease alone. At most: the high prices, for
 * the lease and for as long as building may take. The low end is rounded down and the high end up,
 * so that the range never is narrower than what it was reckoned from.
 */
#ifndef ENVD_MODEL_QUOTE_H
#define ENVD_MODEL_QUOTE_H

#include "model/price_book.h"
#include "model/template.h"

/* Of one environment; more is a mistake in somebody's file, and sums of it might not fit. */
#define QUOTE_PER_HOUR_MAX ((int64_t)1000000 * MICROCENTS_PER_UNIT)

struct quote_line {
	const struct template_price_line *of;
	char *row;                     /* its key, parameters filled in */
	const struct price_book *book; /* NULL: none was found */
	const struct price_row *price; /* NULL: there is no price, and `why` says why not */
	char *why;
	int64_t quantity_billionths;
	int64_t low_microcents_per_hour;
	int64_t high_microcents_per_hour;
};

struct quote {
	const char *currency;
	char *provider; /* NULL: its template has an amount an hour and no components */
	char *region; /* NULL, too, where none is for these parameters: nothing has a price then */
	struct quote_line *lines;
	size_t line_count;
	size_t missing_count; /* lines without a price: the sums are without them */
	int64_t low_microcents_per_hour;
	int64_t high_microcents_per_hour;
	const char *oldest; /* "2026-11-01": of the books that it is from; NULL: of none */
	const char *newest;
	int64_t oldest_ms;
	bool is_example; /* some figure is of a book of examples */
};

struct quote_ask {
	const struct template_price *price;
	const json_t *parameters; /* all of them, as they were resolved */
	const struct price_books *books;
	int64_t now_ms; /* books of later days do not count yet */
};

/* Borrows from what was asked with. ERR_INVALID "price_invalid": a quantity that is none, or a sum
 * over QUOTE_PER_HOUR_MAX. On failure `quote` needs no release. */
NODISCARD bool quote_make(const struct quote_ask *ask, struct quote *quote, struct error *err);
void quote_release(struct quote *quote);

/* Until when it is quoted. */
struct quote_time {
	int64_t lease_ms;
	int64_t building_max_ms;
};
int64_t quote_low(const struct quote *quote, const struct quote_time *time);
int64_t quote_high(const struct quote *quote, const struct quote_time *time);

/* ---- cheaper ones ---- */

struct quote_choice {
	char *name;         /* "without the log store", "profile=metrics" */
	json_t *parameters; /* what to ask instead, of those that differ */
	int64_t low_microcents_per_hour;
	int64_t high_microcents_per_hour;
	int saves_percent; /* of the high end, rounded down */
};

enum { QUOTE_CHOICES_MAX = 8 };
struct quote_choices {
	struct quote_choice items[QUOTE_CHOICES_MAX]; /* the cheapest first */
	size_t count;
};

/* Those that the template names, then every other value of one parameter at a time that is a choice
 * (enum, boolean) or counts (its minimum), if it saves a percent or more. At most 64 are tried. */
void quote_choices_find(const struct template *template, const struct quote_ask *ask,
			const struct quote *quote, struct quote_choices *choices);
void quote_choices_release(struct quote_choices *choices);

#endif
