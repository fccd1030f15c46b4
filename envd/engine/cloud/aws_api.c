#include "engine/cloud/aws_api.h"

#include <string.h>

#include "base/clock.h"

/* ---- keys ---- */

static bool take_keys(const json_t *json, struct cloud_secret *secret, struct error *err)
{
	const json_t *inner = json_object_get(json, "Credentials");
	const json_t *keys = inner ? inner : json;
	const char *session = json_get_string(keys, "SessionToken", NULL);
	const char *end = json_get_string(keys, "Expiration", NULL);

	if (end && !clock_parse(end, &secret->ends_at_ms, err)) {
		err->slug = "credentials_invalid";
		return error_wrap(err, "\"Expiration\" of the credentials");
	}
	secret->key_id = xstrdup(json_get_string(keys, "AccessKeyId", ""));
	secret->key = xstrdup(json_get_string(keys, "SecretAccessKey", ""));
	secret->session = session && *session ? xstrdup(session) : NULL;
	return true;
}

/* A line of an ini file: the value, if it is this key's. */
static char *value_of(const char *line, const char *key)
{
	size_t length = strlen(key);
	const char *at = line + strspn(line, " \t");

	if (strncmp(at, key, length) != 0)
		return NULL;
	at += length + strspn(at + length, " \t");
	if (*at != '=')
		return NULL;
	at += 1 + strspn(at + 1, " \t");
	return xstrndup(at, strcspn(at, " \t\r\n"));
}

static void take_line(const char *line, struct cloud_secret *secret)
{
	const struct {
		const char *key;
		char **into;
	} keys[] = {
		{ "aws_access_key_id", &secret->key_id },
		{ "aws_secret_access_key", &secret->key },
		{ "aws_session_token", &secret->session },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!*keys[i].into)
			*keys[i].into = value_of(line, keys[i].key);
}

/* Lines before any section count as well: two of them are a file that is soon written. */
static void take_profile(const char *text, struct cloud_secret *secret)
{
	bool is_default = true;

	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (*line == '[')
			is_default = text_starts_with(line, "[default]");
		else if (is_default)
			take_line(line, secret);
		line += length + (line[length] == '\n');
	}
}

static bool check_letters(const char *text)
{
	/* They go into a header, with a colon between. */
	return text && *text && !strpbrk(text, " :\t\r\n");
}

bool aws_read_secret(const char *text, struct cloud_secret *secret, struct error *err)
{
	const char *begin = text + strspn(text, " \t\r\n");

	if (*begin == '{') {
		AUTO(json_decref) json_t *json = json_loads(begin, 0, NULL);

		if (!take_keys(json, secret, err))
			return false;
	} else {
		take_profile(begin, secret);
	}
	if (check_letters(secret->key_id) && check_letters(secret->key))
		return true;
	error_set_as(err, ERR_INVALID, "credentials_invalid",
		     "the credentials have no access key of AWS and its secret");
	return error_hint(err, "JSON with AccessKeyId and SecretAccessKey, or the lines of "
			       "~/.aws/credentials");
}

/* ---- calls ---- */

static char *base_url(const struct aws_way *way, const struct aws_service *service)
{
	const char *host = service->host ? service->host : service->name;

	if (way->question->endpoint)
		return xstrdup(way->question->endpoint);
	return service->is_global ? xasprintf("https://%s.amazonaws.com", host)
				  : xasprintf("https://%s.%s.amazonaws.com", host, way->region);
}

/* The code and words of a refusal, wherever a dialect puts them. */
static void find_words(const json_t *answer, const char **code, const char **message)
{
	const json_t *response = json_object_get(answer, "ErrorResponse");
	const json_t *outer = response ? response : json_object_get(answer, "Response");
	const json_t *errors = json_object_get(outer, "Errors");
	const json_t *inner = json_object_get(errors ? errors : outer, "Error");
	const json_t *at = inner ? inner : json_object_get(answer, "Error");

	if (!at)
		at = answer;
	*code = json_get_string(at, "Code", json_get_string(at, "__type", "?"));
	*message = json_get_string(at, "Message", json_get_string(at, "message", ""));
	if (strrchr(*code, '#'))
		*code = strrchr(*code, '#') + 1;
}

static bool is_throttling(const char *code)
{
	return strstr(code, "Throttl") || strcmp(code, "RequestLimitExceeded") == 0 ||
	       strcmp(code, "TooManyRequestsException") == 0 || strcmp(code, "SlowDown") == 0;
}

