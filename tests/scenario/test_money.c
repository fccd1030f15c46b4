/*
 * What an environment would cost, who may not spend it, what it cost in the end, and what somebody
 * goes on paying for. The engine is support/fake_engine; prices are a book of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "model/budget.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"
#include "tests/support/priced_template.h"

#define OF_WEB "Envd-Project: web\r\n"

enum { ASKING = 12, HOUR_MS = 3600000 };

/* Project "web" may spend this much in a month. */
static struct world *open_world(const char *budget)
{
	struct world *world = fake_world_new();
	AUTO(free) char *config = path_join(world->folder, "envd.yaml");
	AUTO(free) char *config_option = xasprintf("--config=%s", config);
	AUTO(free)
	char *text = xasprintf("projects:\n  - { name: web, budget: { month: %s, contact: ann } }\n"
			       "  - { name: shop }\n",
			       budget);
	struct error err;

	priced_template_add(world);
	assert_true(file_write_atomically(config, text, strlen(text), 0600, &err));
	world_argument(world, config_option);
	world_argument(world, "--destroy-retry=100ms");
	world_start(world);
	return world;
}

/* ---- asking ---- */

static json_t *spending(struct world *world, const char *project)
{
	AUTO(free) char *target = xasprintf("/v1/spending?project=%s", project);
	AUTO(json_decref) json_t *page = world_ask(world, "GET", target, NULL, NULL);

	return json_incref(json_array_get(json_object_get(page, "items"), 0));
}

static int64_t number_of(struct world *world, const char *key)
{
	AUTO(json_decref) json_t *row = spending(world, "web");

	return json_get_int64(row, key, -1);
}

static json_t *bill_of(struct world *world, const char *name)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/cost", name);

	return world_ask(world, "GET", target, NULL, NULL);
}

/* What stands between two words of a refusal; freed by the caller. */
static char *named_between(const char *text, const char *before, const char *after)
{
	const char *at = strstr(text, before);
	const char *end = at ? strstr(at + strlen(before), after) : NULL;

	if (!end)
		fail_msg("no \"%s...%s\" in: %s", before, after, text);
	at += strlen(before);
	return xstrndup(at, (size_t)(end - at));
}

/* As envctl was told: the problem document of a request that is refused. */
static json_t *refusal(struct world *world, const char *method, const char *target, json_t *wish)
{
	AUTO(json_decref) json_t *sent = wish;
	json_t *problem = NULL;
	int status = http_ask_json(world->socket, method, target, OF_WEB, sent, &problem);

	if (status != 429)
		fail_msg("%s %s was answered with %d", method, target, status);
	return problem;
}

/* ---- the stories ---- */

static void a_plan_says_what_it_would_cost_by_component_and_what_would_be_cheaper(void **state)
{
	struct world *world = open_world("100.00 USD");
	AUTO(free) char *plan = NULL;
	AUTO(free) char *books = NULL;

	(void)state;
	assert_int_equal(
	    world_envctl(world, &plan, "create", "cloud", "--ttl", "2h", "--dry-run=server", NULL),
	    0);
	/* 2 h at 1.00 at least; 3 h, building included, at 2.00 at most. */
	assert_non_null(strstr(plan, "1.00 to 2.00 USD an hour, 2.00 to 6.00 USD until its lease "
				     "ends; EXAMPLE prices as of 2020-01-01"));
	assert_non_null(strstr(plan, "2 x node (hour)  0.50 to 1.00 an hour"));
	assert_non_null(strstr(plan, "without the log store: \xE2\x88\x92"
				     "50 %, 1.00 to 3.00 USD with --param profile=no-logs"));
	assert_int_equal(world_envctl(world, &books, "cost", "prices", NULL), 0);
	assert_non_null(strstr(books, "EXAMPLE, old"));
	world_free(world);
}

static void a_price_that_changes_later_changes_nothing_of_what_was_accepted(void **state)
{
	struct world *world = open_world("100.00 USD");
	AUTO(json_decref) json_t *before = NULL, *after = NULL;
	AUTO(free) char *plan = NULL;
	char id[37];

	(void)state;
	world_create(world, "cloud", "early", "1h", id);
	before = bill_of(world, "early");
	priced_template_put_book(world, "2020-02-01", "5.00");
	after = bill_of(world, "early");
	assert_int_equal(json_get_int64(after, "high_microcents_per_hour", 0), 200000000);
	assert_true(json_equal(json_object_get(before, "quote"), json_object_get(after, "quote")));
	assert_int_equal(world_envctl(world, &plan, "create", "cloud", "--dry-run=server", NULL),
			 0);
	assert_non_null(strstr(plan, "1.00 to 20.00 USD an hour"));
	world_free(world);
}

