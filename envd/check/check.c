#include "check/check.h"

#include "base/clock.h"
#include "check/address_guard.h"
#include "check/load.h"
#include "check/scope.h"
#include "check/smoke.h"
#include "model/check_plan_read.h"
#include "wire/check_json.h"

/* Every name in the plan has a value here, or nothing is run. */
static bool check_names(const struct check_request *request, struct error *err)
{
	const struct scope_source source = { request->outputs, request->addresses,
					     request->environment_id, request->environment_name };
	AUTO(scope_free) struct scope *scope = scope_new(&source);
	AUTO(scope_names_free) char **names = scope_names(scope);

	return check_plan_check_names(request->plan, (const char *const *)names, err);
}

/* Hosts that only the environment itself can name; freed with check_texts_free(). */
static bool fill_allowed(const struct check_request *request, char ***allowed, struct error *err)
{
	const struct scope_source source = { request->outputs, request->addresses,
					     request->environment_id, request->environment_name };
	AUTO(scope_free) struct scope *scope = scope_new(&source);
	char **given = request->plan->allow;
	size_t count = 0;

	while (given[count])
		count++;
	*allowed = xcalloc(count + 1, sizeof(**allowed));
	for (size_t i = 0; i < count; i++) {
		if (scope_fill(scope, given[i], &(*allowed)[i], err))
			continue;
		check_texts_free(*allowed);
		return false;
	}
	return true;
}

static void run_loads(const struct check_request *request, struct address_guard *guard,
		      struct check_report *report)
{
	const struct check_plan *plan = request->plan;

	report->load = xcalloc(plan->load_count, sizeof(*report->load));
	for (size_t i = 0; i < plan->load_count; i++) {
		struct load_result *result = &report->load[report->load_count++];

		if (request->lines)
			worker_say_progress(request->lines, "load check %s", plan->load[i].name);
		load_run(request, guard, &plan->load[i], result);
		if (request->lines)
			worker_say_check(request->lines, result->name, "load",
					 result->verdict == VERDICT_PASSED   ? "passed"
					 : result->verdict == VERDICT_FAILED ? "failed"
									     : "error",
					 result->message);
	}
}

bool check_run(const struct check_request *request, json_t **report, struct error *err)
{
	AUTO(address_guard_free) struct address_guard *guard = NULL;
	AUTO(check_report_free) struct check_report *found = NULL;
	int64_t start_mono_ms = clock_mono_ms();
	char **allowed;

	if (!check_names(request, err) || !fill_allowed(request, &allowed, err))
		return false;
	guard = address_guard_new(request->addresses, request->outputs,
				  (const char *const *)allowed, request->is_trusted);
	check_texts_free(allowed);
	if (request->cluster)
		address_guard_add_url(guard, request->cluster->server);
	found = xcalloc(1, sizeof(*found));
	found->id = xstrdup(request->run_id);
	found->environment_id = xstrdup(request->environment_id);
	found->environment_name = xstrdup(request->environment_name);
	found->plan = xstrdup(request->plan->name);
	found->started_at_ms = clock_wall_ms();
	if (request->run_smoke)
		smoke_run(request, guard, found);
	/* How fast something wrong is says nothing. */
	if (request->run_load && verdict_of_report(found) == VERDICT_PASSED)
		run_loads(request, guard, found);
	found->verdict = verdict_of_report(found);
	found->duration_ms = clock_mono_ms() - start_mono_ms;
	*report = check_report_json(found);
	return true;
}
