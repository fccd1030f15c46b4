#include "engine/container/container_plan.h"

#include <string.h>

#include "compose/compose_trust.h"
#include "engine/container/container_body.h"
#include "engine/container/container_image.h"
#include "engine/container/image_build.h"
#include "engine/container/container_names.h"
#include "engine/container/container_payload.h"
#include "engine/container/image_reference.h"
#include "model/pins.h"

static bool read_variables(const struct engine_request *request, const struct template *template,
			   json_t **variables, struct error *err)
{
	AUTO(json_decref) json_t *versions = NULL;
	AUTO(json_decref) json_t *parameters = NULL;

	if (!pins_resolve(template, request->pins, &versions, err) ||
	    !template_resolve_parameters(template, request->parameters, &parameters, err))
		return false;
	*variables = pins_variables(template, versions, parameters);
	json_object_set_new(*variables, "ENVD_ENVIRONMENT", json_string(request->environment.text));
	json_object_set_new(*variables, "ENVD_NAME", json_string(request->environment_name));
	json_object_set_new(*variables, "ENVD_PUBLISH_ADDRESS",
			    json_string(request->target.advertised
					    ? request->target.advertised
					    : request->target.publish_address));
	return true;
}

static bool read_files(const struct engine_request *request, struct container_plan *plan,
		       struct error *err)
{
	AUTO(json_decref) json_t *variables = NULL;
	struct compose_request asked = { .folder = request->template_folder,
					 .is_trusted = request->is_trusted };

	if (!template_load(request->template_folder, NULL, &plan->template, err) ||
	    !read_variables(request, plan->template, &variables, err))
		return false;
	asked.sources = (const char *const *)plan->template->sources;
	asked.variables = variables;
	return compose_load(&asked, &plan->file, err);
}

static bool make_layers(struct container_plan *plan, struct error *err)
{
	plan->layers = layer_graph_new();
	for (size_t i = 0; i < plan->file->service_count; i++)
		if (!layer_graph_add(plan->layers, plan->file->services[i].name, err))
			return false;
	for (size_t i = 0; i < plan->file->service_count; i++) {
		const struct compose_service *service = &plan->file->services[i];

		for (size_t n = 0; n < service->needs.count; n++)
			if (!layer_graph_need(plan->layers, service->name,
					      service->needs.items[n].service, err))
				return false;
	}
	return layer_graph_sort(plan->layers, err);
}

/* What others expect of a service. */
static void note_needs(const struct container_plan *plan, struct planned_service *planned)
{
	bool is_needed = false, is_required = false;

	for (size_t i = 0; i < plan->file->service_count; i++) {
		const struct compose_dependencies *needs = &plan->file->services[i].needs;

		for (size_t n = 0; n < needs->count; n++) {
			if (strcmp(needs->items[n].service, planned->service->name) != 0)
				continue;
			is_needed = true;
			is_required = is_required || needs->items[n].is_required;
			if (needs->items[n].condition == COMPOSE_COMPLETED)
				planned->is_one_shot = true;
		}
	}
	planned->is_optional = is_needed && !is_required;
}

static bool make_services(const struct engine_request *request, struct container_plan *plan,
			  struct error *err)
{
	plan->count = plan->file->service_count;
	plan->services = xcalloc(plan->count, sizeof(*plan->services));
	for (size_t i = 0; i < plan->count; i++) {
		struct planned_service *planned = &plan->services[i];

		planned->service = &plan->file->services[i];
		planned->container = container_name(request->environment, planned->service->name);
		note_needs(plan, planned);
		if (!payload_read(request, plan, planned, err))
			return false;
	}
	return true;
}

static const char *locked(const json_t *lock, const char *service, const char *key)
{
	return json_get_string(json_object_get(json_object_get(lock, "services"), service), key,
			       NULL);
}

/* Of what is known so far: the platforms asked for, the images that are there. */
static bool all_fit(const struct runtime *runtime, const struct image_wish *wishes, size_t count,
		    struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!image_check_architecture(runtime, &wishes[i], err))
			return false;
	return true;
}

/* What does not fit by what we suppose is asked about before it is refused. */
static bool check_architectures(struct runtime *runtime, const struct image_wish *wishes,
				size_t count, struct error *err)
{
	if (runtime->architecture[0] && all_fit(runtime, wishes, count, err))
		return true;
	return !runtime->has_info && runtime_learn(runtime, err) &&
	       all_fit(runtime, wishes, count, err);
}

