#include "cli/kubeconfig.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "base/yaml_read.h"
#include "cli/output_document.h"

enum { FILE_BYTES_MAX = 4 << 20 };

/* Replaces the item of the same name, or adds it. False: `list` of the file is no list. */
static bool put(json_t *whole, const char *list, const json_t *item, struct error *err)
{
	json_t *items = json_object_get(whole, list), *other;
	const char *name = json_get_string(item, "name", "");
	size_t i;

	if (!items || json_is_null(items)) {
		items = json_array();
		json_object_set_new(whole, list, items);
	}
	if (!json_is_array(items))
		return error_set(err, ERR_INVALID, "its \"%s\" is no list", list);
	json_array_foreach(items, i, other)
		if (strcmp(json_get_string(other, "name", ""), name) == 0)
			return json_array_set(items, i, (json_t *)(uintptr_t)item) == 0;
	return json_array_append(items, (json_t *)(uintptr_t)item) == 0;
}

static bool put_all(json_t *whole, const json_t *config, struct error *err)
{
	static const char *const lists[] = { "clusters", "users", "contexts" };
	const json_t *item;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_object_get(config, lists[l]), i, item)
			if (!put(whole, lists[l], item, err))
				return false;
	return true;
}

static bool read_old(const char *path, json_t **whole, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(json_decref) json_t *read = NULL;

	if (!file_exists(path)) {
		*whole = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "Config");
		return true;
	}
	if (!yaml_read_file(path, FILE_BYTES_MAX, &document, err))
		return false;
	read = yaml_to_json(document->root);
	if (!json_is_object(read) || strcmp(json_get_string(read, "kind", "Config"), "Config") != 0)
		return error_set(err, ERR_INVALID, "it is no kubeconfig");
	*whole = TAKE(read);
	return true;
}

bool kubeconfig_merge(const char *path, const json_t *config, bool is_used, struct error *err)
{
	const char *current = json_get_string(config, "current-context", "");
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(text_release) struct text text = TEXT_EMPTY;

	if (!read_old(path, &whole, err) || !put_all(whole, config, err))
		return error_wrap(err, "\"%s\"", path);
	if (is_used || !*json_get_string(whole, "current-context", ""))
		json_object_set_new(whole, "current-context", json_string(current));
	output_yaml(whole, &text);
	return file_write_atomically(path, text_get(&text), text.length, 0600, err);
}