static json_t *read_answer(const struct cloud_call *call, struct error *err)
{
	json_t *json = NULL;
	const char *begin = text_get(&call->answer);

	begin += strspn(begin, " \r\n\t");
	if (*begin == '<')
		return aws_xml(call->answer.bytes, call->answer.length, &json, err) ? json : NULL;
	return cloud_json(call, &json, err) ? json : NULL;
}

static bool refuse(const struct cloud_call *call, const char *code, const char *message,
		   const char *what, struct error *err)
{
	char shown[200];

	return error_set_as(err, ERR_EXTERNAL, "cloud_denied", "AWS %s%s%s: %d %.60s: %s", what,
			    call->region ? " in " : "", call->region ? call->region : "",
			    call->status, code, text_printable(message, shown, sizeof(shown)));
}

static bool run(const struct aws_way *way, struct cloud_call *call, const char *what,
		json_t **answer, struct error *err)
{
	const struct cloud_session *session = &way->question->session;

	if (!cloud_run(session, call, err))
		return error_wrap(err, "AWS %s", what);
	for (int attempt = 0;; attempt++) {
		AUTO(json_decref) json_t *json = read_answer(call, err);
		const char *code = "?", *message = "";

		if (json && call->status / 100 == 2) {
			*answer = TAKE(json);
			return true;
		}
		if (!json && call->status / 100 == 2)
			return error_wrap(err, "AWS %s", what);
		find_words(json, &code, &message);
		if (!is_throttling(code))
			return refuse(call, code, message, what, err);
		if (!cloud_run_again(session, call, attempt, err))
			return error_wrap(err, "AWS %s", what);
	}
}

static const char *signed_region(const struct aws_way *way, const struct aws_service *service)
{
	return service->is_global ? "us-east-1" : way->region;
}

bool aws_query(const struct aws_way *way, const struct aws_service *service, const char *action,
	       const char *more, json_t **answer, struct error *err)
{
	AUTO(free) char *base = base_url(way, service);
	AUTO(free) char *url = xasprintf("%s/", base);
	AUTO(free)
	char *body = xasprintf("Action=%s&Version=%s%s", action, service->version, more);
	AUTO(free) char *result_key = xasprintf("%sResult", action);
	AUTO(free) char *response_key = xasprintf("%sResponse", action);
	AUTO(cloud_call_release)
	struct cloud_call call = { .method = "POST",
				   .url = url,
				   .body = body,
				   .type = "application/x-www-form-urlencoded; charset=utf-8",
				   .region = signed_region(way, service),
				   .service = service->name };
	AUTO(json_decref) json_t *whole = NULL;
	const json_t *response, *result;

	if (!run(way, &call, action, &whole, err))
		return false;
	response = json_object_get(whole, response_key);
	result = json_object_get(response, result_key);
	if (!json_is_object(response))
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "AWS %s: the answer is none of its answers", action);
	/* EC2 has no inner element. */
	*answer = json_incref((json_t *)(uintptr_t)(result ? result : response));
	return true;
}

bool aws_target(const struct aws_way *way, const struct aws_service *service, const char *action,
		const json_t *body, json_t **answer, struct error *err)
{
	AUTO(free) char *base = base_url(way, service);
	AUTO(free) char *url = xasprintf("%s/", base);
	AUTO(free) char *text = json_to_text(body);
	AUTO(free) char *target = xasprintf("X-Amz-Target: %s.%s", service->target, action);
	AUTO(cloud_call_release)
	struct cloud_call call = { .method = "POST",
				   .url = url,
				   .body = text,
				   .type = "application/x-amz-json-1.1",
				   .header = target,
				   .region = signed_region(way, service),
				   .service = service->name };

	return run(way, &call, action, answer, err);
}

bool aws_get(const struct aws_way *way, const struct aws_service *service, const char *path,
	     json_t **answer, struct error *err)
{
	AUTO(free) char *base = base_url(way, service);
	AUTO(free) char *url = xasprintf("%s%s", base, path);
	AUTO(free) char *what = xasprintf("%s %.*s", service->name, (int)strcspn(path, "?"), path);
	AUTO(cloud_call_release)
	struct cloud_call call = { .method = "GET",
				   .url = url,
				   .region = signed_region(way, service),
				   .service = service->name };

	return run(way, &call, what, answer, err);
}
