#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "check/check.h"
#include "model/template.h"
#include "worker/task.h"

static bool plan_of_template(const struct request *request, struct check_plan **plan,
			     struct error *err)
{
	const char *folder = request->engine_request.template_folder;
	AUTO(template_free) struct template *template = NULL;
	AUTO(free) char *path = NULL;
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!folder)
		return error_set(err, ERR_NOT_FOUND,
				 "the template of this environment is not there");
	if (!template_load(folder, NULL, &template, err))
		return false;
	if (!template->checks)
		return error_set_as(err, ERR_INVALID, "no_checks",
				    "template \"%s\" has no checks, and the request brings none",
				    template->name);
	path = path_join(folder, template->checks);
	return file_read(path, CHECK_PLAN_BYTES_MAX, &bytes, &length, err) &&
	       check_plan_parse(bytes, length, template->checks, plan, err);
}

static bool read_plan(const struct request *request, const json_t *check, struct check_plan **plan,
		      struct error *err)
{
	if (json_has(check, "plan"))
		return check_plan_from_json(json_object_get(check, "plan"), "plan", plan, err);
	return plan_of_template(request, plan, err);
}

static bool run_inside(void *arg, const char *service, const char *const *argv,
		       int64_t time_limit_ms, int *status, char **output, struct error *err)
{
	const struct request *request = arg;
	struct engine_exec_result result;

	if (!request->engine->exec(&request->engine_request, service, argv, time_limit_ms, &result,
				   err))
		return false;
	*status = result.status;
	*output = result.output;
	return true;
}

static bool has_suite(const json_t *check, const char *name)
{
	const json_t *suites = json_object_get(check, "suites");

	for (size_t i = 0; i < json_array_size(suites); i++) {
		const char *suite = json_string_value(json_array_get(suites, i));

		if (suite && strcmp(suite, name) == 0)
			return true;
	}
	return false;
}

/* With the whole environment's login: for who wrote the template, and nobody else. Without one the
 * steps that need it say so. */
static const struct kube_access *log_in(const struct request *request, bool is_trusted,
					struct kube_access *access, struct worker_lines *lines)
{
	struct error failure;

	if (!is_trusted || !request->engine->cluster)
		return NULL;
	if (request->engine->cluster(&request->engine_request, access, &failure))
		return access;
	if (!text_equal(failure.slug, "no_cluster"))
		worker_say_log(lines, "warn", "cluster: %s", failure.message);
	return NULL;
}

bool task_check(const struct request *request, struct worker_lines *lines, json_t **data,
		struct error *err)
{
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	AUTO(kube_access_release) struct kube_access access = { .server = NULL };
	AUTO(json_decref) json_t *report = NULL;
	const json_t *check;
	struct check_request run;
	bool is_trusted;

	if (!json_read_object(request->json, "check", &check, err) ||
	    !read_plan(request, check, &plan, err))
		return false;
	/* A plan that came with a request may reach no further than the environment itself. */
	is_trusted = request->engine_request.is_trusted && !json_has(check, "plan");
	run = (struct check_request){
		.plan = plan,
		.parameters = request->engine_request.parameters,
		.outputs = json_object_get(check, "outputs"),
		.addresses = json_object_get(check, "addresses"),
		.cluster = log_in(request, is_trusted, &access, lines),
		.is_trusted = is_trusted,
		.run_smoke = has_suite(check, "smoke"),
		.run_load = has_suite(check, "load"),
		.run_id = json_get_string(check, "run", ""),
		.environment_id = request->engine_request.environment.text,
		.environment_name = request->engine_request.environment_name,
		.lines = lines,
		.deadline_at_ms = request->engine_request.deadline_at_ms,
		.exec = request->engine->exec ? run_inside : NULL,
		.exec_arg = (void *)(uintptr_t)request,
	};
	if (!check_run(&run, &report, err))
		return false;
	*data = json_pack("{s:s, s:O}", "verdict",
			  json_get_string(report, "verdict", "inconclusive"), "report", report);
	return true;
}
