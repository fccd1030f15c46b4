#include "source/source.h"
#include "worker/task.h"

bool task_source(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err)
{
	const json_t *source;
	struct source_spec spec;

	if (!json_read_object(request->json, "source", &source, err) ||
	    !source_spec_read(source, &spec, err))
		return error_wrap(err, "request");
	return source_fetch(&spec, lines, data, err);
}
