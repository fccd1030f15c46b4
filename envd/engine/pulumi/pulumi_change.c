#include "engine/pulumi/pulumi_change.h"

#include <dirent.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_rewrite.h"
#include "engine/pulumi/tool_set.h"
#include "model/layer_select.h"
#include "source/source_patch.h"

#define PATCH_BYTES_MAX (1 << 20)
#define FILE_BYTES_MAX (4 << 20)
#define COPY_LIMIT_MS 60000
#define DEPTH_MAX 20

struct making {
	const struct pulumi_place *place;
	const struct layer_change *change;
	const char *folder; /* the checkout's */
	json_t *entry;      /* of the lock */
	struct error *err;
};

/* ---- rewrite ---- */

/* What goes into the files; NULL: they stay as they are. */
static bool wanted_value(const struct making *making, char **value)
{
	AUTO(free) char *text = NULL;

	*value = NULL;
	text = making->change->pin ? xasprintf("${images.%s}", making->change->pin)
				   : xstrdup(making->change->to);
	if (!place_fill(making->place, text, value, making->err))
		return false;
	if (**value)
		return true;
	free(*value);
	*value = NULL;
	return true;
}

static bool rewrite_file(const struct making *making, const char *relative, const char *value)
{
	AUTO(free) char *path = path_join(making->folder, relative);
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *changed = NULL;
	json_t *values = json_object_get(making->entry, "values");
	struct rewrite rewrite = { making->change->key, making->change->matching, value };
	AUTO(json_decref) json_t *found = json_array();
	struct stat status;

	if (!file_read(path, FILE_BYTES_MAX, &bytes, NULL, making->err))
		return false;
	changed = rewrite_values(&rewrite, bytes, found);
	if (!json_array_size(found))
		return true;
	json_object_set(values, relative,
			json_array_size(found) == 1 ? json_array_get(found, 0) : found);
	return strcmp(changed, bytes) == 0 ||
	       (stat(path, &status) == 0 &&
		file_replace(path, changed, strlen(changed), status.st_mode & 0777, making->err));
}

static bool rewrite_below(const struct making *making, const char *relative, int depth,
			  const char *value)
{
	AUTO(free) char *folder = path_join(making->folder, relative);
	AUTO(closedir) DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		AUTO(free)
		char *below =
		    *relative ? path_join(relative, entry->d_name) : xstrdup(entry->d_name);
		AUTO(free) char *path = path_join(making->folder, below);
		struct stat status;

		if (entry->d_name[0] == '.' || lstat(path, &status) != 0)
			continue;
		if (S_ISDIR(status.st_mode) && !rewrite_below(making, below, depth + 1, value))
			return false;
		if (S_ISREG(status.st_mode) &&
		    fnmatch(making->change->what, below, FNM_PATHNAME) == 0 &&
		    !rewrite_file(making, below, value))
			return false;
	}
	return true;
}

static bool make_rewrite(const struct making *making)
{
	const struct layer_change *change = making->change;
	AUTO(free) char *value = NULL;

	json_object_set_new(making->entry, "values", json_object());
	json_object_set_new(making->entry, "key", json_string(change->key));
	if (change->pin)
		json_object_set_new(making->entry, "pin", json_string(change->pin));
	if (!wanted_value(making, &value) || !rewrite_below(making, "", 0, value))
		return false;
	if (json_object_size(json_object_get(making->entry, "values")))
		return true;
	error_set_as(making->err, ERR_INVALID, "rewrite_missed",
		     "%s%s%snothing in \"%s\" of the checkout has a \"%s\" like \"%s\"",
		     change->pin ? "component \"" : "", change->pin ? change->pin : "",
		     change->pin ? "\": " : "", change->what, change->key, change->matching);
	return error_hint(making->err, "is it another commit than the template is made for, or is "
				       "a submodule missing?");
}

/* ---- patch, copy ---- */

static bool make_patch(const struct making *making)
{
	AUTO(free) char *scratch = place_path(making->place, "patching");
	AUTO(free)
	char *path = path_join(making->place->request->template_folder, making->change->what);
	AUTO(free) char *patch = NULL;
	char hash[SHA256_TEXT_SIZE];
	size_t length;

	if (!file_read(path, PATCH_BYTES_MAX, &patch, &length, making->err) ||
	    !folder_remove(scratch, making->err) ||
	    !source_patch(patch, length, making->folder, scratch, making->err))
		return error_wrap(making->err, "patch \"%s\"", making->change->what);
	sha256_text(patch, length, hash);
	json_object_set_new(making->entry, "hash", json_string(hash));
	return true;
}

