#include "model/target.h"

#include <string.h>

#include "base/byte_size.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/text.h"

static const char label_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

static const char *const condition_names[] = {
#define X(condition, name) [condition] = (name),
	TARGET_CONDITIONS(X)
#undef X
};

enum target_condition target_condition_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(condition_names); i++)
		if (text_equal(condition_names[i], name))
			return (enum target_condition)i;
	return TARGET_DIRTY;
}

const char *target_state_name(enum target_condition condition, int64_t holders)
{
	if (condition != TARGET_CLEAN)
		return condition_names[condition];
	return holders > 0 ? "held" : "free";
}

/* ---- wishes ---------------------------------------------------------------------------------- */

static bool is_label_text(const char *text)
{
	return *text && strlen(text) <= TARGET_LABEL_BYTES_MAX &&
	       strspn(text, label_letters) == strlen(text);
}

static bool check_label(const char *name, const json_t *value, struct error *err)
{
	char shown[80];

	if (!is_label_text(name))
		return error_set_as(err, ERR_INVALID, "target_invalid",
				    "label \"%s\" must be 1 to %d letters, digits, \".\", \"_\", "
				    "\"/\" and \"-\"",
				    text_printable(name, shown, sizeof(shown)),
				    TARGET_LABEL_BYTES_MAX);
	return (json_is_string(value) && is_label_text(json_string_value(value))) ||
	       error_set_as(err, ERR_INVALID, "target_invalid",
			    "the value of label \"%s\" must be 1 to %d letters, digits, \".\", "
			    "\"_\", \"/\" and \"-\" (quote numbers)",
			    name, TARGET_LABEL_BYTES_MAX);
}

bool target_labels_check(const json_t *labels, struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(labels))
		return error_set_as(err, ERR_INVALID, "target_invalid",
				    "\"labels\" must be a map of names and values");
	if (json_object_size(labels) > TARGET_LABELS_MAX)
		return error_set_as(err, ERR_INVALID, "target_invalid",
				    "there may be at most %d labels", TARGET_LABELS_MAX);
	json_object_foreach_const(labels, name, value) {
		if (!check_label(name, value, err))
			return false;
	}
	return true;
}

static bool add_pair(json_t *labels, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	AUTO(free) char *name = NULL;
	char shown[80];

	if (!equals || equals == pair || !equals[1])
		return error_set_as(err, ERR_INVALID, "target_invalid",
				    "\"%s\" must be LABEL=VALUE",
				    text_printable(pair, shown, sizeof(shown)));
	name = xstrndup(pair, (size_t)(equals - pair));
	if (json_object_get(labels, name))
		return error_set_as(err, ERR_INVALID, "target_invalid",
				    "label \"%.60s\" is given twice", name);
	return json_object_set_new(labels, name, json_string(equals + 1)) == 0 ||
	       error_set_as(err, ERR_INVALID, "target_invalid", "a label is not valid UTF-8");
}

static bool parse_labels(const char *text, json_t **wish, struct error *err)
{
	AUTO(json_decref) json_t *labels = json_object();
	AUTO(free) char *copy = xstrdup(text);
	char *rest = copy;

	for (char *pair; (pair = strsep(&rest, ","));)
		if (!add_pair(labels, pair, err))
			return false;
	if (!target_labels_check(labels, err))
		return false;
	*wish = json_pack("{s:O}", "labels", labels);
	return true;
}

bool target_wish_parse(const char *text, json_t **wish, struct error *err)
{
	if (strchr(text, '='))
		return parse_labels(text, wish, err);
	if (!name_check(text, "target", err)) {
		err->slug = "target_invalid";
		return false;
	}
	*wish = json_pack("{s:s}", "name", text);
	return true;
}

static bool fits_one(const json_t *wish, const char *name, const json_t *labels)
{
	const char *wanted = json_get_string(wish, "name", NULL), *label;
	json_t *value;

	if (wanted && strcmp(wanted, name) != 0)
		return false;
	json_object_foreach_const(json_object_get(wish, "labels"), label, value) {
		if (!text_equal(json_get_string(labels, label, NULL), json_string_value(value)))
			return false;
	}
	return true;
}

bool target_fits(const json_t *wishes, const char *name, const json_t *labels)
{
	for (size_t i = 0; i < json_array_size(wishes); i++)
		if (!fits_one(json_array_get(wishes, i), name, labels))
			return false;
	return true;
}

static void add_words(struct text *text, const json_t *wish)
{
	const char *name = json_get_string(wish, "name", NULL), *label;
	json_t *value;

	if (name)
		text_format(text, "%s%s", text->length ? "," : "", name);
	json_object_foreach_const(json_object_get(wish, "labels"), label, value)
		text_format(text, "%s%s=%s", text->length ? "," : "", label,
			    json_string_value(value));
}

char *target_wishes_text(const json_t *wishes)
{
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < json_array_size(wishes); i++)
		add_words(&text, json_array_get(wishes, i));
	return text_take(&text);
}

/* ---- may it be given ------------------------------------------------------------------------- */

static bool has_memory(const char *name, const struct target_standing *s, struct error *err)
{
	char needed[BYTE_SIZE_TEXT], used[BYTE_SIZE_TEXT], max[BYTE_SIZE_TEXT];

	if (s->memory_max == 0 || s->memory_needed <= s->memory_max - s->memory_used)
		return true;
	return error_set_as(err, ERR_LIMIT, "target_memory",
			    "waits for memory: it needs %s, and %s of the %s of target \"%s\" are "
			    "taken",
			    byte_size_format(s->memory_needed, needed),
			    byte_size_format(s->memory_used, used),
			    byte_size_format(s->memory_max, max), name);
}

bool target_judge(const char *name, const struct target_standing *s, int64_t now_ms,
		  struct error *err)
{
	char until[CLOCK_TEXT_SIZE];

	if (s->condition != TARGET_CLEAN)
		return error_set_as(err, ERR_LIMIT, "target_dirty",
				    "waits: target \"%s\" is %s and is not given before it is "
				    "proved clean",
				    name, condition_names[s->condition]);
	if (s->holders >= s->holders_max)
		return error_set_as(err, ERR_LIMIT, "target_full",
				    "waits for room: target \"%s\" has %lld of %lld environments",
				    name, (long long)s->holders, (long long)s->holders_max);
	if (s->no_room_until_ms > now_ms)
		return error_set_as(err, ERR_LIMIT, "target_no_capacity",
				    "waits: target \"%s\" had no capacity, and is asked again "
				    "after %s",
				    name, clock_format_seconds(s->no_room_until_ms, until));
	return has_memory(name, s, err);
}

bool target_is_refusal(const struct error *err)
{
	static const char *const slugs[] = { "target_dirty", "target_full", "target_memory",
					     "target_no_capacity" };

	for (size_t i = 0; i < ARRAY_SIZE(slugs); i++)
		if (strcmp(err->slug, slugs[i]) == 0)
			return true;
	return false;
}

bool target_is_exhausted(const char *slug)
{
	return text_equal(slug, "target_quota") || text_equal(slug, "target_capacity");
}

int64_t target_clean_pause_ms(int64_t attempts)
{
	enum { FIRST_MS = 30000, HALF_HOUR_MS = 1800000, HOUR_MS = 3600000 };
	int64_t pause = FIRST_MS;

	if (attempts > 7)
		return HOUR_MS;
	for (int64_t i = 1; i < attempts; i++)
		pause *= 2;
	return pause < HALF_HOUR_MS ? pause : HALF_HOUR_MS;
}
