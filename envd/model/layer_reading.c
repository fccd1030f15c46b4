#include "model/layer_reading.h"

#include <string.h>

#include "base/text.h"

#define WORDS_MAX 50

const char layer_name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

bool layer_read_words(const struct layer_reading *reading, const struct yaml_node *map,
		      const char *key, char ***words)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (node->kind != YAML_LIST || node->count > WORDS_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "\"%s\" must be a list of at most %d words", key, WORDS_MAX);
	*words = xcalloc(node->count + 1, sizeof(**words));
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR || !*node->items[i]->text)
			return yaml_error(reading->document, node->items[i], reading->err,
					  "\"%s\" must be a list of words", key);
		(*words)[i] = xstrdup(node->items[i]->text);
	}
	return true;
}

/* Something to run: never an empty list. */
bool layer_read_command(const struct layer_reading *reading, const struct yaml_node *map,
			const char *key, char ***words)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (node && node->kind == YAML_LIST && !node->count)
		return yaml_error(reading->document, node, reading->err, "\"%s\" names no program",
				  key);
	return layer_read_words(reading, map, key, words);
}

bool layer_path_stays_inside(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return false;
	return *path != '/';
}

bool layer_read_path(const struct layer_reading *reading, const struct yaml_node *map,
		     const char *key, const char *otherwise, char **path)
{
	if (!yaml_copy_string(reading->document, map, key, otherwise, path, reading->err))
		return false;
	return !*path || layer_path_stays_inside(*path) ||
	       yaml_error(reading->document, yaml_get(map, key), reading->err,
			  "\"%s\" must be a path inside of the checkout (got \"%.80s\")", key,
			  *path);
}

bool layer_expect_map(const struct layer_reading *reading, const struct yaml_node *node,
		      const char *what)
{
	return node->kind == YAML_MAP ||
	       yaml_error(reading->document, node, reading->err, "%s must be a map (got %s)", what,
			  yaml_kind_name(node));
}

static bool add_values(const struct layer_reading *reading, const struct yaml_node *node,
		       json_t *values)
{
	if (node->kind == YAML_SCALAR) {
		json_array_append_new(values, json_string(node->text));
		return true;
	}
	if (node->kind != YAML_LIST || !node->count || node->count > WORDS_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "a condition must be a value or a list of values");
	for (size_t i = 0; i < node->count; i++)
		if (node->items[i]->kind != YAML_SCALAR ||
		    !add_values(reading, node->items[i], values))
			return yaml_error(reading->document, node->items[i], reading->err,
					  "a condition must be a value or a list of values");
	return true;
}

bool layer_read_when(const struct layer_reading *reading, const struct yaml_node *map,
		     json_t **when)
{
	const struct yaml_node *node = yaml_get(map, "when");

	if (!node)
		return true;
	if (!layer_expect_map(reading, node, "\"when\""))
		return false;
	*when = json_object();
	for (size_t i = 0; i < node->count; i++) {
		json_t *values = json_array();

		json_object_set_new(*when, node->keys[i]->text, values);
		if (!add_values(reading, node->items[i], values))
			return false;
	}
	return true;
}

void layer_words_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}
