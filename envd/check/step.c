#include "check/step.h"

#include <stdarg.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/json_subject.h"
#include "model/pattern.h"

struct scenario *scenario_new(const struct check_request *request, struct address_guard *guard)
{
	struct scenario *scenario = xcalloc(1, sizeof(*scenario));
	const struct scope_source source = { request->outputs, request->addresses,
					     request->environment_id, request->environment_name };

	scenario->request = request;
	scenario->guard = guard;
	scenario->scope = scope_new(&source);
	scenario->exchange = http_exchange_new(guard);
	scenario->exchange->cluster = request->cluster;
	return scenario;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	http_exchange_free(scenario->exchange);
	scope_free(scenario->scope);
	free(scenario);
}

void scenario_clear(struct scenario *scenario)
{
	scope_clear(scenario->scope);
	http_exchange_clear_cookies(scenario->exchange);
}

/* ---- http: its subjects reach beyond one response, to the jar and the captures --------------- */

static bool perform_http(struct scenario *scenario, const struct check_step *step,
			 int64_t time_limit_ms, void **seen, struct error *err)
{
	if (!http_exchange_perform(scenario->exchange, &step->http, scenario->scope, time_limit_ms,
				   err))
		return false;
	*seen = scenario->exchange;
	return true;
}

static struct observed look_http(const void *seen, const char *subject)
{
	/* The exchange is the scenario's own, and not const: JSON is parsed when first asked for.
	 */
	struct http_exchange *exchange = (struct http_exchange *)(uintptr_t)seen;

	if (text_starts_with(subject, "jar.")) {
		AUTO(free)
		char *value = http_exchange_jar_cookie(exchange, subject + strlen("jar."));
		struct observed cookie = observed_text(value);

		cookie.is_secret = true;
		return cookie;
	}
	return http_response_look(&exchange->response, subject);
}

static void keep(void *seen)
{
	(void)seen;
}

static const struct step_kind step_http = { perform_http, look_http, keep };

static const struct step_kind *const kinds[] = {
	[CHECK_HTTP] = &step_http, [CHECK_TLS] = &step_tls,   [CHECK_TCP] = &step_tcp,
	[CHECK_DNS] = &step_dns,   [CHECK_EXEC] = &step_exec, [CHECK_PROMETHEUS] = &step_prometheus,
	[CHECK_KUBE] = &step_kube,
};

/* ---- subjects that every kind has ---------------------------------------------------------- */

struct view {
	struct scenario *scenario;
	const struct step_kind *kind;
	const void *seen;
};

static struct observed look_captured(const struct scope *scope, const char *name)
{
	bool is_secret;
	const char *text = scope_captured(scope, name, &is_secret);
	struct observed seen = text ? observed_text(text) : observed_nothing("it was not captured");

	seen.is_secret = is_secret;
	return seen;
}

/* "token.exp": the cookie of this response, of the jar, or a capture. */
static struct observed look_jwt(const struct scenario *scenario, const char *subject)
{
	size_t length = strcspn(subject, ".");
	AUTO(free) char *name = xstrndup(subject, length);
	AUTO(free) char *token = http_response_cookie(&scenario->exchange->response, name);
	bool is_secret;
	const char *captured = scope_captured(scenario->scope, name, &is_secret);

	if (!token && captured)
		token = xstrdup(captured);
	if (!token)
		token = http_exchange_jar_cookie(scenario->exchange, name);
	return jwt_subject(token, subject + length + (subject[length] == '.'));
}

static struct observed look(void *arg, const char *subject)
{
	const struct view *view = arg;

	if (text_starts_with(subject, "captured."))
		return look_captured(view->scenario->scope, subject + strlen("captured."));
	if (text_starts_with(subject, "jwt."))
		return look_jwt(view->scenario, subject + strlen("jwt."));
	return view->kind->look(view->seen, subject);
}

static char *name_value(void *arg, const char *name)
{
	const struct view *view = arg;

	return scope_value(view->scenario->scope, name);
}

static void hide_secrets(void *arg, char *text)
{
	const struct view *view = arg;

	scope_redact(view->scenario->scope, text);
}