static bool hash_of(const char *path, char *hash, struct error *err)
{
	static const struct copy_limits limits = { 2000, 16 << 20 };
	AUTO(free) char *bytes = NULL;
	struct stat status;
	size_t length;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return folder_digest(path, &limits, hash, err);
	if (!file_read(path, (size_t)16 << 20, &bytes, &length, err))
		return false;
	sha256_text(bytes, length, hash);
	return true;
}

static bool copy_over(const struct making *making, const char *from, const char *to)
{
	const char *const words[] = { "/bin/cp", "-rT", "--preserve=mode", from, to, NULL };
	struct tool_end end;

	if (!tool_run(&(struct tool_spec){ .argv = words,
					   .variables = making->place->variables,
					   .directory = "/",
					   .limit_ms = COPY_LIMIT_MS },
		      0, NULL, &end, making->err))
		return false;
	return tool_ended_well(&end) ||
	       error_set_as(making->err, ERR_INVALID, "copy_failed",
			    "\"%s\" of the template could not be copied to \"%s\" of the checkout",
			    making->change->what, making->change->to);
}

static bool make_copy(const struct making *making)
{
	AUTO(free) char *what = NULL;
	AUTO(free) char *where = NULL;
	AUTO(free) char *from = NULL;
	AUTO(free) char *to = NULL;
	AUTO(free) char *parent = NULL;
	char hash[SHA256_TEXT_SIZE];

	if (!place_fill(making->place, making->change->what, &what, making->err) ||
	    !place_fill(making->place, making->change->to, &where, making->err))
		return false;
	if (!*what)
		return true;
	if (!layer_path_stays_inside(what) || !layer_path_stays_inside(where))
		return error_set_as(
		    making->err, ERR_INVALID, "copy_failed",
		    "\"%.100s\" and \"%.100s\" must be inside of the template and of "
		    "the checkout",
		    what, where);
	to = path_join(making->folder, where);
	parent = xstrdup(to);
	from = path_join(making->place->request->template_folder, what);
	*strrchr(parent, '/') = '\0';
	if (!file_exists(from))
		return error_set_as(making->err, ERR_INVALID, "copy_failed",
				    "the template has no \"%.100s\", which is to be copied to "
				    "\"%s\" of the checkout",
				    what, making->change->to);
	if (!hash_of(from, hash, making->err) || !folder_make(parent, 0755, making->err))
		return false;
	json_object_set_new(making->entry, "hash", json_string(hash));
	return copy_over(making, from, to);
}

static bool make_config(const struct making *making)
{
	json_object_set(making->entry, "values", making->change->config);
	return true;
}

/* ---- all of them ---- */

static bool make_one(struct making *making, json_t *made)
{
	static const struct {
		const char *name;
		bool (*make)(const struct making *making);
	} kinds[] = {
		[LAYER_CHANGE_REWRITE] = { "rewrite", make_rewrite },
		[LAYER_CHANGE_PATCH] = { "patch", make_patch },
		[LAYER_CHANGE_COPY] = { "copy", make_copy },
		[LAYER_CHANGE_CONFIG] = { "config", make_config },
	};
	const struct layer_change *change = making->change;

	making->entry = json_pack("{s:s, s:s*, s:s}", "change", kinds[change->kind].name, "what",
				  change->what, "reason", change->reason);
	json_array_append_new(made, making->entry);
	if (!kinds[change->kind].make(making))
		return false;
	/* Nobody asked for this copy. */
	if (change->kind == LAYER_CHANGE_COPY && !json_object_get(making->entry, "hash"))
		json_array_remove(made, json_array_size(made) - 1);
	return true;
}

bool changes_make(const struct pulumi_place *place, const char *folder, json_t **made,
		  struct error *err)
{
	AUTO(json_decref) json_t *all = json_array();

	for (size_t i = 0; i < place->list->change_count; i++) {
		const struct layer_change *change = &place->list->changes[i];
		struct making making = { place, change, folder, NULL, err };
		bool holds;

		if (!layer_when_holds(change->when, place->request->parameters, &holds, err))
			return error_wrap(err, "changes");
		if (holds && !make_one(&making, all))
			return false;
	}
	*made = TAKE(all);
	return true;
}
