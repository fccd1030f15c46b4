#include "cli/exit_status.h"

#include <string.h>

static const struct {
	enum exit_status status;
	const char *meaning;
} statuses[] = {
#define X(name, number, meaning) { name, meaning },
	EXIT_STATUSES(X)
#undef X
};

/* Slugs of ours and of the server that say more than their error code. */
static const struct {
	const char *slug;
	enum exit_status status;
} by_slug[] = {
	{ "environment_failed", EXIT_BUILD_FAILED },    { "lock_differs", EXIT_BUILD_FAILED },
	{ "check_inconclusive", EXIT_BUILD_FAILED },    { "check_failed", EXIT_CHECK_FAILED },
	{ "environment_cancelled", EXIT_CANCELLED },    { SLUG_NO_COMMAND, EXIT_NO_COMMAND },
	{ SLUG_NOT_EXECUTABLE, EXIT_NOT_EXECUTABLE },   { "source_failed", EXIT_BUILD_FAILED },
	{ "source_too_large", EXIT_REFUSED },           { "environment_ended", EXIT_CANCELLED },
	{ "evidence_expired", EXIT_NOT_FOUND },         { "server_unreachable", EXIT_UNREACHABLE },
	{ "too_many_failed_logins", EXIT_NOT_ALLOWED },
};

/* One row per error code, in its order. */
static const enum exit_status by_code[] = {
	[ERR_NONE] = EXIT_DONE,
	[ERR_INVALID] = EXIT_USAGE,
	[ERR_STRANGER] = EXIT_NOT_ALLOWED,
	[ERR_DENIED] = EXIT_NOT_ALLOWED,
	[ERR_NOT_FOUND] = EXIT_NOT_FOUND,
	[ERR_CONFLICT] = EXIT_OTHER,
	[ERR_GONE] = EXIT_CANCELLED,
	[ERR_LIMIT] = EXIT_REFUSED,
	[ERR_UNAVAILABLE] = EXIT_UNREACHABLE,
	[ERR_TIMEOUT] = EXIT_TIMED_OUT,
	[ERR_EXTERNAL] = EXIT_OTHER,
	[ERR_CORRUPT] = EXIT_INTERNAL,
	[ERR_INTERNAL] = EXIT_INTERNAL,
};

enum exit_status exit_status_for(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_slug); i++)
		if (text_equal(err->slug, by_slug[i].slug))
			return by_slug[i].status;
	return (size_t)err->code < ARRAY_SIZE(by_code) ? by_code[err->code] : EXIT_INTERNAL;
}

void exit_status_list(struct text *into)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		text_format(into, "%5d  %s\n", (int)statuses[i].status, statuses[i].meaning);
}

void exit_status_markdown(struct text *into)
{
	text_add(into, "| status | meaning |\n|---:|---|\n");
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		text_format(into, "| %d | %s |\n", (int)statuses[i].status, statuses[i].meaning);
}
