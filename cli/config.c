#include "cli/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/json_read.h"
#include "cli/command.h"

enum { CONFIG_BYTES_MAX = 256 * 1024, FOLDERS_UP_MAX = 64 };

/* The nearer one first: that is their precedence. */
enum config_place { PLACE_PROJECT, PLACE_USER, PLACE_SYSTEM, PLACES };

struct config {
	char *paths[PLACES];   /* NULL: there can be none */
	json_t *files[PLACES]; /* NULL: there is none */
	json_t *texts;         /* numbers and booleans, as text, that values point to */
	bool is_read;
};

struct config *config_new(void)
{
	struct config *config = xcalloc(1, sizeof(*config));

	config->texts = json_array();
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < PLACES; i++) {
		free(config->paths[i]);
		json_decref(config->files[i]);
	}
	json_decref(config->texts);
	free(config);
}

/* ---- where the files are ---- */

static bool has_entry(const char *folder, const char *name)
{
	AUTO(free) char *path = path_join(folder, name);

	return access(path, F_OK) == 0;
}

/* Up to the folder with .git; outside of a repository, only this folder counts. */
static char *find_project_file(void)
{
	AUTO(free) char *folder = getcwd(NULL, 0);
	AUTO(free) char *found = NULL;
	bool is_first = true;

	for (int i = 0; folder && i < FOLDERS_UP_MAX; i++) {
		char *slash;

		if (!found && has_entry(folder, ".envctl.json")) {
			found = path_join(folder, ".envctl.json");
			if (is_first)
				return TAKE(found);
		}
		is_first = false;
		if (has_entry(folder, ".git"))
			return TAKE(found);
		slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			return NULL;
		*slash = '\0';
	}
	return NULL;
}

static char *user_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config == '/')
		return path_join(config, "envctl/config.json");
	return home && *home == '/' ? path_join(home, ".config/envctl/config.json") : NULL;
}

static char *system_file(void)
{
	const char *other = getenv("ENVCTL_SYSTEM_CONFIG");

	return xstrdup(other && *other ? other : "/etc/envctl/config.json");
}

/* ---- what may stand in them ---- */

static bool refuse_key(const char *file, const char *key, const char *why, struct error *err)
{
	char shown[64];

	return error_set_as(err, ERR_INVALID, "config_invalid", "%s: \"%s\" %s", file,
			    text_printable(key, shown, sizeof(shown)), why);
}

static bool says_where_to_go(const char *option)
{
	static const char *const names[] = { "server", "ca", "client-certificate", "client-key",
					     "token-stdin" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(option, names[i]))
			return true;
	return false;
}

static bool is_scalar(const json_t *value)
{
	return json_is_string(value) || json_is_integer(value) || json_is_boolean(value);
}

static bool check_defaults(const char *file, enum config_place place, const json_t *defaults,
			   struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)defaults, key, value) {
		if (place == PLACE_PROJECT && says_where_to_go(key))
			return refuse_key(file, key,
					  "may not stand in a project's file: it names a context "
					  "instead (\"context\": \"NAME\")",
					  err);
		if (!option_is_configurable(key))
			return refuse_key(file, key, "is no option that can be configured", err);
		if (!is_scalar(value))
			return refuse_key(file, key, "must be a string, a number or a boolean",
					  err);
	}
	return true;
}

static bool check_context(const char *file, const char *name, const json_t *context,
			  struct error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(context))
		return refuse_key(file, name, "must be an object", err);
	json_object_foreach((json_t *)(uintptr_t)context, key, value) {
		if (!json_is_string(value))
			return refuse_key(file, key, "must be a string", err);
		if (!text_equal(key, "token") && !text_equal(key, "token_file") &&
		    !common_option(key))
			return refuse_key(file, key, "does not belong into a context", err);
	}
	return json_has(context, "server") || refuse_key(file, name, "names no \"server\"", err);
}

static bool check_contexts(const char *file, const json_t *contexts, struct error *err)
{
	const char *name;
	json_t *context;

	json_object_foreach((json_t *)(uintptr_t)contexts, name, context) {
		if (!check_context(file, name, context, err))
			return false;
	}
	return true;
}

/* The first key that these files cannot have. */
static bool check_keys(const char *file, enum config_place place, const json_t *json,
		       struct error *err)
{
	static const char *const of_project[] = { "context", "defaults", NULL };
	static const char *const of_others[] = { "current_context", "contexts", "defaults", NULL };
	const char *const *known = place == PLACE_PROJECT ? of_project : of_others;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		bool is_known = false,
		     is_map = text_equal(key, "defaults") || text_equal(key, "contexts");

		for (size_t i = 0; known[i]; i++)
			is_known |= text_equal(known[i], key);
		if (!is_known)
			return refuse_key(file, key,
					  place == PLACE_PROJECT
					      ? "is not known here (known: context, defaults)"
					      : "is not known here (known: current_context, "
						"contexts, defaults)",
					  err);
		if (is_map ? !json_is_object(value) : !json_is_string(value))
			return refuse_key(file, key,
					  is_map ? "must be an object" : "must be a string", err);
	}
	return true;
}

static bool has_secrets(const json_t *json)
{
	const char *name;
	json_t *context;

	json_object_foreach(json_object_get(json, "contexts"), name, context) {
		if (json_has(context, "token"))
			return true;
	}
	return false;
}

