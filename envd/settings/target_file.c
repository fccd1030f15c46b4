#include "settings/target_file.h"

#include <string.h>

#include "base/ids.h"
#include "base/text.h"
#include "base/yaml_read.h"
#include "model/target.h"
#include "settings/target.h"

enum { FILE_BYTES_MAX = 1 << 20, CREDENTIALS_MAX = 32 };
enum { SETTLE_MS = 5000, CLEAN_LIMIT_MS = 15 * 60000, LONGEST_MS = 3600000 };

struct listed {
	struct target *items;
	size_t count;
};

static void words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

void target_release(struct target *target)
{
	free(target->name);
	free(target->engine);
	free(target->socket);
	free(target->certificates);
	free(target->advertised);
	free(target->program);
	free(target->publish_address);
	free(target->kubeconfig);
	words_free(target->inventory);
	words_free(target->clean);
	json_decref(target->labels);
	json_decref(target->credentials);
	*target = (struct target){ .name = NULL };
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool is_absolute_path(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->text[0] == '/' && !strpbrk(node->text, "\n\r");
}

static bool read_path(const struct yaml_document *file, const struct yaml_node *map,
		      const char *key, char **path, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (!is_absolute_path(node))
		return yaml_error(file, node, err,
				  "\"%s\" must be a file of the server by its absolute path", key);
	*path = xstrdup(node->text);
	return true;
}

static bool read_command(const struct yaml_document *file, const struct yaml_node *map,
			 const char *key, char ***words, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (node->kind != YAML_LIST || !node->count || node->count > TARGET_WORDS_MAX ||
	    !is_absolute_path(node->items[0]))
		return yaml_error(file, node, err,
				  "\"%s\" must be a list of 1 to %d words, the first one a program "
				  "by its absolute path",
				  key, TARGET_WORDS_MAX);
	*words = xcalloc(node->count + 1, sizeof(**words));
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR)
			return yaml_error(file, node->items[i], err,
					  "a word of \"%s\" must be a single value", key);
		(*words)[i] = xstrdup(node->items[i]->text);
	}
	return true;
}

/* "kind" is one of them, so that it can be asked for. */
static bool read_labels(const struct yaml_document *file, const struct yaml_node *map,
			const char *kind, json_t **labels, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "labels");
	struct error wrong;

	*labels = json_object();
	for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++)
		if (node->items[i]->kind == YAML_SCALAR)
			json_object_set_new(*labels, node->keys[i]->text,
					    json_string(node->items[i]->text));
	if (node && (node->kind != YAML_MAP || json_object_size(*labels) != node->count))
		return yaml_error(file, node, err, "\"labels\" must be a map of names and values");
	if (node && yaml_get(node, "kind"))
		return yaml_error(file, node, err,
				  "label \"kind\" is what \"kind\" of the target says");
	json_object_set_new(*labels, "kind", json_string(kind));
	return target_labels_check(*labels, &wrong) ||
	       yaml_error(file, node ? node : map, err, "%s", wrong.message);
}

static bool is_variable_name(const char *text)
{
	size_t length =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return length && !text[length] && !strchr("0123456789", *text);
}

/* Where it is: { file: /path }, { variable: ENVD_SECRET_X } or { command: [prog, word] }. */
static bool check_reference(const struct yaml_document *file, const struct yaml_node *key,
			    const struct yaml_node *at, struct error *err)
{
	const struct yaml_node *from = at->kind == YAML_MAP && at->count == 1 ? at->items[0] : NULL;
	const char *how = from ? at->keys[0]->text : "";
	AUTO(free) char *path = NULL;
	char **words = NULL;
	bool is_good;

	if (!is_variable_name(key->text))
		return yaml_error(file, key, err,
				  "\"%s\" must be the name of a variable: that is how programs get "
				  "a credential",
				  key->text);
	if (strcmp(how, "file") == 0)
		return read_path(file, at, "file", &path, err);
	if (strcmp(how, "command") == 0) {
		is_good = read_command(file, at, "command", &words, err);
		words_free(words);
		return is_good;
	}
	if (strcmp(how, "variable") == 0 && from->kind == YAML_SCALAR &&
	    text_starts_with(from->text, "ENVD_SECRET_") && is_variable_name(from->text))
		return true;
	return yaml_error(file, at, err,
			  "credential \"%s\" must say where it is, not what: { file: /path }, "
			  "{ variable: ENVD_SECRET_NAME } or { command: [/program, word] }",
			  key->text);
}

