#include "image_sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/byte_size.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json_read.h"
#include "control/job_request.h"
#include "engine_question.h"
#include "store/store_history.h"

#define FILE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define BUSY_LIMIT_MS 5000

/* {target: {image id: since}}; {} when there is none, or none that can be read. */
static json_t *read_memory(const char *path)
{
	json_t *memory = NULL;
	struct error ignored; /* then the time of each begins again */

	if (json_read_file(path, FILE_BYTES_MAX, &memory, &ignored) && json_is_object(memory))
		return memory;
	json_decref(memory);
	return json_object();
}

static json_t *make_request(struct store *store, const struct settings *settings,
			    const struct target *target, bool is_dry, json_t *unused)
{
	json_t *request = job_request_target(store_instance(store), target, "images");

	json_object_set_new(
	    request, "images",
	    json_pack("{s:I, s:I, s:I, s:o, s:b}", "keep_ms", (json_int_t)settings->image_keep_ms,
		      "keep_bytes", (json_int_t)settings->image_keep_gib << 30, "now_ms",
		      (json_int_t)clock_wall_ms(), "unused",
		      unused ? json_incref(unused) : json_object(), "dry_run", is_dry));
	return request;
}

static bool write_history(struct store *store, const char *message, struct error *err)
{
	struct history_entry entry = { .kind = HISTORY_SWEEP, .message = message };
	struct store_tx *tx;

	if (!store_begin_within(store, BUSY_LIMIT_MS, &tx, err))
		return false;
	if (store_history_append(tx, NULL, clock_wall_ms(), &entry, err))
		return store_commit(tx, err);
	store_rollback(tx);
	return false;
}

static bool tell(struct store *store, const struct target *target, const json_t *removed,
		 bool is_dry, struct error *err)
{
	AUTO(free) char *message = NULL;
	char shown[BYTE_SIZE_TEXT];
	const json_t *item;
	int64_t bytes = 0;
	size_t i;

	json_array_foreach(removed, i, item) {
		bytes += json_get_int64(item, "bytes", 0);
		printf("image %s  %s%s\n", json_get_string(item, "image", ""),
		       byte_size_format(json_get_int64(item, "bytes", 0), shown),
		       is_dry ? "  to be removed" : "  removed");
	}
	if (is_dry || json_array_size(removed) == 0)
		return true;
	message = xasprintf("%zu images of target \"%s\" removed that nothing used (%s)",
			    json_array_size(removed), target->name, byte_size_format(bytes, shown));
	return write_history(store, message, err);
}

bool image_sweep(struct store *store, const struct settings *settings, const struct target *target,
		 bool is_dry, size_t *removed, struct error *err)
{
	AUTO(free) char *path = path_join(settings->data, "images.json");
	AUTO(json_decref) json_t *memory = read_memory(path);
	AUTO(json_decref)
	json_t *request =
	    make_request(store, settings, target, is_dry, json_object_get(memory, target->name));
	AUTO(json_decref) json_t *data = NULL;
	AUTO(free) char *text = NULL;

	if (!engine_question_ask(request, &data, err))
		return error_wrap(err, "images");
	*removed += json_array_size(json_object_get(data, "removed"));
	if (!tell(store, target, json_object_get(data, "removed"), is_dry, err))
		return false;
	if (is_dry)
		return true;
	json_object_set(memory, target->name, json_object_get(data, "unused"));
	text = json_to_text(memory);
	return file_write_atomically(path, text, strlen(text), 0600, err);
}
