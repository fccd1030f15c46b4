#include "engine/container/image_build.h"

#include <string.h>

#include "base/base64.h"
#include "base/files.h"
#include "compose/compose_trust.h"
#include "engine/container/build_context.h"
#include "engine/container/build_output.h"
#include "engine/container/container_image.h"
#include "engine/container/container_tar.h"
#include "engine/container/dockerfile.h"
#include "engine/container/image_marks.h"
#include "engine/container/image_reference.h"
#include "engine/container/registry_auth.h"

#define DOCKERFILE_BYTES_MAX ((size_t)1024 * 1024)
#define INLINE_NAME ".envd-dockerfile"
#define HASH_SHOWN 24

/* Everything that decides what comes out. */
struct building {
	const struct engine_request *request;
	const struct build_subject *subject;
	const struct compose_build *build;
	char *folder;
	char *dockerfile; /* its text */
	struct text tar;
	json_t *args;
	json_t *labels; /* the file's; ours come later */
	char hash[SHA256_TEXT_SIZE];
	struct build_output output;
};

static void building_release(struct building *building)
{
	free(building->folder);
	free(building->dockerfile);
	text_release(&building->tar);
	json_decref(building->args);
	json_decref(building->labels);
	build_output_release(&building->output);
}

static json_t *pairs_json(const struct compose_pairs *pairs)
{
	json_t *map = json_object();

	for (size_t i = 0; i < pairs->count; i++)
		json_object_set_new(map, pairs->items[i].name, json_string(pairs->items[i].value));
	return map;
}

static bool wrap(const struct building *building, struct error *err)
{
	return error_wrap(err, "service \"%s\": \"build\"", building->subject->service->name);
}

/* ---- what it is built from ------------------------------------------------------------------- */

/* Where the parts of a path are links, compose_trust.h has seen to who may have them. */
static bool read_dockerfile(struct building *building, struct error *err)
{
	AUTO(free) char *path = NULL;

	if (building->build->dockerfile_inline) {
		building->dockerfile = xstrdup(building->build->dockerfile_inline);
		return true;
	}
	path = path_join(building->folder, building->build->dockerfile);
	return file_read(path, DOCKERFILE_BYTES_MAX, &building->dockerfile, NULL, err);
}

static bool read_context(struct building *building, struct error *err)
{
	const struct compose_build *build = building->build;
	bool is_inline = build->dockerfile_inline != NULL;

	if (!build_context_read(building->folder, is_inline ? NULL : build->dockerfile,
				&building->tar, err))
		return false;
	if (is_inline && !tar_add_file(&building->tar,
				       &(struct tar_file){ .name = INLINE_NAME,
							   .bytes = building->dockerfile,
							   .length = strlen(building->dockerfile),
							   .mode = 0644 },
				       err))
		return false;
	tar_end(&building->tar);
	return true;
}

static void make_hash(struct building *building)
{
	const struct compose_build *build = building->build;
	const char *platform = building->subject->service->platform;
	AUTO(free) char *args = json_to_text(building->args);
	AUTO(free) char *labels = json_to_text(building->labels);
	char tar[SHA256_TEXT_SIZE];
	AUTO(free) char *all = NULL;

	sha256_text(building->tar.bytes, building->tar.length, tar);
	all = xasprintf("%s\n%s\n%s\n%s\n%s\n%s\n%s\n", tar,
			build->dockerfile_inline ? INLINE_NAME : build->dockerfile, args, labels,
			build->target ? build->target : "", build->network ? build->network : "",
			platform ? platform : "");
	sha256_text(all, strlen(all), building->hash);
	building->hash[HASH_SHOWN] = '\0';
}

static bool prepare(struct building *building, struct error *err)
{
	const struct compose_build *build = building->build;

	if (!compose_path_resolve(building->subject->file, build->at,
				  building->request->template_folder, build->context,
				  &building->folder, err) ||
	    !read_dockerfile(building, err) ||
	    (!building->request->is_trusted &&
	     !dockerfile_check_untrusted(building->dockerfile, err)) ||
	    !read_context(building, err))
		return wrap(building, err);
	building->args = pairs_json(&build->args);
	building->labels = pairs_json(&build->labels);
	make_hash(building);
	return true;
}

