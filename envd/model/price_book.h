/*
 * price_book.h - what things cost at a provider, as somebody looked it up on a day: a YAML file
 * (templates/prices/README.md is its manual). Prices are configuration and no constants of ours.
 *
 * Amounts are whole microcents (model/money.h) for one of the row's unit.
 */
#ifndef ENVD_MODEL_PRICE_BOOK_H
#define ENVD_MODEL_PRICE_BOOK_H

#include <stdint.h>

#include "base/yaml_read.h"
#include "model/money.h"

#define PRICE_BOOK_BYTES_MAX ((size_t)1 << 20)
#define PRICE_DAY_MS ((int64_t)86400000)

enum {
	PRICE_ROWS_MAX = 2000,
	PRICE_UNITS_MAX = 1000000, /* of a currency, for one of anything */
	PRICE_DATE_SIZE = 16,
};

/* What a price is for one of: X(name in the file, divided by so many hours) */
#define PRICE_UNITS(X)                                                                             \
	X(PRICE_HOUR, "hour", 1)                                                                   \
	X(PRICE_MONTH, "month", PRICE_HOURS_OF_MONTH)                                              \
	X(PRICE_GIB_HOUR, "GiB-hour", 1)                                                           \
	X(PRICE_GIB_MONTH, "GiB-month", PRICE_HOURS_OF_MONTH)

/* As providers reckon: 365 days of 24 hours in 12 months. */
#define PRICE_HOURS_OF_MONTH 730

enum price_unit {
#define X(unit, name, hours) unit,
	PRICE_UNITS(X)
#undef X
	    PRICE_UNIT_COUNT
};

struct price_row {
	char *key;  /* "t2.large" */
	char *note; /* may be "" */
	enum price_unit unit;
	int64_t low_microcents; /* for one unit; both the same where it is no range */
	int64_t high_microcents;
};

struct price_book {
	char *file; /* as named in errors */
	char *name;
	char *provider;
	char *region;
	char *currency;
	char *source;                /* where the prices were read: an address or words */
	char as_of[PRICE_DATE_SIZE]; /* "2026-11-01" */
	int64_t as_of_ms;            /* its first moment, UTC */
	bool is_example;             /* nobody's offer: said wherever a figure of it is shown */
	struct price_row *rows;
	size_t row_count;
};

const char *price_unit_name(enum price_unit unit);
int64_t price_unit_hours(enum price_unit unit);

/* `file` names the text in errors: ERR_INVALID, slugs yaml_malformed and price_book_invalid, with
 * file, line, column and the key. */
NODISCARD bool price_book_parse(const char *bytes, size_t length, const char *file,
				struct price_book **book, struct error *err);
void price_book_free(struct price_book *book);
DEFINE_AUTO(struct price_book *, price_book_free)

/* NULL: it has no such row. */
const struct price_row *price_book_row(const struct price_book *book, const char *key);

struct price_books {
	struct price_book **items;
	size_t count;
};

/* Takes `book` over, also when it is refused: ERR_INVALID "price_book_invalid" when there is one of
 * this provider, region and day already. */
NODISCARD bool price_books_add(struct price_books *books, struct price_book *book,
			       struct error *err);
void price_books_release(struct price_books *books);

/* The newest of this provider and region that is not of a day after `now_ms`; NULL: none. */
const struct price_book *price_books_find(const struct price_books *books, const char *provider,
					  const char *region, int64_t now_ms);

#endif