static bool resolve_images(const struct engine_request *request, struct runtime *runtime,
			   struct worker_lines *lines, struct container_plan *plan,
			   struct error *err)
{
	AUTO(free) struct image_wish *wishes = xcalloc(plan->count, sizeof(*wishes));
	bool is_good;

	for (size_t i = 0; i < plan->count; i++) {
		const struct compose_service *service = plan->services[i].service;

		wishes[i] = (struct image_wish){
			.service = service->name,
			.reference = service->build ? NULL : service->image,
			.platform = service->platform,
			.pull = service->pull,
			.locked_id = locked(request->lock, service->name, "image_id"),
			.locked_digest = locked(request->lock, service->name, "digest"),
		};
	}
	is_good = images_find(runtime, wishes, plan->count, err) &&
		  check_architectures(runtime, wishes, plan->count, err) &&
		  images_fetch(request, runtime, lines, wishes, plan->count, err) &&
		  check_architectures(runtime, wishes, plan->count, err);
	for (size_t i = 0; i < plan->count; i++)
		plan->services[i].image = wishes[i].image;
	return is_good;
}

static bool build_images(const struct engine_request *request, struct runtime *runtime,
			 struct worker_lines *lines, struct container_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct planned_service *planned = &plan->services[i];
		const struct build_subject subject = {
			.file = plan->file,
			.service = planned->service,
			.locked_id = locked(request->lock, planned->service->name, "image_id"),
		};

		if (planned->service->build &&
		    !image_build(request, runtime, lines, &subject, &planned->image,
				 &planned->built_name, err))
			return false;
	}
	return true;
}

static void free_sources(char **sources, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(sources[i]);
	free(sources);
}

/* Paths of bind mounts, by mount; NULL for mounts of other kinds. */
static bool read_sources(const struct engine_request *request, const struct container_plan *plan,
			 const struct compose_mounts *mounts, char **sources, struct error *err)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->items[i].kind == COMPOSE_MOUNT_BIND &&
		    !compose_path_resolve(plan->file, mounts->items[i].at, request->template_folder,
					  mounts->items[i].source, &sources[i], err))
			return false;
	return true;
}

/* Of the body and the files: a container with another hash is not what is wanted now. */
static void hash_service(struct planned_service *planned)
{
	AUTO(free) char *body = json_to_text(planned->body);
	struct text all = TEXT_EMPTY;

	text_add(&all, body);
	for (size_t i = 0; i < planned->file_count; i++) {
		const struct planned_file *file = &planned->files[i];

		/* The hash is stored and shown, and a short secret could be guessed from it. */
		text_format(&all, "\n%s %o %zu\n", file->use->target, (unsigned)file->use->mode,
			    file->is_secret ? 0 : file->length);
		if (!file->is_secret)
			text_add_bytes(&all, file->bytes, file->length);
	}
	sha256_text(text_get(&all), all.length, planned->config_hash);
	text_release(&all);
	json_object_set_new(json_object_get(planned->body, "Labels"), LABEL_CONFIG,
			    json_string(planned->config_hash));
}

static bool make_body(const struct engine_request *request, const struct container_plan *plan,
		      struct planned_service *planned, struct error *err)
{
	const struct compose_mounts *mounts = &planned->service->mounts;
	char **sources = xcalloc(mounts->count, sizeof(*sources));
	struct body_subject subject = {
		.request = request,
		.service = planned->service,
		.image = planned->image,
		.health = &planned->health,
		.bind_sources = (const char *const *)sources,
	};
	bool is_made;

	health_check_init(&planned->health, &planned->service->health,
			  json_object_get(planned->image, "Config"));
	is_made = read_sources(request, plan, mounts, sources, err) &&
		  container_body(&subject, &planned->body, err);
	free_sources(sources, mounts->count);
	if (is_made)
		hash_service(planned);
	return is_made;
}

static bool make_bodies(const struct engine_request *request, const struct container_plan *plan,
			struct error *err)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!make_body(request, plan, &plan->services[i], err))
			return false;
	return true;
}

static const char *image_id_of(const struct container_plan *plan, const char *reference)
{
	for (size_t i = 0; i < plan->count; i++)
		if (text_equal(plan->services[i].service->image, reference))
			return json_get_string(plan->services[i].image, "Id", NULL);
	return NULL;
}

