#include "control/job_request.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "control/engine_traits.h"
#include "control/placement.h"
#include "control/source_request.h"

enum {
	QUESTION_GRACE_MS = 10000,
	EVIDENCE_GRACE_MS = 500, /* it only reads: nothing is lost by ending it */
	REPORT_BYTES_MAX = 2 << 20,
};

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *target_json(const struct target *target)
{
	json_t *json =
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "name", target->name, "engine",
		      target->engine, "socket", text_or_null(target->socket), "certificates",
		      text_or_null(target->certificates), "program", text_or_null(target->program),
		      "publish_address", target->publish_address, "advertised",
		      text_or_null(target->advertised));

	if (target->is_listed) {
		json_object_set(json, "labels", target->labels);
		json_object_set_new(json, "kubeconfig", text_or_null(target->kubeconfig));
		/* Where they are; what they are, only the worker looks. */
		json_object_set_new(json, "credentials",
				    target->credentials ? json_incref(target->credentials)
							: json_object());
	}
	return json;
}

/* It ends before whoever waits for it gives it up. */
static int64_t evidence_left_ms(const struct environment *env, int64_t now)
{
	int64_t left = env->evidence_until_ms - now - EVIDENCE_GRACE_MS - 500;

	return left > 1000 ? left : 1000;
}

/* How long this one may take: never past what the whole of it was given. */
static int64_t deadline_ms(const struct control *control, const struct environment *env,
			   const char *kind)
{
	int64_t now = clock_wall_ms(), wall = env->hard_wall_at_ms - now, limit;

	if (strcmp(kind, "destroy") == 0 || strcmp(kind, "vacate") == 0)
		return control->settings->destroy_limit_ms;
	if (strcmp(kind, "evidence") == 0)
		return evidence_left_ms(env, now);
	if (strcmp(kind, "check") == 0)
		limit = control->settings->check_limit_ms;
	else
		limit = env->provisioning_at_ms + env->provision_limit_ms - now;
	limit = limit < wall ? limit : wall;
	return limit > 1000 ? limit : 1000;
}

/* `grace` is between asking the task to end and ending it. */
static json_t *limits_json(int64_t deadline, int64_t grace, const char *engine)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "deadline_ms", (json_int_t)deadline,
			 "silence_ms", (json_int_t)deadline, "output_bytes_max",
			 (json_int_t)64 << 20, "memory_bytes_max",
			 (json_int_t)engine_traits_of(engine)->memory_bytes_max, "stop_grace_ms",
			 (json_int_t)grace);
}

static json_t *check_json(const struct environment *env, const struct check_run *run)
{
	return json_pack("{s:s, s:O, s:o, s:O, s:O, s:I}", "run", run->id, "suites", run->suites,
			 "plan", run->plan ? json_incref(run->plan) : json_null(), "outputs",
			 env->outputs, "addresses", env->addresses, "lease_ms",
			 (json_int_t)env->lease_ms);
}

/* A checkout is of one of them; which one only the engine's own file says. */
static json_t *sources_json(const struct settings *settings)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < settings->source_count; i++)
		json_array_append_new(sources,
				      source_request(settings, &settings->sources[i], NULL));
	return sources;
}

static json_t *base_request(const struct control *control, const struct environment *env,
			    const struct target *target, const char *job, const char *task,
			    int64_t deadline, int64_t grace)
{
	AUTO(free) char *folder = environment_folder(control, env->id);
	json_t *request = json_pack(
	    "{s:i, s:s, s:s, s:s, s:{s:s, s:s, s:I, s:I}, s:s, s:{s:s, s:s, s:s, s:b}, s:O, s:O,"
	    " s:s, s:o, s:o, s:b}",
	    "protocol", 1, "job", job, "task", task, "instance", store_instance(control->store),
	    "environment", "id", env->id.text, "name", env->name, "sequence",
	    (json_int_t)env->sequence, "hard_wall_s", (json_int_t)(env->hard_wall_at_ms / 1000),
	    "folder", folder, "template", "name", env->template_name, "folder",
	    env->template_folder, "digest", env->template_digest, "trusted", env->is_trusted,
	    "pins", env->pins, "parameters", env->parameters, "engine", env->engine, "target",
	    target_json(target), "limits", limits_json(deadline, grace, env->engine),
	    "untrusted_registry_credentials", control->settings->untrusted_registry_credentials);

	if (env->source)
		json_object_set(json_object_get(request, "template"), "source", env->source);
	if (engine_traits_of(env->engine)->takes_sources)
		json_object_set_new(request, "sources", sources_json(control->settings));
	return request;
}

