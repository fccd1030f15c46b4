#include "cli/ci_variables.h"

#include <ctype.h>
#include <string.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"

/* One row per system: the variable that is there only in it, and what makes one step of one run. */
static const struct ci {
	const char *marker;
	const char *prefix;
	const char *step[8];   /* ends with NULL */
	const char *name;      /* of the project or job; its last part is taken */
	const char *number[3]; /* the first that has one */
} systems[] = {
	{ "GITHUB_ACTIONS",
	  "gh",
	  { "GITHUB_SERVER_URL", "GITHUB_REPOSITORY_ID", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT",
	    "GITHUB_JOB", "GITHUB_ACTION", "ENVCTL_MATRIX", NULL },
	  "GITHUB_REPOSITORY",
	  { "GITHUB_RUN_NUMBER", "GITHUB_RUN_ID", NULL } },
	{ "GITLAB_CI",
	  "gl",
	  { "CI_SERVER_URL", "CI_JOB_ID", NULL },
	  "CI_PROJECT_PATH_SLUG",
	  { "CI_PIPELINE_IID", "CI_JOB_ID", NULL } },
	{ "JENKINS_URL",
	  "jk",
	  { "JENKINS_URL", "BUILD_TAG", "STAGE_NAME", NULL },
	  "JOB_NAME",
	  { "BUILD_NUMBER", NULL } },
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static const struct ci *ci_here(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (variable(systems[i].marker))
			return &systems[i];
	return NULL;
}

bool ci_idempotency_key(const json_t *request, char into[IDEMPOTENCY_KEY_SIZE])
{
	AUTO(text_release) struct text about = TEXT_EMPTY;
	const struct ci *ci = ci_here();
	char digest[SHA256_TEXT_SIZE];

	if (!ci) {
		random_hex(into, IDEMPOTENCY_KEY_SIZE - 1);
		return false;
	}
	for (size_t i = 0; ci->step[i]; i++)
		text_format(&about, "%s\n", variable(ci->step[i]) ? variable(ci->step[i]) : "");

	AUTO(free) char *asked = json_to_text(request);

	/* Two different creates in one step are two environments. */
	text_add(&about, asked);
	sha256_text(text_get(&about), about.length, digest);
	memcpy(into, digest, IDEMPOTENCY_KEY_SIZE - 1);
	into[IDEMPOTENCY_KEY_SIZE - 1] = '\0';
	return true;
}

/* "refs/pull/812/merge" → 812; the caller frees; NULL if it is no pull request. */
static char *pull_request_number(void)
{
	const char *ref = variable("GITHUB_REF");
	size_t digits;

	if (!ref || !text_starts_with(ref, "refs/pull/"))
		return NULL;
	ref += strlen("refs/pull/");
	digits = strspn(ref, "0123456789");
	return digits ? xstrndup(ref, digits) : NULL;
}

/* Lower-case letters, digits and single dashes, as names want them. */
static void add_as_name(struct text *into, const char *part, size_t length_max)
{
	size_t start = into->length;

	for (; *part && into->length - start < length_max; part++) {
		char c = (char)tolower((unsigned char)*part);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			text_add_char(into, c);
		else if (into->length > start && into->bytes[into->length - 1] != '-')
			text_add_char(into, '-');
	}
}

char *ci_environment_name(const char *key)
{
	const struct ci *ci = ci_here();
	AUTO(free) char *pull = pull_request_number();
	struct text name = TEXT_EMPTY;
	const char *project, *number = pull;

	if (!ci)
		return NULL;
	project = variable(ci->name) ? variable(ci->name) : "job";
	if (strrchr(project, '/'))
		project = strrchr(project, '/') + 1;
	for (size_t i = 0; !number && ci->number[i]; i++)
		number = variable(ci->number[i]);
	text_format(&name, "%s-", ci->prefix);
	add_as_name(&name, project, 16);
	text_add_char(&name, '-');
	add_as_name(&name, number ? number : "0", 12);
	text_format(&name, "-%.6s", key);
	return text_take(&name);
}

bool ci_is_github(void)
{
	return text_equal(variable("GITHUB_ACTIONS"), "true");
}

static char *stop_token(void)
{
	static char token[25];

	if (!token[0])
		random_hex(token, sizeof(token) - 1);
	return token;
}

void ci_foreign_begin(FILE *stream)
{
	if (ci_is_github())
		fprintf(stream, "::stop-commands::%s\n", stop_token());
}

void ci_foreign_end(FILE *stream)
{
	if (ci_is_github())
		fprintf(stream, "::%s::\n", stop_token());
}

void ci_annotate_error(FILE *stream, const struct error *err)
{
	if (!ci_is_github())
		return;
	fprintf(stream, "::error title=%s::", err->slug);
	for (const char *at = err->message; *at; at++) {
		if (*at == '%')
			fputs("%25", stream);
		else if (*at == '\n')
			fputs("%0A", stream);
		else if (*at != '\r')
			fputc(*at, stream);
	}
	fputc('\n', stream);
}