/* "localhost/envd-build/11111111-111:HASH"; the caller frees. */
static char *name_of(const struct building *building)
{
	AUTO(free) char *name = image_build_name(building->request->instance);

	return xasprintf("%s:%s", name, building->hash);
}

/* ---- the call -------------------------------------------------------------------------------- */

static void add_json(struct text *path, const char *name, const json_t *json)
{
	AUTO(free) char *plain = json_to_text(json);
	AUTO(free) char *encoded = docker_encode(plain);

	text_format(path, "&%s=%s", name, encoded);
}

static void add_text(struct text *path, const char *name, const char *value)
{
	AUTO(free) char *encoded = value ? docker_encode(value) : NULL;

	if (encoded)
		text_format(path, "&%s=%s", name, encoded);
}

static char *build_path(const struct building *building, const char *name)
{
	const struct compose_build *build = building->build;
	struct text path = TEXT_EMPTY;

	json_object_set_new(building->labels, LABEL_BUILT_BY,
			    json_string(building->request->instance));
	json_object_set_new(building->labels, LABEL_BUILD, json_string(building->hash));
	text_add(&path, "/build?rm=1&forcerm=1");
	add_text(&path, "t", name);
	add_text(&path, "dockerfile", build->dockerfile_inline ? INLINE_NAME : build->dockerfile);
	add_json(&path, "buildargs", building->args);
	add_json(&path, "labels", building->labels);
	add_text(&path, "target", build->target);
	add_text(&path, "platform", building->subject->service->platform);
	if (build->network && strcmp(build->network, "default") != 0)
		add_text(&path, "networkmode", build->network);
	if (build->no_cache)
		text_add(&path, "&nocache=1");
	if (build->pull)
		text_add(&path, "&pull=1");
	return text_take(&path);
}

/* "X-Registry-Config: ..." for the registries that the Dockerfile's base images are from. */
static bool find_credentials(const struct building *building, char **header, struct error *err)
{
	AUTO(json_decref) json_t *bases = dockerfile_bases(building->dockerfile);
	AUTO(free) char *plain = NULL;
	AUTO(free) char *encoded = NULL;
	json_t *config = json_object(), *base;
	bool is_good = true;
	size_t i;

	json_array_foreach(bases, i, base) {
		AUTO(free) char *repository = image_repository(json_string_value(base));
		json_t *auth = NULL;

		is_good = is_good && registry_auth_find(repository, &auth, err);
		if (auth)
			json_object_set(config, json_get_string(auth, "serveraddress", ""), auth);
		json_decref(auth);
	}
	if (is_good && json_object_size(config) > 0) {
		plain = json_to_text(config);
		encoded = base64_encode(plain, strlen(plain), true);
		*header = xasprintf("X-Registry-Config: %s", encoded);
		explicit_bzero(plain, strlen(plain));
		explicit_bzero(encoded, strlen(encoded));
	}
	registry_auth_forget(config);
	return is_good;
}

static bool refuse(const struct building *building, const char *said, struct error *err)
{
	AUTO(free) char *tail = build_output_tail(&building->output);
	char shown[200], shown_tail[260];

	error_set_as(err, ERR_EXTERNAL, "build_failed",
		     "the image of service \"%s\" could not be built: %s%s%s",
		     building->subject->service->name, text_printable(said, shown, sizeof(shown)),
		     tail[0] ? "; last lines: " : "",
		     text_printable(tail, shown_tail, sizeof(shown_tail)));
	return error_hint(err, "try it with \"docker build\" in the folder of its context");
}

static bool run_build(struct building *building, struct runtime *runtime,
		      struct worker_lines *lines, struct docker_call *call, struct error *err)
{
	AUTO(free) char *said = NULL;

	building->output = (struct build_output){ .lines = lines,
						  .service = building->subject->service->name,
						  .lines_max = BUILD_LINES_MAX };
	call->on_bytes = build_output_take;
	call->arg = &building->output;
	call->time_limit_ms = 0; /* the request's deadline counts */
	if (!docker_run(runtime->docker, call, err))
		return wrap(building, err);
	build_output_end(&building->output);
	said = docker_succeeded(call)
		   ? xstrdup(building->output.failure ? building->output.failure : "")
		   : docker_message(call);
	return !said[0] || refuse(building, said, err);
}