static bool read_credentials(const struct yaml_document *file, const struct yaml_node *map,
			     json_t **credentials, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "credentials");

	if (!node)
		return true;
	if (node->kind != YAML_MAP || node->count > CREDENTIALS_MAX)
		return yaml_error(file, node, err,
				  "\"credentials\" must be a map of at most %d variables and where "
				  "their values are",
				  CREDENTIALS_MAX);
	for (size_t i = 0; i < node->count; i++)
		if (!check_reference(file, node->keys[i], node->items[i], err))
			return false;
	*credentials = yaml_to_json(node);
	return true;
}

static bool read_time(const struct yaml_document *file, const struct yaml_node *map,
		      const char *key, int64_t least_ms, int64_t *ms, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	return yaml_read_duration_ms(file, map, key, ms, err) &&
	       ((*ms >= least_ms && *ms <= LONGEST_MS) ||
		yaml_error(file, node, err, "\"%s\" must be between %lldms and 1h", key,
			   (long long)least_ms));
}

static bool read_places(const struct yaml_document *file, const struct yaml_node *map,
			int64_t *places, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "environments");

	*places = 1;
	return !node ||
	       (yaml_read_int64(file, map, "environments", places, err) &&
		((*places >= 1 && *places <= TARGET_PLACES_MAX) ||
		 yaml_error(file, node, err, "\"environments\" must be 1 (exclusive) to %d",
			    TARGET_PLACES_MAX)));
}

/* ---- one, and all ---------------------------------------------------------------------------- */

static bool check_words(const struct yaml_document *file, const struct yaml_node *map,
			const struct target *target, const char *kind, struct error *err)
{
	struct error wrong;

	if (!name_check(target->name, "target name", &wrong))
		return yaml_error(file, yaml_get(map, "name"), err, "%s", wrong.message);
	if (!name_check(kind, "kind", &wrong))
		return yaml_error(file, yaml_get(map, "kind"), err, "%s", wrong.message);
	if (strcmp(target->engine, "pulumi") != 0 && strcmp(target->engine, "external") != 0)
		return yaml_error(
		    file, yaml_get(map, "engine"), err,
		    "\"engine\" must be pulumi or external (got \"%.40s\"): container "
		    "runtimes are listed in envd's own configuration file",
		    target->engine);
	return !target->clean || target->inventory ||
	       yaml_error(file, yaml_get(map, "clean"), err,
			  "\"clean\" needs an \"inventory\": without one nobody can tell whether "
			  "it was");
}

static bool read_target(const struct yaml_document *file, const struct yaml_node *map,
			struct target *target, struct error *err)
{
	static const char *const known[] = { "name",   "engine",       "kind",        "kubeconfig",
					     "labels", "environments", "credentials", "inventory",
					     "clean",  "settle",       "clean_limit", "program",
					     NULL };
	AUTO(free) char *kind = NULL;