/* The claim by which it may act there. */
static bool add_claim(const struct control *control, const struct environment *env, json_t *request,
		      struct error *err)
{
	json_t *fence;

	if (!placement_fence(control, env, &fence, err))
		return false;
	if (fence)
		json_object_set_new(json_object_get(request, "target"), "claim", fence);
	return true;
}

static const struct target *target_of(const struct control *control, const struct environment *env,
				      struct error *err)
{
	const struct target *target = settings_target_named(control->settings, env->target);

	if (!target)
		error_set_as(err, ERR_UNAVAILABLE, "target_unknown",
			     "target \"%s\" of environment \"%s\" is not configured any more",
			     env->target, env->name);
	return target;
}

/* A request has a bound: of a longer history the newest part goes along. */
static void shorten_report(json_t *report)
{
	json_t *history = json_object_get(report, "history");
	size_t half = json_array_size(history) / 2;

	while (half && json_dumpb(report, NULL, 0, JSON_COMPACT) > REPORT_BYTES_MAX) {
		for (size_t i = 0; i < half; i++)
			json_array_remove(history, 0);
		half = json_array_size(history) / 2;
	}
}

static bool add_evidence(const struct control *control, const struct environment *env,
			 json_t *request, struct error *err)
{
	const struct settings *settings = control->settings;
	json_t *report = NULL;

	if (control->make_report &&
	    !control->make_report(control->make_report_arg, env, &report, err))
		return false;
	if (report)
		shorten_report(report);
	json_object_set_new(request, "evidence",
			    json_pack("{s:s, s:I, s:I, s:o}", "folder", control->evidence_folder,
				      "bytes_max", (json_int_t)settings->evidence_mib << 20,
				      "total_bytes_max",
				      (json_int_t)settings->evidence_total_mib << 20, "report",
				      report ? report : json_object()));
	return true;
}

bool job_request_make(const struct control *control, const struct environment *environment,
		      const struct job_row *job, const struct check_run *run, json_t **request,
		      struct error *err)
{
	const struct target *target = target_of(control, environment, err);
	bool is_evidence = strcmp(job->kind, "evidence") == 0;
	int64_t grace = engine_traits_of(environment->engine)->stop_grace_ms;

	if (!target)
		return false;
	*request = base_request(control, environment, target, job->id.text, job->kind,
				deadline_ms(control, environment, job->kind),
				is_evidence ? EVIDENCE_GRACE_MS : grace);
	if (run)
		json_object_set_new(*request, "check", check_json(environment, run));
	if (add_claim(control, environment, *request, err) &&
	    (!is_evidence || add_evidence(control, environment, *request, err)))
		return true;
	json_decref(*request);
	return false;
}

bool job_request_question(const struct control *control, const struct environment *environment,
			  const char *task, bool is_open_ended, json_t **request, struct error *err)
{
	const struct target *target = target_of(control, environment, err);

	if (!target)
		return false;
	*request = base_request(control, environment, target, "", task,
				is_open_ended ? 0 : JOB_QUESTION_MS, QUESTION_GRACE_MS);
	if (add_claim(control, environment, *request, err))
		return true;
	json_decref(*request);
	return false;
}

static json_t *words_json(char *const *words)
{
	json_t *json = json_array();

	for (size_t i = 0; words && words[i]; i++)
		json_array_append_new(json, json_string(words[i]));
	return json;
}

json_t *job_request_target(const char *instance, const struct target *target, const char *task)
{
	json_t *json = target_json(target);

	json_object_set_new(json, "inventory", words_json(target->inventory));
	json_object_set_new(json, "clean", words_json(target->clean));
	return json_pack("{s:i, s:s, s:s, s:s, s:n, s:n, s:n, s:{}, s:{}, s:s, s:o, s:o}",
			 "protocol", 1, "job", "", "task", task, "instance", instance,
			 "environment", "folder", "template", "pins", "parameters", "engine",
			 target->engine, "target", json, "limits",
			 limits_json(JOB_QUESTION_MS, QUESTION_GRACE_MS, target->engine));
}

char *environment_folder(const struct control *control, struct env_id id)
{
	return path_join(control->environments_folder, id.text);
}
