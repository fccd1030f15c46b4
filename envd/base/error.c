#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {
#define X(code, name) [code] = name,
	ERROR_CODES(X)
#undef X
};

static void start(struct error *err, enum error_code code, const char *slug)
{
	err->code = code;
	err->slug = slug;
	err->hint[0] = '\0';
}

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;

	start(err, code, error_code_name(code));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	text_make_utf8(err->message);
	return false;
}

bool error_set_as(struct error *err, enum error_code code, const char *slug, const char *format,
		  ...)
{
	va_list args;

	start(err, code, slug);
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	text_make_utf8(err->message);
	return false;
}

static enum error_code code_of_errno(int errno_value)
{
	switch (errno_value) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		return ERR_UNAVAILABLE;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return ERR_EXTERNAL;
	default:
		return ERR_INTERNAL;
	}
}

bool error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
	char reason[128];
	va_list args;
	size_t length;

	start(err, code_of_errno(errno_value), error_code_name(code_of_errno(errno_value)));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	length = strlen(err->message);
	snprintf(err->message + length, sizeof(err->message) - length, ": %s",
		 strerror_r(errno_value, reason, sizeof(reason)));
	text_make_utf8(err->message);
	return false;
}

bool error_wrap(struct error *err, const char *format, ...)
{
	char old[sizeof(err->message)];
	va_list args;
	size_t length;

	memcpy(old, err->message, sizeof(old));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	length = strlen(err->message);
	snprintf(err->message + length, sizeof(err->message) - length, ": %s", old);
	text_make_utf8(err->message);
	return false;
}

bool error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	text_make_utf8(err->hint);
	return false;
}

bool error_hint_known(struct error *err, const char *wrong, const char *const *known)
{
	const char *nearest = text_nearest(wrong, known);
	AUTO(free) char *all = nearest ? NULL : text_join(known, ", ");

	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest)
		       : error_hint(err, "known: %s", all);
}

bool error_is_transient(const struct error *err)
{
	return err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT ||
	       err->code == ERR_EXTERNAL || err->code == ERR_INTERNAL;
}

const char *error_code_name(enum error_code code)
{
	return (size_t)code < ARRAY_SIZE(names) ? names[code] : "internal";
}

enum error_code error_code_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum error_code)i;
	return ERR_INTERNAL;
}