static bool check_mode(const char *file, const json_t *json, struct error *err)
{
	struct stat status;

	if (!has_secrets(json) || stat(file, &status) < 0 || !(status.st_mode & 077))
		return true;
	error_set_as(err, ERR_INVALID, "config_exposed",
		     "%s holds a token and can be read by others (mode %03o)", file,
		     (unsigned)status.st_mode & 0777);
	return error_hint(err, "chmod 600 %s", file);
}

/* ---- reading ---- */

static bool read_file(struct config *config, enum config_place place, struct error *err)
{
	const char *file = config->paths[place];
	AUTO(free) char *text = NULL;
	AUTO(json_decref) json_t *json = NULL;
	size_t length;

	if (!file || access(file, F_OK) < 0)
		return true;
	if (!file_read(file, CONFIG_BYTES_MAX, &text, &length, err))
		return false;
	if (!json_parse(text, length, file, &json, err)) {
		err->slug = "config_invalid";
		return false;
	}
	if (!json_is_object(json))
		return error_set_as(err, ERR_INVALID, "config_invalid", "%s: must be an object",
				    file);
	if (!check_keys(file, place, json, err) || !check_mode(file, json, err) ||
	    !check_defaults(file, place, json_object_get(json, "defaults"), err) ||
	    !check_contexts(file, json_object_get(json, "contexts"), err))
		return false;
	config->files[place] = TAKE(json);
	return true;
}

static bool read_all(struct config *config, struct error *err)
{
	if (config->is_read)
		return true;
	config->paths[PLACE_PROJECT] = find_project_file();
	config->paths[PLACE_USER] = user_file();
	config->paths[PLACE_SYSTEM] = system_file();
	for (size_t i = 0; i < PLACES; i++)
		if (!read_file(config, i, err))
			return false;
	config->is_read = true;
	return true;
}

static const char *as_text(struct config *config, const json_t *value)
{
	json_t *text;

	if (json_is_string(value))
		return json_string_value(value);
	text = json_is_integer(value) ? json_sprintf("%lld", (long long)json_integer_value(value))
				      : json_string(json_is_true(value) ? "true" : "false");
	json_array_append_new(config->texts, text);
	return json_string_value(text);
}

static bool find(void *arg, const struct option *row, const char **value, const char **where,
		 struct error *err)
{
	struct config *config = arg;

	if (!row->variable)
		return true;
	if (!read_all(config, err))
		return false;
	for (size_t i = 0; i < PLACES; i++) {
		const json_t *defaults = json_object_get(config->files[i], "defaults");
		const json_t *found = json_object_get(defaults, row->name);

		if (found) {
			*value = as_text(config, found);
			*where = config->paths[i];
			return true;
		}
	}
	return true;
}

struct option_fallback config_fallback(struct config *config)
{
	return (struct option_fallback){ find, config };
}

/* ---- contexts ---- */

bool config_chosen_context(struct config *config, const char **name, const char **where,
			   struct error *err)
{
	*name = NULL;
	if (!read_all(config, err))
		return false;
	for (size_t i = 0; i < PLACES && !*name; i++) {
		*name = json_get_string(config->files[i],
					i == PLACE_PROJECT ? "context" : "current_context", NULL);
		*where = config->paths[i];
	}
	return true;
}

bool config_contexts(struct config *config, json_t **contexts, struct error *err)
{
	json_t *all = json_object();

	if (!read_all(config, err)) {
		json_decref(all);
		return false;
	}
	for (size_t i = 0; i < PLACES; i++)
		json_object_update_missing(all, json_object_get(config->files[i], "contexts"));
	*contexts = all;
	return true;
}

bool config_context(struct config *config, const char *name, const json_t **context,
		    const char **where, struct error *err)
{
	if (!read_all(config, err))
		return false;
	for (size_t i = 0; i < PLACES; i++) {
		*context = json_object_get(json_object_get(config->files[i], "contexts"), name);
		*where = config->paths[i];
		if (*context)
			return true;
	}
	error_set_as(err, ERR_NOT_FOUND, "unknown_context", "there is no context \"%s\"", name);
	return error_hint(err, "envctl context list; envctl context add %s --server ADDRESS", name);
}

const char *config_user_file(const struct config *config)
{
	return config->paths[PLACE_USER];
}

static json_t *changed(const json_t *file, const char *name, const json_t *context, bool is_current)
{
	json_t *json = file ? json_deep_copy(file) : json_object();
	json_t *contexts = json_object_get(json, "contexts");

	if (!contexts) {
		contexts = json_object();
		json_object_set_new(json, "contexts", contexts);
	}
	if (context)
		json_object_set(contexts, name, (json_t *)(uintptr_t)context);
	else if (!is_current)
		json_object_del(contexts, name);
	if (is_current)
		json_object_set_new(json, "current_context", json_string(name));
	else if (!context && text_equal(json_get_string(json, "current_context", ""), name))
		json_object_del(json, "current_context");
	return json;
}

bool config_write_context(struct config *config, const char *name, const json_t *context,
			  bool is_current, const char **file, struct error *err)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;
	AUTO(free) char *folder = NULL;

	if (!read_all(config, err))
		return false;
	*file = config->paths[PLACE_USER];
	if (!*file)
		return error_set_as(err, ERR_INVALID, "config_invalid",
				    "neither XDG_CONFIG_HOME nor HOME says where to keep it");
	json = changed(config->files[PLACE_USER], name, context, is_current);
	text = json_dumps(json, JSON_INDENT(2));
	folder = xstrndup(*file, (size_t)(strrchr(*file, '/') - *file));
	return folder_make(folder, 0700, err) &&
	       file_write_atomically(*file, text, strlen(text), 0600, err);
}
