#include "model/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "model/month.h"

enum { HOUR = 3600000 };

#define HEAD "apiVersion: envd/v1\nname: cloud\n"
#define PARAMETERS                                                                                 \
	"parameters:\n"                                                                            \
	"  nodes: { type: integer, default: 3, minimum: 1, maximum: 100 }\n"                       \
	"  ratio: { type: number, default: 0.5 }\n"                                                \
	"  size: { type: string, default: large }\n"                                               \
	"  where: { type: string, default: eu }\n"                                                 \
	"  logs: { type: boolean, default: true }\n"                                               \
	"  profile: { type: string, enum: [full, metrics], default: full }\n"

static const char book_text[] =
    "apiVersion: envd/v1\nkind: PriceBook\nname: b\nprovider: aws\nregion: eu\ncurrency: USD\n"
    "as_of: 2026-10-01\nsource: s\nexample: true\nprices:\n"
    "  large: { unit: hour, low: 1, high: 2 }\n"
    "  small: { unit: hour, price: 0.5 }\n"
    "  disk: { unit: GiB-month, price: 0.10 }\n"
    "  huge: { unit: hour, price: 1000000 }\n";

struct fixture {
	struct template *made; /* template.yaml */
	struct price_books books;
	json_t *parameters;
	struct quote_ask ask;
};

static void open_fixture(struct fixture *f, const char *price, json_t *given)
{
	AUTO(free) char *yaml = xasprintf(HEAD PARAMETERS "%s", price);
	struct price_book *book;
	struct error err;

	*f = (struct fixture){ NULL };
	if (!template_parse(yaml, strlen(yaml), "template.yaml", NULL, &f->made, &err) ||
	    !template_resolve_parameters(f->made, given, &f->parameters, &err) ||
	    !price_book_parse(book_text, strlen(book_text), "b.yaml", &book, &err) ||
	    !price_books_add(&f->books, book, &err))
		fail_msg("%s", err.message);
	json_decref(given);
	f->ask = (struct quote_ask){ &f->made->price, f->parameters, &f->books,
				     month_begin_ms((struct month){ 2026, 11 }) };
}

static void close_fixture(struct fixture *f)
{
	price_books_release(&f->books);
	template_free(f->made);
	json_decref(f->parameters);
}

static void a_quote_is_a_range_by_component(void **unused)
{
	struct quote_time time = { 2 * HOUR, HOUR };
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(&f,
		     "price:\n  provider: aws\n  region: eu\n  components:\n"
		     "    nodes: { price: '{{size}}', quantity: '{{nodes}}' }\n"
		     "    half: { price: small, quantity: ['{{ratio}}', 3] }\n"
		     "    logs: { price: small, when: { logs: true, profile: [full] } }\n"
		     "    other: { price: small, when: { profile: [metrics] } }\n",
		     NULL);
	assert_true(quote_make(&f.ask, &quote, &err));
	assert_int_equal(quote.line_count, 3);
	assert_string_equal(quote.lines[0].row, "large");
	assert_int_equal(quote.lines[0].high_microcents_per_hour, 6 * MICROCENTS_PER_UNIT);
	assert_int_equal(quote.lines[1].high_microcents_per_hour, MICROCENTS_PER_UNIT / 4 * 3);
	assert_int_equal(quote.low_microcents_per_hour, (int64_t)425 * 1000000);
	assert_int_equal(quote.high_microcents_per_hour, (int64_t)725 * 1000000);
	assert_int_equal(quote_low(&quote, &time), (int64_t)850 * 1000000);
	assert_int_equal(quote_high(&quote, &time), (int64_t)2175 * 1000000);
	assert_string_equal(quote.oldest, "2026-10-01");
	assert_true(quote.is_example);
	quote_release(&quote);
	close_fixture(&f);
}

/* 0.10 a month is 13,698.63 microcents an hour. */
static void the_low_end_is_rounded_down_and_the_high_end_up(void **unused)
{
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(
	    &f, "price: { provider: aws, region: eu, components: { d: { price: disk } } }\n", NULL);
	assert_true(quote_make(&f.ask, &quote, &err));
	assert_int_equal(quote.low_microcents_per_hour, 13698);
	assert_int_equal(quote.high_microcents_per_hour, 13699);
	quote_release(&quote);
	close_fixture(&f);
}

