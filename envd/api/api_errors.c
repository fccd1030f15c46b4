#include "api/api_errors.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "http/http_response.h"

// clang-format off
static const int statuses[] = {
	[ERR_NONE]        = 500,
	[ERR_INVALID]     = 400,
	[ERR_STRANGER]    = 401,
	[ERR_DENIED]      = 403,
	[ERR_NOT_FOUND]   = 404,
	[ERR_CONFLICT]    = 409,
	[ERR_GONE]        = 410,
	[ERR_LIMIT]       = 429,
	[ERR_UNAVAILABLE] = 503,
	[ERR_TIMEOUT]     = 504,
	[ERR_EXTERNAL]    = 502,
	[ERR_CORRUPT]     = 500,
	[ERR_INTERNAL]    = 500,
};

/* Where HTTP has a closer word than the code. */
static const struct {
	const char *slug;
	int status;
} exceptions[] = {
	{ "method_not_allowed",       405 },
	{ "content_type_unsupported", 415 },
	{ "idempotency_key_reused",   422 },
	{ "upgrade_required",         426 },
	/* Trying again at once helps nobody, which 502 and 429 would say. */
	{ "source_failed",            424 },
	{ "source_too_large",         413 },
};
// clang-format on

int api_status_of(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (strcmp(exceptions[i].slug, err->slug) == 0)
			return exceptions[i].status;
	return (size_t)err->code < ARRAY_SIZE(statuses) ? statuses[err->code] : 500;
}

/* A quota does not go away by waiting a second, and a failed login was told how long to wait. */
static bool is_worth_retrying(int status, const struct error *err)
{
	return status == 503 || (status == 429 && !text_starts_with(err->slug, "quota_") &&
				 strcmp(err->slug, "too_many_failed_logins") != 0);
}

void api_answer_error(struct http_request *request, const struct error *err)
{
	int status = api_status_of(err);
	char identity[64];

	if (status == 401)
		http_response_header(request, "WWW-Authenticate", "Bearer realm=\"envd\"");
	if (is_worth_retrying(status, err))
		http_response_header(request, "Retry-After", "1");
	if (status >= 500) {
		snprintf(identity, sizeof(identity), "req=%s", http_request_id(request));
		log_line(status == 503 ? LOG_WARN : LOG_ERROR, identity, "%s %s answered %d: %s",
			 http_request_method(request), http_request_path(request), status,
			 err->message);
	}
	http_answer_problem(request, status, err);
}
