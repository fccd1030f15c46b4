#include "model/template_price.h"

#include <string.h>

#include "base/text.h"
#include "model/money.h"
#include "model/template_read.h"

enum { PRICE_PER_HOUR_MAX = 1000000, FACTORS_MAX = 5, NAME_BYTES_MAX = 80 };

struct reader {
	const struct yaml_document *document;
	const struct template_parameters *parameters;
};

/* ---- {{parameter}} ---- */

/* Of the first {{...}} in `text`: where it begins and ends, and its name. False: there is none. */
static bool next_placeholder(const char *text, const char **begin, const char **end,
			     char name[NAME_BYTES_MAX])
{
	size_t length;

	*begin = strstr(text, "{{");
	*end = *begin ? strstr(*begin, "}}") : NULL;
	if (!*end)
		return false;
	length = (size_t)(*end - *begin) - 2;
	if (length >= NAME_BYTES_MAX)
		length = NAME_BYTES_MAX - 1;
	memcpy(name, *begin + 2, length);
	name[length] = '\0';
	*end += 2;
	return true;
}

char *template_price_value(const json_t *values, const char *parameter)
{
	const json_t *value = json_object_get(values, parameter);

	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : xstrdup("");
}

char *template_price_fill(const char *text, const json_t *values)
{
	struct text filled = TEXT_EMPTY;
	char name[NAME_BYTES_MAX];
	const char *begin, *end;

	for (; next_placeholder(text, &begin, &end, name); text = end) {
		AUTO(free) char *value = template_price_value(values, name);

		text_add_bytes(&filled, text, (size_t)(begin - text));
		text_add(&filled, value);
	}
	text_add(&filled, text);
	return text_take(&filled);
}

bool template_price_holds(const struct price_conditions *when, const json_t *values)
{
	for (size_t i = 0; i < when->count; i++) {
		AUTO(free) char *value = template_price_value(values, when->items[i].parameter);
		char **wanted = when->items[i].values;

		while (*wanted && strcmp(*wanted, value) != 0)
			wanted++;
		if (!*wanted)
			return false;
	}
	return true;
}

char *template_price_region(const struct template_price *price, const json_t *values)
{
	for (size_t i = 0; i < price->region_count; i++)
		if (template_price_holds(&price->regions[i].when, values))
			return template_price_fill(price->regions[i].name, values);
	return NULL;
}

/* ---- reading ---- */

static const struct template_parameter *parameter_named(const struct reader *reader,
							const char *name)
{
	for (size_t i = 0; i < reader->parameters->count; i++)
		if (strcmp(reader->parameters->items[i].name, name) == 0)
			return &reader->parameters->items[i];
	return NULL;
}

static bool require_parameter(const struct reader *reader, const struct yaml_node *at,
			      const char *name, const struct template_parameter **parameter,
			      struct error *err)
{
	char shown[NAME_BYTES_MAX];

	*parameter = parameter_named(reader, name);
	return *parameter || yaml_error(reader->document, at, err, "there is no parameter \"%s\"",
					text_printable(name, shown, sizeof(shown)));
}

/* Text in which every {{...}} is a parameter. */
static bool read_filled(const struct reader *reader, const struct yaml_node *map, const char *key,
			char **text, struct error *err)
{
	const struct template_parameter *parameter;
	char name[NAME_BYTES_MAX];
	const char *at, *begin, *end;

	if (!yaml_read_string(reader->document, map, key, &at, err))
		return false;
	if (!*at || strlen(at) > 200)
		return yaml_error(reader->document, yaml_get(map, key), err,
				  "\"%s\" must have 1 to 200 bytes", key);
	*text = xstrdup(at);
	for (; next_placeholder(at, &begin, &end, name); at = end)
		if (!require_parameter(reader, yaml_get(map, key), name, &parameter, err))
			return false;
	return true;
}

static bool is_number(enum parameter_type type)
{
	return type == PARAMETER_INTEGER || type == PARAMETER_NUMBER;
}

