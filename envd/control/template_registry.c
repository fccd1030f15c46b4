#include "control/template_registry.h"

#include <dirent.h>
#include <string.h>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"

/* What a template folder may hold: it is copied into every environment. */
static const struct copy_limits limits = { .files_max = 2000, .bytes_max = 16 << 20 };

struct cached {
	char *folder;
	struct template *template;
	char digest[SHA256_TEXT_SIZE];
};

struct template_registry {
	char **folders;
	size_t trusted_count; /* the first ones of `folders` */
	size_t folder_count;
	struct cached current; /* of the last answer */
	char **names;
};

static void add_folders(struct template_registry *registry, const char *const *folders)
{
	for (; folders && *folders; folders++) {
		registry->folders = xrealloc(registry->folders, registry->folder_count + 1,
					     sizeof(*registry->folders));
		registry->folders[registry->folder_count++] = xstrdup(*folders);
	}
}

struct template_registry *template_registry_new(const char *const *folders,
						const char *const *untrusted_folders)
{
	struct template_registry *registry = xcalloc(1, sizeof(*registry));

	add_folders(registry, folders);
	registry->trusted_count = registry->folder_count;
	add_folders(registry, untrusted_folders);
	return registry;
}

static void release_current(struct template_registry *registry)
{
	template_free(registry->current.template);
	free(registry->current.folder);
	registry->current = (struct cached){ NULL, NULL, "" };
}

static void release_names(struct template_registry *registry)
{
	for (size_t i = 0; registry->names && registry->names[i]; i++)
		free(registry->names[i]);
	free(registry->names);
	registry->names = NULL;
}

void template_registry_free(struct template_registry *registry)
{
	if (!registry)
		return;
	release_current(registry);
	release_names(registry);
	for (size_t i = 0; i < registry->folder_count; i++)
		free(registry->folders[i]);
	free(registry->folders);
	free(registry);
}

static bool has_template(const char *folder, const char *name)
{
	AUTO(free) char *path = xasprintf("%s/%s/%s", folder, name, TEMPLATE_FILE);

	return file_exists(path);
}

static bool not_found(struct template_registry *registry, const char *name, struct error *err)
{
	const char *const *names = template_registry_names(registry);
	const char *nearest = text_nearest(name, names);
	AUTO(free) char *all = text_join(names, ", ");
	char shown[64];

	error_set_as(err, ERR_NOT_FOUND, "template_not_found", "there is no template \"%s\"",
		     text_printable(name, shown, sizeof(shown)));
	if (nearest)
		return error_hint(err, "did you mean \"%s\"?", nearest);
	return error_hint(err, "templates: %s", *all ? all : "none (give envd --templates DIR)");
}

bool template_registry_find(struct template_registry *registry, const char *name,
			    struct template_entry *entry, struct error *err)
{
	struct error malformed;

	release_current(registry);
	/* A name is one folder of ours, never a way out of it. */
	if (!name_check(name, "template name", &malformed))
		return not_found(registry, name, err);
	for (size_t i = 0; i < registry->folder_count; i++) {
		if (!has_template(registry->folders[i], name))
			continue;
		registry->current.folder = path_join(registry->folders[i], name);
		if (!template_load(registry->current.folder, name, &registry->current.template,
				   err) ||
		    !folder_digest(registry->current.folder, &limits, registry->current.digest,
				   err))
			return error_wrap(err, "template \"%s\"", name);
		*entry =
		    (struct template_entry){ registry->current.template, registry->current.folder,
					     registry->current.digest,
					     i < registry->trusted_count };
		return true;
	}
	return not_found(registry, name, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t add_names(struct template_registry *registry, const char *folder, size_t count)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	struct error ignored; /* a folder of another kind is simply no template */

	while (dir && (entry = readdir(dir))) {
		if (!name_check(entry->d_name, "template name", &ignored) ||
		    !has_template(folder, entry->d_name))
			continue;
		registry->names = xrealloc(registry->names, count + 2, sizeof(*registry->names));
		registry->names[count++] = xstrdup(entry->d_name);
		registry->names[count] = NULL;
	}
	return count;
}

const char *const *template_registry_names(struct template_registry *registry)
{
	size_t count = 0, kept = 0;

	release_names(registry);
	registry->names = xcalloc(1, sizeof(*registry->names));
	for (size_t i = 0; i < registry->folder_count; i++)
		count = add_names(registry, registry->folders[i], count);
	qsort(registry->names, count, sizeof(*registry->names), by_name);
	/* The first folder that has a name gives it; the others' are hidden. */
	for (size_t i = 0; i < count; i++) {
		if (kept && strcmp(registry->names[kept - 1], registry->names[i]) == 0)
			free(registry->names[i]);
		else
			registry->names[kept++] = registry->names[i];
	}
	registry->names[kept] = NULL;
	return (const char *const *)registry->names;
}
