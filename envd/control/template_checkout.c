#include "control/template_checkout.h"

bool template_checkout_read(const json_t *data, const struct source_settings *source,
			    struct template_checkout *checkout, struct error *err)
{
	const char *ref = json_get_string(data, "ref", NULL), *commit, *folder;

	if (!json_read_string(data, "commit", &commit, err) ||
	    !json_read_string(data, "folder", &folder, err))
		return error_set_as(err, ERR_EXTERNAL, "source_failed",
				    "the worker did not say what it fetched of source \"%s\"",
				    source->name);
	*checkout = (struct template_checkout){
		.source = xstrdup(source->name),
		.repository = xstrdup(source->repository),
		.ref = ref ? xstrdup(ref) : NULL,
		.commit = xstrdup(commit),
		.folder = xstrdup(folder),
		.is_trusted = source->is_trusted && json_get_bool(data, "reviewed", false),
	};
	return true;
}

struct template_checkout template_checkout_copy(const struct template_checkout *checkout)
{
	return (struct template_checkout){
		.source = xstrdup(checkout->source),
		.repository = xstrdup(checkout->repository),
		.ref = checkout->ref ? xstrdup(checkout->ref) : NULL,
		.commit = xstrdup(checkout->commit),
		.folder = xstrdup(checkout->folder),
		.is_trusted = checkout->is_trusted,
	};
}

void template_checkout_release(struct template_checkout *checkout)
{
	free(checkout->source);
	free(checkout->repository);
	free(checkout->ref);
	free(checkout->commit);
	free(checkout->folder);
	*checkout = (struct template_checkout){ .source = NULL };
}

json_t *template_checkout_json(const struct template_checkout *checkout)
{
	return json_pack("{s:s, s:s, s:s?, s:s}", "name", checkout->source, "repository",
			 checkout->repository, "ref", checkout->ref, "commit", checkout->commit);
}
