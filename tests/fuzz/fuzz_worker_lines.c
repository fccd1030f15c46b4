/*
 * Lines that any engine may say: each is an object with a type or an error of the protocol, and no
 * dialogue has two results.
 */
#include <string.h>

#include "base/json_read.h"
#include "tests/fuzz/fuzz.h"
#include "wire/worker_lines.h"

static void take(struct worker_dialogue *dialogue, size_t *results, const char *line, size_t length)
{
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;
	struct error err, failure;

	if (!worker_line_parse(line, length, &type, &object, &err)) {
		CLAIM(strcmp(err.slug, "worker_protocol") == 0 && err.message[0]);
		return;
	}
	CLAIM(json_is_object(object) && json_is_string(json_object_get(object, "type")));
	if (!worker_dialogue_accept(dialogue, type, &err)) {
		CLAIM(strcmp(err.slug, "worker_protocol") == 0);
		return;
	}
	if (type != WORKER_RESULT)
		return;
	CLAIM(++*results == 1);
	if (worker_result_error(object, &failure))
		CLAIM(failure.code != ERR_NONE && failure.slug &&
		      memchr(failure.message, '\0', sizeof(failure.message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker_dialogue dialogue = { false, false };
	const char *at = (const char *)data, *end = at + size;
	size_t results = 0;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		take(&dialogue, &results, at, (size_t)(stop - at));
		at = stop + 1;
	}
	return 0;
}
