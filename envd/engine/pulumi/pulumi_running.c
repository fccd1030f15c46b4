#include "engine/pulumi/pulumi_running.h"

#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "engine/container/image_reference.h"
#include "engine/pulumi/helm_release.h"
#include "engine/pulumi/pulumi_login.h"
#include "kube/kube_client.h"

struct sight {
	json_t *images, *digests, *charts; /* as in the lock */
	const char *kind;                  /* of what is being listed */
};

static void sight_release(struct sight *sight)
{
	json_decref(sight->images);
	json_decref(sight->digests);
	json_decref(sight->charts);
}

static inline void auto_sight_release(struct sight *sight)
{
	sight_release(sight);
}

/* ---- looking ---- */

static void add_containers(struct sight *sight, const char *owner, const json_t *containers)
{
	size_t i;
	json_t *container;

	json_array_foreach((json_t *)(uintptr_t)containers, i, container) {
		AUTO(free)
		char *key = xasprintf("%s/%s", owner, json_get_string(container, "name", "?"));

		json_object_set_new(sight->images, key,
				    json_string(json_get_string(container, "image", "?")));
	}
}

static void on_workload(void *arg, const json_t *item)
{
	struct sight *sight = arg;
	const json_t *metadata = json_object_get(item, "metadata");
	const json_t *template = json_object_get(json_object_get(item, "spec"), "template");
	const json_t *pod = json_object_get(template, "spec");
	AUTO(free)
	char *owner = xasprintf("%s/%s/%s", json_get_string(metadata, "namespace", ""), sight->kind,
				json_get_string(metadata, "name", ""));

	add_containers(sight, owner, json_object_get(pod, "initContainers"));
	add_containers(sight, owner, json_object_get(pod, "containers"));
}

/* "ghcr.io/a/b@sha256:..." or "docker-pullable://..."; a stand-in for a node says nothing. */
static void on_pod(void *arg, const json_t *item)
{
	struct sight *sight = arg;
	const json_t *status = json_object_get(item, "status");
	size_t i;
	json_t *container;

	json_array_foreach(json_object_get(status, "containerStatuses"), i, container) {
		const char *image = json_get_string(container, "image", "");
		const char *digest = strstr(json_get_string(container, "imageID", ""), "sha256:");

		if (*image && digest)
			json_object_set_new(sight->digests, image, json_string(digest));
	}
}

static void on_release(void *arg, const json_t *item)
{
	struct sight *sight = arg;
	const json_t *metadata = json_object_get(item, "metadata");
	const char *data = json_get_string(json_object_get(item, "data"), "release", "");
	AUTO(free)
	char *key = xasprintf("%s/%s", json_get_string(metadata, "namespace", ""),
			      json_get_string(json_object_get(metadata, "labels"), "name", ""));
	AUTO(free) char *name = NULL;
	AUTO(free) char *version = NULL;
	AUTO(free) char *chart = NULL;

	if (helm_release_chart(data, &name, &version))
		chart = xasprintf("%s %s", name, version);
	json_object_set_new(sight->charts, key, json_string(chart ? chart : "unreadable"));
}

