#include "model/check_plan_read.h"

#include <inttypes.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "model/placeholder.h"

#define TEXT_BYTES_MAX 65536

bool plan_error_at(struct plan_reader *reader, const struct yaml_node *node, struct error *err)
{
	struct error why = *err;

	yaml_error(reader->document, node, err, "%s", why.message);
	return error_hint(err, "%s", why.hint);
}

void check_texts_free(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

/* ---- names --------------------------------------------------------------------------------- */

static bool is_captured(const struct plan_reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->capture_count; i++)
		if (strcmp(reader->captures[i], name) == 0)
			return true;
	return false;
}

static bool refuse_capture(struct plan_reader *reader, const struct yaml_node *node,
			   const char *name, struct error *err)
{
	const char *nearest;

	reader->captures[reader->capture_count] = NULL;
	nearest = text_nearest(name, reader->captures);
	yaml_error(reader->document, node, err, "\"%.60s\" was not captured before", name);
	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : false;
}

static void need_name(struct plan_reader *reader, const struct yaml_node *node, const char *name)
{
	struct check_plan *plan = reader->plan;
	struct check_name *needed;

	for (size_t i = 0; i < plan->name_count; i++)
		if (strcmp(plan->names[i].name, name) == 0)
			return;
	plan->names = xrealloc(plan->names, plan->name_count + 1, sizeof(*plan->names));
	needed = &plan->names[plan->name_count++];
	needed->name = xstrdup(name);
	needed->place = xasprintf("%s:%d:%d", reader->document->file, node->line, node->column);
}

bool plan_note_reference(struct plan_reader *reader, const struct yaml_node *node,
			 const char *reference, struct error *err)
{
	static const char captured[] = "captured.";

	if (text_starts_with(reference, captured)) {
		const char *name = reference + strlen(captured);

		return is_captured(reader, name) || refuse_capture(reader, node, name, err);
	}
	if (!is_captured(reader, reference))
		need_name(reader, node, reference);
	return true;
}

struct name_place {
	struct plan_reader *reader;
	const struct yaml_node *node;
};

static void on_name(void *arg, const char *name)
{
	struct name_place *place = arg;

	if (!is_captured(place->reader, name))
		need_name(place->reader, place->node, name);
}

/* ---- typed reads --------------------------------------------------------------------------- */

static bool is_nothing(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->is_plain && !*node->text;
}

static bool scalar_text(struct plan_reader *reader, const struct yaml_node *node, const char *key,
			char **text, struct error *err)
{
	struct name_place place = { reader, node };

	if (node->kind != YAML_SCALAR || is_nothing(node))
		return yaml_error(reader->document, node, err, "\"%s\" must be text (got %s)", key,
				  yaml_kind_name(node));
	if (strlen(node->text) > TEXT_BYTES_MAX)
		return yaml_error(reader->document, node, err, "\"%s\" is longer than %d bytes",
				  key, TEXT_BYTES_MAX);
	if (!placeholder_names(node->text, on_name, &place, err))
		return plan_error_at(reader, node, err);
	free(*text);
	*text = xstrdup(node->text);
	return true;
}

bool plan_read_text(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		    char **text, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	return !node || scalar_text(reader, node, key, text, err);
}

bool plan_read_list(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		    size_t max, const struct yaml_node **list, struct error *err)
{
	*list = yaml_get(map, key);
	if (!*list)
		return true;
	if ((*list)->kind != YAML_LIST)
		return yaml_error(reader->document, *list, err, "\"%s\" must be a list (got %s)",
				  key, yaml_kind_name(*list));
	if ((*list)->count > max)
		return yaml_error(reader->document, *list, err, "\"%s\" has more than %zu items",
				  key, max);
	return true;
}

bool plan_read_texts(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		     char ***texts, struct error *err)
{
	const struct yaml_node *list;

	if (!plan_read_list(reader, map, key, CHECK_PLAN_ITEMS_MAX, &list, err))
		return false;
	if (!list)
		return true;
	check_texts_free(*texts);
	*texts = xcalloc(list->count + 1, sizeof(char *));
	for (size_t i = 0; i < list->count; i++)
		if (!scalar_text(reader, list->items[i], key, &(*texts)[i], err))
			return false;
	return true;
}

