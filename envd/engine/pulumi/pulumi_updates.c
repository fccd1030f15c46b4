#include "engine/pulumi/pulumi_updates.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_config.h"
#include "engine/pulumi/pulumi_diff.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	PAGE_BYTES_MAX = 512 << 10, /* a worker's line holds twice as much */
};

struct pulumi_update {
	char *path;
	json_t *json;
	json_t *secrets;
	size_t bytes; /* of what is in `json`, about */
};

/* ---- the folder ---- */

static int by_number(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

/* Oldest first; the caller frees. */
static int64_t *numbers_in(const char *folder, size_t *count)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	int64_t *numbers = NULL;

	*count = 0;
	while (dir && (entry = readdir(dir))) {
		AUTO(free)
		char *digits = xstrndup(entry->d_name, strcspn(entry->d_name, "."));
		int64_t number;

		if (!text_ends_with(entry->d_name, ".json") || !text_to_int64(digits, &number))
			continue;
		numbers = xrealloc(numbers, *count + 1, sizeof(*numbers));
		numbers[(*count)++] = number;
	}
	if (*count)
		qsort(numbers, *count, sizeof(*numbers), by_number);
	return numbers;
}

static char *path_of(const char *folder, int64_t number)
{
	return xasprintf("%s/%06lld.json", folder, (long long)number);
}

/* Makes room for one more; its number. */
static int64_t next_number(const char *folder)
{
	size_t count;
	AUTO(free) int64_t *numbers = numbers_in(folder, &count);

	for (size_t i = 0; i + UPDATES_KEPT <= count; i++) {
		AUTO(free) char *path = path_of(folder, numbers[i]);

		unlink(path);
	}
	return count ? numbers[count - 1] + 1 : 1;
}

static void write_down(const char *path, const json_t *json)
{
	AUTO(free) char *text = json_to_text(json);
	struct error ignored; /* what was done is done, whoever wants to read of it */

	(void)!file_replace(path, text, strlen(text), 0600, &ignored);
}

static json_t *now(void)
{
	char at[CLOCK_TEXT_SIZE];

	return json_string(clock_format(clock_wall_ms(), at));
}

/* ---- one ---- */

struct pulumi_update *update_begin(const struct pulumi_place *place, const char *layer,
				   const char *operation)
{
	AUTO(free) char *folder = place_path(place, "updates");
	struct pulumi_update *update = xcalloc(1, sizeof(*update));
	struct error ignored; /* then it cannot be written either */
	int64_t number;

	(void)!folder_make(folder, 0700, &ignored);
	number = next_number(folder);
	update->path = path_of(folder, number);
	update->secrets = config_known_secrets(place);
	update->json = json_pack("{s:I, s:s, s:s, s:s, s:o, s:n, s:s, s:{}, s:[], s:i}", "n",
				 (json_int_t)number, "layer", layer, "operation", operation,
				 "state", "running", "started_at", now(), "ended_at", "message", "",
				 "changes", "resources", "left_out", 0);
	write_down(update->path, update->json);
	return update;
}

static const char *name_of(const char *urn)
{
	const char *last = urn;

	for (const char *at = urn; (at = strstr(at, "::")); at += 2)
		last = at + 2;
	return last;
}

static void count(json_t *changes, const char *op)
{
	json_object_set_new(changes, op,
			    json_integer((json_int_t)json_get_int64(changes, op, 0) + 1));
}

static json_t *resource_json(const struct pulumi_update *update, const json_t *metadata,
			     bool has_failed)
{
	const char *urn = json_get_string(metadata, "urn", "");
	const json_t *state = json_object_get(metadata, "new");
	size_t left_out;
	json_t *attributes = diff_attributes(metadata, update->secrets, &left_out);

	if (!json_is_object(state))
		state = json_object_get(metadata, "old");
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:I}", "urn", urn, "type",
			 json_get_string(metadata, "type", ""), "name", name_of(urn), "op",
			 json_get_string(metadata, "op", ""), "id",
			 json_get_string(state, "id", ""), "failed", has_failed, "attributes",
			 attributes, "attributes_left_out", (json_int_t)left_out);
}

