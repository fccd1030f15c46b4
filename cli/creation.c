#include "cli/creation.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "cli/ci_variables.h"
#include "cli/environment_view.h"
#include "cli/follow.h"
#include "cli/interrupt.h"

/* Within the 7.5 s that a CI runner leaves us: one call to learn what was made, one to end it. */
enum { CLEANUP_CALL_MS = 2200 };

const char *const creation_on_timeouts[] = { "keep", "destroy", NULL };

void creation_release(struct creation *creation)
{
	json_decref(creation->request);
}

/* ---- the request ---- */

static bool add_pairs(json_t *request, const char *field, const char *what,
		      const struct option_list *pairs, struct error *err)
{
	json_t *map;

	if (!pairs->count)
		return true;
	map = json_object();
	json_object_set_new(request, field, map);
	for (size_t i = 0; i < pairs->count; i++) {
		char name[256];
		const char *value;

		if (!option_pair(pairs->items[i], what, name, sizeof(name), &value, err))
			return false;
		if (json_object_get(map, name))
			return error_set_as(err, ERR_INVALID, "option_value",
					    "%s gives \"%s\" twice", what, name);
		if (json_object_set_new(map, name, json_string(value)) < 0)
			return error_set_as(err, ERR_INVALID, "option_value",
					    "%s \"%s\" is not valid UTF-8", what, name);
	}
	return true;
}

static bool choose_key(struct creation *creation, struct error *err)
{
	const char *asked = creation->options->key;

	if (!asked) {
		creation->is_key_random = !ci_idempotency_key(creation->request, creation->key);
		return true;
	}
	if (strlen(asked) >= sizeof(creation->key))
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--idempotency-key is longer than %zu characters",
				    sizeof(creation->key) - 1);
	strcpy(creation->key, asked);
	return true;
}

static bool choose_name(struct creation *creation, struct error *err)
{
	const char *asked = creation->options->name;
	AUTO(free) char *name = asked ? xstrdup(asked) : ci_environment_name(creation->key);

	if (!name)
		return true;
	if (!name_check(name, "--name", err))
		return false;
	json_object_set_new(creation->request, "name", json_string(name));
	strcpy(creation->name, name);
	return true;
}

/* Every component at the version that it was built with, whatever its default is by now; the
 * template at its commit, wherever its branch is by now. */
static bool ask_for_the_same(struct creation *creation, struct error *err)
{
	const struct creation_options *options = creation->options;
	const json_t *lock = json_object_get(creation->like, "lock");
	const char *commit = json_get_string(json_object_get(lock, "source"), "commit", NULL);
	json_t *pins = json_object(), *component;
	const char *name;

	if (commit)
		json_object_set_new(creation->request, "template_ref", json_string(commit));
	json_object_set_new(creation->request, "pins", pins);
	json_object_set(creation->request, "parameters",
			json_object_get(creation->like, "parameters"));
	if (options->pins.count || options->parameters.count)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--like has its pins and parameters from the lock: --pin and "
				    "--param cannot be given too");
	json_object_foreach(json_object_get(lock, "components"), name, component) {
		json_object_set(pins, name, json_object_get(component, "version"));
	}
	return true;
}

bool creation_prepare(struct creation *creation, const char *template, struct error *err)
{
	const struct creation_options *options = creation->options;
	json_t *request = json_pack("{s:s}", "template", template);

	creation->request = request;
	if (!request)
		return error_set(err, ERR_INVALID, "the template's name is not valid UTF-8");
	if (options->template_ref &&
	    json_object_set_new(request, "template_ref", json_string(options->template_ref)) < 0)
		return error_set(err, ERR_INVALID, "--template-ref is not valid UTF-8");
	if (creation->like && !ask_for_the_same(creation, err))
		return false;
	if (options->ttl_ms >= 0) {
		bool is_whole = options->ttl_ms % 1000 == 0;
		AUTO(free)
		char *exact =
		    xasprintf("%lld%s", (long long)(options->ttl_ms / (is_whole ? 1000 : 1)),
			      is_whole ? "s" : "ms");

		json_object_set_new(request, "ttl", json_string(exact));
	}
	if (options->target &&
	    json_object_set_new(request, "target", json_string(options->target)) < 0)
		return error_set(err, ERR_INVALID, "--target is not valid UTF-8");
	if (options->keep)
		json_object_set_new(request, "keep", json_string(options->keep));
	return add_pairs(request, "pins", "--pin", &options->pins, err) &&
	       add_pairs(request, "parameters", "--param", &options->parameters, err) &&
	       add_pairs(request, "labels", "--label", &options->labels, err) &&
	       choose_key(creation, err) && choose_name(creation, err);
}

/* ---- sending it ---- */

void creation_announce(const struct creation *creation, const char *template)
{
	if (text_equal(creation->options->progress, "quiet") ||
	    text_equal(creation->cli->options.output, "json"))
		return;
	fprintf(stderr, "creating %s from %s (idempotency key %s)\n",
		creation->name[0] ? creation->name : "an environment", template, creation->key);
}

/* By the server's clock. A replay of our own first try, whose answer was lost, is ours; when in
 * doubt it is not: destroying what somebody uses is worse than leaving it to its lease. */
