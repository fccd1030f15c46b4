#include "report/report_format.h"

static void render(const json_t *report, struct text *into)
{
	AUTO(free) char *bytes = json_dumps(report, JSON_INDENT(2));

	text_format(into, "%s\n", bytes ? bytes : "{}");
}

const struct report_format report_json = {
	.name = "json",
	.content_type = "application/json",
	.render = render,
};