/* A component's variable is its image, or (without one) only its version. */
static json_t *locked_components(const struct container_plan *plan, const json_t *versions)
{
	AUTO(json_decref) json_t *variables = pins_variables(plan->template, versions, NULL);
	json_t *components = json_object();

	for (size_t i = 0; i < plan->template->component_count; i++) {
		const struct template_component *component = &plan->template->components[i];
		const char *version = json_get_string(versions, component->name, NULL);
		const char *image =
		    component->image ? json_get_string(variables, component->variable, NULL) : NULL;

		if (version)
			json_object_set_new(components, component->name,
					    json_pack("{s:s, s:s?, s:s?}", "version", version,
						      "image", image, "image_id",
						      image ? image_id_of(plan, image) : NULL));
	}
	return components;
}

/* By which it can be pulled again; NULL for what no registry has. */
static char *repo_digest_of(const struct planned_service *planned)
{
	if (planned->service->build || image_is_local(planned->service->image))
		return NULL;
	return image_repo_digest(planned->service->image,
				 json_object_get(planned->image, "RepoDigests"));
}

static json_t *locked_services(const struct container_plan *plan)
{
	json_t *services = json_object();

	for (size_t i = 0; i < plan->count; i++) {
		const struct planned_service *planned = &plan->services[i];
		AUTO(free) char *digest = repo_digest_of(planned);
		const char *image =
		    planned->built_name ? planned->built_name : planned->service->image;

		json_object_set_new(services, planned->service->name,
				    json_pack("{s:s, s:s, s:s?, s:s, s:b}", "image", image,
					      "image_id", json_get_string(planned->image, "Id", ""),
					      "digest", digest, "config_hash", planned->config_hash,
					      "one_shot", planned->is_one_shot));
	}
	return services;
}

static bool make_lock(const struct engine_request *request, const struct runtime *runtime,
		      struct container_plan *plan, struct error *err)
{
	AUTO(json_decref) json_t *versions = NULL;
	const char *digest =
	    json_get_string(json_object_get(request->whole, "template"), "digest", NULL);

	if (!pins_resolve(plan->template, request->pins, &versions, err))
		return false;
	plan->lock = json_pack(
	    "{s:{s:s, s:s?}, s:o, s:o, s:{s:s, s:s, s:s, s:s}}", "template", "name",
	    plan->template->name, "digest", digest, "components", locked_components(plan, versions),
	    "services", locked_services(plan), "runtime", "name", runtime_name(runtime), "version",
	    runtime->version, "api", runtime->api, "architecture", runtime->architecture);
	return true;
}

bool plan_make(const struct engine_request *request, struct runtime *runtime,
	       struct worker_lines *lines, struct container_plan **result, struct error *err)
{
	AUTO(plan_free) struct container_plan *plan = xcalloc(1, sizeof(*plan));

	if (!request->template_folder)
		return error_set(err, ERR_INTERNAL, "there is no template to build from");
	if (!read_files(request, plan, err) || !make_layers(plan, err) ||
	    !make_services(request, plan, err) ||
	    !resolve_images(request, runtime, lines, plan, err) ||
	    !build_images(request, runtime, lines, plan, err) || !make_bodies(request, plan, err) ||
	    !make_lock(request, runtime, plan, err))
		return false;
	*result = TAKE(plan);
	return true;
}

static void service_release(struct planned_service *planned)
{
	payload_release(planned);
	free(planned->container);
	free(planned->built_name);
	json_decref(planned->image);
	json_decref(planned->body);
	health_check_release(&planned->health);
}

void plan_free(struct container_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; plan->services && i < plan->count; i++)
		service_release(&plan->services[i]);
	free(plan->services);
	template_free(plan->template);
	compose_free(plan->file);
	layer_graph_free(plan->layers);
	json_decref(plan->lock);
	free(plan);
}

bool container_plan(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(plan_free) struct container_plan *plan = NULL;

	if (!runtime_open(request, &runtime, err) ||
	    !plan_make(request, &runtime, lines, &plan, err))
		return false;
	*data = json_pack("{s:O, s:o}", "lock", plan->lock, "layers",
			  layer_graph_to_json(plan->layers));
	return true;
}