static bool was_made_since(const struct creation *creation, const struct api_answer *answer)
{
	struct error ignored; /* no time: in doubt */
	int64_t made_at_ms, ran_ms = clock_mono_ms() - creation->began_ms;

	return answer->server_at_ms &&
	       clock_parse(json_get_string(answer->json, "created_at", ""), &made_at_ms,
			   &ignored) &&
	       made_at_ms >= answer->server_at_ms - ran_ms - 1000;
}

static bool send_within(struct creation *creation, int64_t timeout_ms, json_t **environment,
			struct error *err)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "POST",
		.path = "/v1/environments",
		.body = creation->request,
		.idempotency_key = creation->key,
		.traceparent = getenv("TRACEPARENT"),
		.timeout_ms = timeout_ms ? timeout_ms : CREATE_CALL_MS,
		.is_single = timeout_ms != 0,
	};

	creation->was_sent = true;
	if (!api_call(creation->client, &request, &answer, err)) {
		/* A refusal made nothing; anything else may have. */
		creation->was_sent = error_is_transient(err) || err->code == ERR_TIMEOUT;
		return false;
	}
	creation->is_foreign =
	    answer.status == 200 && !creation->is_key_random && !was_made_since(creation, &answer);
	snprintf(creation->id, sizeof(creation->id), "%s", json_get_string(answer.json, "id", ""));
	snprintf(creation->name, sizeof(creation->name), "%s",
		 json_get_string(answer.json, "name", ""));
	*environment = TAKE(answer.json);
	return true;
}

bool creation_send(struct creation *creation, json_t **environment, struct error *err)
{
	return send_within(creation, 0, environment, err);
}

/* ---- ending what was made ---- */

static bool destroy_it(struct creation *creation, bool is_patient, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s", creation->id);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "DELETE",
		.path = path,
		.timeout_ms = is_patient ? 0 : CLEANUP_CALL_MS,
		.is_single = !is_patient,
	};

	return api_call(creation->client, &request, &answer, err);
}

/* Interrupted before the answer came: the same request under the same key says what there is. */
static bool learn_what_was_made(struct creation *creation, struct error *err)
{
	AUTO(json_decref) json_t *environment = NULL;

	if (creation->id[0])
		return true;
	return send_within(creation, CLEANUP_CALL_MS, &environment, err);
}

static void could_not_destroy(const struct creation *creation, const struct error *err)
{
	const char *name = creation->name[0] ? creation->name : "NAME";

	fprintf(stderr,
		"could not ask for env/%s to be destroyed: %s; its lease ends it, or run: "
		"envctl destroy %s\n",
		name, err->message, name);
}

/* Until it is asked for, or until there is no use in asking. */
static void end_it(struct creation *creation, bool is_patient)
{
	struct error err;

	if (creation->is_foreign) {
		fprintf(stderr, "env/%s was made before by another command: left as it is\n",
			creation->name);
		return;
	}
	if (!destroy_it(creation, is_patient, &err)) {
		if (is_patient && interrupt_signal())
			creation_clean_up(creation);
		else
			could_not_destroy(creation, &err);
		return;
	}
	fprintf(stderr, "destroying env/%s on the server; its lease is the backstop\n",
		creation->name);
}

void creation_clean_up(struct creation *creation)
{
	struct error err;

	if (!creation->was_sent)
		return;
	if (creation->is_kept_on_interrupt) {
		fprintf(stderr, "%s goes on without us: envctl wait %s\n", creation->name,
			creation->name);
		return;
	}
	/* The interrupt that brought us here must not end these calls too. */
	api_client_set_wake_fd(creation->client, -1);
	if (!learn_what_was_made(creation, &err))
		could_not_destroy(creation, &err);
	else
		end_it(creation, false);
}

void creation_end(struct creation *creation)
{
	if (interrupt_signal())
		creation_clean_up(creation);
	else
		end_it(creation, true);
}

/* ---- waiting ---- */

static bool is_over(void *arg, const json_t *environment)
{
	(void)arg;
	return environment_is_in(environment, "ready") || environment_is_ending(environment);
}

static bool gave_up(struct creation *creation, struct error *err)
{
	const char *name = creation->name;
	struct error failed;

	if (!text_equal(err->slug, "timed_out"))
		return false;
	if (text_equal(creation->options->on_timeout, "keep"))
		return error_hint(err, "it is still being built: envctl wait %s --for ready", name);
	if (!destroy_it(creation, false, &failed))
		return error_hint(err, "and it could not be destroyed: %s", failed.message);
	return error_hint(err, "it is being destroyed: envctl wait %s --for destroyed", name);
}

bool creation_wait(struct creation *creation, json_t **environment, struct error *err)
{
	AUTO(progress_free)
	struct progress *progress = progress_new(creation->options->progress, &creation->cli->err);
	AUTO(free) char *what = xasprintf("\"%s\" to be ready", creation->name);
	AUTO(json_decref) json_t *last = NULL;
	struct follow follow = {
		.client = creation->client,
		.progress = progress,
		.environment = creation->id,
		.what = what,
		.timeout_ms = creation->options->timeout_ms,
		.is_over = is_over,
	};

	if (!follow_until(&follow, &last, err)) {
		progress_end(progress);
		return gave_up(creation, err);
	}
	progress_end(progress);
	json_decref(*environment);
	*environment = TAKE(last);
	return environment_is_in(*environment, "ready") ||
	       environment_failure(creation->cli, *environment, err);
}
