#include "engine/pulumi/pulumi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"

enum { COPIES = 5, LEFT_MAX = 200 };
#define STATE_BYTES_MAX ((size_t)256 << 20)
#define SECRET_MARK "4dabf18193072939515e22adb298388d"

static char *state_path(const struct pulumi_place *place, size_t layer)
{
	return xasprintf("%s/backend/.pulumi/stacks/%s/%s.json", place->folder,
			 place->projects[layer].name, place->stack);
}

/* ---- reading ---- */

static bool is_bookkeeping(const json_t *resource)
{
	const char *type = json_get_string(resource, "type", "");

	return strcmp(type, "pulumi:pulumi:Stack") == 0 ||
	       text_starts_with(type, "pulumi:providers:");
}

static bool load(const char *path, json_t **json, struct error *err)
{
	AUTO(free) char *bytes = NULL;
	json_error_t wrong;
	size_t length;

	if (!file_read(path, STATE_BYTES_MAX, &bytes, &length, err))
		return false;
	/* What a resource looks like is its provider's: neither depth nor size is ours to bound. */
	*json = json_loadb(bytes, length, 0, &wrong);
	if (*json)
		return true;
	error_set_as(err, ERR_CORRUPT, "state_unreadable", "the state \"%s\" cannot be read: %s",
		     path, wrong.text);
	return error_hint(err, "copies of it are in states/, and Pulumi's own beside it (.bak)");
}

static void take_latest(struct pulumi_state *state, const json_t *latest)
{
	state->exists = true;
	state->resources = json_object_get(latest, "resources");
	state->pending = json_object_get(latest, "pending_operations");
	state->resource_count = json_array_size(state->resources);
	state->pending_count = json_array_size(state->pending);
}

static bool read_export(const struct pulumi_place *place, size_t layer, struct pulumi_state *state,
			struct error *err)
{
	const json_t *whole;

	if (!backend_export(place, layer, &whole, err))
		return false;
	if (!whole)
		return true;
	/* It stays what it was then, although the backend forgets it. */
	state->whole = json_incref((json_t *)(uintptr_t)whole);
	take_latest(state, json_object_get(whole, "deployment"));
	return true;
}

bool state_read(const struct pulumi_place *place, size_t layer, struct pulumi_state *state,
		struct error *err)
{
	AUTO(free) char *path = NULL;
	const json_t *checkpoint, *latest;

	*state = (struct pulumi_state){ .exists = false };
	if (!place->projects || !place->projects[layer].name)
		return true;
	if (backend_is_remote(place))
		return read_export(place, layer, state, err);
	path = state_path(place, layer);
	if (!file_exists(path))
		return true;
	if (!load(path, &state->whole, err))
		return false;
	checkpoint = json_object_get(state->whole, "checkpoint");
	if (!json_is_object(checkpoint)) {
		state_release(state);
		return error_set_as(err, ERR_CORRUPT, "state_unreadable",
				    "the state \"%s\" has no checkpoint", path);
	}
	latest = json_object_get(checkpoint, "latest");
	take_latest(state, latest);
	return true;
}

void state_release(struct pulumi_state *state)
{
	json_decref(state->whole);
	*state = (struct pulumi_state){ .exists = false };
}

size_t state_locks(const struct pulumi_place *place, size_t layer)
{
	AUTO(free) char *path = NULL;
	AUTO(closedir) DIR *dir = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!place->projects || !place->projects[layer].name)
		return 0;
	path = xasprintf("%s/backend/.pulumi/locks/organization/%s/%s", place->folder,
			 place->projects[layer].name, place->stack);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	return count;
}

static void add_provider(const json_t *resource, json_t *providers)
{
	const char *type = json_get_string(resource, "type", "");
	AUTO(free) char *provider = xstrndup(type, strcspn(type, ":"));

	/* A component is only a name for others. */
	if (!json_get_bool(resource, "custom", false) || strcmp(provider, "pulumi") == 0)
		return;
	json_object_set_new(providers, provider, json_true());
}

void state_add_providers(const struct pulumi_state *state, json_t *providers)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, item)
		add_provider(item, providers);
	json_array_foreach((json_t *)(uintptr_t)state->pending, i, item)
		add_provider(json_object_get(item, "resource"), providers);
}

const json_t *state_output(const struct pulumi_state *state, const char *name)
{
	size_t i;
	json_t *resource;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, resource)
		if (strcmp(json_get_string(resource, "type", ""), "pulumi:pulumi:Stack") == 0)
			return json_object_get(json_object_get(resource, "outputs"), name);
	return NULL;
}

bool state_value_is_secret(const json_t *value)
{
	return json_is_object(value) && json_object_get(value, SECRET_MARK);
}

/* "organization/PROJECT/STACK" */
void state_references(const struct pulumi_state *state,
		      void (*on_project)(void *arg, const char *project), void *arg)
{
	size_t i;
	json_t *resource;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, resource) {
		const char *name = json_get_string(json_object_get(resource, "inputs"), "name", "");
		const char *first = strchr(name, '/'), *last = strrchr(name, '/');
		AUTO(free) char *project = NULL;

		if (strcmp(json_get_string(resource, "type", ""), "pulumi:pulumi:StackReference") !=
			0 ||
		    !first || first == last)
			continue;
		project = xstrndup(first + 1, (size_t)(last - first) - 1);
		on_project(arg, project);
	}
}

