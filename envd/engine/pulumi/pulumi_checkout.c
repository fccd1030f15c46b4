#include "engine/pulumi/pulumi_checkout.h"

#include <errno.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_change.h"
#include "engine/pulumi/tool_set.h"
#include "model/layer_select.h"
#include "source/source.h"

enum { COPY_LIMIT_MS = 300000 };

static const json_t *find_source(const struct pulumi_place *place)
{
	const json_t *sources = json_object_get(place->request->whole, "sources");
	size_t i;
	json_t *source;

	json_array_foreach((json_t *)(uintptr_t)sources, i, source)
		if (text_equal(json_get_string(source, "name", NULL), place->list->source))
			return source;
	return NULL;
}

/* "" is the source's own ref. The caller frees. */
static bool find_ref(const struct pulumi_place *place, char **ref, struct error *err)
{
	const char *pin = json_get_string(place->versions, place->list->pin, "");
	const struct template_component *component =
	    place->list->pin ? template_component_find(place->template, place->list->pin) : NULL;

	if (!place->list->pin)
		return place_fill(place, place->list->ref ? place->list->ref : "", ref, err);
	if (!component)
		return error_set_as(err, ERR_INVALID, "template_invalid",
				    "the checkout is by component \"%s\", which the template does "
				    "not have",
				    place->list->pin);
	switch (template_pin_kind(pin)) {
	case PIN_BRANCH:
		*ref = xasprintf("refs/heads/%s", pin + 1);
		return true;
	case PIN_PULL_REQUEST:
		*ref = xasprintf("refs/pull/%s/head", pin + strlen("pr:"));
		return true;
	case PIN_VERSION:
		break;
	}
	*ref = xstrdup(strcmp(pin, component->default_version) == 0 ? "" : pin);
	return true;
}

static bool fetch(const struct pulumi_place *place, const json_t *locked,
		  struct worker_lines *lines, struct checkout_origin *origin, struct error *err)
{
	const json_t *source = find_source(place);
	AUTO(free) char *ref = NULL;
	AUTO(json_decref) json_t *data = NULL;
	struct source_spec spec;

	if (!source)
		return error_set_as(err, ERR_INVALID, "source_unknown",
				    "the checkout is of source \"%s\", which the server does not "
				    "have",
				    place->list->source);
	if (!source_spec_read(source, &spec, err) || !find_ref(place, &ref, err))
		return false;
	if (*ref)
		spec.ref = ref;
	spec.ref = json_get_string(locked, "commit", spec.ref);
	if (!source_fetch(&spec, lines, &data, err))
		return error_wrap(err, "the checkout");
	if (!json_get_bool(source, "trusted", false) || !json_get_bool(data, "reviewed", false))
		return error_set_as(err, ERR_DENIED, "untrusted_program",
				    "commit %.12s of source \"%s\" is not trusted, so its programs "
				    "may not be run",
				    json_get_string(data, "commit", "?"), place->list->source);
	origin->folder = xstrdup(json_get_string(data, "folder", ""));
	origin->lock =
	    json_pack("{s:s, s:s, s:O?, s:s}", "source", spec.name, "repository", spec.repository,
		      "ref", locked ? json_object_get(locked, "ref") : json_object_get(data, "ref"),
		      "commit", json_get_string(data, "commit", ""));
	return true;
}

bool checkout_find(const struct pulumi_place *place, const json_t *locked,
		   struct worker_lines *lines, struct checkout_origin *origin, struct error *err)
{
	*origin = (struct checkout_origin){ NULL, NULL };
	if (place->list->source)
		return fetch(place, locked, lines, origin, err);
	origin->folder = path_join(place->request->template_folder, place->list->folder);
	origin->lock = json_pack("{s:s}", "folder", place->list->folder);
	return file_exists(origin->folder) ||
	       error_set_as(err, ERR_INVALID, "checkout_missing",
			    "the template has no folder \"%s\", which is its checkout",
			    place->list->folder);
}

void checkout_origin_release(struct checkout_origin *origin)
{
	free(origin->folder);
	json_decref(origin->lock);
	*origin = (struct checkout_origin){ NULL, NULL };
}

/* cp keeps links (a tree of a source has none that leave it) and shares blocks where it can. */
static bool copy(const struct pulumi_place *place, const char *from, const char *to,
		 struct error *err)
{
	const char *const words[] = { "/bin/cp", "-a", "--reflink=auto", "-T", from, to, NULL };
	struct tool_end end;

	if (!tool_run(&(struct tool_spec){ .argv = words,
					   .variables = place->variables,
					   .directory = "/",
					   .limit_ms = COPY_LIMIT_MS },
		      0, NULL, &end, err))
		return false;
	return tool_ended_well(&end) ||
	       error_set(err, ERR_INTERNAL, "the checkout could not be copied to \"%s\"", to);
}

static bool check_expected(const struct pulumi_place *place, const char *folder, struct error *err)
{
	for (size_t i = 0; i < place->list->expected_count; i++) {
		const struct layer_expectation *expected = &place->list->expected[i];
		AUTO(free) char *path = path_join(folder, expected->path);
		bool holds;

		if (!layer_when_holds(expected->when, place->request->parameters, &holds, err))
			return error_wrap(err, "expects");
		if (holds && !file_exists(path))
			return error_set_as(err, ERR_INVALID, "checkout_unfit",
					    "%.200s (the checkout has no \"%.150s\")",
					    expected->why, expected->path);
	}
	return true;
}

bool checkout_make(const struct pulumi_place *place, const char *from, json_t **made,
		   struct error *err)
{
	AUTO(free) char *temporary = xasprintf("%s.tmp", place->checkout);

	if (!folder_remove(temporary, err) || !folder_make(place->folder, 0700, err) ||
	    !copy(place, from, temporary, err) || !check_expected(place, temporary, err) ||
	    !changes_make(place, temporary, made, err))
		return false;
	return rename(temporary, place->checkout) == 0 ||
	       error_set_errno(err, errno, "cannot rename \"%s\"", temporary);
}

bool checkout_forget(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *order = place_path(place, "order.json");

	return folder_remove(place->checkout, err) && folder_remove(order, err);
}
