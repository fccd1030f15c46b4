/*
 * template_price.h - `price:` of template.yaml: an amount an hour, or components that name rows of
 * price books (model/price_book.h), with quantities and conditions that may depend on parameters.
 */
#ifndef ENVD_MODEL_TEMPLATE_PRICE_H
#define ENVD_MODEL_TEMPLATE_PRICE_H

#include <jansson.h>
#include <stdint.h>

#include "base/yaml_read.h"
#include "model/template_parameter.h"

/* A parameter must have one of these values. */
struct price_condition {
	char *parameter;
	char **values; /* ends with NULL */
};

/* All must hold; none: always. */
struct price_conditions {
	struct price_condition *items;
	size_t count;
};

/* Something that costs: so many of a row of a price book. */
struct template_price_line {
	char *name;
	char *row;      /* "t2.large", "{{node_size}}" */
	char **factors; /* each a number or one {{parameter}}, multiplied; ends with NULL */
	char *note;     /* may be "" */
	struct price_conditions when;
};

/* Whose prices count, if its conditions hold and those of none before it do. */
struct template_price_region {
	char *name; /* with {{parameter}} */
	struct price_conditions when;
};

/* Another way of asking that its author wants to be named when it is cheaper. */
struct template_price_choice {
	char *name;         /* "without the log store" */
	json_t *parameters; /* an object: what would be asked instead */
};

struct template_price {
	int64_t microcents_per_hour;           /* 0 where there are lines */
	char *currency;                        /* three capital letters; "USD" unless given */
	char *note;                            /* may be "" */
	char *provider;                        /* with {{parameter}}; NULL: no lines */
	struct template_price_region *regions; /* at least one where there are lines */
	size_t region_count;
	struct template_price_line *lines;
	size_t line_count;
	struct template_price_choice *choices;
	size_t choice_count;
};

struct template_parameters {
	const struct template_parameter *items;
	size_t count;
};

/* `map`: what stands under "price", NULL if nothing does. On failure `price` is half filled and has
 * to be released. */
NODISCARD bool template_price_read(const struct yaml_document *document,
				   const struct yaml_node *map,
				   const struct template_parameters *parameters,
				   struct template_price *price, struct error *err);
void template_price_release(struct template_price *price);

/* `text` with every {{parameter}} as its value in `values`. The caller frees. */
char *template_price_fill(const char *text, const json_t *values);

/* Of the first region whose conditions hold, filled in; NULL: of none. The caller frees. */
char *template_price_region(const struct template_price *price, const json_t *values);

NODISCARD bool template_price_holds(const struct price_conditions *when, const json_t *values);

/* A parameter's value as text: what conditions compare and quantities are read from. The caller
 * frees. */
char *template_price_value(const json_t *values, const char *parameter);

#endif
