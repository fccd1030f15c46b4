#include "settings/project.h"

#include <string.h>

#include "base/byte_size.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/decimal.h"
#include "model/money.h"
#include "model/permission.h"

enum { BILLIONTHS_PER_MICROCENT = 10, BUDGET_UNITS_MAX = 1000000000 };

static bool read_count(const struct yaml_document *file, const struct yaml_node *map,
		       const char *key, int64_t *count, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	return yaml_read_int64(file, map, key, count, err) &&
	       (*count >= 0 || yaml_error(file, node, err, "\"%s\" must not be negative", key));
}

static bool read_memory(const struct yaml_document *file, const struct yaml_node *map,
			int64_t *bytes, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "memory");
	struct error inner;

	return !node ||
	       byte_size_parse(node->kind == YAML_SCALAR ? node->text : "", "memory", bytes,
			       &inner) ||
	       yaml_error(file, node, err, "%s", inner.message);
}

static bool read_cost(const struct yaml_document *file, const struct yaml_node *map,
		      int64_t *microcents, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "cost_per_hour");
	struct decimal most = decimal_from_int64(1000000000), zero = decimal_from_int64(0), cost;

	if (!node)
		return true;
	if (node->kind != YAML_SCALAR || !decimal_read(node->text, &cost) ||
	    decimal_compare(cost, zero) < 0 || decimal_compare(cost, most) > 0)
		return yaml_error(file, node, err,
				  "\"cost_per_hour\" must be an amount of money, such as 2.50");
	*microcents = (int64_t)(cost.billionths / BILLIONTHS_PER_MICROCENT);
	return true;
}

static bool read_quota(const struct yaml_document *file, const struct yaml_node *map,
		       struct quota *quota, struct error *err)
{
	*quota = quota_unlimited;
	return read_count(file, map, "environments", &quota->environments, err) &&
	       (!yaml_get(map, "lease") ||
		yaml_read_duration_ms(file, map, "lease", &quota->lease_ms, err)) &&
	       read_memory(file, map, &quota->memory_bytes, err) &&
	       read_count(file, map, "creates_per_hour", &quota->creates_per_hour, err) &&
	       read_cost(file, map, &quota->microcents_per_hour, err);
}

/* "200.00 USD" */
static bool parse_amount(const char *text, struct budget *budget)
{
	const char *blank = strchr(text, ' ');
	AUTO(free) char *amount = blank ? xstrndup(text, (size_t)(blank - text)) : NULL;

	if (!amount || !money_is_currency(blank + 1) ||
	    !money_parse(amount, BUDGET_UNITS_MAX, &budget->month_microcents))
		return false;
	memcpy(budget->currency, blank + 1, CURRENCY_SIZE);
	return true;
}

static bool read_month(const struct yaml_document *file, const struct yaml_node *map,
		       struct budget *budget, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "month");
	char shown[40];

	if (node && node->kind == YAML_SCALAR && parse_amount(node->text, budget))
		return true;
	return yaml_error(file, node ? node : map, err,
			  "\"month\" of a budget must be an amount and its currency, such as "
			  "\"200.00 USD\" (got \"%s\")",
			  text_printable(node && node->kind == YAML_SCALAR ? node->text : "", shown,
					 sizeof(shown)));
}

static bool read_budget(const struct yaml_document *file, const struct yaml_node *map,
			struct budget *budget, struct error *err)
{
	static const char *const known[] = { "month", "contact", NULL };
	const struct yaml_node *node = yaml_get(map, "budget");
	const char *contact = "";

	*budget = budget_none;
	if (!node)
		return true;
	if (node->kind != YAML_MAP)
		return yaml_error(file, node, err, "\"budget\" must be a map (got %s)",
				  yaml_kind_name(node));
	if (!yaml_only_keys(file, node, known, err) || !read_month(file, node, budget, err) ||
	    (yaml_get(node, "contact") && !yaml_read_string(file, node, "contact", &contact, err)))
		return false;
	if (strlen(contact) >= sizeof(budget->contact))
		return yaml_error(file, yaml_get(node, "contact"), err,
				  "\"contact\" must have at most %zu bytes",
				  sizeof(budget->contact) - 1);
	snprintf(budget->contact, sizeof(budget->contact), "%s", contact);
	return true;
}

static const struct project *named(const struct project_list *projects, const char *name)
{
	for (size_t i = 0; i < projects->count; i++)
		if (strcmp(projects->items[i].name, name) == 0)
			return &projects->items[i];
	return NULL;
}

static bool read_one(const struct yaml_document *file, const struct yaml_node *map,
		     struct project_list *projects, struct error *err)
{
	static const char *const known[] = {
		"name",          "environments", "lease", "memory", "creates_per_hour",
		"cost_per_hour", "budget",       NULL
	};
	struct project project;
	struct error inner;
	const char *name;

	if (map->kind != YAML_MAP)
		return yaml_error(file, map, err, "a project must be a map");
	if (!yaml_only_keys(file, map, known, err) ||
	    !yaml_read_string(file, map, "name", &name, err) ||
	    !read_quota(file, map, &project.quota, err) ||
	    !read_budget(file, map, &project.budget, err))
		return false;
	if (!name_check(name, "project name", &inner))
		return yaml_error(file, map, err, "%s", inner.message);
	if (named(projects, name))
		return yaml_error(file, map, err, "there are two projects \"%s\"", name);
	if (projects->count == PROJECTS_MAX)
		return yaml_error(file, map, err, "there may be at most %d projects", PROJECTS_MAX);
	project.name = xstrdup(name);
	projects->items = xrealloc(projects->items, projects->count + 1, sizeof(*projects->items));
	projects->items[projects->count++] = project;
	return true;
}

bool projects_read(const struct yaml_document *file, const struct yaml_node *node,
		   struct project_list *projects, struct error *err)
{
	if (node->kind != YAML_LIST)
		return yaml_error(file, node, err, "\"projects\" must be a list");
	for (size_t i = 0; i < node->count; i++)
		if (!read_one(file, node->items[i], projects, err))
			return false;
	return true;
}

void projects_release(struct project_list *projects)
{
	for (size_t i = 0; i < projects->count; i++)
		free(projects->items[i].name);
	free(projects->items);
	*projects = (struct project_list){ NULL, 0 };
}

static void list_names(const struct project_list *projects, char *into, size_t size)
{
	size_t length = (size_t)snprintf(into, size, PROJECT_DEFAULT);

	for (size_t i = 0; i < projects->count && length < size; i++)
		if (strcmp(projects->items[i].name, PROJECT_DEFAULT) != 0)
			length += (size_t)snprintf(into + length, size - length, ", %s",
						   projects->items[i].name);
}

bool project_find(const struct project_list *projects, const char *name, const struct quota **quota,
		  struct error *err)
{
	const struct project *project = named(projects, name);
	char names[200], shown[NAME_LENGTH_MAX + 8];

	if (project || strcmp(name, PROJECT_DEFAULT) == 0) {
		*quota = project ? &project->quota : &quota_unlimited;
		return true;
	}
	list_names(projects, names, sizeof(names));
	error_set_as(err, ERR_INVALID, "project_unknown", "there is no project \"%s\"",
		     text_printable(name, shown, sizeof(shown)));
	return error_hint(err, "there are: %s", names);
}

const struct budget *project_budget(const struct project_list *projects, const char *name)
{
	const struct project *project = named(projects, name);

	return project ? &project->budget : &budget_none;
}
