#include "engine/container/container_image.h"

#include <string.h>

#include "engine/container/image_marks.h"
#include "engine/container/image_pull.h"
#include "engine/container/image_reference.h"

static bool check_references(const struct image_wish *wishes, size_t count, struct error *err)
{
	char shown[80];

	for (size_t i = 0; i < count; i++)
		if (wishes[i].reference && !image_reference_is_valid(wishes[i].reference))
			return error_set_as(
			    err, ERR_INVALID, "image_invalid",
			    "\"%s\", the image of service \"%s\", is not an image's name",
			    text_printable(wishes[i].reference, shown, sizeof(shown)),
			    wishes[i].service);
	return true;
}

static bool refuse_missing(const struct image_wish *wish, const char *why, struct error *err)
{
	error_set_as(err, ERR_NOT_FOUND, "image_missing",
		     "image \"%s\" of service \"%s\" is not on the target%s%s", wish->reference,
		     wish->service, why[0] ? ": " : "", why);
	return error_hint(err, "%s",
			  image_is_local(wish->reference)
			      ? "build it on the target first; the template's README says how"
			      : "build or pull it on the target, or correct its name");
}

/* May what is not there be pulled? */
static bool check_missing(const struct image_wish *wish, struct error *err)
{
	if (wish->locked_id)
		return wish->locked_digest ||
		       refuse_missing(wish, "it was there when it was resolved", err);
	if (image_is_local(wish->reference))
		return refuse_missing(wish, "", err);
	return wish->pull != COMPOSE_PULL_NEVER ||
	       refuse_missing(wish, "its pull_policy is \"never\"", err);
}

static struct docker_call *find_call(const struct image_wish *wish)
{
	AUTO(free) char *name = NULL;

	if (!wish->reference)
		return NULL;
	if (wish->locked_id)
		return docker_call_new("GET", "/images/%s/json", wish->locked_id);
	name = image_pull_name(wish->reference);
	return docker_call_new("GET", "/images/%s/json", name);
}

static bool is_pulled_always(const struct image_wish *wish)
{
	return !wish->locked_id && wish->pull == COMPOSE_PULL_ALWAYS &&
	       !image_is_local(wish->reference);
}

static bool take_image(const struct docker_call *call, struct image_wish *wish, struct error *err)
{
	wish->was_there = docker_succeeded(call);
	if (wish->was_there && is_pulled_always(wish))
		return true;
	if (wish->was_there)
		return docker_json(call, &wish->image, err);
	if (call->status == 404)
		return check_missing(wish, err);
	docker_refusal(call, err);
	return error_wrap(err, "image \"%s\"", wish->reference);
}

bool images_find(struct runtime *runtime, struct image_wish *wishes, size_t count,
		 struct error *err)
{
	AUTO(free) struct docker_call **calls = xcalloc(count, sizeof(struct docker_call *));
	bool is_good = true;

	if (!check_references(wishes, count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		calls[i] = find_call(&wishes[i]);
	docker_run_all(runtime->docker, calls, count);
	for (size_t i = 0; i < count; i++) {
		is_good = is_good && (!calls[i] || take_image(calls[i], &wishes[i], err));
		docker_call_free(calls[i]);
	}
	return is_good;
}

/* What is asked of the registry: the lock's digest, which cannot have moved. */
static const char *pulled_reference(const struct image_wish *wish)
{
	return wish->locked_id ? wish->locked_digest : wish->reference;
}

static bool is_pulled_already(const struct image_pull *pulls, size_t count,
			      const struct image_wish *wish)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pulls[i].reference, pulled_reference(wish)) == 0 &&
		    text_equal(pulls[i].platform, wish->platform))
			return true;
	return false;
}

/* So that it is found when nothing needs it any more. Without, it only stays for ever. */
static void mark(const struct engine_request *request, struct runtime *runtime,
		 const struct image_wish *wish)
{
	AUTO(docker_call_free) struct docker_call *call = NULL;
	AUTO(free) char *name = NULL;
	AUTO(free) char *tag = NULL;
	AUTO(free) char *encoded = NULL;
	struct error ignored;

	image_mark_make(request->instance, pulled_reference(wish), &name, &tag);
	encoded = docker_encode(name);
	call = docker_call_new("POST", "/images/%s/tag?repo=%s&tag=%s",
			       json_get_string(wish->image, "Id", ""), encoded, tag);
	if (!docker_run(runtime->docker, call, &ignored))
		return;
}

static bool look_again(const struct engine_request *request, struct runtime *runtime,
		       struct image_wish *wish, struct error *err)
{
	AUTO(free) char *name = image_pull_name(pulled_reference(wish));

	if (docker_get(runtime->docker, &wish->image, err, "/images/%s/json", name)) {
		if (!wish->was_there)
			mark(request, runtime, wish);
		return true;
	}
	return error_wrap(err, "image \"%s\" of service \"%s\" was pulled, and is not there",
			  wish->reference, wish->service);
}

bool images_fetch(const struct engine_request *request, struct runtime *runtime,
		  struct worker_lines *lines, struct image_wish *wishes, size_t count,
		  struct error *err)
{
	AUTO(free) struct image_pull *pulls = xcalloc(count, sizeof(*pulls));
	size_t pull_count = 0;

	for (size_t i = 0; i < count; i++)
		if (wishes[i].reference && !wishes[i].image &&
		    !is_pulled_already(pulls, pull_count, &wishes[i]))
			pulls[pull_count++] =
			    (struct image_pull){ .service = wishes[i].service,
						 .reference = pulled_reference(&wishes[i]),
						 .platform = wishes[i].platform };
	if (pull_count > 0 && !images_pull(request, runtime, lines, pulls, pull_count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (wishes[i].reference && !wishes[i].image &&
		    !look_again(request, runtime, &wishes[i], err))
			return false;
	return true;
}

static bool refuse_architecture(const struct runtime *runtime, const struct image_wish *wish,
				const char *what, const char *own, struct error *err)
{
	error_set_as(err, ERR_INVALID, "wrong_architecture",
		     "%s \"%s\" of service \"%s\" is for %s, and the target is %s", what,
		     strcmp(what, "image") == 0 ? wish->reference : wish->platform, wish->service,
		     own, runtime->architecture);
	return error_hint(err, "build the image for %s, or choose another target",
			  runtime->architecture);
}

/* "linux/arm64/v8" is for arm64. */
static bool check_platform(const struct runtime *runtime, const struct image_wish *wish,
			   struct error *err)
{
	const char *from = strchr(wish->platform, '/') + 1;
	AUTO(free) char *machine = xstrndup(from, strcspn(from, "/"));
	const char *name = runtime_architecture_name(machine);

	return strcmp(name, runtime->architecture) == 0 ||
	       refuse_architecture(runtime, wish, "platform", name, err);
}

bool image_check_architecture(const struct runtime *runtime, const struct image_wish *wish,
			      struct error *err)
{
	const char *own = json_get_string(wish->image, "Architecture", "");
	const char *name = runtime_architecture_name(own);

	if (wish->platform && !check_platform(runtime, wish, err))
		return false;
	return !own[0] || strcmp(name, runtime->architecture) == 0 ||
	       refuse_architecture(runtime, wish, "image", name, err);
}