/* A number, or one {{parameter}} that is one. */
static bool read_factor(const struct reader *reader, const struct yaml_node *node, char **factor,
			struct error *err)
{
	const char *text = node->kind == YAML_SCALAR ? node->text : "", *begin, *end;
	const struct template_parameter *parameter;
	char name[NAME_BYTES_MAX], shown[NAME_BYTES_MAX];
	int64_t ignored;

	if (next_placeholder(text, &begin, &end, name) && begin == text && !*end) {
		if (!require_parameter(reader, node, name, &parameter, err))
			return false;
		if (!is_number(parameter->type))
			return yaml_error(
			    reader->document, node, err,
			    "parameter \"%s\" is no number, so nothing can be so many",
			    parameter->name);
	} else if (!money_parse(text, 1000000, &ignored)) {
		return yaml_error(
		    reader->document, node, err,
		    "\"quantity\" must be numbers of at most 1000000 or {{parameter}} "
		    "(got \"%s\")",
		    text_printable(text, shown, sizeof(shown)));
	}
	*factor = xstrdup(text);
	return true;
}

static bool read_quantity(const struct reader *reader, const struct yaml_node *map,
			  struct template_price_line *line, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "quantity");
	bool is_list = node && node->kind == YAML_LIST;
	size_t count = is_list ? node->count : node != NULL;

	if (is_list && (count < 1 || count > FACTORS_MAX))
		return yaml_error(reader->document, node, err,
				  "\"quantity\" must be 1 to %d factors", FACTORS_MAX);
	line->factors = xcalloc(count + 1, sizeof(*line->factors));
	for (size_t i = 0; i < count; i++)
		if (!read_factor(reader, is_list ? node->items[i] : node, &line->factors[i], err))
			return false;
	return true;
}

/* What the parameter could never be is a mistake of the author. */
static bool check_value(const struct reader *reader, const struct yaml_node *node,
			const struct template_parameter *parameter, struct error *err)
{
	AUTO(json_decref) json_t *given = NULL, *value = NULL;
	struct error inner;

	if (node->kind != YAML_SCALAR)
		return yaml_error(reader->document, node, err, "a value must be a single value");
	given = json_string(node->text);
	return template_parameter_value(parameter, given, &value, &inner) ||
	       yaml_error(reader->document, node, err, "%s", inner.message);
}

static bool read_condition(const struct reader *reader, const struct yaml_node *key,
			   const struct yaml_node *values, struct price_condition *condition,
			   struct error *err)
{
	bool is_list = values->kind == YAML_LIST;
	size_t count = is_list ? values->count : 1;
	const struct template_parameter *parameter;

	if (!require_parameter(reader, key, key->text, &parameter, err))
		return false;
	if (is_list && (count < 1 || count > TEMPLATE_ITEMS_MAX))
		return yaml_error(reader->document, values, err,
				  "\"when\" must have 1 to %d values of \"%s\"", TEMPLATE_ITEMS_MAX,
				  key->text);
	condition->parameter = xstrdup(key->text);
	condition->values = xcalloc(count + 1, sizeof(*condition->values));
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *value = is_list ? values->items[i] : values;

		if (!check_value(reader, value, parameter, err))
			return false;
		condition->values[i] = xstrdup(value->text);
	}
	return true;
}

static bool read_conditions(const struct reader *reader, const struct yaml_node *map,
			    struct price_conditions *conditions, struct error *err)
{
	const struct yaml_node *when = yaml_get(map, "when");

	if (!when)
		return true;
	if (when->kind != YAML_MAP || !when->count || when->count > TEMPLATE_ITEMS_MAX)
		return yaml_error(reader->document, when, err,
				  "\"when\" must be a map of parameters and their values");
	conditions->items = xcalloc(when->count, sizeof(*conditions->items));
	for (size_t i = 0; i < when->count; i++) {
		conditions->count++;
		if (!read_condition(reader, when->keys[i], when->items[i], &conditions->items[i],
				    err))
			return false;
	}
	return true;
}

static bool read_line(const struct reader *reader, const struct yaml_node *name,
		      const struct yaml_node *map, struct template_price_line *line,
		      struct error *err)
{
	static const char *const known[] = { "price", "quantity", "when", "note", NULL };
	const struct template_item item = { reader->document, name, map };

