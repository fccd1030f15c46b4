#include "cli/output_table.h"

#include <string.h>

#include "base/text.h"

enum { GAP = 2, COLUMN_MIN = 8 };

struct row {
	char *cells[TABLE_COLUMNS_MAX];
	enum tone tones[TABLE_COLUMNS_MAX];
};

struct table {
	const char *const *headers;
	size_t columns;
	struct row *rows;
	size_t count;
};

struct table *table_new(const char *const *headers)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->headers = headers;
	while (headers[table->columns] && table->columns < TABLE_COLUMNS_MAX)
		table->columns++;
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
