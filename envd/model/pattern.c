#include "model/pattern.h"

#include <string.h>

/* What people bring along from other dialects. */
static const struct {
	const char *found;
	const char *instead;
} traps[] = {
	{ "\\d", "[0-9]" },
	{ "\\D", "[^0-9]" },
	{ "(?", "no such group; \"(...)\" is all there is" },
	{ "*?", "no lazy repeat; exclude the end, as in [^<]*" },
	{ "+?", "no lazy repeat; exclude the end, as in [^<]+" },
};

static const char *find_trap(const char *source, size_t trap)
{
	const char *found = traps[trap].found;

	for (const char *at = source; *at; at++) {
		if (strncmp(at, found, strlen(found)) == 0)
			return at;
		if (*at == '\\' && at[1])
			at++;
	}
	return NULL;
}

bool pattern_compile(const char *source, regex_t *regex, struct error *err)
{
	char why[128];
	int status;

	if (strlen(source) > PATTERN_BYTES_MAX)
		return error_set(err, ERR_INVALID,
				 "regular expression is longer than %d characters",
				 PATTERN_BYTES_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(traps); i++)
		if (find_trap(source, i))
			return error_set(err, ERR_INVALID,
					 "regular expression '%s': \"%s\" is not POSIX (write %s)",
					 source, traps[i].found, traps[i].instead);
	status = regcomp(regex, source, REG_EXTENDED);
	if (status == 0)
		return true;
	regerror(status, regex, why, sizeof(why));
	return error_set(err, ERR_INVALID, "regular expression '%s': %s", source, why);
}

bool pattern_matches(const regex_t *regex, const char *bytes, size_t length, regmatch_t *groups,
		     size_t group_count)
{
	regmatch_t whole[1];
	regmatch_t *span = groups ? groups : whole;

	span[0].rm_so = 0;
	span[0].rm_eo = (regoff_t)length;
	return regexec(regex, bytes, groups ? group_count : 1, span, REG_STARTEND) == 0;
}
