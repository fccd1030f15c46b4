#include "api/api_costs.h"

#include <string.h>

#include "api/api_errors.h"
#include "api/api_view.h"
#include "base/clock.h"
#include "base/text.h"
#include "http/http_response.h"
#include "model/cost.h"

struct bill {
	char *group;
	char *currency;
	int64_t environments;
	int64_t live;
	bool is_example;             /* the prices of one of them are */
	int64_t per_hour_microcents; /* of the live ones */
	int64_t so_far_microcents;
	int64_t at_expiry_microcents;
};

struct bills {
	const struct caller *caller;
	const char *(*group_of)(const struct environment *);
	int64_t now_ms;
	struct bill *items;
	size_t count;
};

/* What can be asked for as ?by=... */
static const char *owner_of(const struct environment *environment)
{
	return environment->owner;
}

static const char *project_of(const struct environment *environment)
{
	return environment->project;
}

static const char *template_of(const struct environment *environment)
{
	return environment->template_name;
}

static const struct {
	const char *name;
	const char *(*group_of)(const struct environment *);
} groupings[] = { { "owner", owner_of }, { "project", project_of }, { "template", template_of } };

static struct bill *find_bill(struct bills *bills, const char *group, const char *currency)
{
	for (size_t i = 0; i < bills->count; i++)
		if (strcmp(bills->items[i].group, group) == 0 &&
		    strcmp(bills->items[i].currency, currency) == 0)
			return &bills->items[i];
	bills->items = xrealloc(bills->items, bills->count + 1, sizeof(*bills->items));
	bills->items[bills->count] =
	    (struct bill){ .group = xstrdup(group), .currency = xstrdup(currency) };
	return &bills->items[bills->count++];
}

static void add_to_bill(struct bills *bills, const struct environment *environment)
{
	struct cost cost = cost_of(environment, bills->now_ms);
	struct bill *bill = find_bill(bills, bills->group_of(environment),
				      environment->currency ? environment->currency : "USD");

	bill->environments++;
	bill->is_example |= environment->prices_are_examples;
	bill->so_far_microcents += cost.so_far_microcents;
	bill->at_expiry_microcents += cost.at_expiry_microcents;
	if (environment->state == ENV_DESTROYED)
		return;
	bill->live++;
	bill->per_hour_microcents += environment->price_microcents_per_hour;
}

static bool add_environment(void *arg, const struct environment *environment, struct error *err)
{
	struct bills *bills = arg;
	struct error ignored; /* who may not see it sees less */

	(void)err;
	if (permission_check(bills->caller, MAY_READ, environment->project, &ignored))
		add_to_bill(bills, environment);
	return true;
}

static void release_bills(struct bills *bills)
{
	for (size_t i = 0; i < bills->count; i++) {
		free(bills->items[i].group);
		free(bills->items[i].currency);
	}
	free(bills->items);
}

static json_t *bill_json(const struct bill *bill, const char *by)
{
	json_t *json = json_object();

	json_object_set_new(json, by, json_string(bill->group));
	json_object_set_new(json, "currency", json_string(bill->currency));
	json_object_set_new(json, "environments", json_integer(bill->environments));
	json_object_set_new(json, "live", json_integer(bill->live));
	json_object_set_new(json, "per_hour", json_real(cost_to_units(bill->per_hour_microcents)));
	json_object_set_new(json, "so_far", json_real(cost_to_units(bill->so_far_microcents)));
	json_object_set_new(json, "at_expiry",
			    json_real(cost_to_units(bill->at_expiry_microcents)));
	json_object_set_new(json, "example", json_boolean(bill->is_example));
	return json;
}

static bool read_grouping(const struct http_request *request, const char **by, struct bills *bills,
			  struct error *err)
{
	const char *asked = http_request_query(request, "by");

	*by = asked ? asked : "owner";
	for (size_t i = 0; i < ARRAY_SIZE(groupings); i++) {
		if (strcmp(groupings[i].name, *by) == 0) {
			bills->group_of = groupings[i].group_of;
			return true;
		}
	}
	return error_set_as(err, ERR_INVALID, "query_invalid",
			    "query parameter \"by\" must be owner, project or template");
}

void api_get_costs(void *arg, struct http_request *request)
{
	struct api *api = arg;
	struct bills bills = { .caller = &api->caller, .now_ms = clock_wall_ms() };
	json_t *items = json_array();
	struct error err;
	const char *by;

	if (!read_grouping(request, &by, &bills, &err) ||
	    !store_environments_each(api->control->store, add_environment, &bills, &err)) {
		json_decref(items);
		api_answer_error(request, &err);
	} else {
		for (size_t i = 0; i < bills.count; i++)
			json_array_append_new(items, bill_json(&bills.items[i], by));
		api_answer_page(request, items, 0);
	}
	release_bills(&bills);
}