static bool look(const struct pulumi_place *place, struct sight *sight, struct error *err)
{
	static const struct {
		const char *kind, *list;
		void (*on_item)(void *arg, const json_t *item);
	} lists[] = {
		{ "Deployment", "/apis/apps/v1/deployments", on_workload },
		{ "StatefulSet", "/apis/apps/v1/statefulsets", on_workload },
		{ "DaemonSet", "/apis/apps/v1/daemonsets", on_workload },
		{ "Pod", "/api/v1/pods", on_pod },
		{ "Secret", "/api/v1/secrets?labelSelector=owner%3Dhelm%2Cstatus%3Ddeployed",
		  on_release },
	};
	AUTO(kube_access_release) struct kube_access access = { .server = NULL };

	if (!pulumi_login(place, &access, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		sight->kind = lists[i].kind;
		if (!kube_each(&access, lists[i].list, lists[i].on_item, sight, err))
			return false;
	}
	return true;
}

/* ---- comparing ---- */

static bool differs(const char *where, const char *runs, const char *wanted, const char *why,
		    struct error *err)
{
	error_set_as(err, ERR_EXTERNAL, "version_differs", "%s runs %s, but %s is %s", where, runs,
		     why, wanted);
	return error_hint(err, "somebody or something has changed it after it was built");
}

/* An image of a manifest: whoever runs something of its repository runs exactly it. */
static bool check_image(const struct sight *sight, const char *wanted, struct error *err)
{
	AUTO(free) char *repository = image_repository(wanted);
	bool is_there = false;
	const char *where;
	json_t *image;

	json_object_foreach_const(sight->images, where, image) {
		AUTO(free) char *other = image_repository(json_string_value(image));

		if (!text_equal(other, repository))
			continue;
		is_there = true;
		if (strcmp(json_string_value(image), wanted) != 0)
			return differs(where, json_string_value(image), wanted, "what was built",
				       err);
	}
	return is_there || error_set_as(err, ERR_EXTERNAL, "version_missing",
					"nothing in the cluster runs %s, which was built", wanted);
}

static bool check_values(const struct sight *sight, const json_t *values, struct error *err)
{
	const char *file;
	json_t *found, *value;
	size_t i;

	json_object_foreach_const(values, file, found) {
		if (json_is_string(found) && !check_image(sight, json_string_value(found), err))
			return false;
		json_array_foreach(found, i, value)
			if (!check_image(sight, json_string_value(value), err))
				return false;
	}
	return true;
}

/* Is the project of these files among those that were built? */
static bool is_built(const struct pulumi_place *place, const char *pattern)
{
	for (size_t i = 0; i < place->list->count; i++) {
		const char *project = place->list->layers[i].project;
		AUTO(free)
		char *below = project ? xasprintf("%s%s%s/", place->list->root,
						  *place->list->root ? "/" : "", project)
				      : NULL;

		if (below && text_starts_with(pattern, below))
			return true;
	}
	return false;
}

static bool check_rewritten(const struct pulumi_place *place, const struct sight *sight,
			    struct error *err)
{
	const json_t *changes = json_object_get(place->request->lock, "changes");
	size_t i;
	json_t *change;

	json_array_foreach((json_t *)(uintptr_t)changes, i, change) {
		if (strcmp(json_get_string(change, "key", ""), "image") != 0 ||
		    !is_built(place, json_get_string(change, "what", "")))
			continue;
		if (!check_values(sight, json_object_get(change, "values"), err))
			return error_wrap(err, "%s", json_get_string(change, "pin", "an image"));
	}
	return true;
}

static const char *tag_of(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *colon = strrchr(slash ? slash : image, ':');

	return colon ? colon + 1 : "latest";
}

static bool check_pinned_image(const struct sight *sight, const struct layer_verify *verify,
			       const char *pin, struct error *err)
{
	bool is_there = false;
	const char *where;
	json_t *image;

	json_object_foreach_const(sight->images, where, image) {
		const char *runs = json_string_value(image);

		if (fnmatch(verify->image, runs, 0) != 0 || fnmatch(verify->where, where, 0) != 0)
			continue;
		is_there = true;
		if (strcmp(runs, pin) != 0 && strcmp(tag_of(runs), pin) != 0)
			return differs(where, runs, pin, "its pin", err);
	}
	return is_there || error_set_as(err, ERR_EXTERNAL, "version_missing",
					"no image like \"%s\", pinned to %s, runs in \"%s\" of the "
					"cluster",
					verify->image, pin, verify->where);
}

static bool check_pinned_chart(const struct sight *sight, const struct layer_verify *verify,
			       const char *pin, struct error *err)
{
	const char *chart = json_get_string(sight->charts, verify->release, NULL);
	const char *version = chart ? strrchr(chart, ' ') : NULL;

	if (!chart)
		return error_set_as(err, ERR_EXTERNAL, "version_missing",
				    "the cluster has no release \"%s\", whose chart is pinned to "
				    "%s",
				    verify->release, pin);
	return (version && strcmp(version + 1, pin) == 0) ||
	       differs(verify->release, chart, pin, "the pin of its chart", err);
}

static bool check_pins(const struct pulumi_place *place, const struct sight *sight,
		       struct error *err)
{
	for (size_t i = 0; i < place->list->verify_count; i++) {
		const struct layer_verify *verify = &place->list->verify[i];
		AUTO(free) char *name = xasprintf("${images.%s}", verify->pin);
		AUTO(free) char *pin = NULL;
		size_t layer;

		if (!place_fill(place, name, &pin, err))
			return false;
		if (!*pin ||
		    (verify->layer && !layer_graph_find(place->list->graph, verify->layer, &layer)))
			continue;
		if (!(verify->image ? check_pinned_image(sight, verify, pin, err)
				    : check_pinned_chart(sight, verify, pin, err)))
			return error_wrap(err, "%s", verify->pin);
	}
	return true;
}

static bool has_rewritten(const struct pulumi_place *place)
{
	for (size_t i = 0; i < place->list->change_count; i++)
		if (text_equal(place->list->changes[i].key, "image"))
			return true;
	return false;
}

bool running_check(const struct pulumi_place *place, json_t **lock, struct error *err)
{
	AUTO(sight_release)
	struct sight sight = { json_object(), json_object(), json_object(), NULL };

	*lock = json_copy((json_t *)(uintptr_t)place->request->lock);
	if (place->list->verify_count || has_rewritten(place)) {
		if (!look(place, &sight, err) || !check_rewritten(place, &sight, err) ||
		    !check_pins(place, &sight, err)) {
			json_decref(*lock);
			*lock = NULL;
			return error_wrap(err, "looking at what runs");
		}
		json_object_set_new(*lock, "running",
				    json_pack("{s:O, s:O, s:O}", "images", sight.images, "digests",
					      sight.digests, "charts", sight.charts));
	}
	return true;
}
