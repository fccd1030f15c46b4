/*
 * output_table.h - rows and columns. On a terminal that is too narrow the widest columns are cut
 * and marked by "..."; elsewhere nothing is ever cut.
 */
#ifndef CLI_OUTPUT_TABLE_H
#define CLI_OUTPUT_TABLE_H

#include "base/error.h"
#include "cli/terminal.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table;

/* `headers` ends with NULL and outlives the table. */
struct table *table_new(const char *const *headers);
void table_free(struct table *table);
DEFINE_AUTO(struct table *, table_free)

/* Cells are copied; as many as there are headers. NULL shows as "-". */
void table_add_row(struct table *table, const char *const *cells);

/* Of the newest row. */
void table_set_tone(struct table *table, size_t column, enum tone tone);

/* Of the newest row: by what its column is sorted; else by its text. */
void table_set_key(struct table *table, size_t column, double key);

/* Only these columns ("name,expires-in"; NULL: all), sorted by one ("cost", "-cost" for the
 * greatest first; NULL: as they came). ERR_INVALID that names the columns there are. */
NODISCARD bool table_arrange(struct table *table, const char *columns, const char *sort_by,
			     struct error *err);

void table_print(const struct table *table, const struct terminal *terminal, bool has_headers);

#endif
