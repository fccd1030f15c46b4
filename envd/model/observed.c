#include "model/observed.h"

#include <inttypes.h>
#include <string.h>

struct observed observed_nothing(const char *note)
{
	return (struct observed){ .kind = OBSERVED_NOTHING, .note = note ? xstrdup(note) : NULL };
}

struct observed observed_text(const char *text)
{
	return text ? observed_bytes(text, strlen(text)) : observed_nothing(NULL);
}

struct observed observed_bytes(const char *bytes, size_t length)
{
	struct observed observed = { .kind = OBSERVED_TEXT, .length = length };

	/* Not xstrndup: it would stop at a NUL. */
	observed.text = xcalloc(length + 1, 1);
	memcpy(observed.text, bytes, length);
	return observed;
}

struct observed observed_number(int64_t number)
{
	struct observed observed = { .kind = OBSERVED_NUMBER };

	observed.text = xasprintf("%" PRId64, number);
	observed.length = strlen(observed.text);
	return observed;
}

struct observed observed_boolean(bool is_true)
{
	return (struct observed){ .kind = OBSERVED_BOOLEAN, .is_true = is_true };
}

struct observed observed_duration(int64_t us)
{
	return (struct observed){ .kind = OBSERVED_DURATION, .us = us };
}

struct observed observed_list(const char *lines)
{
	struct observed observed = observed_text(lines);

	observed.kind = OBSERVED_LIST;
	return observed;
}

void observed_release(struct observed *observed)
{
	free(observed->text);
	free(observed->note);
	*observed = (struct observed){ .kind = OBSERVED_NOTHING };
}

char *observed_to_text(const struct observed *observed)
{
	switch (observed->kind) {
	case OBSERVED_NOTHING:
		return NULL;
	case OBSERVED_BOOLEAN:
		return xstrdup(observed->is_true ? "true" : "false");
	case OBSERVED_DURATION:
		return xasprintf("%" PRId64 "us", observed->us);
	default:
		return xstrndup(observed->text, observed->length);
	}
}
