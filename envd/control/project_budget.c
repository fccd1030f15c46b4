#include "control/project_budget.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "model/quote.h"
#include "store/store_spending.h"
#include "wire/quote_json.h"

enum { MINUTE_MS = 60000, WHOLE_MINUTES_FROM_MS = 10 * MINUTE_MS };

/* ---- the price ---- */

static struct quote_time time_of(const struct environment *env)
{
	return (struct quote_time){ env->lease_ms, env->provision_limit_ms };
}

// clang-format off: it takes `template` for the keyword of another language
static struct quote_ask ask_of(const struct control *control, const struct template *template,
			       const struct environment *env)
{
	/* Without components nobody looks at files. */
	struct price_shelf *shelf = template->price.line_count ? control->prices : NULL;

	return (struct quote_ask){ &template->price, env->parameters, price_shelf_books(shelf),
				   clock_wall_ms() };
}

/* With its components, and what would have been cheaper; an amount an hour needs no paper. */
static json_t *paper_of(const struct template *template, const struct quote_ask *ask,
			const struct environment *env, const struct quote *quote)
{
	struct quote_time time = time_of(env);
	struct quote_choices choices = { .count = 0 };
	json_t *paper;

	if (!template->price.line_count)
		return NULL;
	quote_choices_find(template, ask, quote, &choices);
	paper = quote_json(quote, &time, &choices);
	quote_choices_release(&choices);
	return paper;
}

bool project_budget_quote(const struct control *control, const struct template *template,
			  struct environment *env, struct error *err)
{
	struct quote_ask ask = ask_of(control, template, env);
	struct quote quote;

	if (!quote_make(&ask, &quote, err))
		return false;
	env->currency = xstrdup(quote.currency);
	env->price_microcents_per_hour = quote.high_microcents_per_hour;
	env->price_low_microcents_per_hour = quote.low_microcents_per_hour;
	env->prices_as_of = quote.oldest ? xstrdup(quote.oldest) : NULL;
	env->prices_are_examples = quote.is_example;
	env->quote = paper_of(template, &ask, env, &quote);
	quote_release(&quote);
	return true;
}
// clang-format on

/* ---- how much there is ---- */

struct account {
	const char *project;
	const struct budget *budget;
	struct budget_room room;
	struct owed_sum owed; /* counted in the first month */
};

static bool open_account(struct store_tx *tx, const struct environment *env,
			 const struct budget *budget, struct account *account, struct error *err)
{
	struct store *store = store_of(tx);
	int64_t now_ms = clock_wall_ms(), charged;
	struct month month = month_of(now_ms);

	*account = (struct account){ .project = env->project, .budget = budget };
	account->room.first = month;
	if (!store_spending_count_debts(tx, month_begin_ms(month), err) ||
	    !store_spending_owed(store, env->project, budget->currency, now_ms, &account->owed,
				 err))
		return false;
	for (size_t i = 0; i < BUDGET_MONTHS_MAX; i++, month = month_after(month)) {
		if (!store_spending_charged(store, env->project, budget->currency, month, &charged,
					    err))
			return false;
		account->room.left_microcents[i] = budget->month_microcents - charged;
	}
	account->room.left_microcents[0] -= account->owed.microcents;
	return true;
}

static int64_t left_in(const struct account *account, struct month month)
{
	struct month at = account->room.first;
	size_t i = 0;

	while (i + 1 < BUDGET_MONTHS_MAX && (at.year != month.year || at.number != month.number)) {
		at = month_after(at);
		i++;
	}
	return account->room.left_microcents[i];
}

/* Days and hours to the minute, short ones to the second; never longer than it is. */
static const char *shown_length(int64_t ms, char into[DURATION_TEXT_SIZE])
{
	int64_t step = ms >= WHOLE_MINUTES_FROM_MS ? MINUTE_MS : 1000;

	return duration_format(ms / step * step, into);
}

/* ---- refusing, with the way out ---- */

