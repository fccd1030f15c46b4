#include "cli/output_table.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { GAP = 2, COLUMN_MIN = 8 };

struct row {
	char *cells[TABLE_COLUMNS_MAX];
	enum tone tones[TABLE_COLUMNS_MAX];
	double keys[TABLE_COLUMNS_MAX];
	bool has_key[TABLE_COLUMNS_MAX];
};

struct table {
	const char *headers[TABLE_COLUMNS_MAX];
	size_t columns;
	struct row *rows;
	size_t count;
};

struct table *table_new(const char *const *headers)
{
	struct table *table = xcalloc(1, sizeof(*table));

	for (; headers[table->columns] && table->columns < TABLE_COLUMNS_MAX; table->columns++)
		table->headers[table->columns] = headers[table->columns];
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t r = 0; r < table->count; r++)
		for (size_t c = 0; c < table->columns; c++)
			free(table->rows[r].cells[c]);
	free(table->rows);
	free(table);
}

void table_add_row(struct table *table, const char *const *cells)
{
	struct row *row;

	table->rows = xrealloc(table->rows, table->count + 1, sizeof(*table->rows));
	row = &table->rows[table->count++];
	*row = (struct row){ 0 };
	for (size_t c = 0; c < table->columns; c++)
		row->cells[c] = xstrdup(cells[c] && *cells[c] ? cells[c] : "-");
}

void table_set_tone(struct table *table, size_t column, enum tone tone)
{
	table->rows[table->count - 1].tones[column] = tone;
}

void table_set_key(struct table *table, size_t column, double key)
{
	struct row *row = &table->rows[table->count - 1];

	row->keys[column] = key;
	row->has_key[column] = true;
}

/* ---- which columns, in which order ---- */

/* "EXPIRES IN" is expires-in. */
static bool is_called(const char *header, const char *name, size_t length)
{
	if (strlen(header) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char given = (char)tolower((unsigned char)name[i]);
		char letter = (char)tolower((unsigned char)header[i]);

		if (given != letter && !(letter == ' ' && (given == '-' || given == '_')))
			return false;
	}
	return true;
}

static bool find_column(const struct table *table, const char *name, size_t length, size_t *column,
			struct error *err)
{
	AUTO(text_release) struct text known = TEXT_EMPTY;
	char shown[64];

	for (*column = 0; *column < table->columns; (*column)++)
		if (is_called(table->headers[*column], name, length))
			return true;
	for (size_t c = 0; c < table->columns; c++)
		text_format(&known, "%s%s", c ? ", " : "", table->headers[c]);
	for (char *at = known.bytes; at && *at; at++)
		*at = (char)(*at == ' ' && at[-1] != ',' ? '-' : tolower((unsigned char)*at));

	AUTO(free) char *wrong = xstrndup(name, length);

	error_set_as(err, ERR_INVALID, "option_value", "there is no column \"%s\"",
		     text_printable(wrong, shown, sizeof(shown)));
	return error_hint(err, "columns: %s", text_get(&known));
}

static int compare_rows(const void *left, const void *right, void *column)
{
	const struct row *a = left, *b = right;
	size_t c = *(const size_t *)column;

	if (a->has_key[c] && b->has_key[c])
		return (a->keys[c] > b->keys[c]) - (a->keys[c] < b->keys[c]);
	if (a->has_key[c] != b->has_key[c])
		return a->has_key[c] ? -1 : 1;
	return strverscmp(a->cells[c], b->cells[c]);
}

static void reverse(struct table *table)
{
	for (size_t i = 0; i < table->count / 2; i++) {
		struct row other = table->rows[i];

		table->rows[i] = table->rows[table->count - 1 - i];
		table->rows[table->count - 1 - i] = other;
	}
}

static bool sort(struct table *table, const char *by, struct error *err)
{
	bool is_reversed = *by == '-';
	size_t column;

	by += is_reversed;
	if (!find_column(table, by, strlen(by), &column, err))
		return false;
	if (table->count)
		qsort_r(table->rows, table->count, sizeof(*table->rows), compare_rows, &column);
	if (is_reversed)
		reverse(table);
	return true;
}

