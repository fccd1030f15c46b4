/*
 * price_shelf.h - the price books that there are: every *.yaml of the folders of --price-books,
 * read again when a file has come, gone or changed.
 *
 * A mistake in them stops the program that starts. One that is made later is told in the log and by
 * price_shelf_problem(), and the books stay as they were: nobody's create fails because somebody
 * else is writing.
 */
#ifndef ENVD_CONTROL_PRICE_SHELF_H
#define ENVD_CONTROL_PRICE_SHELF_H

#include "base/option_table.h"
#include "model/price_book.h"

struct price_shelf;

/* `folders` lives as long as the shelf. ERR_NOT_FOUND for a folder that is not there; errors of
 * price_book_parse(). */
NODISCARD bool price_shelf_open(const struct option_list *folders, struct price_shelf **shelf,
				struct error *err);
void price_shelf_free(struct price_shelf *shelf);

/* Valid until the next call. `shelf` NULL: no books. */
const struct price_books *price_shelf_books(struct price_shelf *shelf);

/* Why the files as they are now were not taken; NULL: they were. Valid until the next call. */
const char *price_shelf_problem(struct price_shelf *shelf);

#endif
