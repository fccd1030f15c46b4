#include "engine/pulumi/pulumi_build.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_checkout.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_cloud.h"
#include "engine/pulumi/pulumi_cluster.h"
#include "engine/pulumi/pulumi_config.h"
#include "engine/pulumi/pulumi_look.h"
#include "engine/pulumi/pulumi_order.h"
#include "engine/pulumi/pulumi_policy.h"
#include "engine/pulumi/pulumi_record.h"
#include "engine/pulumi/pulumi_running.h"
#include "engine/pulumi/pulumi_settle.h"
#include "engine/pulumi/pulumi_state.h"
#include "engine/pulumi/pulumi_survivors.h"
#include "engine/pulumi/python_venv.h"
#include "engine/pulumi/pulumi_claim.h"
#include "engine/pulumi/registry_digest.h"

/* ---- plan ---- */

static bool lock_layers(const struct pulumi_place *place, json_t **layers, struct error *err)
{
	AUTO(json_decref) json_t *all = json_object();

	for (size_t i = 0; i < place->list->count; i++) {
		const struct layer_spec *layer = &place->list->layers[i];
		const struct pulumi_project *project = &place->projects[i];
		AUTO(free) char *link = NULL;
		char hash[SHA256_TEXT_SIZE];

		if (!project->name) {
			json_object_set_new(all, layer->name, json_pack("{s:b}", "hook", 1));
			continue;
		}
		if (!config_hash(place, i, hash, err))
			return false;
		link = backend_link(place, project->name);
		json_object_set_new(all, layer->name,
				    json_pack("{s:s, s:s, s:s, s:s, s:s*}", "project",
					      project->name, "folder", layer->project, "runtime",
					      project->runtime, "config_hash", hash, "console",
					      link));
	}
	*layers = TAKE(all);
	return true;
}

static bool lock_python(const struct pulumi_place *place, json_t *lock, struct error *err)
{
	AUTO(free) char *path = NULL;
	char hash[SHA256_TEXT_SIZE];

	if (!place->list->python)
		return true;
	path = path_join(place->checkout, place->list->requirements);
	if (!python_check(place, err) || !requirements_hash(path, hash, err))
		return false;
	json_object_set_new(
	    lock, "python",
	    json_pack("{s:s, s:s}", "version", place->list->python, "requirements_hash", hash));
	return true;
}

/* A ref moves; the commit that it meant does not. */
static json_t *lock_components(const struct pulumi_place *place, const json_t *checkout)
{
	json_t *components = json_copy(place->versions);
	const char *commit = json_get_string(checkout, "commit", NULL);

	if (place->list->pin && commit)
		json_object_set_new(components, place->list->pin, json_string(commit));
	return components;
}

static void collect_images(const json_t *changes, json_t *images)
{
	size_t i, j;
	json_t *change, *value, *item;
	const char *file;

	json_array_foreach((json_t *)(uintptr_t)changes, i, change) {
		if (strcmp(json_get_string(change, "key", ""), "image") != 0)
			continue;
		json_object_foreach_const(json_object_get(change, "values"), file, value) {
			if (json_is_string(value))
				json_array_append(images, value);
			json_array_foreach(value, j, item)
				json_array_append(images, item);
		}
	}
}

/* Of images in manifests, which are pulled by the cluster and not by us. */
static void lock_images(json_t *lock, const json_t *changes)
{
	AUTO(json_decref) json_t *images = json_array();

	collect_images(changes, images);
	if (json_array_size(images))
		json_object_set_new(lock, "images", registry_digests(images));
}

static bool make_lock(const struct pulumi_place *place, const struct checkout_origin *origin,
		      json_t *changes, json_t **result, struct error *err)
{
	const char *digest =
	    json_get_string(json_object_get(place->request->whole, "template"), "digest", NULL);
	AUTO(json_decref) json_t *layers = NULL;
	AUTO(json_decref) json_t *lock = NULL;

	if (!lock_layers(place, &layers, err))
		return false;
	lock = json_pack("{s:{s:s, s:s?}, s:o, s:O, s:{s:s}, s:O, s:s}", "template", "name",
			 place->template->name, "digest", digest, "components",
			 lock_components(place, origin->lock), "checkout", origin->lock, "pulumi",
			 "version", place->list->pulumi_version, "layers", layers, "stack",
			 place->stack);
	if (place->list->change_count)
		json_object_set(lock, "changes", changes);
	lock_images(lock, changes);
	if (!lock_python(place, lock, err))
		return false;
	*result = TAKE(lock);
	return true;
}

static bool check_cluster(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *path = NULL;

	return place_kubeconfig(place, &path, err) && (!path || cluster_answers(path, err));
}

