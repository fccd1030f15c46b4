/* kube: are the workloads of some namespaces there and available, and has anything just restarted?
 */

#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "check/step.h"

#define PROBLEMS_BYTES_MAX 120

struct seen_kube {
	const struct check_kube *plan;
	int64_t ready, unready, restarted;
	struct text unready_ones, restarted_ones; /* and why */
	int64_t duration_us;
};

static void release(void *seen)
{
	struct seen_kube *kube = seen;

	text_release(&kube->unready_ones);
	text_release(&kube->restarted_ones);
	free(kube);
}
DEFINE_AUTO(struct seen_kube *, release)

/* One GET of the API. */
static bool get(struct scenario *scenario, const char *path, int64_t until_mono_ms, json_t **json,
		struct error *err)
{
	char method[] = "GET", base[] = "cluster:";
	AUTO(free) char *own_path = xstrdup(path);
	const struct check_http http = { .method = method, .base = base, .path = own_path };
	int64_t left_ms = until_mono_ms - clock_mono_ms();
	struct http_response *response = &scenario->exchange->response;

	if (!http_exchange_perform(scenario->exchange, &http, scenario->scope,
				   left_ms > 1 ? left_ms : 1, err))
		return false;
	if (response->status != 200)
		return error_set(err, ERR_EXTERNAL, "the cluster answered %s with status %ld", path,
				 response->status);
	/* Objects of others: their depth is not ours to bound. */
	*json = json_loads(text_get(&response->body), 0, NULL);
	return *json || error_set(err, ERR_EXTERNAL, "the cluster's answer is no JSON");
}

static void note(struct text *problems, const char *namespace, const char *name, const char *why)
{
	if (problems->length < PROBLEMS_BYTES_MAX)
		text_format(problems, "%s%.40s/%.60s: %s", problems->length ? "; " : "", namespace,
			    name, why);
}

