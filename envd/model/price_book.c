#include "model/price_book.h"

#include <string.h>

#include "base/text.h"
#include "model/month.h"

static const struct {
	const char *name;
	int64_t hours;
} units[] = {
#define X(unit, text, count) [unit] = { text, count },
	PRICE_UNITS(X)
#undef X
};

const char *price_unit_name(enum price_unit unit)
{
	return units[unit].name;
}

int64_t price_unit_hours(enum price_unit unit)
{
	return units[unit].hours;
}

/* ---- a row ---- */

static bool read_unit(const struct yaml_document *file, const struct yaml_node *map,
		      struct price_row *row, struct error *err)
{
	const char *name;

	if (!yaml_read_string(file, map, "unit", &name, err))
		return false;
	for (size_t i = 0; i < PRICE_UNIT_COUNT; i++) {
		if (strcmp(units[i].name, name) == 0) {
			row->unit = (enum price_unit)i;
			return true;
		}
	}
	return yaml_error(file, yaml_get(map, "unit"), err,
			  "\"unit\" of \"%s\" must be hour, month, GiB-hour or GiB-month (got "
			  "\"%.40s\")",
			  row->key, name);
}

static bool read_amount(const struct yaml_document *file, const struct yaml_node *map,
			const char *name, const struct price_row *row, int64_t *microcents,
			struct error *err)
{
	const struct yaml_node *node = yaml_get(map, name);
	char shown[40];

	if (node->kind == YAML_SCALAR && money_parse(node->text, PRICE_UNITS_MAX, microcents))
		return true;
	return yaml_error(
	    file, node, err,
	    "\"%s\" of \"%s\" must be an amount such as 0.0928, at most %d, with at "
	    "most eight digits after the point (got \"%s\")",
	    name, row->key, PRICE_UNITS_MAX,
	    text_printable(node->kind == YAML_SCALAR ? node->text : yaml_kind_name(node), shown,
			   sizeof(shown)));
}

/* Either one price, or what it is at least and at most. */
static bool read_amounts(const struct yaml_document *file, const struct yaml_node *map,
			 struct price_row *row, struct error *err)
{
	bool is_one = yaml_get(map, "price") != NULL;
	bool is_range = yaml_get(map, "low") && yaml_get(map, "high");

	if (is_one == (yaml_get(map, "low") || yaml_get(map, "high")) || (!is_one && !is_range))
		return yaml_error(file, map, err,
				  "\"%s\" must have either \"price\" or \"low\" and \"high\"",
				  row->key);
	if (!read_amount(file, map, is_one ? "price" : "low", row, &row->low_microcents, err) ||
	    !read_amount(file, map, is_one ? "price" : "high", row, &row->high_microcents, err))
		return false;
	return row->low_microcents <= row->high_microcents ||
	       yaml_error(file, map, err, "\"low\" of \"%s\" is more than its \"high\"", row->key);
}

static bool is_key(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		   length;
}

static bool read_row(const struct yaml_document *file, const struct yaml_node *key,
		     const struct yaml_node *map, struct price_row *row, struct error *err)
{
	static const char *const known[] = { "unit", "price", "low", "high", "note", NULL };
	char shown[80];

	if (!is_key(key->text))
		return yaml_error(file, key, err,
				  "\"%s\" must be 1 to 64 letters, digits, \".\", \"_\" and \"-\"",
				  text_printable(key->text, shown, sizeof(shown)));
	row->key = xstrdup(key->text);
	if (map->kind != YAML_MAP)
		return yaml_error(file, map, err, "\"%s\" must be a map (got %s)", row->key,
				  yaml_kind_name(map));
	return yaml_only_keys(file, map, known, err) && read_unit(file, map, row, err) &&
	       read_amounts(file, map, row, err) &&
	       yaml_copy_string(file, map, "note", "", &row->note, err);
}

static bool read_rows(const struct yaml_document *file, struct price_book *book, struct error *err)
{
	const struct yaml_node *map = yaml_get(file->root, "prices");

	if (!map || map->kind != YAML_MAP || !map->count || map->count > PRICE_ROWS_MAX)
		return yaml_error(file, map ? map : file->root, err,
				  "\"prices\" must be a map of 1 to %d prices", PRICE_ROWS_MAX);
	book->rows = xcalloc(map->count, sizeof(*book->rows));
	for (size_t i = 0; i < map->count; i++) {
		book->row_count++;
		if (!read_row(file, map->keys[i], map->items[i], &book->rows[i], err))
			return false;
	}
	return true;
}

/* ---- the book ---- */

static int days_of(struct month month)
{
	return (int)((month_begin_ms(month_after(month)) - month_begin_ms(month)) / PRICE_DAY_MS);
}

/* "2026-11-01" */
static bool parse_date(const char *text, int64_t *at_ms)
{
	char first[8] = "";
	struct month month;
	struct error ignored; /* the caller says what was expected */
	int day;

	if (strlen(text) != 10 || text[7] != '-' || strspn(text + 8, "0123456789") != 2)
		return false;
	memcpy(first, text, 7);
	day = (text[8] - '0') * 10 + text[9] - '0';
	if (!month_parse(first, &month, &ignored) || day < 1 || day > days_of(month))
		return false;
	*at_ms = month_begin_ms(month) + (day - 1) * PRICE_DAY_MS;
	return true;
}

static bool read_date(const struct yaml_document *file, struct price_book *book, struct error *err)
{
	const char *text;

	if (!yaml_read_string(file, file->root, "as_of", &text, err))
		return false;
	if (!parse_date(text, &book->as_of_ms))
		return yaml_error(file, yaml_get(file->root, "as_of"), err,
				  "\"as_of\" must be the day on which the prices were looked up, "
				  "such as 2026-11-01 (got \"%.40s\")",
				  text);
	memcpy(book->as_of, text, 11);
	return true;
}