static void what_no_budget_covers_is_refused_with_5_and_the_way_out_is_accepted(void **state)
{
	struct world *world = open_world("10.00 USD");
	AUTO(json_decref) json_t *refused = NULL, *longer = NULL;
	AUTO(free) char *ttl = NULL, *more = NULL;

	(void)state;
	assert_int_equal(
	    world_envctl(world, NULL, "--project=web", "create", "cloud", "--ttl", "20h", NULL), 5);
	refused = refusal(world, "POST", "/v1/environments?dry_run=true",
			  json_pack("{s:s, s:s}", "template", "cloud", "ttl", "20h"));
	assert_string_equal(json_get_string(refused, "code", ""), "quota_budget");
	ttl = named_between(json_get_string(refused, "hint", ""), "--ttl ", " fits");
	assert_int_equal(world_envctl(world, NULL, "--project=web", "create", "cloud", "--name",
				      "fits", "--ttl", ttl, NULL),
			 0);
	assert_int_equal(world_envctl(world, NULL, "--project=web", "extend", "fits", "50h", NULL),
			 5);
	longer = refusal(world, "PATCH", "/v1/environments/fits/lease",
			 json_pack("{s:s}", "extend", "50h"));
	more = named_between(json_get_string(longer, "hint", ""), "envctl extend fits ", " fits");
	assert_int_equal(world_envctl(world, NULL, "extend", "fits", more, NULL), 0);
	assert_true(number_of(world, "left_microcents") >= 0);
	world_free(world);
}

static pid_t ask_beside(struct world *world)
{
	AUTO(json_decref) json_t *wish = json_pack("{s:s, s:s}", "template", "cloud", "ttl", "1h");
	json_t *answer = NULL;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child > 0)
		return child;
	_exit(http_ask_json(world->socket, "POST", "/v1/environments", OF_WEB, wish, &answer) == 201
		  ? 1
		  : 0);
}

/* Each may take 2 h at 2.00; more fit only where the end of a month lies between. */
static int fitting(int64_t budget)
{
	int64_t now = clock_wall_ms();
	struct month month = month_of(now);
	const struct charge each = { 200000000, now, now + 2 * HOUR_MS };
	int64_t first = charge_in(&each, month), second = charge_in(&each, month_after(month));
	int64_t dearer = first > second ? first : second;

	return (int)(budget / dearer);
}

static void of_many_who_ask_at_once_only_those_are_accepted_whom_it_covers(void **state)
{
	struct world *world = open_world("12.50 USD");
	int accepted = 0, wanted = fitting(1250000000);
	pid_t asking[ASKING];

	(void)state;
	for (int i = 0; i < ASKING; i++)
		asking[i] = ask_beside(world);
	for (int i = 0; i < ASKING; i++) {
		int status;

		assert_int_equal(waitpid(asking[i], &status, 0), asking[i]);
		accepted += WEXITSTATUS(status);
	}
	assert_int_equal(accepted, wanted);
	assert_true(number_of(world, "left_microcents") >= 0);
	world_free(world);
}

static bool is_quarantined(void *arg)
{
	AUTO(json_decref)
	json_t *env = world_ask(arg, "GET", "/v1/environments/left", NULL, NULL);

	return json_get_bool(env, "quarantined", false);
}

/* While it is being tried right now it cannot be acknowledged. */
static bool is_acknowledged(void *arg)
{
	AUTO(json_decref) json_t *wish = json_pack("{s:s}", "name", "left");
	int status;

	json_decref(world_ask(arg, "POST", "/v1/environments/left/acknowledge", wish, &status));
	return status == 200;
}

static void assert_debt(struct world *world, int64_t microcents_per_hour, const char *why)
{
	AUTO(json_decref) json_t *row = spending(world, "web");
	const json_t *debts = json_object_get(row, "debts");
	AUTO(free) char *shown = NULL;

	assert_int_equal(json_get_int64(row, "debt_microcents_per_hour", -1), microcents_per_hour);
	assert_int_equal(json_array_size(debts), why != NULL);
	assert_int_equal(world_envctl(world, &shown, "cost", NULL), 0);
	assert_int_equal(text_starts_with(shown, "debts of project web: 2.00 USD an hour"),
			 why != NULL);
	if (why)
		assert_string_equal(json_get_string(json_array_get(debts, 0), "why", ""), why);
}

struct growth {
	struct world *world;
	int64_t spent;
};

static bool has_grown(void *arg)
{
	const struct growth *growth = arg;

	return number_of(growth->world, "spent_microcents") > growth->spent;
}

static int settle(struct world *world, const char *name)
{
	return world_envctl(world, NULL, "cost", "settle", name, NULL);
}