static bool is_ignored(const struct seen_kube *kube, const char *name)
{
	for (char *const *one = kube->plan->ignore; *one; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

/* ---- workloads ----------------------------------------------------------------------------- */

/* How many there should be, and how many of today's there are (Kubernetes API, apps/v1). */
static void count_copies(const json_t *item, const char *kind, int64_t *wanted, int64_t *ready)
{
	const json_t *status = json_object_get(item, "status");
	int64_t generation = json_get_int64(json_object_get(item, "metadata"), "generation", 0);
	int64_t updated;

	if (strcmp(kind, "daemonsets") == 0) {
		*wanted = json_get_int64(status, "desiredNumberScheduled", 0);
		*ready = json_get_int64(status, "numberAvailable", 0);
		updated = json_get_int64(status, "updatedNumberScheduled", 0);
	} else {
		*wanted = json_get_int64(json_object_get(item, "spec"), "replicas", 1);
		*ready = json_get_int64(
		    status,
		    strcmp(kind, "deployments") == 0 ? "availableReplicas" : "readyReplicas", 0);
		updated = json_get_int64(status, "updatedReplicas", 0);
	}
	if (updated < *ready)
		*ready = updated;
	/* Its controller has not seen the newest wish yet. */
	if (json_get_int64(status, "observedGeneration", 0) < generation)
		*ready = 0;
}

static void judge_workload(struct seen_kube *kube, const json_t *item, const char *kind,
			   const char *namespace)
{
	const char *name = json_get_string(json_object_get(item, "metadata"), "name", "?");
	int64_t wanted, ready;
	char why[60];

	if (is_ignored(kube, name))
		return;
	count_copies(item, kind, &wanted, &ready);
	if (ready >= wanted) {
		kube->ready++;
		return;
	}
	kube->unready++;
	snprintf(why, sizeof(why), "%lld of %lld available", (long long)ready, (long long)wanted);
	note(&kube->unready_ones, namespace, name, why);
}

static bool look_at_workloads(struct scenario *scenario, struct seen_kube *kube,
			      const char *namespace, int64_t until_mono_ms, struct error *err)
{
	static const char *const kinds[] = { "deployments", "statefulsets", "daemonsets" };
	int64_t before = kube->ready + kube->unready;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		AUTO(free)
		char *path = xasprintf("/apis/apps/v1/namespaces/%s/%s", namespace, kinds[i]);
		AUTO(json_decref) json_t *list = NULL;
		json_t *item;
		size_t k;

		if (!get(scenario, path, until_mono_ms, &list, err))
			return false;
		json_array_foreach(json_object_get(list, "items"), k, item)
			judge_workload(kube, item, kinds[i], namespace);
	}
	/* What was never made is not ready because nothing says that it is not. */
	if (kube->ready + kube->unready == before) {
		kube->unready++;
		note(&kube->unready_ones, namespace, "*", "no workloads");
	}
	return true;
}

/* ---- restarts ------------------------------------------------------------------------------ */

static bool has_just_ended(const json_t *container, int64_t since_ms)
{
	const json_t *last = json_object_get(json_object_get(container, "lastState"), "terminated");
	struct error ignored;
	int64_t at_ms;

	return clock_parse(json_get_string(last, "finishedAt", ""), &at_ms, &ignored) &&
	       at_ms >= since_ms;
}

static bool look_at_pods(struct scenario *scenario, struct seen_kube *kube, const char *namespace,
			 int64_t until_mono_ms, struct error *err)
{
	AUTO(free) char *path = xasprintf("/api/v1/namespaces/%s/pods", namespace);
	int64_t since_ms = clock_wall_ms() - kube->plan->restarts_within_ms;
	AUTO(json_decref) json_t *list = NULL;
	json_t *pod, *container;
	size_t i, k;

	if (!get(scenario, path, until_mono_ms, &list, err))
		return false;
	json_array_foreach(json_object_get(list, "items"), i, pod)
		json_array_foreach(
		    json_object_get(json_object_get(pod, "status"), "containerStatuses"), k,
		    container) {
			if (!has_just_ended(container, since_ms))
				continue;
			kube->restarted++;
			note(&kube->restarted_ones, namespace,
			     json_get_string(json_object_get(pod, "metadata"), "name", "?"),
			     json_get_string(container, "name", "?"));
		}
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool look_at_namespace(struct scenario *scenario, struct seen_kube *kube, const char *text,
			      int64_t until_mono_ms, struct error *err)
{
	AUTO(free) char *namespace = NULL;

	if (!scope_fill(scenario->scope, text, &namespace, err))
		return false;
	if (!*namespace || namespace[strspn(namespace, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return error_set(err, ERR_INVALID, "\"%.60s\" is no name of a namespace",
				 namespace);
	return look_at_workloads(scenario, kube, namespace, until_mono_ms, err) &&
	       look_at_pods(scenario, kube, namespace, until_mono_ms, err);
}

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	AUTO(release) struct seen_kube *kube = xcalloc(1, sizeof(*kube));
	int64_t start_us = clock_mono_us(), until_mono_ms = clock_mono_ms() + time_limit_ms;

	kube->plan = &step->kube;
	for (char *const *one = step->kube.namespaces; *one; one++)
		if (!look_at_namespace(scenario, kube, *one, until_mono_ms, err))
			return false;
	kube->duration_us = clock_mono_us() - start_us;
	*seen = TAKE(kube);
	return true;
}

static struct observed with_note(int64_t number, const struct text *problems)
{
	struct observed seen = observed_number(number);

	if (problems->length)
		seen.note = xstrdup(text_get(problems));
	return seen;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_kube *kube = seen;

	if (strcmp(subject, "workloads.total") == 0)
		return observed_number(kube->ready + kube->unready);
	if (strcmp(subject, "workloads.ready") == 0)
		return with_note(kube->ready, &kube->unready_ones);
	if (strcmp(subject, "workloads.unready") == 0)
		return with_note(kube->unready, &kube->unready_ones);
	if (strcmp(subject, "pods.restarted") == 0)
		return with_note(kube->restarted, &kube->restarted_ones);
	return observed_duration(kube->duration_us);
}

const struct step_kind step_kube = { perform, look, release };