/* Those of Pulumi itself are nothing that exists. */
static bool is_bookkeeping(const json_t *resource)
{
	return text_starts_with(json_get_string(resource, "type", ""), "pulumi:");
}

/* "replace" is said beside the two halves of it; of a stack what it exports may be news. */
static bool is_worth_it(const char *op, const json_t *resource)
{
	if (strcmp(op, "same") == 0 || strcmp(op, "refresh") == 0 || is_bookkeeping(resource))
		return strcmp(op, "read") != 0 &&
		       json_array_size(json_object_get(resource, "attributes")) > 0;
	return strcmp(op, "replace") != 0 && strcmp(op, "read") != 0;
}

void update_add(struct pulumi_update *update, const json_t *metadata, bool has_failed)
{
	const char *op = json_get_string(metadata, "op", "");
	json_t *resource = resource_json(update, metadata, has_failed);
	AUTO(free) char *text = NULL;

	if (!resource || (!has_failed && !is_worth_it(op, resource))) {
		json_decref(resource);
		return;
	}
	if (!is_bookkeeping(resource))
		count(json_object_get(update->json, "changes"), op);
	text = json_to_text(resource);
	update->bytes += strlen(text);
	if (update->bytes > UPDATE_BYTES_MAX) {
		json_object_set_new(
		    update->json, "left_out",
		    json_integer((json_int_t)json_get_int64(update->json, "left_out", 0) + 1));
		json_decref(resource);
		return;
	}
	json_array_append_new(json_object_get(update->json, "resources"), resource);
}

void update_end(struct pulumi_update *update, const char *why)
{
	if (!update)
		return;
	json_object_set_new(update->json, "state", json_string(why ? "failed" : "succeeded"));
	json_object_set_new(update->json, "ended_at", now());
	json_object_set_new(update->json, "message", json_string(why ? why : ""));
	write_down(update->path, update->json);
	json_decref(update->json);
	json_decref(update->secrets);
	free(update->path);
	free(update);
}

/* ---- all of them ---- */

static void settle(const char *path)
{
	AUTO(json_decref) json_t *json = NULL;
	struct error ignored; /* then there is nothing to say of it */

	if (!json_read_file(path, FILE_BYTES_MAX, &json, &ignored) ||
	    strcmp(json_get_string(json, "state", ""), "running") != 0)
		return;
	json_object_set_new(json, "state", json_string("interrupted"));
	write_down(path, json);
}

void updates_settle(const struct pulumi_place *place)
{
	AUTO(free) char *folder = place_path(place, "updates");
	size_t count;
	AUTO(free) int64_t *numbers = numbers_in(folder, &count);

	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *path = path_of(folder, numbers[i]);

		settle(path);
	}
}

/* False: the page is full without it. */
static bool add_item(const char *path, const struct engine_page *page, json_t *items, size_t *bytes)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;
	struct error ignored; /* one that cannot be read is one that was not written */

	if (!json_read_file(path, FILE_BYTES_MAX, &json, &ignored) ||
	    (page->layer && strcmp(json_get_string(json, "layer", ""), page->layer) != 0))
		return true;
	text = json_to_text(json);
	*bytes += strlen(text);
	if ((int64_t)json_array_size(items) >= page->limit ||
	    (json_array_size(items) && *bytes > PAGE_BYTES_MAX))
		return false;
	json_array_append(items, json);
	return true;
}

bool pulumi_updates(const struct engine_request *request, const struct engine_page *page,
		    json_t **data, struct error *err)
{
	AUTO(free) char *folder = path_join(request->folder, "pulumi/updates");
	size_t count, bytes = 0;
	AUTO(free) int64_t *numbers = numbers_in(folder, &count);
	json_t *items = json_array();
	int64_t next = 0, last = page->after;

	(void)err; /* without the folder there were none */
	for (size_t i = 0; i < count && !next; i++) {
		AUTO(free) char *path = path_of(folder, numbers[i]);

		if (numbers[i] <= page->after)
			continue;
		if (!add_item(path, page, items, &bytes))
			next = last;
		last = numbers[i];
	}
	*data = json_pack("{s:o, s:I}", "items", items, "next", (json_int_t)next);
	return true;
}