	line->name = xstrdup(name->text);
	return template_check_key(reader->document, name, "price component", err) &&
	       template_check_map(&item, "price component", err) &&
	       yaml_only_keys(reader->document, map, known, err) &&
	       read_filled(reader, map, "price", &line->row, err) &&
	       read_quantity(reader, map, line, err) &&
	       read_conditions(reader, map, &line->when, err) &&
	       yaml_copy_string(reader->document, map, "note", "", &line->note, err);
}

static bool read_region(const struct reader *reader, const struct yaml_node *map,
			struct template_price_region *region, struct error *err)
{
	static const char *const known[] = { "region", "when", NULL };

	if (map->kind != YAML_MAP)
		return yaml_error(reader->document, map, err,
				  "a region of several must be a map with \"region\" and \"when\"");
	return yaml_only_keys(reader->document, map, known, err) &&
	       read_filled(reader, map, "region", &region->name, err) &&
	       read_conditions(reader, map, &region->when, err);
}

/* Text, or a list of which the first counts whose "when" holds. */
static bool read_regions(const struct reader *reader, const struct yaml_node *map,
			 struct template_price *price, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "region");
	bool is_list = node && node->kind == YAML_LIST;
	size_t count = is_list ? node->count : 1;

	if (count < 1 || count > TEMPLATE_ITEMS_MAX)
		return yaml_error(reader->document, node, err,
				  "\"region\" must be text or a list of 1 to %d",
				  TEMPLATE_ITEMS_MAX);
	price->regions = xcalloc(count, sizeof(*price->regions));
	price->region_count = count;
	if (!is_list)
		return read_filled(reader, map, "region", &price->regions[0].name, err);
	for (size_t i = 0; i < count; i++)
		if (!read_region(reader, node->items[i], &price->regions[i], err))
			return false;
	return true;
}

static bool read_lines(const struct reader *reader, const struct yaml_node *map,
		       struct template_price *price, struct error *err)
{
	const struct yaml_node *lines = yaml_get(map, "components");

	if (yaml_get(map, "per_hour"))
		return yaml_error(reader->document, yaml_get(map, "per_hour"), err,
				  "a price is either \"per_hour\" or \"components\"");
	if (lines->kind != YAML_MAP || !lines->count || lines->count > TEMPLATE_ITEMS_MAX)
		return yaml_error(reader->document, lines, err,
				  "\"components\" must be a map of 1 to %d of them",
				  TEMPLATE_ITEMS_MAX);
	if (!read_filled(reader, map, "provider", &price->provider, err) ||
	    !read_regions(reader, map, price, err))
		return false;
	price->lines = xcalloc(lines->count, sizeof(*price->lines));
	for (size_t i = 0; i < lines->count; i++) {
		price->line_count++;
		if (!read_line(reader, lines->keys[i], lines->items[i], &price->lines[i], err))
			return false;
	}
	return true;
}

static bool read_choice(const struct reader *reader, const struct yaml_node *map,
			struct template_price_choice *choice, struct error *err)
{
	static const char *const known[] = { "name", "parameters", NULL };
	const struct yaml_node *parameters = yaml_get(map, "parameters");
	const struct template_parameter *parameter;

	if (map->kind != YAML_MAP)
		return yaml_error(reader->document, map, err, "a choice must be a map");
	if (!yaml_only_keys(reader->document, map, known, err) ||
	    !yaml_copy_string(reader->document, map, "name", NULL, &choice->name, err))
		return false;
	if (!choice->name || !*choice->name || strlen(choice->name) > NAME_BYTES_MAX)
		return yaml_error(reader->document, map, err,
				  "a choice must have a \"name\" of 1 to %d bytes", NAME_BYTES_MAX);
	if (!parameters || parameters->kind != YAML_MAP || !parameters->count)
		return yaml_error(reader->document, map, err,
				  "choice \"%s\" must have \"parameters\"", choice->name);
	choice->parameters = json_object();
	for (size_t i = 0; i < parameters->count; i++) {
		const struct yaml_node *value = parameters->items[i];

		if (!require_parameter(reader, parameters->keys[i], parameters->keys[i]->text,
				       &parameter, err) ||
		    !check_value(reader, value, parameter, err))
			return false;
		json_object_set_new(choice->parameters, parameter->name, json_string(value->text));
	}
	return true;
}

