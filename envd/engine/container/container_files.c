#include "engine/container/container_files.h"

#include <string.h>

#include "engine/container/container_tar.h"

#define FILE_BYTES_MAX ((size_t)256 * 1024)

/* Where the part that is sent begins: after the `up`-th '/' from the last one. NULL: nowhere. */
static const char *cut_path(const char *target, int up)
{
	const char *at = target + strlen(target);

	for (;;) {
		if (at == target)
			return NULL;
		at--;
		if (*at == '/' && up-- == 0)
			return at + 1;
	}
}

static bool add_folders(struct text *tar, const char *rest, struct error *err)
{
	for (const char *slash = strchr(rest, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTO(free) char *folder = xstrndup(rest, (size_t)(slash - rest));

		if (!tar_add_folder(tar, folder, err))
			return false;
	}
	return true;
}

bool file_put_call(const char *container, const struct planned_file *file, int up,
		   struct docker_call **result, struct error *err)
{
	const struct compose_config_use *use = file->use;
	const char *rest = cut_path(use->target, up);
	AUTO(docker_call_free) struct docker_call *call = NULL;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *encoded = NULL;

	if (!rest)
		return error_set_as(err, ERR_EXTERNAL, "config_not_delivered",
				    "config \"%s\" cannot be put at %s", use->source, use->target);
	folder = xstrndup(use->target, (size_t)(rest - use->target));
	encoded = docker_encode(folder);
	call = docker_call_new("PUT", "/containers/%s/archive?path=%s", container, encoded);
	if (!add_folders(&call->bytes, rest, err) ||
	    !tar_add_file(&call->bytes,
			  &(struct tar_file){ .name = rest,
					      .bytes = file->bytes,
					      .length = file->length,
					      .mode = use->mode,
					      .uid = use->uid,
					      .gid = use->gid },
			  err))
		return false;
	tar_end(&call->bytes);
	*result = TAKE(call);
	return true;
}

bool file_get(struct runtime *runtime, const char *container, const char *path, char **text,
	      struct error *err)
{
	AUTO(free) char *encoded = docker_encode(path);
	AUTO(docker_call_free)
	struct docker_call *call =
	    docker_call_new("GET", "/containers/%s/archive?path=%s", container, encoded);
	const char *bytes;
	size_t length;

	if (!docker_run(runtime->docker, call, err))
		return false;
	if (!docker_succeeded(call))
		return docker_refusal(call, err);
	if (!tar_first_file(text_get(&call->answer), call->answer.length, &bytes, &length, err))
		return false;
	if (length > FILE_BYTES_MAX || !text_is_utf8(bytes, length))
		return error_set(err, ERR_INVALID, "file %s is not text of at most %zu bytes", path,
				 FILE_BYTES_MAX);
	*text = xstrndup(bytes, length);
	return true;
}