/* The environment's own checkout is made here already: what is built is what was looked at. */
static bool look_at_checkout(struct pulumi_place *place, const struct checkout_origin *origin,
			     json_t **changes, struct error *err)
{
	return checkout_forget(place, err) && checkout_make(place, origin->folder, changes, err) &&
	       order_read(place, err) && place_set_variables(place, err) &&
	       place_read_projects(place, place->checkout, err) && config_check(place, err);
}

bool pulumi_plan(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		 struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(checkout_origin_release) struct checkout_origin origin = { NULL, NULL };
	AUTO(json_decref) json_t *changes = NULL;
	json_t *lock;

	if (!place_open(request, &place, err) || !place_set_variables(&place, err) ||
	    !cli_check_version(&place, place.list->pulumi_version, err) ||
	    !cli_check_plugins(&place, err) || !cloud_check(&place, err) ||
	    !policy_check(&place, err) || !check_cluster(&place, err) ||
	    !checkout_find(&place, NULL, lines, &origin, err) ||
	    !look_at_checkout(&place, &origin, &changes, err) ||
	    !make_lock(&place, &origin, changes, &lock, err))
		return false;
	*data =
	    json_pack("{s:o, s:o}", "lock", lock, "layers", layer_graph_to_json(place.list->graph));
	return true;
}

/* ---- the place, made or found ---- */

static bool link_to(const char *venv, const char *path, struct error *err)
{
	struct error ignored; /* then the link says why it cannot be made */

	(void)!folder_remove(path, &ignored);
	return symlink(venv, path) == 0 || error_set_errno(err, errno, "cannot link \"%s\"", path);
}

/* Where the projects' own Pulumi.yaml names it, and where a later job finds it. */
static bool link_venv(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *own = place_path(place, "venv");
	AUTO(free) char *named = NULL;

	if (!link_to(place->venv, own, err))
		return false;
	if (!place->list->venv_link)
		return true;
	named = path_join(place->checkout, place->list->venv_link);
	return link_to(place->venv, named, err);
}

/* That of an earlier job, if it is still whole: what is destroyed needs no list of requirements. */
static bool find_venv(struct pulumi_place *place)
{
	AUTO(free) char *own = place_path(place, "venv");
	AUTO(free) char *venv = realpath(own, NULL);
	AUTO(free) char *complete = venv ? path_join(venv, "complete") : NULL;

	if (!complete || !file_exists(complete))
		return false;
	place->venv = TAKE(venv);
	return true;
}

static bool make_venv(struct pulumi_place *place, struct worker_lines *lines, struct error *err)
{
	/* DATA/environments/ID is ours, DATA/python is everybody's. */
	AUTO(free) char *folder = xasprintf("%s/../../python", place->request->folder);
	AUTO(free) char *requirements = NULL;
	struct python_need need = { .place = place, .folder = folder };

	if (!place->list->python)
		return true;
	if (find_venv(place))
		return place_set_variables(place, err);
	requirements = path_join(place->checkout, place->list->requirements);
	need.requirements = requirements;
	return python_venv(&need, lines, &place->venv, err) && link_venv(place, err) &&
	       place_set_variables(place, err);
}

static bool check_lock(const struct pulumi_place *place, struct error *err)
{
	const char *locked = json_get_string(json_object_get(place->request->lock, "pulumi"),
					     "version", place->list->pulumi_version);

	return cli_check_version(place, locked, err);
}

/* The plan made it. Where somebody has removed it since, it is made anew at the lock's commit. */
static bool make_checkout(struct pulumi_place *place, struct worker_lines *lines, struct error *err)
{
	const json_t *locked = json_object_get(place->request->lock, "checkout");
	AUTO(checkout_origin_release) struct checkout_origin origin = { NULL, NULL };
	AUTO(json_decref) json_t *changes = NULL;

	if (!file_exists(place->checkout) && (!checkout_find(place, locked, lines, &origin, err) ||
					      !checkout_make(place, origin.folder, &changes, err)))
		return false;
	return order_read(place, err);
}

static bool prepare(const struct engine_request *request, struct worker_lines *lines,
		    struct pulumi_place *place, struct error *err)
{
	if (!place_open(request, place, err) || !claim_take_place(place, err) ||
	    !folder_make(place->folder, 0700, err) || !place_set_variables(place, err) ||
	    !check_lock(place, err) || !place_furnish(place, err))
		return false;
	return make_checkout(place, lines, err) && place_set_variables(place, err) &&
	       place_read_projects(place, place->checkout, err) && make_venv(place, lines, err);
}

