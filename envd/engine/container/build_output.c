#include "engine/container/build_output.h"

#include <string.h>

#define LINE_BYTES_MAX 1000

static void end_line(struct build_output *output)
{
	char shown[LINE_BYTES_MAX];

	text_printable(text_get(&output->line), shown, sizeof(shown));
	text_clear(&output->line);
	if (!shown[strspn(shown, " \t?")])
		return;
	free(output->tail[0]);
	memmove(output->tail, output->tail + 1, (BUILD_TAIL - 1) * sizeof(output->tail[0]));
	output->tail[BUILD_TAIL - 1] = xstrdup(shown);
	if (++output->said > output->lines_max)
		return;
	worker_say_log(output->lines, "info", "build %s: %s", output->service,
		       output->said == output->lines_max ? "... (the rest is not shown)" : shown);
}

static void add_bytes(struct build_output *output, const char *bytes)
{
	for (; *bytes; bytes++) {
		if (*bytes == '\n')
			end_line(output);
		else if (output->line.length < 4 * LINE_BYTES_MAX)
			text_add_char(&output->line, *bytes);
	}
}

static void on_line(void *arg, const json_t *line)
{
	struct build_output *output = arg;
	const char *failure = json_get_string(line, "error", NULL);

	add_bytes(output, json_get_string(line, "stream", ""));
	if (failure && !output->failure)
		output->failure = xstrdup(failure);
}

bool build_output_take(struct docker_call *call, const char *bytes, size_t length)
{
	struct build_output *output = call->arg;

	output->reader.on_line = on_line;
	output->reader.arg = output;
	json_lines_feed(&output->reader, bytes, length);
	return true;
}

void build_output_end(struct build_output *output)
{
	json_lines_end(&output->reader);
	end_line(output);
}

void build_output_release(struct build_output *output)
{
	json_lines_release(&output->reader);
	text_release(&output->line);
	for (size_t i = 0; i < BUILD_TAIL; i++)
		free(output->tail[i]);
	free(output->failure);
}

char *build_output_tail(const struct build_output *output)
{
	struct text tail = TEXT_EMPTY;

	for (size_t i = 0; i < BUILD_TAIL; i++)
		if (output->tail[i])
			text_format(&tail, "%s%s", tail.length ? " / " : "", output->tail[i]);
	return text_take(&tail);
}
