#include "cli/server_version.h"

#include <string.h>

#include "base/text.h"

/* "0.1.0" -> 0; -1 when there is no number. */
static int64_t major_of(const char *version)
{
	char digits[8] = "";
	size_t length = strspn(version, "0123456789");
	int64_t major;

	if (length < sizeof(digits))
		memcpy(digits, version, length);
	return text_to_int64(digits, &major) ? major : -1;
}

bool server_version_check(const char *own, const char *server, const char *where, struct error *err)
{
	char shown[40];

	if (!server || !*server || major_of(own) == major_of(server))
		return true;
	error_set_as(err, ERR_INVALID, "server_incompatible",
		     "envctl %s cannot talk to envd %s at %s: their major versions differ", own,
		     text_printable(server, shown, sizeof(shown)), where);
	if (major_of(server) < 0)
		return error_hint(err, "its version is no version: is this an envd?");
	return error_hint(
	    err, "install envctl %lld.x, or name an envd %lld.x with --server or ENVCTL_SERVER",
	    (long long)major_of(server), (long long)major_of(own));
}