/* What a destroy needs of a project: its name, and which host its dynamic providers speak to. */
static bool note_projects(const struct pulumi_place *place, struct pulumi_record *record,
			  struct error *err)
{
	AUTO(json_decref) json_t *facts = json_object();

	for (size_t i = 0; i < place->list->count; i++) {
		AUTO(free) char *fact = xasprintf("project:%s", place->list->layers[i].name);
		AUTO(free)
		char *text = xasprintf("name: %s\nruntime: %s\n", place->projects[i].name,
				       place->projects[i].runtime);

		if (place->projects[i].name)
			json_object_set_new(facts, fact, json_string(text));
	}
	return record_add_facts(record, facts, err);
}

/* The checkout may be damaged or gone: what was built must be removed all the same. */
static bool restore_projects(const struct pulumi_place *place, struct error *err)
{
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };

	if (!record_open(place, &record, err))
		return false;
	for (size_t i = 0; i < place->list->count; i++) {
		const struct layer_spec *layer = &place->list->layers[i];
		AUTO(free) char *fact = xasprintf("project:%s", layer->name);
		const char *text = record_fact(&record, fact);
		AUTO(free)
		char *folder = layer->project ? path_join(place->root, layer->project) : NULL;
		AUTO(free) char *file = folder ? path_join(folder, "Pulumi.yaml") : NULL;

		if (text && file && !file_exists(file) &&
		    (!folder_make(folder, 0700, err) ||
		     !file_write_atomically(file, text, strlen(text), 0600, err)))
			return false;
	}
	return true;
}

bool place_reopen(const struct engine_request *request, struct worker_lines *lines,
		  struct pulumi_place *place, bool *is_there, struct error *err)
{
	AUTO(free) char *record = path_join(request->folder, "pulumi/record.json");

	*is_there = file_exists(record);
	if (!*is_there)
		return true;
	return place_open(request, place, err) && place_set_variables(place, err) &&
	       restore_projects(place, err) && place_read_projects(place, place->checkout, err) &&
	       make_venv(place, lines, err);
}

/* ---- needs that the list does not say ---- */

struct reader {
	const struct walk_spec *spec;
	size_t layer;
};

static bool reaches(const struct layer_graph *graph, size_t from, size_t to)
{
	const struct layer *layer = &graph->layers[from];

	for (size_t i = 0; i < layer->need_count; i++)
		if (layer->needs[i] == to || reaches(graph, layer->needs[i], to))
			return true;
	return false;
}

static void on_reference(void *arg, const char *project)
{
	const struct reader *reader = arg;
	const struct pulumi_place *place = reader->spec->place;

	for (size_t i = 0; i < place->list->count; i++)
		if (text_equal(place->projects[i].name, project) &&
		    !reaches(place->list->graph, reader->layer, i))
			worker_say_log(
			    reader->spec->lines, "warn",
			    "layer %s reads what layer %s exports, but does not say that "
			    "it needs it: another time it may be built too early",
			    place->list->layers[reader->layer].name, place->list->layers[i].name);
}

/* Only the states know what programs read of each other. */
static bool compare_needs(const struct walk_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->place->list->count; i++) {
		AUTO(state_release) struct pulumi_state state = { .exists = false };
		struct reader reader = { spec, i };

		if (!state_read(spec->place, i, &state, err))
			return false;
		state_references(&state, on_reference, &reader);
	}
	return true;
}

/* ---- create and recover ---- */

static bool build(const struct walk_spec *spec, json_t **data, struct error *err)
{
	AUTO(json_decref) json_t *lock = NULL;
	int64_t changed, found;

	if (!settle_layers(spec, &found, err) || !walk_layers(spec, &changed, err)) {
		*data = json_pack("{s:o}", "services", look_services(spec->place, spec->record));
		return false;
	}
	return compare_needs(spec, err) && running_check(spec->place, &lock, err) &&
	       look_result(spec->place, spec->record, lock, data, err);
}

bool pulumi_create(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		   struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };

	return survivors_end(request, err) && prepare(request, lines, &place, err) &&
	       record_open(&place, &record, err) && note_projects(&place, &record, err) &&
	       cloud_begin(&place, &record, err) &&
	       build(&(struct walk_spec){ &place, &record, lines, false }, data, err);
}

bool pulumi_recover(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };
	int64_t found = 0;
	bool is_there;

	if (!survivors_end(request, err) || !place_reopen(request, lines, &place, &is_there, err))
		return false;
	if (is_there &&
	    (!record_open(&place, &record, err) ||
	     !settle_layers(&(struct walk_spec){ &place, &record, lines, false }, &found, err)))
		return false;
	*data = json_pack("{s:I}", "found", (json_int_t)found);
	return true;
}