static void refuse(const struct account *account, const struct charge *now,
		   const struct charge *more, struct month month, struct error *err)
{
	int64_t asked = charge_in(more, month) - (now ? charge_in(now, month) : 0);
	int64_t taken = account->budget->month_microcents - left_in(account, month);
	char most[MONEY_TEXT_SIZE], had[MONEY_TEXT_SIZE], wanted[MONEY_TEXT_SIZE],
	    rate[MONEY_TEXT_SIZE], when[MONTH_TEXT_SIZE];
	AUTO(free) char *debts = NULL;

	if (account->owed.microcents_per_hour)
		debts = xasprintf(" and debts take %s more an hour",
				  money_format(account->owed.microcents_per_hour, rate));
	error_set_as(err, ERR_LIMIT, "quota_budget",
		     "project \"%s\" may spend %s %s in %s, %s are spent or reserved%s, and this "
		     "would take up to %s",
		     account->project, money_format(account->budget->month_microcents, most),
		     account->budget->currency, month_format(month, when), money_format(taken, had),
		     debts ? debts : "", money_format(asked, wanted));
}

static void add_way(struct text *ways, const char *way)
{
	text_format(ways, "%s%s", ways->length ? ", or " : "", way);
}

static void add_contact(const struct account *account, struct text *ways)
{
	AUTO(free)
	char *see = xasprintf("see what takes it (envctl cost --project %s) and destroy what is "
			      "not needed",
			      account->project);

	add_way(ways, see);
	if (*account->budget->contact) {
		AUTO(free) char *ask = xasprintf("ask %s", account->budget->contact);

		add_way(ways, ask);
	}
}

static void add_shorter(const struct account *account, const struct charge *more,
			int64_t building_ms, int64_t shortest_ms, struct text *ways)
{
	int64_t lease_from = more->from_ms + building_ms;
	int64_t end = budget_latest_end_ms(&account->room, NULL, more, lease_from + shortest_ms);
	char length[DURATION_TEXT_SIZE];
	AUTO(free) char *way = NULL;

	if (end < 0)
		return;
	way = xasprintf("--ttl %s fits", shown_length(end - lease_from, length));
	add_way(ways, way);
}

static char *asked_as(const struct quote_choice *choice)
{
	struct text line = TEXT_EMPTY;
	const char *name;
	json_t *value;

	json_object_foreach_const(choice->parameters, name, value) {
		AUTO(free) char *text = template_price_value(choice->parameters, name);

		text_format(&line, "%s--param %s=%s", line.length ? " " : "", name, text);
	}
	return text_take(&line);
}

/* The dearest that fits: what differs least from what was asked. */
static void add_cheaper(const struct account *account, const struct charge *more,
			const struct quote_choices *choices, struct text *ways)
{
	for (size_t i = choices->count; i > 0; i--) {
		const struct quote_choice *choice = &choices->items[i - 1];
		struct charge instead = *more;
		AUTO(free) char *asked = NULL, *way = NULL;
		struct month month;

		instead.microcents_per_hour = choice->high_microcents_per_hour;
		if (!budget_fits(&account->room, NULL, &instead, &month))
			continue;
		asked = asked_as(choice);
		way = xasprintf("%s (%d %% less) fits", asked, choice->saves_percent);
		add_way(ways, way);
		return;
	}
}

/* ---- create ---- */

static bool refuse_uncounted(const struct environment *env, const struct budget *budget,
			     struct error *err)
{
	const json_t *lines = json_object_get(env->quote, "components"), *line;

	if (env->price_microcents_per_hour && strcmp(env->currency, budget->currency) != 0) {
		error_set_as(err, ERR_LIMIT, "quota_currency",
			     "project \"%s\" has a budget in %s, and template \"%s\" is priced in "
			     "%s",
			     env->project, budget->currency, env->template_name, env->currency);
		return error_hint(err, "price the template in %s", budget->currency);
	}
	for (size_t i = 0; i < json_array_size(lines); i++) {
		line = json_array_get(lines, i);
		if (!json_has(line, "missing"))
			continue;
		error_set_as(err, ERR_LIMIT, "quota_unpriced",
			     "project \"%s\" has a budget, and \"%s\" of template \"%s\" has no "
			     "price: %s",
			     env->project, json_get_string(line, "name", ""), env->template_name,
			     json_get_string(line, "missing", ""));
		return error_hint(err, "add it to a price book (--price-books)");
	}
	return true;
}

