/*
 * template_checkout.h - one commit of a git source, lying as a folder under DATA/sources.
 */
#ifndef ENVD_CONTROL_TEMPLATE_CHECKOUT_H
#define ENVD_CONTROL_TEMPLATE_CHECKOUT_H

#include "base/json_read.h"
#include "settings/source_settings.h"

struct template_checkout {
	char *source; /* its name; NULL: nothing is held here */
	char *repository;
	char *ref; /* "refs/heads/main"; NULL: asked for by its commit */
	char *commit;
	char *folder;
	/* The source is, and the commit is on a branch or in a tag of it: whoever may write to the
	 * repository has put it there. Anybody can open a pull request. */
	bool is_trusted;
};

/* From what the worker answered (source/source.h). ERR_EXTERNAL when that is not an answer. */
NODISCARD bool template_checkout_read(const json_t *data, const struct source_settings *source,
				      struct template_checkout *checkout, struct error *err);
struct template_checkout template_checkout_copy(const struct template_checkout *checkout);
void template_checkout_release(struct template_checkout *checkout);

/* {"name","repository","ref","commit"}: what is kept with an environment, locked and shown. */
json_t *template_checkout_json(const struct template_checkout *checkout);

#endif
