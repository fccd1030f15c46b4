#include "engine/container/container_image.h"

#include <ctype.h>
#include <string.h>

#define PULL_LIMIT_MS ((int64_t)20 * 60 * 1000)
#define REFERENCE_BYTES_MAX 512

bool image_reference_is_valid(const char *reference)
{
	size_t length = strlen(reference);

	if (length == 0 || length > REFERENCE_BYTES_MAX || !isalnum((unsigned char)reference[0]) ||
	    strstr(reference, "..") || strstr(reference, "//"))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)reference[i]) && !strchr("._/:@-", reference[i]))
			return false;
	return true;
}

static bool has_tag_or_digest(const char *reference)
{
	const char *last = strrchr(reference, '/');

	return strpbrk(last ? last : reference, ":@") != NULL;
}

static bool refuse_missing(const struct image_wish *wish, const char *why, struct error *err)
{
	error_set_as(err, ERR_NOT_FOUND, "image_missing",
		     "image \"%s\" of service \"%s\" is not on the target%s%s", wish->reference,
		     wish->service, why[0] ? ": " : "", why);
	return error_hint(err, "%s",
			  text_starts_with(wish->reference, "localhost/")
			      ? "build it on the target first; the template's README says how"
			      : "build or pull it on the target, or correct its name");
}

/* A pull answers 200 and then lines of JSON, of which one may be an error. */
static char *pull_failure(const struct docker_call *call)
{
	const char *at = text_get(&call->answer), *end;

	if (!docker_succeeded(call))
		return docker_message(call);
	for (; *at; at = *end ? end + 1 : end) {
		AUTO(json_decref) json_t *line = NULL;
		struct error ignored; /* a line that is not JSON says nothing of a failure */

		end = at + strcspn(at, "\n");
		if (json_parse(at, (size_t)(end - at), "pull", &line, &ignored) &&
		    json_get_string(line, "error", NULL))
			return xstrdup(json_get_string(line, "error", ""));
	}
	return xstrdup("");
}

static bool pull(struct runtime *runtime, struct worker_lines *lines, struct image_wish *wish,
		 struct error *err)
{
	AUTO(docker_call_free) struct docker_call *call = NULL;
	AUTO(free) char *name = docker_encode(wish->reference);
	AUTO(free) char *failure = NULL;
	AUTO(free) char *line = NULL;

	worker_say_progress(lines, "pulling image %s", wish->reference);
	/* Without a tag Docker would take every one there is. */
	call = docker_call_new("POST", "/images/create?fromImage=%s%s", name,
			       has_tag_or_digest(wish->reference) ? "" : "%3Alatest");
	call->time_limit_ms = PULL_LIMIT_MS;
	if (!docker_run(runtime->docker, call, err))
		return false;
	failure = pull_failure(call);
	line = xstrndup(failure, strcspn(failure, "\n"));
	if (failure[0])
		return refuse_missing(wish, line, err);
	return docker_get(runtime->docker, &wish->image, err, "/images/%s/json", wish->reference);
}

static bool take_image(struct runtime *runtime, struct worker_lines *lines,
		       const struct docker_call *call, struct image_wish *wish, struct error *err)
{
	if (docker_succeeded(call)) {
		if (!docker_json(call, &wish->image, err))
			return false;
	} else if (call->status != 404) {
		docker_refusal(call, err);
		return error_wrap(err, "image \"%s\"", wish->reference);
	} else if (wish->locked_id) {
		return refuse_missing(wish, "it was there when it was resolved", err);
	} else if (text_starts_with(wish->reference, "localhost/")) {
		return refuse_missing(wish, "", err);
	} else {
		return pull(runtime, lines, wish, err);
	}
	return true;
}

static bool check_references(const struct image_wish *wishes, size_t count, struct error *err)
{
	char shown[80];

	for (size_t i = 0; i < count; i++)
		if (!image_reference_is_valid(wishes[i].reference))
			return error_set_as(
			    err, ERR_INVALID, "image_invalid",
			    "\"%s\", the image of service \"%s\", is not an image's name",
			    text_printable(wishes[i].reference, shown, sizeof(shown)),
			    wishes[i].service);
	return true;
}

bool images_resolve(struct runtime *runtime, struct worker_lines *lines, struct image_wish *wishes,
		    size_t count, struct error *err)
{
	AUTO(free) struct docker_call **calls = xcalloc(count, sizeof(struct docker_call *));
	bool is_good = true;

	if (!check_references(wishes, count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		calls[i] = docker_call_new("GET", "/images/%s/json",
					   wishes[i].locked_id ? wishes[i].locked_id
							       : wishes[i].reference);
	docker_run_all(runtime->docker, calls, count);
	for (size_t i = 0; i < count; i++) {
		is_good = is_good && take_image(runtime, lines, calls[i], &wishes[i], err);
		docker_call_free(calls[i]);
	}
	return is_good;
}

bool image_check_architecture(const struct runtime *runtime, const struct image_wish *wish,
			      struct error *err)
{
	const char *own = json_get_string(wish->image, "Architecture", "");
	const char *name = runtime_architecture_name(own);

	if (!own[0] || strcmp(name, runtime->architecture) == 0)
		return true;
	error_set_as(err, ERR_INVALID, "wrong_architecture",
		     "image \"%s\" of service \"%s\" is for %s, and the target is %s",
		     wish->reference, wish->service, name, runtime->architecture);
	return error_hint(err, "build the image for %s", runtime->architecture);
}