static struct observer observer_of(struct view *view, bool tells_only_what_fails)
{
	return (struct observer){ .look = look,
				  .name_value = name_value,
				  .hide_secrets = hide_secrets,
				  .arg = view,
				  .now_ms = clock_wall_ms(),
				  .tells_only_what_fails = tells_only_what_fails };
}

/* ---- captures ------------------------------------------------------------------------------ */

static bool cut_out(const struct check_capture *capture, char **text)
{
	regmatch_t groups[2];
	char *part;

	if (!capture->match)
		return true;
	if (!pattern_matches(&capture->regex, *text, strlen(*text), groups, 2))
		return false;
	if (groups[1].rm_so < 0)
		groups[1] = groups[0];
	part = xstrndup(*text + groups[1].rm_so, (size_t)(groups[1].rm_eo - groups[1].rm_so));
	free(*text);
	*text = part;
	return true;
}

static bool decode(char **text)
{
	char *decoded;
	size_t length;

	if (!base64_decode(*text, &decoded, &length))
		return false;
	free(*text);
	*text = decoded;
	return true;
}

/* False: there was nothing to capture; `why` says so. */
static bool take_capture(struct view *view, const struct check_capture *capture, char *why,
			 size_t why_size)
{
	AUTO(observed_release) struct observed seen = look(view, capture->subject);
	AUTO(free) char *text = observed_to_text(&seen);

	if (!text)
		snprintf(why, why_size, "nothing%s%s%s", seen.note ? " (" : "",
			 seen.note ? seen.note : "", seen.note ? ")" : "");
	else if (capture->is_base64 && !decode(&text))
		snprintf(why, why_size, "something that is no base64");
	else if (!cut_out(capture, &text))
		snprintf(why, why_size, "no match for '%.100s'", capture->match);
	else {
		scope_capture(view->scenario->scope, capture->name, text,
			      seen.is_secret || capture->is_base64);
		return true;
	}
	return false;
}

/* ---- findings ------------------------------------------------------------------------------ */

void step_findings_clear(struct step_findings *findings)
{
	step_findings_cut(findings, 0);
	free(findings->results);
	*findings = (struct step_findings){ 0 };
}

void step_findings_cut(struct step_findings *findings, size_t count)
{
	while (findings->count > count) {
		struct expectation_result *last = &findings->results[--findings->count];

		free(last->text);
		free(last->saw);
	}
	findings->message[0] = '\0';
}

static void add_result(struct step_findings *findings, const char *text, const char *saw,
		       bool is_met, bool is_warning)
{
	findings->results =
	    xrealloc(findings->results, findings->count + 1, sizeof(*findings->results));
	findings->results[findings->count++] =
	    (struct expectation_result){ .text = xstrdup(text),
					 .saw = xstrdup(saw),
					 .is_met = is_met,
					 .is_warning = is_warning };
}

/* "step 2, GET /home: ": path as written, because what was filled in may be a secret. */
static void label(const struct check_step *step, size_t number, char *into, size_t size)
{
	size_t used = 0;

	*into = '\0';
	if (number)
		used = (size_t)snprintf(into, size, "step %zu, ", number);
	if (step->kind == CHECK_HTTP)
		snprintf(into + used, size - used, "%s %.100s: ", step->http.method,
			 step->http.path);
	else
		snprintf(into + used, size - used, "%s: ", check_kind_name(step->kind));
}

static void say(struct step_findings *findings, const struct check_step *step, size_t number,
		const char *format, ...) PRINTF_LIKE(4, 5);

/* The first thing that is said stays. */
static void say(struct step_findings *findings, const struct check_step *step, size_t number,
		const char *format, ...)
{
	char where[160];
	size_t used;
	va_list args;

	if (*findings->message)
		return;
	label(step, number, where, sizeof(where));
	used = (size_t)snprintf(findings->message, sizeof(findings->message), "%s", where);
	va_start(args, format);
	vsnprintf(findings->message + used, sizeof(findings->message) - used, format, args);
	va_end(args);
}

/* ---- judging ------------------------------------------------------------------------------- */