/* Cells move with their tone; what is not chosen goes behind the last column and is not printed. */
static void pick(struct row *row, const size_t *chosen, size_t count)
{
	struct row old = *row;

	for (size_t c = 0; c < count; c++) {
		row->cells[c] = xstrdup(old.cells[chosen[c]]);
		row->tones[c] = old.tones[chosen[c]];
	}
	for (size_t c = 0; c < TABLE_COLUMNS_MAX; c++)
		free(old.cells[c]);
	for (size_t c = count; c < TABLE_COLUMNS_MAX; c++)
		row->cells[c] = NULL;
}

static bool choose(struct table *table, const char *columns, struct error *err)
{
	const char *headers[TABLE_COLUMNS_MAX];
	size_t chosen[TABLE_COLUMNS_MAX], count = 0;

	for (;;) {
		size_t length = strcspn(columns, ",");

		if (count == TABLE_COLUMNS_MAX)
			return error_set_as(err, ERR_INVALID, "option_value",
					    "there may be at most %d columns", TABLE_COLUMNS_MAX);
		if (!find_column(table, columns, length, &chosen[count], err))
			return false;
		headers[count] = table->headers[chosen[count]];
		count++;
		if (!columns[length])
			break;
		columns += length + 1;
	}
	for (size_t r = 0; r < table->count; r++)
		pick(&table->rows[r], chosen, count);
	memcpy(table->headers, headers, count * sizeof(*headers));
	table->columns = count;
	return true;
}

bool table_arrange(struct table *table, const char *columns, const char *sort_by, struct error *err)
{
	return (!sort_by || sort(table, sort_by, err)) && (!columns || choose(table, columns, err));
}

static void measure(const struct table *table, size_t *widths, bool has_headers)
{
	for (size_t c = 0; c < table->columns; c++) {
		widths[c] = has_headers ? text_columns(table->headers[c]) : 0;
		for (size_t r = 0; r < table->count; r++) {
			size_t columns = text_columns(table->rows[r].cells[c]);

			if (columns > widths[c])
				widths[c] = columns;
		}
	}
}

/* Take one column's width after the other from the widest until the line fits. */
static void squeeze(const struct table *table, size_t *widths, size_t line)
{
	for (;;) {
		size_t sum = (table->columns - 1) * GAP, widest = 0;

		for (size_t c = 0; c < table->columns; c++) {
			sum += widths[c];
			if (widths[c] > widths[widest])
				widest = c;
		}
		if (sum <= line || widths[widest] <= COLUMN_MIN)
			return;
		widths[widest]--;
	}
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(const char *text, size_t columns)
{
	size_t bytes = 0;

	while (text[bytes] && columns--) {
		bytes++;
		while (((unsigned char)text[bytes] & 0xC0) == 0x80)
			bytes++;
	}
	return bytes;
}

static void print_cell(const struct terminal *terminal, const char *text, size_t width,
		       enum tone tone, bool is_last)
{
	size_t columns = text_columns(text);

	fputs(terminal_tone(terminal, tone), terminal->stream);
	if (columns > width) {
		fwrite(text, 1, bytes_of(text, width - 3), terminal->stream);
		fputs("...", terminal->stream);
		columns = width;
	} else {
		fputs(text, terminal->stream);
	}
	if (tone != TONE_PLAIN)
		fputs(terminal_plain(terminal), terminal->stream);
	if (is_last)
		fputc('\n', terminal->stream);
	else
		fprintf(terminal->stream, "%*s", (int)(width - columns + GAP), "");
}

void table_print(const struct table *table, const struct terminal *terminal, bool has_headers)
{
	size_t widths[TABLE_COLUMNS_MAX];

	measure(table, widths, has_headers);
	if (terminal->width)
		squeeze(table, widths, terminal->width);
	for (size_t c = 0; has_headers && c < table->columns; c++)
		print_cell(terminal, table->headers[c], widths[c], TONE_FAINT,
			   c + 1 == table->columns);
	for (size_t r = 0; r < table->count; r++)
		for (size_t c = 0; c < table->columns; c++)
			print_cell(terminal, table->rows[r].cells[c], widths[c],
				   table->rows[r].tones[c], c + 1 == table->columns);
}