static void add_left(const json_t *resource, const char *layer, const char *reason, json_t *left)
{
	const char *urn = json_get_string(resource, "urn", "?"), *name = strrchr(urn, ':');

	if (json_array_size(left) < LEFT_MAX && !is_bookkeeping(resource))
		json_array_append_new(left,
				      json_pack("{s:s, s:s, s:o, s:s?}", "kind",
						json_get_string(resource, "type", "resource"), "id",
						json_get_string(resource, "id", urn), "name",
						json_sprintf("%s/%s", layer, name ? name + 1 : urn),
						"reason", reason));
}

void state_add_left(const struct pulumi_state *state, const char *layer, json_t *left)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, item)
		add_left(item, layer, NULL, left);
	json_array_foreach((json_t *)(uintptr_t)state->pending, i, item) {
		AUTO(free)
		char *reason = xasprintf("%s was interrupted, so nobody knows whether it exists",
					 json_get_string(item, "type", "an operation"));

		add_left(json_object_get(item, "resource"), layer, reason, left);
	}
}

static void mend(const char *file)
{
	AUTO(free) char *path = xasprintf("%s.attrs", file);
	AUTO(free) char *bytes = NULL;
	AUTO(json_decref) json_t *whole = NULL;
	struct error ignored; /* what is not there is fine */

	if (!file_read(path, 1 << 20, &bytes, NULL, &ignored))
		return;
	whole = json_loads(bytes, 0, NULL);
	if (!whole)
		unlink(path);
}

void state_mend(const struct pulumi_place *place, size_t layer)
{
	AUTO(free) char *path = NULL;
	AUTO(free) char *backup = NULL;
	AUTO(free) char *meta = xasprintf("%s/backend/.pulumi/meta.yaml", place->folder);

	if (!place->projects || !place->projects[layer].name || backend_is_remote(place))
		return;
	path = state_path(place, layer);
	backup = xasprintf("%s.bak", path);
	mend(path);
	mend(backup);
	mend(meta);
}

/* ---- keeping ---- */

static bool sync_file(const char *path, struct error *err)
{
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return error_set_errno(err, errno, "cannot sync \"%s\"", path);
	return true;
}

static bool sync_folder_of(const char *path, struct error *err)
{
	AUTO(free) char *folder = xstrdup(path);

	*strrchr(folder, '/') = '\0';
	return sync_file(folder, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Copies are named by the time they were made at, so the oldest sort first. */
static void remove_old_copies(const char *folder)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		names = xrealloc(names, count + 1, sizeof(*names));
		names[count++] = path_join(folder, entry->d_name);
	}
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		if (i + COPIES < count)
			unlink(names[i]);
		free(names[i]);
	}
	free(names);
}

/* The bytes to be copied; a file of ours is on the disk before its copy is. */
static bool read_whole(const struct pulumi_place *place, size_t layer,
		       const struct pulumi_state *state, char **bytes, size_t *length,
		       struct error *err)
{
	AUTO(free) char *path = NULL;

	if (backend_is_remote(place)) {
		*bytes = json_dumps(state->whole, JSON_INDENT(4));
		*length = strlen(*bytes);
		return true;
	}
	path = state_path(place, layer);
	return sync_file(path, err) && sync_folder_of(path, err) &&
	       file_read(path, STATE_BYTES_MAX, bytes, length, err);
}

/* The same bytes by a second name. They are on the disk; after a crash the name may be that of
 * older ones, and the copies tell. */
static bool name_as(const char *copy, const char *name, struct error *err)
{
	AUTO(free) char *next = xasprintf("%s.new", name);

	unlink(next);
	return (link(copy, next) == 0 && rename(next, name) == 0) ||
	       error_set_errno(err, errno, "cannot link \"%s\"", name);
}

bool state_keep(const struct pulumi_place *place, size_t layer, struct error *err)
{
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	AUTO(free)
	char *folder = xasprintf("%s/states/%s", place->folder, place->list->layers[layer].name);
	AUTO(free)
	char *copy = xasprintf("%s/%015lld.json", folder, (long long)clock_wall_ms());
	AUTO(free) char *full = xasprintf("%s/last-not-empty.json", folder);
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!state_read(place, layer, &state, err))
		return false;
	if (!state.exists)
		return true;
	if (!read_whole(place, layer, &state, &bytes, &length, err) ||
	    !folder_make(folder, 0700, err) ||
	    !file_write_atomically(copy, bytes, length, 0600, err))
		return false;
	remove_old_copies(folder);
	return (!state.resource_count && !state.pending_count) || name_as(copy, full, err);
}

static void strike(json_t *whole)
{
	static const char *const lists[] = { "resources", "pending_operations" };
	json_t *deployment = json_object_get(whole, "checkpoint");
	size_t i;
	json_t *item;

	deployment = json_object_get(deployment, "latest");
	for (size_t list = 0; list < ARRAY_SIZE(lists); list++)
		json_array_foreach(json_object_get(deployment, lists[list]), i, item) {
			json_t *resource = json_object_get(item, "resource");

			json_object_del(resource ? resource : item, "inputs");
			json_object_del(resource ? resource : item, "outputs");
		}
}

static bool strike_file(const char *path, struct error *err)
{
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(free) char *text = NULL;
	struct error ignored;

	/* One that cannot be read is of no use to anybody. */
	if (!json_read_file(path, STATE_BYTES_MAX, &whole, &ignored))
		return folder_remove(path, err);
	strike(whole);
	text = json_to_text(whole);
	return file_write_atomically(path, text, strlen(text), 0600, err);
}

bool state_strike_values(const struct pulumi_place *place, size_t layer, struct error *err)
{
	AUTO(free)
	char *folder = xasprintf("%s/states/%s", place->folder, place->list->layers[layer].name);
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);

		if (entry->d_name[0] != '.' && !strike_file(path, err))
			return false;
	}
	return true;
}
