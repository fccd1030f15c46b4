/*
 * priced_template.h - for tests: the template "cloud", which costs money. Its engine is
 * tests/support/fake_engine, told what to do wrong by the parameter "fake"; its prices are a book
 * of examples: 0.25 to 0.50 USD a node and hour, and it has four of them, two with profile=no-logs.
 */
#ifndef TESTS_SUPPORT_PRICED_TEMPLATE_H
#define TESTS_SUPPORT_PRICED_TEMPLATE_H

#include "tests/support/world.h"

/* Into a world that has not been started. */
void priced_template_add(struct world *world);

/* Another book, of this day ("2020-02-01") and with this high end. */
void priced_template_put_book(const struct world *world, const char *day, const char *high);

#endif