static bool read_word(const struct yaml_document *file, const char *key, char **word,
		      struct error *err)
{
	const char *text;

	if (!yaml_read_string(file, file->root, key, &text, err))
		return false;
	if (!is_key(text))
		return yaml_error(file, yaml_get(file->root, key), err,
				  "\"%s\" must be 1 to 64 letters, digits, \".\", \"_\" and \"-\"",
				  key);
	*word = xstrdup(text);
	return true;
}

static bool read_texts(const struct yaml_document *file, struct price_book *book, struct error *err)
{
	const char *currency, *source;

	if (!read_word(file, "name", &book->name, err) ||
	    !read_word(file, "provider", &book->provider, err) ||
	    !read_word(file, "region", &book->region, err) ||
	    !yaml_read_string(file, file->root, "currency", &currency, err) ||
	    !yaml_read_string(file, file->root, "source", &source, err))
		return false;
	if (!money_is_currency(currency))
		return yaml_error(file, yaml_get(file->root, "currency"), err,
				  "\"currency\" must be three capital letters, such as USD");
	if (!*source || strlen(source) > 300)
		return yaml_error(
		    file, yaml_get(file->root, "source"), err,
		    "\"source\" must say in 1 to 300 bytes where the prices are from");
	book->currency = xstrdup(currency);
	book->source = xstrdup(source);
	return true;
}

static bool check_kind(const struct yaml_document *file, struct error *err)
{
	const char *version, *kind;

	if (!yaml_read_string(file, file->root, "apiVersion", &version, err) ||
	    !yaml_read_string(file, file->root, "kind", &kind, err))
		return false;
	if (strcmp(version, "envd/v1") != 0)
		return yaml_error(file, yaml_get(file->root, "apiVersion"), err,
				  "apiVersion \"%.40s\" is not known (expected envd/v1)", version);
	return strcmp(kind, "PriceBook") == 0 ||
	       yaml_error(file, yaml_get(file->root, "kind"), err,
			  "kind \"%.40s\" is not known (expected PriceBook)", kind);
}

static bool read_book(const struct yaml_document *file, struct price_book *book, struct error *err)
{
	static const char *const known[] = { "apiVersion", "kind",     "name",  "provider",
					     "region",     "currency", "as_of", "source",
					     "example",    "prices",   NULL };

	if (file->root->kind != YAML_MAP)
		return yaml_error(file, file->root, err, "a price book must be a map (got %s)",
				  yaml_kind_name(file->root));
	return yaml_only_keys(file, file->root, known, err) && check_kind(file, err) &&
	       read_texts(file, book, err) && read_date(file, book, err) &&
	       (!yaml_get(file->root, "example") ||
		yaml_read_bool(file, file->root, "example", &book->is_example, err)) &&
	       read_rows(file, book, err);
}

bool price_book_parse(const char *bytes, size_t length, const char *file, struct price_book **book,
		      struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(price_book_free) struct price_book *made = xcalloc(1, sizeof(*made));

	made->file = xstrdup(file);
	if (!yaml_parse(bytes, length, file, &document, err))
		return false;
	if (!read_book(document, made, err)) {
		err->slug = "price_book_invalid";
		return false;
	}
	*book = TAKE(made);
	return true;
}

void price_book_free(struct price_book *book)
{
	if (!book)
		return;
	for (size_t i = 0; i < book->row_count; i++) {
		free(book->rows[i].key);
		free(book->rows[i].note);
	}
	free(book->rows);
	free(book->file);
	free(book->name);
	free(book->provider);
	free(book->region);
	free(book->currency);
	free(book->source);
	free(book);
}

const struct price_row *price_book_row(const struct price_book *book, const char *key)
{
	for (size_t i = 0; i < book->row_count; i++)
		if (strcmp(book->rows[i].key, key) == 0)
			return &book->rows[i];
	return NULL;
}

/* ---- several ---- */

static bool is_of(const struct price_book *book, const char *provider, const char *region)
{
	return strcmp(book->provider, provider) == 0 && strcmp(book->region, region) == 0;
}

bool price_books_add(struct price_books *books, struct price_book *book, struct error *err)
{
	for (size_t i = 0; i < books->count; i++) {
		const struct price_book *other = books->items[i];

		if (!is_of(other, book->provider, book->region) ||
		    other->as_of_ms != book->as_of_ms)
			continue;
		error_set_as(err, ERR_INVALID, "price_book_invalid",
			     "%s: \"%s\" has prices of %s %s as of %s already", book->file,
			     other->file, book->provider, book->region, book->as_of);
		price_book_free(book);
		return false;
	}
	books->items = xrealloc(books->items, books->count + 1, sizeof(*books->items));
	books->items[books->count++] = book;
	return true;
}

void price_books_release(struct price_books *books)
{
	for (size_t i = 0; i < books->count; i++)
		price_book_free(books->items[i]);
	free(books->items);
	*books = (struct price_books){ NULL, 0 };
}

const struct price_book *price_books_find(const struct price_books *books, const char *provider,
					  const char *region, int64_t now_ms)
{
	const struct price_book *newest = NULL;

	for (size_t i = 0; i < books->count; i++) {
		const struct price_book *book = books->items[i];

		if (is_of(book, provider, region) && book->as_of_ms <= now_ms &&
		    (!newest || book->as_of_ms > newest->as_of_ms))
			newest = book;
	}
	return newest;
}
