#include "api/api_spending.h"

#include <string.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "base/clock.h"
#include "base/text.h"
#include "http/http_response.h"
#include "model/cost.h"
#include "store/store_spending.h"
#include "wire/environment_json.h"
#include "wire/quote_json.h"

enum { DEBTS_SHOWN_MAX = 100 };

struct template_sum {
	char *name;
	int64_t microcents;
};

/* Of a project in a currency. */
struct account {
	char *project;
	char currency[CURRENCY_SIZE];
	int64_t charged_microcents; /* spent and reserved, debts until now included */
	int64_t reserved_microcents;
	int64_t ending_microcents_per_hour;
	int64_t debt_microcents_per_hour;
	struct template_sum *templates;
	size_t template_count;
	json_t *debts;
};

struct accounts {
	struct month month;
	int64_t now_ms;
	struct account *items;
	size_t count;
};

/* ---- collecting ---- */

static struct account *account_of(struct accounts *accounts, const char *project,
				  const char *currency)
{
	struct account *made;

	for (size_t i = 0; i < accounts->count; i++)
		if (strcmp(accounts->items[i].project, project) == 0 &&
		    strcmp(accounts->items[i].currency, currency) == 0)
			return &accounts->items[i];
	accounts->items = xrealloc(accounts->items, accounts->count + 1, sizeof(*accounts->items));
	made = &accounts->items[accounts->count++];
	*made = (struct account){ .project = xstrdup(project), .debts = json_array() };
	snprintf(made->currency, sizeof(made->currency), "%s", currency);
	return made;
}

static void add_charged(struct account *account, const char *template_name, int64_t microcents)
{
	size_t i = 0;

	account->charged_microcents = money_add(account->charged_microcents, microcents);
	while (i < account->template_count &&
	       strcmp(account->templates[i].name, template_name) != 0)
		i++;
	if (i == account->template_count) {
		account->templates = xrealloc(account->templates, ++account->template_count,
					      sizeof(*account->templates));
		account->templates[i] = (struct template_sum){ xstrdup(template_name), 0 };
	}
	account->templates[i].microcents = money_add(account->templates[i].microcents, microcents);
}

static void on_charged(void *arg, const struct spending_row *row)
{
	add_charged(account_of(arg, row->project, row->currency), row->template_name,
		    row->charged_microcents);
}

/* What lies before now is spent, unless nothing of it was begun. */
static void on_live(void *arg, const struct live_row *row)
{
	struct accounts *accounts = arg;
	struct account *account = account_of(accounts, row->project, row->currency);
	struct charge rest = row->charge;

	if (!row->is_queued && rest.from_ms < accounts->now_ms)
		rest.from_ms = accounts->now_ms;
	account->reserved_microcents =
	    money_add(account->reserved_microcents, charge_in(&rest, accounts->month));
}

static json_t *debt_json(const struct owed_row *row, int64_t now_ms)
{
	json_t *json = json_object();

	json_object_set_new(json, "environment", json_string(row->id.text));
	json_object_set_new(json, "name", json_string(row->name));
	json_object_set_new(json, "template", json_string(row->template_name));
	json_object_set_new(json, "why",
			    json_string(row->is_acknowledged ? "acknowledged" : "quarantined"));
	json_object_set_new(json, "since", time_json(row->since_ms));
	json_object_set_new(json, "microcents_per_hour",
			    json_integer(row->charge.microcents_per_hour));
	json_object_set_new(
	    json, "microcents",
	    json_integer(cost_for(row->charge.microcents_per_hour,
				  now_ms > row->since_ms ? now_ms - row->since_ms : 0)));
	return json;
}

/* What is being destroyed as it should costs too, and is no debt. */
static void on_owed(void *arg, const struct owed_row *row)
{
	struct accounts *accounts = arg;
	struct account *account = account_of(accounts, row->project, row->currency);
	int64_t price = row->charge.microcents_per_hour;

	add_charged(account, row->template_name, charge_in(&row->charge, accounts->month));
	account->ending_microcents_per_hour = money_add(account->ending_microcents_per_hour, price);
	if (!row->is_acknowledged && !row->is_quarantined)
		return;
	account->debt_microcents_per_hour = money_add(account->debt_microcents_per_hour, price);
	if (json_array_size(account->debts) < DEBTS_SHOWN_MAX)
		json_array_append_new(account->debts, debt_json(row, accounts->now_ms));
}

/* Who has a budget is listed with nothing spent, too. */
static void add_budgets(struct accounts *accounts, const struct project_list *projects,
			const char *project)
{
	for (size_t i = 0; i < projects->count; i++) {
		const struct project *at = &projects->items[i];

		if (at->budget.month_microcents != BUDGET_UNLIMITED &&
		    (!project || strcmp(project, at->name) == 0))
			account_of(accounts, at->name, at->budget.currency);
	}
}

static bool collect(struct api *api, const char *project, struct accounts *accounts,
		    struct error *err)
{
	struct store *store = api->control->store;

	add_budgets(accounts, &api->control->settings->projects, project);
	return store_spending_each(store, project, accounts->month, on_charged, accounts, err) &&
	       store_spending_live(store, project, on_live, accounts, err) &&
	       store_spending_debts(store, project, accounts->now_ms, on_owed, accounts, err);
}

static void release(struct accounts *accounts)
{
	for (size_t i = 0; i < accounts->count; i++) {
		struct account *account = &accounts->items[i];

		for (size_t t = 0; t < account->template_count; t++)
			free(account->templates[t].name);
		free(account->templates);
		free(account->project);
		json_decref(account->debts);
	}
	free(accounts->items);
}

/* ---- showing ---- */

