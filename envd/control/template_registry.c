#include "control/template_registry.h"

#include <dirent.h>
#include <string.h>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"

/* What a template folder may hold: it is copied into every environment. */
static const struct copy_limits limits = { .files_max = 2000, .bytes_max = 16 << 20 };

/* Read anew only when a look at its folder says that it was changed. */
struct cached {
	char *folder;
	char *name; /* as it was asked for; NULL: whatever it is called */
	struct template *template;
	char digest[SHA256_TEXT_SIZE];
	struct folder_look look;
	int64_t looked_in; /* turn */
};

enum { CACHED_MAX = 32 };

/* A git source, as it was when last looked at. */
struct head {
	char *source;
	struct template_checkout checkout; /* empty: never fetched */
	struct error failure;              /* of the last try; code ERR_NONE: it went well */
};

struct template_registry {
	char **folders;
	size_t trusted_count; /* the first ones of `folders` */
	size_t folder_count;
	struct head *heads;
	size_t head_count;
	struct cached cached[CACHED_MAX];
	size_t next; /* to be given up for another one */
	int64_t turn;
	bool is_in_turn;
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

static void release_cached(struct cached *cached)
{
	template_free(cached->template);
	free(cached->folder);
	free(cached->name);
	memset(cached, 0, sizeof(*cached));
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
	for (size_t i = 0; i < CACHED_MAX; i++)
		release_cached(&registry->cached[i]);
	release_names(registry);
	for (size_t i = 0; i < registry->folder_count; i++)
		free(registry->folders[i]);
	free(registry->folders);
	for (size_t i = 0; i < registry->head_count; i++) {
		free(registry->heads[i].source);
		template_checkout_release(&registry->heads[i].checkout);
	}
	free(registry->heads);
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

void template_registry_begin_turn(struct template_registry *registry)
{
	registry->turn++;
	registry->is_in_turn = true;
}

void template_registry_end_turn(struct template_registry *registry)
{
	registry->is_in_turn = false;
}

static struct cached *find_cached(struct template_registry *registry, const char *folder,
				  const char *name)
{
	for (size_t i = 0; i < CACHED_MAX; i++) {
		struct cached *at = &registry->cached[i];

		if (at->folder && strcmp(at->folder, folder) == 0 && text_equal(at->name, name))
			return at;
	}
	return NULL;
}

/* The place of this one, or one to read it into, emptied. */
static struct cached *place_for(struct template_registry *registry, const char *folder,
				const char *name, const struct folder_look *look)
{
	struct cached *found = find_cached(registry, folder, name);
	struct cached *place = found ? found : &registry->cached[registry->next];

	if (found && found->template && found->look.is_settled && found->look.hash == look->hash)
		return found;
	if (!found)
		registry->next = (registry->next + 1) % CACHED_MAX;
	release_cached(place);
	place->folder = xstrdup(folder);
	place->name = name ? xstrdup(name) : NULL;
	place->look = *look;
	return place;
}

static struct template_entry entry_of(const struct cached *cached)
{
	return (struct template_entry){ .template = cached->template,
					.folder = cached->folder,
					.digest = cached->digest };
}

/* From `folder`, whose template must be called `name` (NULL: whatever it is called). */
static bool load_entry(struct template_registry *registry, const char *folder, const char *name,
		       struct template_entry *entry, struct error *err)
{
	struct cached *place = find_cached(registry, folder, name);
	struct folder_look look;

	/* As it is at the first question of a turn, so it is for all that are answered together. */
	if (place && place->template && registry->is_in_turn &&
	    place->looked_in == registry->turn) {
		*entry = entry_of(place);
		return true;
	}
	/* First: what changes while it is read makes the next look another one. */
	if (!folder_look(folder, &limits, &look, err))
		return false;
	place = place_for(registry, folder, name, &look);
	place->looked_in = registry->is_in_turn ? registry->turn : 0;
	if (!place->template && (!template_load(folder, name, &place->template, err) ||
				 !folder_digest(folder, &limits, place->digest, err))) {
		release_cached(place);
		return false;
	}
	*entry = entry_of(place);
	return true;
}

/* ---- git sources ---- */

void template_registry_add_source(struct template_registry *registry, const char *source)
{
	struct head head = { .source = xstrdup(source) };

	error_set_as(&head.failure, ERR_UNAVAILABLE, "source_not_read",
		     "source \"%s\" was not read yet", source);
	registry->heads =
	    xrealloc(registry->heads, registry->head_count + 1, sizeof(*registry->heads));
	registry->heads[registry->head_count++] = head;
}

static struct head *find_head(const struct template_registry *registry, const char *source,
			      size_t length)
{
	for (size_t i = 0; i < registry->head_count; i++)
		if (strlen(registry->heads[i].source) == length &&
		    strncmp(registry->heads[i].source, source, length) == 0)
			return &registry->heads[i];
	return NULL;
}

void template_registry_set_head(struct template_registry *registry, const char *source,
				const struct template_checkout *checkout,
				const struct error *failure)
{
	struct head *head = find_head(registry, source, strlen(source));
	struct template_checkout copy;

	if (!head)
		return;
	if (failure) {
		head->failure = *failure;
		return;
	}
	copy = template_checkout_copy(checkout); /* first: it may be the head itself */
	template_checkout_release(&head->checkout);
	head->checkout = copy;
	head->failure.code = ERR_NONE;
}

/* A repository that is one template, by the name that it gives itself. */
static bool is_the_only_one(const struct template_checkout *checkout, const char *name)
{
	AUTO(template_free) struct template *template = NULL;
	AUTO(free) char *path = path_join(checkout->folder, TEMPLATE_FILE);
	struct error ignored; /* then it is not */

	return file_exists(path) && template_load(checkout->folder, NULL, &template, &ignored) &&
	       strcmp(template->name, name) == 0;
}

static bool checkout_has(const struct template_checkout *checkout, const char *name)
{
	struct error ignored; /* a name of another form is that of no template */

	return checkout->source && name_check(name, "template name", &ignored) &&
	       (has_template(checkout->folder, name) || is_the_only_one(checkout, name));
}

bool template_registry_find_in(struct template_registry *registry,
			       const struct template_checkout *checkout, const char *name,
			       struct template_entry *entry, struct error *err)
{
	const char *slash = strchr(name, '/');
	const char *bare = slash ? slash + 1 : name;
	AUTO(free) char *folder = NULL;
	struct error malformed;
	char shown[64];

	if (!name_check(bare, "template name", &malformed) ||
	    (!has_template(checkout->folder, bare) && !has_template(checkout->folder, "."))) {
		error_set_as(err, ERR_NOT_FOUND, "template_not_found",
			     "source \"%s\" has no template \"%s\" at commit %.12s",
			     checkout->source, text_printable(bare, shown, sizeof(shown)),
			     checkout->commit);
		return error_hint(err, "envctl template list shows those of its own ref");
	}
	folder = has_template(checkout->folder, bare) ? path_join(checkout->folder, bare)
						      : xstrdup(checkout->folder);
	if (!load_entry(registry, folder, bare, entry, err))
		return error_wrap(err, "template \"%s\" of source \"%s\" at commit %.12s", bare,
				  checkout->source, checkout->commit);
	entry->is_trusted = checkout->is_trusted;
	entry->checkout = checkout;
	return true;
}

/* "SOURCE/NAME", by the last head. */
static bool find_in_head(struct template_registry *registry, const char *name,
			 struct template_entry *entry, struct error *err)
{
	const char *slash = strchr(name, '/');
	struct head *head = find_head(registry, name, (size_t)(slash - name));

	if (!head)
		return not_found(registry, name, err);
	if (head->checkout.source && slash[1])
		return template_registry_find_in(registry, &head->checkout, name, entry, err);
	if (head->failure.code != ERR_NONE) {
		*err = head->failure;
		return false;
	}
	return error_set_as(err, ERR_NOT_FOUND, "template_not_found",
			    "source \"%s\" has no template at commit %.12s", head->source,
			    head->checkout.commit);
}

static bool folders_have(const struct template_registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->folder_count; i++)
		if (has_template(registry->folders[i], name))
			return true;
	return false;
}

static bool source_of_bare(struct template_registry *registry, const char *name, bool has_ref,
			   const char **source, struct error *err)
{
	struct error malformed;

	if (!name_check(name, "template name", &malformed))
		return not_found(registry, name, err);
	if (folders_have(registry, name)) {
		*source = NULL;
		if (!has_ref)
			return true;
		error_set_as(err, ERR_INVALID, "ref_without_source",
			     "template \"%s\" is a folder of the server and has no refs", name);
		return error_hint(err, "only templates of a git source have: SOURCE/NAME");
	}
	for (size_t i = 0; i < registry->head_count; i++) {
		if (!checkout_has(&registry->heads[i].checkout, name))
			continue;
		*source = registry->heads[i].source;
		return true;
	}
	return not_found(registry, name, err);
}

bool template_registry_source_of(struct template_registry *registry, const char *name, bool has_ref,
				 const char **source, struct error *err)
{
	const char *slash = strchr(name, '/');
	struct head *head;

	if (!slash)
		return source_of_bare(registry, name, has_ref, source, err);
	head = find_head(registry, name, (size_t)(slash - name));
	if (!head)
		return not_found(registry, name, err);
	*source = head->source;
	return true;
}

/* ---- all of them ---- */

bool template_registry_find(struct template_registry *registry, const char *name,
			    struct template_entry *entry, struct error *err)
{
	struct error malformed;

