#include "cli/progress.h"

#include "base/json_read.h"

static void change(const struct progress_view *view, const json_t *row)
{
	AUTO(free) char *text = json_to_text(row);

	fprintf(view->terminal.stream, "%s\n", text);
	fflush(view->terminal.stream);
}

static void tick(struct progress_view *view)
{
	(void)view;
}

static void end(const struct progress_view *view)
{
	(void)view;
}

const struct progress_kind progress_json = {
	.name = "json",
	.change = change,
	.tick = tick,
	.end = end,
};