/* Who is not let in will not be let in by knocking again. */
static bool is_locked_out(const struct view *view, const struct check_expectation *expectation)
{
	long status = view->scenario->exchange->response.status;

	return view->kind == &step_http && (status == 401 || status == 403) &&
	       strcmp(expectation_subject(expectation->that), "status") == 0;
}

static enum step_outcome judge_one(struct view *view, const struct observer *observer,
				   const struct check_step *step, size_t number,
				   const struct check_expectation *expectation,
				   struct step_findings *findings)
{
	const char *text = expectation_text(expectation->that);
	struct judgement judgement;

	expectation_judge(expectation->that, observer, &judgement);
	scope_redact(view->scenario->scope, judgement.saw);
	add_result(findings, text, judgement.saw, judgement.is_met, expectation->is_warning);
	if (judgement.is_met)
		return STEP_GOOD;
	if (expectation->is_warning) {
		findings->has_warning = true;
		return STEP_GOOD;
	}
	if (is_locked_out(view, expectation)) {
		say(findings, step, number, "%s: saw %s (not tried again: access is denied)", text,
		    judgement.saw);
		return STEP_HOPELESS;
	}
	say(findings, step, number, "%s: saw %s", text, judgement.saw);
	return STEP_BAD;
}

/* The judgements of a step belong together: all of them are told, not only the first. */
static enum step_outcome judge(struct view *view, const struct check_step *step, size_t number,
			       struct step_findings *findings)
{
	const struct observer observer = observer_of(view, false);
	enum step_outcome worst = STEP_GOOD;
	char why[200] = "", missing[300] = "";

	/* Captures first, so that expectations of the same step can use them. */
	for (size_t i = 0; i < step->capture_count; i++) {
		const struct check_capture *capture = &step->captures[i];

		if (take_capture(view, capture, why, sizeof(why)) || *missing)
			continue;
		snprintf(missing, sizeof(missing), "capture %s from %.60s: saw %s", capture->name,
			 capture->subject, why);
	}
	for (size_t i = 0; i < step->expectation_count; i++) {
		enum step_outcome outcome =
		    judge_one(view, &observer, step, number, &step->expectations[i], findings);

		if (outcome > worst)
			worst = outcome;
	}
	if (!*missing)
		return worst;
	/* An expectation usually says better why there was nothing to capture. */
	scope_redact(view->scenario->scope, missing);
	say(findings, step, number, "%s", missing);
	return worst > STEP_BAD ? worst : STEP_BAD;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static enum step_outcome outcome_of_error(const struct error *err)
{
	switch (err->code) {
	case ERR_INVALID:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
		return STEP_ERROR;
	default:
		return STEP_BAD;
	}
}

enum step_outcome step_run(struct scenario *scenario, const struct check_step *step, size_t number,
			   int64_t time_limit_ms, struct step_findings *findings)
{
	struct view view = { scenario, kinds[step->kind], NULL };
	enum step_outcome outcome;
	void *seen = NULL;
	struct error why;

	if (!view.kind->perform(scenario, step, time_limit_ms, &seen, &why)) {
		scope_redact(scenario->scope, why.message);
		if (outcome_of_error(&why) == STEP_ERROR)
			say(findings, step, number, "%s (%s)", why.message, why.slug);
		else
			say(findings, step, number, "%s", why.message);
		return outcome_of_error(&why);
	}
	view.seen = seen;
	outcome = judge(&view, step, number, findings);
	view.kind->release(seen);
	return outcome;
}

bool step_judge_exchange(struct scenario *scenario, const struct check_step *step, char *why,
			 size_t why_size)
{
	struct view view = { scenario, &step_http, scenario->exchange };
	const struct observer observer = observer_of(&view, true);
	struct judgement judgement;

	for (size_t i = 0; i < step->capture_count; i++)
		if (!take_capture(&view, &step->captures[i], why, why_size))
			return false;
	for (size_t i = 0; i < step->expectation_count; i++) {
		const struct check_expectation *expectation = &step->expectations[i];

		expectation_judge(expectation->that, &observer, &judgement);
		if (judgement.is_met || expectation->is_warning)
			continue;
		snprintf(why, why_size, "%s: saw %s", expectation_text(expectation->that),
			 judgement.saw);
		scope_redact(scenario->scope, why);
		return false;
	}
	return true;
}
