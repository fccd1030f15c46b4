#include "settings/source_settings.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/ids.h"
#include "base/text.h"
#include "model/git_address.h"

enum { SUBMODULE_HOSTS_MAX = 100 };

static const struct {
	const char *key;
	size_t field;
	const char *otherwise;
	bool is_file;
} texts[] = {
	{ "name", offsetof(struct source_settings, name), NULL, false },
	{ "repository", offsetof(struct source_settings, repository), NULL, false },
	{ "ref", offsetof(struct source_settings, ref), NULL, false },
	{ "path", offsetof(struct source_settings, path), "", false },
	{ "user", offsetof(struct source_settings, user), "git", false },
	{ "token_file", offsetof(struct source_settings, token_file), NULL, true },
	{ "ssh_key_file", offsetof(struct source_settings, ssh_key_file), NULL, true },
	{ "known_hosts", offsetof(struct source_settings, known_hosts), NULL, true },
	{ "ca_file", offsetof(struct source_settings, ca_file), NULL, true },
};

static bool read_texts(const struct yaml_document *file, const struct yaml_node *at,
		       struct source_settings *source, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct yaml_node *node = yaml_get(at, texts[i].key);
		char **slot = (char **)(uintptr_t)((char *)source + texts[i].field);

		if (!yaml_copy_string(file, at, texts[i].key, texts[i].otherwise, slot, err))
			return false;
		if (node && texts[i].is_file && **slot != '/')
			return yaml_error(file, node, err, "\"%s\" must be an absolute path",
					  texts[i].key);
	}
	if (source->name && source->repository)
		return true;
	return yaml_error(file, at, err, "a source needs \"name\" and \"repository\"");
}

static bool read_flag(const struct yaml_document *file, const struct yaml_node *at, const char *key,
		      bool *flag, struct error *err)
{
	return !yaml_get(at, key) || yaml_read_bool(file, at, key, flag, err);
}

static bool read_hosts(const struct yaml_document *file, const struct yaml_node *at,
		       struct source_settings *source, struct error *err)
{
	const struct yaml_node *list = yaml_get(at, "submodule_hosts");
	size_t count = list ? list->count : 0;

	source->submodule_hosts = xcalloc(SUBMODULE_HOSTS_MAX + 1, sizeof(char *));
	if (list && (list->kind != YAML_LIST || count > SUBMODULE_HOSTS_MAX))
		return yaml_error(file, list, err,
				  "\"submodule_hosts\" must be a list of at most %d hosts",
				  SUBMODULE_HOSTS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (list->items[i]->kind != YAML_SCALAR || strpbrk(list->items[i]->text, "/:@*"))
			return yaml_error(file, list->items[i], err,
					  "a host is a name without scheme, port or wildcard");
		source->submodule_hosts[i] = xstrdup(list->items[i]->text);
	}
	if (source->with_submodules && !count)
		return yaml_error(file, at, err,
				  "\"submodules: true\" needs \"submodule_hosts\": which may they "
				  "come from?");
	return true;
}

static bool path_is_inside(const char *path)
{
	return *path != '/' && !strstr(path, "..") && !strstr(path, "//") && strlen(path) < 500 &&
	       !text_ends_with(path, "/");
}

static bool check_address(const struct yaml_document *file, const struct yaml_node *at,
			  const struct source_settings *source, struct error *err)
{
	struct git_address address;
	enum git_scheme scheme;
	struct error inner;

	if (!git_address_parse(source->repository, &address, &inner)) {
		yaml_error(file, yaml_get(at, "repository"), err, "%s", inner.message);
		return error_hint(err, "%s", inner.hint);
	}
	scheme = address.scheme;
	git_address_release(&address);
	if (scheme == GIT_SCHEME_SSH && (!source->ssh_key_file || !source->known_hosts))
		return yaml_error(file, at, err,
				  "a repository by ssh needs \"ssh_key_file\" and \"known_hosts\"");
	if (scheme != GIT_SCHEME_HTTPS && source->token_file)
		return yaml_error(file, at, err, "\"token_file\" is for https");
	return true;
}

static bool check(const struct yaml_document *file, const struct yaml_node *at,
		  const struct source_settings *source, struct error *err)
{
	struct error inner;

	if (!name_check(source->name, "source name", &inner))
		return yaml_error(file, yaml_get(at, "name"), err, "%s", inner.message);
	if (source->ref && !git_ref_check(source->ref, &inner))
		return yaml_error(file, yaml_get(at, "ref"), err, "%s", inner.message);
	if (!path_is_inside(source->path))
		return yaml_error(file, yaml_get(at, "path"), err,
				  "\"path\" must be a folder inside the repository");
	return check_address(file, at, source, err);
}

bool source_settings_read(const struct yaml_document *file, const struct yaml_node *at,
			  struct source_settings *source, struct error *err)
{
	static const char *const known[] = {
		"name",       "repository",      "ref",         "path",    "user",
		"token_file", "ssh_key_file",    "known_hosts", "ca_file", "trusted",
		"submodules", "submodule_hosts", NULL
	};

	*source = (struct source_settings){ .name = NULL };
	if (at->kind != YAML_MAP)
		return yaml_error(file, at, err, "a source must be a map");
	return yaml_only_keys(file, at, known, err) && read_texts(file, at, source, err) &&
	       read_flag(file, at, "trusted", &source->is_trusted, err) &&
	       read_flag(file, at, "submodules", &source->with_submodules, err) &&
	       read_hosts(file, at, source, err) && check(file, at, source, err);
}

void source_settings_release(struct source_settings *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*(char **)(uintptr_t)((char *)source + texts[i].field));
	for (size_t i = 0; source->submodule_hosts && source->submodule_hosts[i]; i++)
		free(source->submodule_hosts[i]);
	free(source->submodule_hosts);
	*source = (struct source_settings){ .name = NULL };
}