static bool read_choices(const struct reader *reader, const struct yaml_node *map,
			 struct template_price *price, struct error *err)
{
	const struct yaml_node *list = yaml_get(map, "choices");

	if (!list)
		return true;
	if (list->kind != YAML_LIST || list->count > TEMPLATE_ITEMS_MAX)
		return yaml_error(reader->document, list, err,
				  "\"choices\" must be a list of at most %d", TEMPLATE_ITEMS_MAX);
	price->choices = xcalloc(list->count + 1, sizeof(*price->choices));
	for (size_t i = 0; i < list->count; i++) {
		price->choice_count++;
		if (!read_choice(reader, list->items[i], &price->choices[i], err))
			return false;
	}
	return true;
}

static bool read_per_hour(const struct reader *reader, const struct yaml_node *map,
			  struct template_price *price, struct error *err)
{
	static const char *const of_components[] = { "provider", "region", "choices" };
	AUTO(free) char *per_hour = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(of_components); i++)
		if (yaml_get(map, of_components[i]))
			return yaml_error(reader->document, yaml_get(map, of_components[i]), err,
					  "\"%s\" needs \"components\"", of_components[i]);
	if (!yaml_copy_string(reader->document, map, "per_hour", "0", &per_hour, err))
		return false;
	return money_parse(per_hour, PRICE_PER_HOUR_MAX, &price->microcents_per_hour) ||
	       yaml_error(reader->document, yaml_get(map, "per_hour"), err,
			  "\"per_hour\" must be an amount such as 0.12, at most %d (got \"%.40s\")",
			  PRICE_PER_HOUR_MAX, per_hour);
}

bool template_price_read(const struct yaml_document *document, const struct yaml_node *map,
			 const struct template_parameters *parameters, struct template_price *price,
			 struct error *err)
{
	static const char *const known[] = { "per_hour", "currency",   "note",    "provider",
					     "region",   "components", "choices", NULL };
	static const struct yaml_node none = { .kind = YAML_MAP };
	const struct reader reader = { document, parameters };

	if (!map)
		map = &none;
	if (!yaml_only_keys(document, map, known, err) ||
	    !yaml_copy_string(document, map, "currency", "USD", &price->currency, err) ||
	    !yaml_copy_string(document, map, "note", "", &price->note, err))
		return false;
	if (!money_is_currency(price->currency))
		return yaml_error(document, yaml_get(map, "currency"), err,
				  "\"currency\" must be three capital letters, such as USD");
	if (!yaml_get(map, "components"))
		return read_per_hour(&reader, map, price, err);
	return read_lines(&reader, map, price, err) && read_choices(&reader, map, price, err);
}

/* ---- release ---- */

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

static void release_conditions(struct price_conditions *when)
{
	for (size_t i = 0; i < when->count; i++) {
		free(when->items[i].parameter);
		free_texts(when->items[i].values);
	}
	free(when->items);
}

static void release_line(struct template_price_line *line)
{
	release_conditions(&line->when);
	free_texts(line->factors);
	free(line->name);
	free(line->row);
	free(line->note);
}

void template_price_release(struct template_price *price)
{
	for (size_t i = 0; i < price->line_count; i++)
		release_line(&price->lines[i]);
	for (size_t i = 0; i < price->choice_count; i++) {
		free(price->choices[i].name);
		json_decref(price->choices[i].parameters);
	}
	for (size_t i = 0; i < price->region_count; i++) {
		free(price->regions[i].name);
		release_conditions(&price->regions[i].when);
	}
	free(price->regions);
	free(price->lines);
	free(price->choices);
	free(price->currency);
	free(price->note);
	free(price->provider);
	*price = (struct template_price){ 0 };
}