	*target = (struct target){ .is_listed = true,
				   .settle_ms = SETTLE_MS,
				   .clean_limit_ms = CLEAN_LIMIT_MS,
				   .publish_address = xstrdup("127.0.0.1") };
	if (map->kind != YAML_MAP)
		return yaml_error(file, map, err, "a target must be a map (got %s)",
				  yaml_kind_name(map));
	return yaml_only_keys(file, map, known, err) &&
	       yaml_copy_string(file, map, "name", NULL, &target->name, err) &&
	       (target->name || yaml_error(file, map, err, "a target needs a \"name\"")) &&
	       yaml_copy_string(file, map, "engine", "pulumi", &target->engine, err) &&
	       yaml_copy_string(file, map, "kind", "kubernetes", &kind, err) &&
	       read_path(file, map, "kubeconfig", &target->kubeconfig, err) &&
	       read_path(file, map, "program", &target->program, err) &&
	       read_labels(file, map, kind, &target->labels, err) &&
	       read_places(file, map, &target->environments_max, err) &&
	       read_credentials(file, map, &target->credentials, err) &&
	       read_command(file, map, "inventory", &target->inventory, err) &&
	       read_command(file, map, "clean", &target->clean, err) &&
	       read_time(file, map, "settle", 100, &target->settle_ms, err) &&
	       read_time(file, map, "clean_limit", 1000, &target->clean_limit_ms, err) &&
	       check_words(file, map, target, kind, err);
}

static bool is_taken(const struct settings *settings, const struct listed *listed, const char *name)
{
	for (size_t i = 0; i < settings->target_count; i++)
		if (!settings->targets[i].is_listed && strcmp(settings->targets[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < listed->count; i++)
		if (strcmp(listed->items[i].name, name) == 0)
			return true;
	return false;
}

static bool add(const struct settings *settings, const struct yaml_document *file,
		const struct yaml_node *at, struct listed *listed, struct error *err)
{
	struct target target;
	bool is_good = read_target(file, at, &target, err);

	if (is_good && is_taken(settings, listed, target.name))
		is_good = yaml_error(file, at, err, "there are two targets \"%s\"", target.name);
	if (!is_good) {
		target_release(&target);
		return false;
	}
	listed->items = xrealloc(listed->items, listed->count + 1, sizeof(target));
	listed->items[listed->count++] = target;
	return true;
}

static void release(struct listed *listed)
{
	for (size_t i = 0; i < listed->count; i++)
		target_release(&listed->items[i]);
	free(listed->items);
	*listed = (struct listed){ NULL, 0 };
}

static bool read_all(const struct settings *settings, const char *path, struct listed *listed,
		     struct error *err)
{
	static const char *const known[] = { "targets", NULL };
	AUTO(yaml_free) struct yaml_document *file = NULL;
	const struct yaml_node *list;

	if (!yaml_read_file(path, FILE_BYTES_MAX, &file, err))
		return false;
	list = yaml_get(file->root, "targets");
	if (file->root->kind != YAML_MAP || !list || list->kind != YAML_LIST)
		return yaml_error(file, list ? list : file->root, err,
				  "a targets file must be a map with the list \"targets\"");
	if (!yaml_only_keys(file, file->root, known, err))
		return false;
	if (list->count > TARGETS_MAX)
		return yaml_error(file, list, err, "there may be at most %d targets", TARGETS_MAX);
	for (size_t i = 0; i < list->count; i++)
		if (!add(settings, file, list->items[i], listed, err))
			return false;
	return true;
}

static void drop_listed(struct settings *settings)
{
	size_t kept = 0;

	for (size_t i = 0; i < settings->target_count; i++) {
		if (settings->targets[i].is_listed)
			target_release(&settings->targets[i]);
		else
			settings->targets[kept++] = settings->targets[i];
	}
	settings->target_count = kept;
}

bool target_file_read(struct settings *settings, const char *path, struct error *err)
{
	struct listed listed = { NULL, 0 };

	if (!read_all(settings, path, &listed, err)) {
		release(&listed);
		return false;
	}
	drop_listed(settings);
	settings->targets = xrealloc(settings->targets, settings->target_count + listed.count + 1,
				     sizeof(*settings->targets));
	for (size_t i = 0; i < listed.count; i++)
		settings->targets[settings->target_count++] = listed.items[i];
	free(listed.items);
	return true;
}
