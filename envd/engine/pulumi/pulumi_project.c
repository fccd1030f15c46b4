/*
 * The projects of a checkout: what their Pulumi.yaml says, and whether the template's list and the
 * checkout agree.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/text.h"
#include "base/yaml_read.h"
#include "engine/pulumi/pulumi_place.h"

#define PROJECT_FILE "Pulumi.yaml"
#define PROJECT_BYTES_MAX (256 << 10)
#define DEPTH_MAX 12

/* ---- one project ---- */

static bool read_runtime(const struct yaml_document *document, struct pulumi_project *project,
			 struct error *err)
{
	const struct yaml_node *node = yaml_get(document->root, "runtime");

	if (node && node->kind == YAML_MAP)
		node = yaml_get(node, "name");
	if (!node || node->kind != YAML_SCALAR)
		return yaml_error(document, document->root, err, "\"runtime\" is missing");
	project->runtime = xstrdup(node->text);
	return true;
}

static json_t *read_types(const struct yaml_node *config, const char *project)
{
	json_t *types = json_object();

	for (size_t i = 0; config && config->kind == YAML_MAP && i < config->count; i++) {
		const struct yaml_node *type = yaml_get(config->items[i], "type");
		AUTO(free)
		char *key = strchr(config->keys[i]->text, ':')
				? xstrdup(config->keys[i]->text)
				: xasprintf("%s:%s", project, config->keys[i]->text);

		if (type && type->kind == YAML_SCALAR)
			json_object_set_new(types, key, json_string(type->text));
	}
	return types;
}

/* `config: FOLDER` is the old spelling of `stackConfigDir: FOLDER`. */
static char *config_folder(const struct yaml_node *root, const char *folder)
{
	const struct yaml_node *node = yaml_get(root, "stackConfigDir");
	AUTO(free) char *path = NULL;
	char *real;

	if (!node || node->kind != YAML_SCALAR)
		node = yaml_get(root, "config");
	if (!node || node->kind != YAML_SCALAR || !*node->text)
		return xstrdup(folder);
	path = path_join(folder, node->text);
	/* Projects that share one name it from where each of them lies. */
	real = realpath(path, NULL);
	return real ? real : TAKE(path);
}

static bool stays_inside(const char *path, const char *root)
{
	AUTO(free) char *real = realpath(path, NULL);
	AUTO(free) char *top = realpath(root, NULL);

	return real && top && text_starts_with(real, top) &&
	       (real[strlen(top)] == '/' || !real[strlen(top)]);
}

static bool read_project(const char *folder, const char *shown, struct pulumi_project *project,
			 struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(free) char *path = path_join(folder, PROJECT_FILE);
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *file = xasprintf("%s/" PROJECT_FILE, shown);
	const char *name;
	size_t length;

	if (!file_read(path, PROJECT_BYTES_MAX, &bytes, &length, err) ||
	    !yaml_parse(bytes, length, file, &document, err) ||
	    !yaml_read_string(document, document->root, "name", &name, err) ||
	    !read_runtime(document, project, err))
		return false;
	project->folder = xstrdup(folder);
	project->name = xstrdup(name);
	project->config_folder = config_folder(document->root, folder);
	project->config_types = read_types(yaml_get(document->root, "config"), name);
	if (*name && !strchr(name, '/') && *name != '.')
		return true;
	return yaml_error(document, yaml_get(document->root, "name"), err,
			  "\"%.60s\" cannot be the name of a project", name);
}

/* Without being asked for, a submodule is an empty folder. */
static bool hint_at_what_misses(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *modules = path_join(place->checkout, ".gitmodules");

	return file_exists(modules)
		   ? error_hint(err, "is it in a submodule, and the source without "
				     "\"submodules: true\"?")
		   : error_hint(err, "is it another commit than the template is "
				     "made for?");
}