	if (strchr(name, '/'))
		return find_in_head(registry, name, entry, err);
	/* A name is one folder of ours, never a way out of it. */
	if (!name_check(name, "template name", &malformed))
		return not_found(registry, name, err);
	for (size_t i = 0; i < registry->folder_count; i++) {
		AUTO(free) char *folder = path_join(registry->folders[i], name);

		if (!has_template(registry->folders[i], name))
			continue;
		if (!load_entry(registry, folder, name, entry, err))
			return error_wrap(err, "template \"%s\"", name);
		entry->is_trusted = i < registry->trusted_count;
		return true;
	}
	return not_found(registry, name, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t add_name(struct template_registry *registry, char *name, size_t count)
{
	registry->names = xrealloc(registry->names, count + 2, sizeof(*registry->names));
	registry->names[count++] = name;
	registry->names[count] = NULL;
	return count;
}

/* `prefix`: "" or "SOURCE/". */
static size_t add_names(struct template_registry *registry, const char *folder, const char *prefix,
			size_t count)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	struct error ignored; /* a folder of another kind is simply no template */

	while (dir && (entry = readdir(dir))) {
		if (!name_check(entry->d_name, "template name", &ignored) ||
		    !has_template(folder, entry->d_name))
			continue;
		count = add_name(registry, xasprintf("%s%s", prefix, entry->d_name), count);
	}
	return count;
}

static size_t add_head_names(struct template_registry *registry, const struct head *head,
			     size_t count)
{
	AUTO(free) char *prefix = xasprintf("%s/", head->source);
	AUTO(template_free) struct template *only = NULL;
	struct error ignored; /* it is shown when it is looked up */
	size_t before = count;

	if (head->checkout.source)
		count = add_names(registry, head->checkout.folder, prefix, count);
	if (count == before && head->checkout.source &&
	    template_load(head->checkout.folder, NULL, &only, &ignored))
		return add_name(registry, xasprintf("%s%s", prefix, only->name), count);
	return count == before ? add_name(registry, TAKE(prefix), count) : count;
}

const char *const *template_registry_names(struct template_registry *registry)
{
	size_t count = 0, kept = 0;

	release_names(registry);
	registry->names = xcalloc(1, sizeof(*registry->names));
	for (size_t i = 0; i < registry->folder_count; i++)
		count = add_names(registry, registry->folders[i], "", count);
	for (size_t i = 0; i < registry->head_count; i++)
		count = add_head_names(registry, &registry->heads[i], count);
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