static struct charge charge_of(const struct environment *env)
{
	int64_t lasts = env->keep_ms > env->lease_ms ? env->keep_ms : env->lease_ms;

	return (struct charge){ env->price_microcents_per_hour, env->created_at_ms,
				env->created_at_ms + env->provision_limit_ms + lasts };
}

// clang-format off: it takes `template` for the keyword of another language
static void hint_create(const struct control *control, const struct account *account,
			const struct template *template, const struct environment *env,
			const struct charge *more, struct error *err)
{
	struct quote_ask ask = ask_of(control, template, env);
	AUTO(text_release) struct text ways = TEXT_EMPTY;
	int64_t shortest_ms = template->limits.lease_min_ms;
	struct quote_choices choices = { .count = 0 };
	struct quote quote;
	struct error ignored; /* it could be quoted a moment ago */

	add_shorter(account, more, env->provision_limit_ms,
		    shortest_ms > env->keep_ms ? shortest_ms : env->keep_ms, &ways);
	if (quote_make(&ask, &quote, &ignored)) {
		quote_choices_find(template, &ask, &quote, &choices);
		add_cheaper(account, more, &choices, &ways);
		quote_choices_release(&choices);
		quote_release(&quote);
	}
	add_contact(account, &ways);
	error_hint(err, "%s", text_get(&ways));
}

bool project_budget_admit(const struct control *control, struct store_tx *tx,
			  const struct template *template, const struct environment *env,
			  struct error *err)
{
	const struct budget *budget = project_budget(&control->settings->projects, env->project);
	struct charge more = charge_of(env);
	struct account account;
	struct month month;

	if (budget->month_microcents == BUDGET_UNLIMITED)
		return true;
	if (!refuse_uncounted(env, budget, err))
		return false;
	if (!env->price_microcents_per_hour)
		return true;
	if (!open_account(tx, env, budget, &account, err))
		return false;
	if (budget_fits(&account.room, NULL, &more, &month))
		return true;
	refuse(&account, NULL, &more, month, err);
	hint_create(control, &account, template, env, &more, err);
	return false;
}
// clang-format on

/* ---- extend ---- */

static void hint_extend(const struct account *account, const struct environment *env,
			const struct charge *now, const struct charge *more, struct error *err)
{
	int64_t end = budget_latest_end_ms(&account->room, now, more, now->until_ms);
	AUTO(text_release) struct text ways = TEXT_EMPTY;
	AUTO(free) char *way = NULL;
	char length[DURATION_TEXT_SIZE];

	if (end - now->until_ms >= 1000) {
		way = xasprintf("envctl extend %s %s fits", env->name,
				shown_length(end - now->until_ms, length));
		add_way(&ways, way);
	}
	add_contact(account, &ways);
	error_hint(err, "%s", text_get(&ways));
}

bool project_budget_extend(const struct control *control, struct store_tx *tx,
			   const struct environment *env, int64_t end_ms, struct error *err)
{
	const struct budget *budget = project_budget(&control->settings->projects, env->project);
	int64_t until = env->expires_at_ms;
	struct charge now = { env->price_microcents_per_hour, env->provisioning_at_ms, until };
	struct charge more = { env->price_microcents_per_hour, env->provisioning_at_ms, end_ms };
	struct account account;
	struct month month;

	if (budget->month_microcents == BUDGET_UNLIMITED || !env->price_microcents_per_hour ||
	    end_ms <= until || strcmp(env->currency, budget->currency) != 0)
		return true;
	if (!open_account(tx, env, budget, &account, err))
		return false;
	if (budget_fits(&account.room, &now, &more, &month))
		return true;
	refuse(&account, &now, &more, month, err);
	hint_extend(&account, env, &now, &more, err);
	return false;
}