static bool read_layer(const struct pulumi_place *place, const char *root, size_t index,
		       struct error *err)
{
	const struct layer_spec *layer = &place->list->layers[index];
	AUTO(free) char *folder = path_join(root, layer->project);
	AUTO(free) char *file = path_join(folder, PROJECT_FILE);

	if (!file_exists(file)) {
		error_set_as(err, ERR_INVALID, "project_missing",
			     "layer \"%s\": the checkout has no project \"%s\"", layer->name,
			     layer->project);
		return hint_at_what_misses(place, err);
	}
	return read_project(folder, layer->project, &place->projects[index], err) ||
	       error_wrap(err, "layer \"%s\"", layer->name);
}

/* ---- those that nobody listed ---- */

static bool is_known(const struct layer_list *list, const char *relative)
{
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(list->layers[i].project, relative))
			return true;
	for (char **pattern = list->ignored; pattern && *pattern; pattern++)
		if (fnmatch(*pattern, relative, 0) == 0)
			return true;
	return false;
}

static bool look_for_unlisted(const struct pulumi_place *place, const char *folder,
			      const char *relative, int depth, struct error *err)
{
	AUTO(closedir) DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
	AUTO(free) char *file = path_join(folder, PROJECT_FILE);
	struct dirent *entry;

	if (*relative && file_exists(file) && !is_known(place->list, relative)) {
		error_set_as(err, ERR_INVALID, "project_unlisted",
			     "the checkout has a project \"%s\" that %s does not list", relative,
			     place->template->source);
		return error_hint(err, "add it to \"layers\", or to \"ignore\" of the checkout");
	}
	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);
		AUTO(free)
		char *below =
		    *relative ? path_join(relative, entry->d_name) : xstrdup(entry->d_name);
		struct stat status;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0 ||
		    strcmp(entry->d_name, "venv") == 0 || lstat(path, &status) != 0 ||
		    !S_ISDIR(status.st_mode))
			continue;
		if (!look_for_unlisted(place, path, below, depth + 1, err))
			return false;
	}
	return true;
}

static bool check_names(const struct pulumi_place *place, const char *checkout, struct error *err)
{
	for (size_t i = 0; i < place->list->count; i++) {
		const struct pulumi_project *project = &place->projects[i];

		if (!project->name)
			continue;
		if (!stays_inside(project->folder, checkout) ||
		    !stays_inside(project->config_folder, checkout))
			return error_set_as(err, ERR_INVALID, "project_unsafe",
					    "project \"%s\" leaves the checkout",
					    place->list->layers[i].project);
		for (size_t j = 0; j < i; j++)
			if (text_equal(place->projects[j].name, project->name))
				return error_set_as(
				    err, ERR_INVALID, "project_name_taken",
				    "layers \"%s\" and \"%s\" are both project \"%s\": they would "
				    "have one state",
				    place->list->layers[j].name, place->list->layers[i].name,
				    project->name);
	}
	return true;
}

bool place_read_projects(struct pulumi_place *place, const char *checkout, struct error *err)
{
	AUTO(free)
	char *root =
	    *place->list->root ? path_join(checkout, place->list->root) : xstrdup(checkout);

	place_forget_projects(place);
	place->projects = xcalloc(place->list->count, sizeof(*place->projects));
	for (size_t i = 0; i < place->list->count; i++)
		if (place->list->layers[i].project && !read_layer(place, root, i, err))
			return false;
	/* Where the checkout says what it builds, the rest is what it does not build. */
	return check_names(place, checkout, err) &&
	       (place->list->order || look_for_unlisted(place, root, "", 0, err));
}

void place_forget_projects(struct pulumi_place *place)
{
	for (size_t i = 0; place->projects && i < place->list->count; i++) {
		struct pulumi_project *project = &place->projects[i];

		free(project->folder);
		free(project->name);
		free(project->runtime);
		free(project->config_folder);
		json_decref(project->config_types);
	}
	free(place->projects);
	place->projects = NULL;
}