static void quote_in(struct fixture *f, const char *size, struct quote *quote)
{
	struct error err;

	open_fixture(f,
		     "price:\n  provider: aws\n  region:\n"
		     "    - { when: { size: [large, huge], logs: true }, region: '{{where}}' }\n"
		     "    - { when: { size: small }, region: us }\n"
		     "  components: { nodes: { price: '{{size}}' } }\n",
		     json_pack("{s:s}", "size", size));
	if (!quote_make(&f->ask, quote, &err))
		fail_msg("%s", err.message);
}

static void the_region_is_the_first_that_is_for_these_parameters(void **unused)
{
	struct fixture f;
	struct quote quote;

	(void)unused;
	quote_in(&f, "large", &quote);
	assert_string_equal(quote.region, "eu");
	assert_int_equal(quote.high_microcents_per_hour, 2 * MICROCENTS_PER_UNIT);
	quote_release(&quote);
	close_fixture(&f);
	quote_in(&f, "small", &quote);
	assert_string_equal(quote.region, "us");
	assert_string_equal(quote.lines[0].why, "no price book of aws us");
	quote_release(&quote);
	close_fixture(&f);
	/* None is: that is not free. */
	quote_in(&f, "other", &quote);
	assert_null(quote.region);
	assert_int_equal(quote.missing_count, 1);
	assert_string_equal(quote.lines[0].why,
			    "no region of the template's price is for these parameters");
	quote_release(&quote);
	close_fixture(&f);
}

