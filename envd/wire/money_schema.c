#include "wire/money_schema.h"

// clang-format off
static const struct schema_field quote_fields[] = {
	{ "currency", "string", "ISO 4217" },
	{ "provider", "string?", "whose prices; null: an amount an hour of the template" },
	{ "region", "string?", "where" },
	{ "lease_seconds", "integer", "the lease that is quoted" },
	{ "building_seconds", "integer", "as long as building may take: in the high end alone" },
	{ "low_microcents_per_hour", "integer", "at least; 10^-8 of the currency's unit" },
	{ "high_microcents_per_hour", "integer", "at most: what is counted" },
	{ "low_microcents", "integer", "at least, for the lease alone" },
	{ "high_microcents", "integer", "at most, for the lease and the longest time for building" },
	{ "oldest", "string?", "the day of the oldest prices in it" },
	{ "newest", "string?", "and of the newest" },
	{ "example", "boolean", "a price is of a book of examples, and nobody's offer" },
	{ "missing", "integer", "components without a price, which the sums are without" },
	{ "components", "[QuoteComponent]", "what it is made of; none where the template has an amount an hour" },
	{ "choices", "[QuoteChoice]", "cheaper ways of asking, the cheapest first" },
};
SCHEMA(quote_schema, "Quote",
       "what it would cost, as a range",
       quote_fields);

static const struct schema_field quote_component_fields[] = {
	{ "name", "string", "as the template calls it" },
	{ "note", "string", "of the template" },
	{ "price", "string", "the row of the price book" },
	{ "quantity", "string", "a decimal number" },
	{ "unit", "string?", "hour, month, GiB-hour or GiB-month" },
	{ "unit_low", "string?", "a decimal number, of the currency's unit" },
	{ "unit_high", "string?", "the same, at most" },
	{ "low_microcents_per_hour", "integer", "for all of them, rounded down" },
	{ "high_microcents_per_hour", "integer", "rounded up" },
	{ "book", "string?", "the name of the price book" },
	{ "as_of", "string?", "the day of its prices" },
	{ "source", "string?", "where they were read" },
	{ "example", "boolean", "it is a book of examples" },
	{ "missing", "string?", "why there is no price; null: there is one" },
};
SCHEMA(quote_component_schema, "QuoteComponent",
       "something that costs",
       quote_component_fields);

static const struct schema_field quote_choice_fields[] = {
	{ "name", "string", "in words, or PARAMETER=VALUE" },
	{ "parameters", "{scalar}", "what to ask instead" },
	{ "low_microcents", "integer", "to the end of the lease" },
	{ "high_microcents", "integer", "the same, at most" },
	{ "saves_percent", "integer", "of the high end, rounded down" },
};
SCHEMA(quote_choice_schema, "QuoteChoice",
       "a cheaper way of asking",
       quote_choice_fields);

static const struct schema_field price_book_fields[] = {
	{ "name", "string", "its name" },
	{ "provider", "string", "whose prices" },
	{ "region", "string", "where" },
	{ "currency", "string", "ISO 4217" },
	{ "as_of", "string", "the day on which they were looked up" },
	{ "source", "string", "where they were read" },
	{ "example", "boolean", "nobody's offer: to be replaced before it is believed" },
	{ "old", "boolean", "looked up longer ago than --price-age" },
	{ "prices", "integer", "how many" },
};
SCHEMA(price_book_schema, "PriceBook",
       "what things cost at a provider",
       price_book_fields);

static const struct schema_field environment_bill_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=EnvironmentBill", "always EnvironmentBill" },
	{ "environment", "uuid", "its id" },
	{ "name", "string", "its name" },
	{ "project", "string", "for whom" },
	{ "template", "string", "from which template" },
	{ "state", "string", "of the environment" },
	{ "currency", "string", "ISO 4217" },
	{ "low_microcents_per_hour", "integer", "10^-8 of the currency's unit" },
	{ "high_microcents_per_hour", "integer", "what is counted" },
	{ "so_far_microcents", "integer", "metered until now, or until it was proved gone" },
	{ "at_expiry_microcents", "integer", "if its lease is not extended" },
	{ "debt_microcents_per_hour", "integer", "of what destroying it left behind; 0: nothing" },
	{ "quote", "Quote?", "as it was accepted; null: its template has an amount an hour" },
};
SCHEMA(environment_bill_schema, "EnvironmentBill",
       "what an environment costs",
       environment_bill_fields);

static const struct schema_field spending_fields[] = {
	{ "project", "string", "whose" },
	{ "currency", "string", "ISO 4217" },
	{ "month", "string", "YEAR-MONTH, UTC" },
	{ "spent_microcents", "integer", "until now, debts included; 10^-8 of the currency's unit" },
	{ "reserved_microcents", "integer", "to the ends of leases, as far as they lie in this month" },
	{ "ending_microcents_per_hour", "integer", "of what is unwanted and not proved gone, debts included" },
	{ "debt_microcents_per_hour", "integer", "of what cannot be destroyed, or was acknowledged" },
	{ "budget_microcents", "integer?", "for the month; null: there is none" },
	{ "left_microcents", "integer?", "of it; below 0: debts have taken more" },
	{ "contact", "string?", "who to ask for more" },
	{ "templates", "[SpendingTemplate]", "spent and reserved by template, the dearest first" },
	{ "debts", "[SpendingDebt]", "the oldest first, 100 at most" },
};
SCHEMA(spending_schema, "Spending",
       "what a project spends in a month",
       spending_fields);

static const struct schema_field spending_template_fields[] = {
	{ "template", "string", "its name" },
	{ "microcents", "integer", "spent and reserved in the month, debts included" },
};
SCHEMA(spending_template_schema, "SpendingTemplate",
       "what environments of a template cost",
       spending_template_fields);

static const struct schema_field spending_debt_fields[] = {
	{ "environment", "uuid", "its id" },
	{ "name", "string", "its name" },
	{ "template", "string", "from which template" },
	{ "why", "=quarantined|acknowledged", "destroying it keeps failing; or somebody took on what may be left" },
	{ "since", "time?", "since it is unwanted" },
	{ "microcents_per_hour", "integer", "until it is proved gone, or settled" },
	{ "microcents", "integer", "since then" },
};
SCHEMA(spending_debt_schema, "SpendingDebt",
       "what a destroy left behind",
       spending_debt_fields);
// clang-format on