static bool check_base(struct runtime *runtime, const char *base, struct error *err)
{
	AUTO(free) char *name = image_pull_name(base);
	AUTO(json_decref) json_t *image = NULL;

	if (!docker_get(runtime->docker, &image, err, "/images/%s/json", name))
		return false;
	return json_array_size(json_object_get(json_object_get(image, "Config"), "OnBuild")) == 0 ||
	       error_set_as(err, ERR_DENIED, "template_not_trusted",
			    "base image \"%s\" brings steps of its own (ONBUILD), which needs a "
			    "trusted template",
			    base);
}

/* Pulled first, so that it is known what they bring. */
static bool check_bases(const struct building *building, struct runtime *runtime,
			struct worker_lines *lines, struct error *err)
{
	AUTO(json_decref) json_t *bases = dockerfile_bases(building->dockerfile);
	size_t count = json_array_size(bases);
	AUTO(free) struct image_wish *wishes = xcalloc(count, sizeof(*wishes));
	bool is_good;

	for (size_t i = 0; i < count; i++) {
		wishes[i].service = building->subject->service->name;
		wishes[i].reference = json_string_value(json_array_get(bases, i));
	}
	is_good = images_find(runtime, wishes, count, err) &&
		  images_fetch(building->request, runtime, lines, wishes, count, err);
	for (size_t i = 0; i < count; i++) {
		is_good = is_good && check_base(runtime, wishes[i].reference, err);
		json_decref(wishes[i].image);
	}
	return is_good;
}

static bool build(struct building *building, struct runtime *runtime, struct worker_lines *lines,
		  const char *name, struct error *err)
{
	AUTO(free) char *path = build_path(building, name);
	AUTO(docker_call_free) struct docker_call *call = docker_call_new("POST", "%s", path);

	if (!building->request->is_trusted && !check_bases(building, runtime, lines, err))
		return wrap(building, err);
	call->bytes = building->tar;
	building->tar = (struct text)TEXT_EMPTY;
	if (building->request->may_use_credentials &&
	    !find_credentials(building, &call->secret_header, err))
		return wrap(building, err);
	worker_say_progress(lines, "building the image of service %s",
			    building->subject->service->name);
	return run_build(building, runtime, lines, call, err);
}

/* ---- what is there already ------------------------------------------------------------------- */

/* True with `*image` NULL: it is not there. */
static bool look_for(struct runtime *runtime, const char *name, json_t **image, struct error *err)
{
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new("GET", "/images/%s/json", name);

	if (!docker_run(runtime->docker, call, err))
		return false;
	return call->status == 404 || docker_json(call, image, err);
}

/* Somebody may have given the name to another image. */
static bool is_ours(const struct building *building, const json_t *image)
{
	const json_t *labels = json_object_get(json_object_get(image, "Config"), "Labels");

	return text_equal(json_get_string(labels, LABEL_BUILT_BY, NULL),
			  building->request->instance) &&
	       text_equal(json_get_string(labels, LABEL_BUILD, NULL), building->hash);
}

static bool find_or_build(struct building *building, struct runtime *runtime,
			  struct worker_lines *lines, const char *name, json_t **image,
			  struct error *err)
{
	const struct build_subject *subject = building->subject;
	bool is_fresh = subject->service->pull == COMPOSE_PULL_BUILD || building->build->no_cache ||
			building->build->pull;
	json_t *found = NULL;

	if (subject->locked_id && !look_for(runtime, subject->locked_id, &found, err))
		return false;
	if (!found && !is_fresh && !look_for(runtime, name, &found, err))
		return false;
	if (found && (subject->locked_id || is_ours(building, found))) {
		*image = found;
		return true;
	}
	json_decref(found);
	return build(building, runtime, lines, name, err) &&
	       docker_get(runtime->docker, image, err, "/images/%s/json", name);
}

bool image_build(const struct engine_request *request, struct runtime *runtime,
		 struct worker_lines *lines, const struct build_subject *subject, json_t **image,
		 char **name, struct error *err)
{
	struct building building = { .request = request,
				     .subject = subject,
				     .build = subject->service->build };
	bool is_good = prepare(&building, err);

	if (is_good) {
		*name = name_of(&building);
		is_good = find_or_build(&building, runtime, lines, *name, image, err);
	}
	building_release(&building);
	return is_good;
}