static void what_a_destroy_left_behind_counts_until_somebody_settles_it(void **state)
{
	struct world *world = open_world("1000.00 USD");
	AUTO(json_decref) json_t *before = NULL, *after = NULL;
	AUTO(free) char *history = NULL;
	int64_t spent;

	(void)state;
	assert_int_equal(world_envctl(world, NULL, "--project=web", "create", "cloud", "--name",
				      "left", "--param", "fake=destroy=leave", NULL),
			 0);
	assert_int_equal(settle(world, "left"), 1);
	assert_int_equal(
	    http_ask(world->socket, "DELETE", "/v1/environments/left", NULL, NULL, NULL), 202);
	assert_true(eventually(is_quarantined, world, 60000));
	assert_int_equal(number_of(world, "reserved_microcents"), 0);
	assert_debt(world, 200000000, "quarantined");
	assert_true(eventually(is_acknowledged, world, 60000));
	assert_debt(world, 200000000, "acknowledged");
	spent = number_of(world, "spent_microcents");
	assert_true(eventually(has_grown, &(struct growth){ world, spent }, 60000));

	assert_int_equal(settle(world, "left"), 0);
	assert_debt(world, 0, NULL);
	before = bill_of(world, "left");
	spent = number_of(world, "spent_microcents");
	assert_true(spent > 0);
	assert_int_equal(settle(world, "left"), 0);
	assert_int_equal(number_of(world, "spent_microcents"), spent);
	after = bill_of(world, "left");
	assert_true(json_equal(before, after));
	assert_int_equal(world_envctl(world, &history, "history", "left", NULL), 0);
	assert_non_null(strstr(history, "settled by"));
	world_free(world);
}

static void what_is_destroyed_gives_back_what_it_did_not_use(void **state)
{
	struct world *world = open_world("5.00 USD");
	AUTO(json_decref) json_t *bill = NULL;

	(void)state;
	assert_int_equal(
	    world_envctl(world, NULL, "--project=web", "create", "cloud", "--name", "first", NULL),
	    0);
	assert_true(number_of(world, "reserved_microcents") > 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "first", NULL), 0);
	bill = bill_of(world, "first");
	assert_int_equal(number_of(world, "reserved_microcents"), 0);
	assert_true(llabs(number_of(world, "spent_microcents") -
			  json_get_int64(bill, "so_far_microcents", -9)) <= 2);
	assert_int_equal(
	    world_envctl(world, NULL, "--project=web", "create", "cloud", "--name", "second", NULL),
	    0);
	world_free(world);
}

static void what_nobody_has_priced_is_refused_where_there_is_a_budget(void **state)
{
	struct world *world = open_world("1000.00 USD");
	AUTO(free) char *path = xasprintf("%s/prices/acme-2020-01-01.yaml", world->folder);
	AUTO(json_decref) json_t *refused = NULL;
	AUTO(free) char *plan = NULL;

	(void)state;
	assert_int_equal(remove(path), 0);
	refused =
	    refusal(world, "POST", "/v1/environments", json_pack("{s:s}", "template", "cloud"));
	assert_string_equal(json_get_string(refused, "code", ""), "quota_unpriced");
	assert_non_null(strstr(json_get_string(refused, "detail", ""),
			       "\"nodes\" of template \"cloud\" has no price: no price book of "
			       "acme here"));
	assert_int_equal(world_envctl(world, &plan, "--project=shop", "create", "cloud",
				      "--dry-run=server", NULL),
			 0);
	assert_non_null(strstr(plan, "no price: no price book of acme here"));
	assert_non_null(strstr(plan, "price       not known: none of its components has a price"));
	assert_null(strstr(plan, "0.00 USD"));
	world_free(world);
}

static void a_viewer_sees_what_its_own_project_spends(void **state)
{
	struct world *world = open_world("1000.00 USD");
	AUTO(free) char *token = NULL, *header = NULL;
	AUTO(json_decref) json_t *own = NULL, *other = NULL;

	(void)state;
	assert_int_equal(world_envctl(world, NULL, "--project=shop", "create", "cloud", "--name",
				      "theirs", NULL),
			 0);
	assert_int_equal(world_envctl(world, &token, "--project=web", "token", "create", "--role",
				      "viewer", "v", NULL),
			 0);
	token[strcspn(token, "\n")] = '\0';
	header = xasprintf("Authorization: Bearer %s\r\n", token);
	assert_int_equal(http_ask_json(world->socket, "GET", "/v1/spending", header, NULL, &own),
			 200);
	assert_int_equal(json_array_size(json_object_get(own, "items")), 1);
	assert_string_equal(
	    json_get_string(json_array_get(json_object_get(own, "items"), 0), "project", ""),
	    "web");
	assert_int_equal(
	    http_ask_json(world->socket, "GET", "/v1/spending?project=shop", header, NULL, &other),
	    403);
	json_decref(TAKE(other));
	assert_int_equal(http_ask_json(world->socket, "GET", "/v1/environments/theirs/cost", header,
				       NULL, &other),
			 403);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_plan_says_what_it_would_cost_by_component_and_what_would_be_cheaper),
		cmocka_unit_test(a_price_that_changes_later_changes_nothing_of_what_was_accepted),
		cmocka_unit_test(
		    what_no_budget_covers_is_refused_with_5_and_the_way_out_is_accepted),
		cmocka_unit_test(of_many_who_ask_at_once_only_those_are_accepted_whom_it_covers),
		cmocka_unit_test(what_a_destroy_left_behind_counts_until_somebody_settles_it),
		cmocka_unit_test(what_is_destroyed_gives_back_what_it_did_not_use),
		cmocka_unit_test(what_nobody_has_priced_is_refused_where_there_is_a_budget),
		cmocka_unit_test(a_viewer_sees_what_its_own_project_spends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