static void what_has_no_price_is_named_and_not_free(void **unused)
{
	static const struct {
		const char *price, *why;
	} cases[] = {
		{ "price: { provider: aws, region: eu, components: { a: { price: gold } } }\n",
		  "price book b has no \"gold\"" },
		{ "price: { provider: aws, region: us, components: { a: { price: large } } }\n",
		  "no price book of aws us" },
		{ "price: { currency: EUR, provider: aws, region: eu, components: { a: { price: "
		  "large } } }\n",
		  "price book b is in USD, the template in EUR" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct quote quote;
		struct error err;

		open_fixture(&f, cases[i].price, NULL);
		assert_true(quote_make(&f.ask, &quote, &err));
		assert_int_equal(quote.missing_count, 1);
		assert_string_equal(quote.lines[0].why, cases[i].why);
		quote_release(&quote);
		close_fixture(&f);
	}
}

static void a_sum_that_nobody_means_is_refused(void **unused)
{
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(
	    &f,
	    "price: { provider: aws, region: eu, components: { a: { price: huge, quantity: "
	    "'{{nodes}}' } } }\n",
	    json_pack("{s:i}", "nodes", 2));
	assert_false(quote_make(&f.ask, &quote, &err));
	assert_string_equal(err.slug, "price_invalid");
	assert_non_null(strstr(err.message, "2000000.00 USD an hour"));
	close_fixture(&f);
}

static void a_quantity_below_nothing_is_refused_by_its_component(void **unused)
{
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(
	    &f,
	    "price: { provider: aws, region: eu, components: { a: { price: large, quantity: "
	    "'{{ratio}}' } } }\n",
	    json_pack("{s:f}", "ratio", -0.5));
	assert_false(quote_make(&f.ask, &quote, &err));
	assert_non_null(strstr(err.message, "the quantity of price component \"a\""));
	assert_non_null(strstr(err.message, "\"-0.5\""));
	close_fixture(&f);
}

static void cheaper_choices_are_named_the_cheapest_first(void **unused)
{
	struct quote_choices choices = { .count = 0 };
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(&f,
		     "price:\n  provider: aws\n  region: eu\n  components:\n"
		     "    nodes: { price: large, quantity: '{{nodes}}' }\n"
		     "    logs: { price: large, quantity: 2, when: { logs: true } }\n"
		     "  choices:\n"
		     "    - { name: without the log store, parameters: { logs: false } }\n"
		     "    - { name: as it is, parameters: { logs: true } }\n"
		     "    - { name: dearer, parameters: { nodes: 50 } }\n",
		     NULL);
	assert_true(quote_make(&f.ask, &quote, &err));
	quote_choices_find(f.made, &f.ask, &quote, &choices);
	assert_int_equal(choices.count, 2);
	/* 10 an hour as it is. */
	assert_string_equal(choices.items[0].name, "without the log store");
	assert_int_equal(choices.items[0].saves_percent, 40);
	assert_int_equal(json_object_size(choices.items[0].parameters), 1);
	assert_string_equal(choices.items[1].name, "nodes=1");
	assert_int_equal(choices.items[1].saves_percent, 40);
	quote_choices_release(&choices);
	quote_release(&quote);
	close_fixture(&f);
}

static void a_way_in_which_nothing_is_counted_is_not_cheaper(void **unused)
{
	struct quote_choices choices = { .count = 0 };
	struct fixture f;
	struct quote quote;
	struct error err;

	(void)unused;
	open_fixture(&f,
		     "price:\n  provider: aws\n  region: eu\n  components:\n"
		     "    logs: { price: large, quantity: 2, when: { logs: true } }\n"
		     "  choices:\n"
		     "    - { name: somebody else's, parameters: { logs: false } }\n",
		     NULL);
	assert_true(quote_make(&f.ask, &quote, &err));
	quote_choices_find(f.made, &f.ask, &quote, &choices);
	assert_int_equal(choices.count, 0);
	quote_choices_release(&choices);
	quote_release(&quote);
	close_fixture(&f);
}

static void a_template_that_cannot_be_priced_is_refused_where_it_is_written(void **unused)
{
	static const struct {
		const char *price, *message;
	} cases[] = {
		{ "price: { per_hour: 1, components: { a: { price: x } } }\n",
		  "either \"per_hour\" or" },
		{ "price: { components: { a: { price: x } } }\n", "\"provider\"" },
		{ "price: { provider: aws }\n", "\"provider\" needs \"components\"" },
		{ "price: { provider: '{{cloud}}', region: r, components: { a: { price: x } } }\n",
		  "there is no parameter \"cloud\"" },
		{ "price: { provider: a, region: r, components: { a: { price: x, quantity: -1 } } "
		  "}\n",
		  "\"quantity\" must be numbers" },
		{ "price: { provider: a, region: r, components: { a: { price: x, quantity: 5% } } "
		  "}\n",
		  "(got \"5%\")" },
		{ "price: { provider: a, region: r, components: { a: { price: x, quantity: "
		  "'{{size}}' } } }\n",
		  "parameter \"size\" is no number" },
		{ "price: { provider: a, region: r, components: { a: { price: x, when: { profile: "
		  "fulll } } } }\n",
		  "profile" },
		{ "price: { provider: a, region: r, components: { a: { price: x, when: { profil: "
		  "full } } } }\n",
		  "there is no parameter \"profil\"" },
		{ "price: { provider: a, region: r, components: { a: { price: x } }, choices: [ { "
		  "name: "
		  "n } ] }\n",
		  "choice \"n\" must have \"parameters\"" },
		{ "price: { provider: a, region: r, components: {} }\n", "map of 1 to 100" },
		{ "price: { provider: a, region: [], components: { a: { price: x } } }\n",
		  "\"region\" must be text or a list" },
		{ "price: { provider: a, region: [eu], components: { a: { price: x } } }\n",
		  "a map with \"region\" and \"when\"" },
		{ "price: { provider: a, region: [{ when: { size: x } }], components: { a: { "
		  "price: x "
		  "} } }\n",
		  "\"region\"" },
		{ "price: { provider: a, region: [{ region: '{{zone}}' }], components: { a: { "
		  "price: "
		  "x } } }\n",
		  "there is no parameter \"zone\"" },
		{ "price: { provider: a, region: [{ region: b, when: { profile: fulll } }], "
		  "components: { a: { price: x } } }\n",
		  "profile" },
		{ "price: { provider: a, region: r, components: { a: { prise: x } } }\n",
		  "unknown key \"prise\"" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = xasprintf(HEAD PARAMETERS "%s", cases[i].price);
		struct template *made;
		struct error err;

		if (template_parse(yaml, strlen(yaml), "template.yaml", NULL, &made, &err))
			fail_msg("case %zu was taken", i);
		if (!strstr(err.message, cases[i].message) ||
		    !strstr(err.message, "template.yaml:"))
			fail_msg("case %zu: %s", i, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quote_is_a_range_by_component),
		cmocka_unit_test(the_low_end_is_rounded_down_and_the_high_end_up),
		cmocka_unit_test(the_region_is_the_first_that_is_for_these_parameters),
		cmocka_unit_test(what_has_no_price_is_named_and_not_free),
		cmocka_unit_test(a_sum_that_nobody_means_is_refused),
		cmocka_unit_test(a_quantity_below_nothing_is_refused_by_its_component),
		cmocka_unit_test(cheaper_choices_are_named_the_cheapest_first),
		cmocka_unit_test(a_way_in_which_nothing_is_counted_is_not_cheaper),
		cmocka_unit_test(a_template_that_cannot_be_priced_is_refused_where_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