bool plan_read_pairs(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		     struct check_pairs *pairs, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (node->kind != YAML_MAP)
		return yaml_error(reader->document, node, err, "\"%s\" must be a map (got %s)", key,
				  yaml_kind_name(node));
	if (node->count > CHECK_PLAN_ITEMS_MAX)
		return yaml_error(reader->document, node, err, "\"%s\" has more than %d items", key,
				  CHECK_PLAN_ITEMS_MAX);
	pairs->items = xcalloc(node->count, sizeof(*pairs->items));
	for (size_t i = 0; i < node->count; i++) {
		struct check_pair *pair = &pairs->items[pairs->count++];

		pair->name = xstrdup(node->keys[i]->text);
		if (!scalar_text(reader, node->items[i], pair->name, &pair->value, err))
			return false;
	}
	return true;
}

static bool names_in_json(struct plan_reader *reader, const struct yaml_node *node,
			  struct error *err)
{
	struct name_place place = { reader, node };

	if (node->kind == YAML_SCALAR)
		return placeholder_names(node->text, on_name, &place, err) ||
		       plan_error_at(reader, node, err);
	for (size_t i = 0; i < node->count; i++)
		if (!names_in_json(reader, node->items[i], err))
			return false;
	return true;
}

bool plan_read_json(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		    json_t **json, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (!node)
		return true;
	if (!names_in_json(reader, node, err))
		return false;
	*json = yaml_to_json(node);
	return true;
}

bool plan_read_duration(struct plan_reader *reader, const struct yaml_node *map, const char *key,
			int64_t min_ms, int64_t max_ms, int64_t *ms, struct error *err)
{
	char shortest[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE];
	const struct yaml_node *node = yaml_get(map, key);
	int64_t value;

	if (!node)
		return true;
	if (!yaml_read_duration_ms(reader->document, map, key, &value, err))
		return false;
	if (value < min_ms || value > max_ms)
		return yaml_error(reader->document, node, err,
				  "\"%s\" must be between %s and %s (got %s)", key,
				  duration_format(min_ms, shortest),
				  duration_format(max_ms, longest), node->text);
	*ms = value;
	return true;
}

bool plan_read_integer(struct plan_reader *reader, const struct yaml_node *map, const char *key,
		       int64_t min, int64_t max, int64_t *value, struct error *err)
{
	const struct yaml_node *node = yaml_get(map, key);
	int64_t number;

	if (!node)
		return true;
	if (!yaml_read_int64(reader->document, map, key, &number, err))
		return false;
	if (number < min || number > max)
		return yaml_error(reader->document, node, err,
				  "\"%s\" must be between %" PRId64 " and %" PRId64 " (got %" PRId64
				  ")",
				  key, min, max, number);
	*value = number;
	return true;
}

/* ---- eventually ---------------------------------------------------------------------------- */

static bool read_factor(struct plan_reader *reader, const struct yaml_node *map, double *factor,
			struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "factor");
	char *end = NULL;
	double value;

	if (!node)
		return true;
	value = node->kind == YAML_SCALAR ? strtod(node->text, &end) : 0;
	if (!end || *end || !(value >= 1 && value <= 10))
		return yaml_error(reader->document, node, err,
				  "\"factor\" must be a number between 1 and 10");
	*factor = value;
	return true;
}

bool plan_read_eventually(struct plan_reader *reader, const struct yaml_node *map,
			  struct check_eventually *eventually, struct error *err)
{
	static const char *const keys[] = { "timeout", "interval",  "max_interval",
					    "factor",  "successes", NULL };
	const struct yaml_node *node = yaml_get(map, "eventually");
	const int64_t hour_ms = 3600000;

	*eventually = (struct check_eventually){ .timeout_ms = 30000,
						 .interval_ms = 500,
						 .interval_max_ms = 0,
						 .factor = 1.5,
						 .successes = 1 };
	if (!node)
		return true;
	eventually->is_given = true;
	if (!yaml_only_keys(reader->document, node, keys, err) ||
	    !plan_read_duration(reader, node, "timeout", 1, hour_ms, &eventually->timeout_ms,
				err) ||
	    !plan_read_duration(reader, node, "interval", 10, hour_ms, &eventually->interval_ms,
				err) ||
	    !plan_read_duration(reader, node, "max_interval", 10, hour_ms,
				&eventually->interval_max_ms, err) ||
	    !read_factor(reader, node, &eventually->factor, err) ||
	    !plan_read_integer(reader, node, "successes", 1, 100, &eventually->successes, err))
		return false;
	/* Growing to ten times the first interval is far enough when nobody said otherwise. */
	if (!eventually->interval_max_ms)
		eventually->interval_max_ms = eventually->interval_ms * 10;
	if (eventually->interval_max_ms < eventually->interval_ms)
		return yaml_error(reader->document, yaml_get(node, "max_interval"), err,
				  "\"max_interval\" is shorter than \"interval\"");
	return true;
}
