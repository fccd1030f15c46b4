#include "base/cleanup.h"

#include <stdarg.h>
#include <string.h>

static void *present(void *allocated)
{
	if (!allocated) {
		static const char message[] = "out of memory\n";
		ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
		(void)ignored;
		abort();
	}
	return allocated;
}

void *xcalloc(size_t count, size_t size)
{
	return present(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	return present(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return present(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
	return present(strndup(text, length));
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *made = NULL;

	va_start(args, format);
	if (vasprintf(&made, format, args) < 0)
		made = NULL;
	va_end(args);
	return present(made);
}
