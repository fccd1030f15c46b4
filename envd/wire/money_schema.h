/*
 * money_schema.h - quotes, what projects spend, price books, as tables for schema.h.
 */
#ifndef ENVD_WIRE_MONEY_SCHEMA_H
#define ENVD_WIRE_MONEY_SCHEMA_H

#include "wire/schema.h"

extern const struct schema quote_schema;
extern const struct schema quote_component_schema;
extern const struct schema quote_choice_schema;
extern const struct schema price_book_schema;
extern const struct schema environment_bill_schema;
extern const struct schema spending_schema;
extern const struct schema spending_template_schema;
extern const struct schema spending_debt_schema;

#endif