static int dearer_first(const void *a, const void *b)
{
	const struct template_sum *left = a, *right = b;

	if (left->microcents != right->microcents)
		return left->microcents < right->microcents ? 1 : -1;
	return strcmp(left->name, right->name);
}

static json_t *templates_json(struct account *account)
{
	json_t *items = json_array();

	if (account->template_count)
		qsort(account->templates, account->template_count, sizeof(*account->templates),
		      dearer_first);
	for (size_t i = 0; i < account->template_count; i++)
		json_array_append_new(
		    items, json_pack("{s:s, s:I}", "template", account->templates[i].name,
				     "microcents", (json_int_t)account->templates[i].microcents));
	return items;
}

static void set_budget(json_t *json, const struct budget *budget, const struct account *account)
{
	bool has_one = budget->month_microcents != BUDGET_UNLIMITED &&
		       strcmp(budget->currency, account->currency) == 0;

	json_object_set_new(json, "budget_microcents",
			    has_one ? json_integer(budget->month_microcents) : json_null());
	json_object_set_new(
	    json, "left_microcents",
	    has_one ? json_integer(budget->month_microcents - account->charged_microcents)
		    : json_null());
	json_object_set_new(json, "contact",
			    has_one && *budget->contact ? json_string(budget->contact)
							: json_null());
}

static json_t *account_json(const struct api *api, const struct accounts *accounts,
			    struct account *account)
{
	json_t *json = json_object();
	char month[MONTH_TEXT_SIZE];
	int64_t spent = account->charged_microcents - account->reserved_microcents;

	json_object_set_new(json, "project", json_string(account->project));
	json_object_set_new(json, "currency", json_string(account->currency));
	json_object_set_new(json, "month", json_string(month_format(accounts->month, month)));
	/* Each part is rounded by itself. */
	json_object_set_new(json, "spent_microcents", json_integer(spent > 0 ? spent : 0));
	json_object_set_new(json, "reserved_microcents",
			    json_integer(account->reserved_microcents));
	json_object_set_new(json, "ending_microcents_per_hour",
			    json_integer(account->ending_microcents_per_hour));
	json_object_set_new(json, "debt_microcents_per_hour",
			    json_integer(account->debt_microcents_per_hour));
	set_budget(json, project_budget(&api->control->settings->projects, account->project),
		   account);
	json_object_set_new(json, "templates", templates_json(account));
	json_object_set(json, "debts", account->debts);
	return json;
}

static bool read_question(struct api *api, const struct http_request *request, const char **project,
			  struct month *month, struct error *err)
{
	const char *text = http_request_query(request, "month");

	*project = http_request_query(request, "project");
	if (permission_is_bound(&api->caller, MAY_READ)) {
		if (*project && !permission_check(&api->caller, MAY_READ, *project, err))
			return false;
		*project = api->caller.project;
	}
	*month = month_of(clock_wall_ms());
	return !text || month_parse(text, month, err);
}

void api_list_spending(void *arg, struct http_request *request)
{
	struct api *api = arg;
	struct accounts accounts = { .now_ms = clock_wall_ms() };
	json_t *items;
	const char *project;
	struct error err;

	if (!read_question(api, request, &project, &accounts.month, &err) ||
	    !collect(api, project, &accounts, &err)) {
		api_answer_error(request, &err);
	} else {
		items = json_array();
		for (size_t i = 0; i < accounts.count; i++)
			json_array_append_new(items,
					      account_json(api, &accounts, &accounts.items[i]));
		api_answer_page(request, items, 0);
	}
	release(&accounts);
}

/* ---- one environment ---- */

static json_t *bill_json(const struct environment *env, json_t *quote)
{
	struct cost cost = cost_of(env, clock_wall_ms());

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:O?}",
			 "apiVersion", "envd/v1", "kind", "EnvironmentBill", "environment",
			 env->id.text, "name", env->name, "project", env->project, "template",
			 env->template_name, "state", env_state_name(env->state), "currency",
			 env->currency, "low_microcents_per_hour",
			 (json_int_t)env->price_low_microcents_per_hour, "high_microcents_per_hour",
			 (json_int_t)env->price_microcents_per_hour, "so_far_microcents",
			 (json_int_t)cost.so_far_microcents, "at_expiry_microcents",
			 (json_int_t)cost.at_expiry_microcents, "debt_microcents_per_hour",
			 (json_int_t)cost_debt_per_hour(env), "quote", quote);
}

void api_get_environment_bill(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(json_decref) json_t *quote = NULL;
	AUTO(json_decref) json_t *bill = NULL;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &env, &err) ||
	    !store_environment_quote(api->control->store, env->id, &quote, &err)) {
		api_answer_error(request, &err);
		return;
	}
	bill = bill_json(env, quote);
	http_answer_json(request, 200, bill);
}

static bool apply_settle(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	const char *name;

	return json_read_string(change->body, "name", &name, err) &&
	       api_change_environment(change, tx, &env, err) &&
	       lifecycle_settle(change->api->control, tx, change->env, name, &change->caller, err);
}

static void answer_settle(struct api_change *change)
{
	api_answer_stored(change->api, change->request, 200, change->env);
}

void api_settle_environment(void *api, struct http_request *request)
{
	static const char *const known[] = { "name", NULL };
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, "settle");
	struct error err;

	change->apply = apply_settle;
	change->answer = answer_settle;
	if (!http_request_json(request, &change->body, &err) ||
	    !json_only_keys(change->body, known, &err))
		api_answer_error(request, &err);
	else
		api_change_submit(TAKE(change));
}

/* ---- price books ---- */

void api_list_prices(void *arg, struct http_request *request)
{
	struct api *api = arg;

	api_answer_page(request,
			price_books_json(price_shelf_books(api->control->prices), clock_wall_ms(),
					 api->control->settings->price_age_ms),
			0);
}
