#include "compose/compose_reader.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "compose/compose_interpolate.h"
#include "compose/compose_origin.h"

/* A small file can mention a long variable often; this bounds what it grows to. */
#define EXPANDED_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* ---- errors -------------------------------------------------------------------------------- */

struct compose_place compose_place_of(const struct yaml_node *node)
{
	return (struct compose_place){ node->line, node->column, node->layer, node->file };
}

bool compose_is_over(struct compose_place at, struct compose_place old)
{
	return at.layer > old.layer;
}

static bool fail(const struct compose_reader *reader, const struct yaml_node *at, const char *slug,
		 struct error *err, const char *format, va_list args) PRINTF_LIKE(5, 0);

static bool fail(const struct compose_reader *reader, const struct yaml_node *at, const char *slug,
		 struct error *err, const char *format, va_list args)
{
	char what[400];

	vsnprintf(what, sizeof(what), format, args);
	if (reader->service)
		return compose_error(reader->file, compose_place_of(at), slug, err,
				     "service \"%s\": %s", reader->service, what);
	return compose_error(reader->file, compose_place_of(at), slug, err, "%s", what);
}

bool compose_wrong(const struct compose_reader *reader, const struct yaml_node *at,
		   struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(reader, at, "compose_invalid", err, format, args);
	va_end(args);
	return false;
}

bool compose_unsupported(const struct compose_reader *reader, const struct yaml_node *at,
			 struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(reader, at, "compose_unsupported", err, format, args);
	va_end(args);
	return false;
}

/* ---- keys ---------------------------------------------------------------------------------- */

bool compose_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->is_plain &&
	       (!*node->text || strcmp(node->text, "~") == 0 ||
		strcasecmp(node->text, "null") == 0);
}

const struct yaml_node *compose_get(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && !compose_is_null(node) ? node : NULL;
}

bool compose_is_extension(const char *key)
{
	return text_starts_with(key, "x-");
}

/* What to do instead, for keys that people will miss. */
static const struct {
	const char *key;
	const char *hint;
} hints[] = {
	{ "build", "build the image beforehand and name it with \"image\"" },
	{ "annotations", "use \"labels\": runtimes of today take no annotations by this way" },
	{ "container_name", "names are made per environment, so that two can exist at once" },
	{ "external", "an environment owns its networks, volumes and configs" },
	{ "ipc", "environments stay out of the host's namespaces" },
	{ "network_mode", "environments stay on their own networks" },
	{ "pid", "environments stay out of the host's namespaces" },
	{ "security_opt", "environments run with the runtime's own confinement" },
	{ "userns_mode", "environments stay out of the host's namespaces" },
};

static const char *hint_for(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strcmp(hints[i].key, key) == 0)
			return hints[i].hint;
	return NULL;
}

static bool refuse_key(const struct compose_reader *reader, const struct yaml_node *key,
		       const char *what, const char *const *known, struct error *err)
{
	const char *hint = hint_for(key->text);
	const char *nearest = hint ? NULL : text_nearest(key->text, known);
	char shown[64];

	compose_unsupported(reader, key, err, "\"%s%s%s\" is not supported", what, *what ? "." : "",
			    text_printable(key->text, shown, sizeof(shown)));
	if (hint)
		error_hint(err, "%s", hint);
	else if (nearest)
		error_hint(err, "did you mean \"%s\"?", nearest);
	return false;
}

bool compose_only_keys(const struct compose_reader *reader, const struct yaml_node *map,
		       const char *what, const char *const *known, struct error *err)
{
	if (map->kind != YAML_MAP)
		return compose_wrong(reader, map, err, "%s%s%smust be a map (got %s)",
				     *what ? "\"" : "", what, *what ? "\" " : "",
				     yaml_kind_name(map));
	for (size_t i = 0; i < map->count; i++)
		if (!text_is_among(map->keys[i]->text, known) &&
		    !compose_is_extension(map->keys[i]->text))
			return refuse_key(reader, map->keys[i], what, known, err);
	return true;
}

bool compose_get_map(const struct compose_reader *reader, const char *key, size_t count_max,
		     const struct yaml_node **map, struct error *err)
{
	*map = compose_get(reader->root, key);
	if (*map && (*map)->kind != YAML_MAP)
		return compose_wrong(reader, *map, err, "\"%s\" must be a map (got %s)", key,
				     yaml_kind_name(*map));
	if (*map && (*map)->count > count_max)
		return compose_wrong(reader, *map, err, "\"%s\": more than %zu", key, count_max);
	return true;
}

bool compose_check_name(const struct compose_reader *reader, const struct yaml_node *name,
			const char *what, struct error *err)
{
	size_t length = strlen(name->text);
	char shown[80];

	return (length <= 63 && isalnum((unsigned char)name->text[0]) &&
		strspn(name->text,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		    length) ||
	       compose_wrong(
		   reader, name, err,
		   "\"%s\": \"%s\" must be 1 to 63 letters, digits, \".\", \"_\" and \"-\"", what,
		   text_printable(name->text, shown, sizeof(shown)));
}

/* ---- values -------------------------------------------------------------------------------- */

bool compose_text(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		  char **text, struct error *err)
{
	struct error wrong;
	size_t length;

	if (node->kind != YAML_SCALAR || compose_is_null(node))
		return compose_wrong(reader, node, err, "\"%s\" must be text (got %s)", what,
				     yaml_kind_name(node));
	if (!compose_interpolate(node->text, compose_origin_of(reader, node)->variables,
				 EXPANDED_BYTES_MAX - reader->expanded_bytes,
				 reader->variables_used, text, &wrong)) {
		compose_wrong(reader, node, err, "\"%s\": %s", what, wrong.message);
		err->slug = "compose_variable";
		return *wrong.hint ? error_hint(err, "%s", wrong.hint) : false;
	}
	length = strlen(*text);
	reader->expanded_bytes += length;
	return true;
}

static bool refuse_value(const struct compose_reader *reader, const struct yaml_node *node,
			 const char *what, const char *expected, const char *text,
			 struct error *err)
{
	char shown[64];

	return compose_wrong(reader, node, err, "\"%s\" must be %s (got \"%s\")", what, expected,
			     text_printable(text, shown, sizeof(shown)));
}

bool compose_int64(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		   int64_t min, int64_t max, int64_t *value, struct error *err)
{
	AUTO(free) char *text = NULL;
	char expected[80];
	bool is_negative;
	int64_t read;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	is_negative = *text == '-';
	if (text_to_int64(text + is_negative, &read)) {
		read = is_negative ? -read : read;
		if (read >= min && read <= max) {
			*value = read;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "a whole number from %" PRId64 " to %" PRId64, min,
		 max);
	return refuse_value(reader, node, what, expected, text, err);
}

bool compose_bool(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		  bool *value, struct error *err)
{
	AUTO(free) char *text = NULL;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
		return refuse_value(reader, node, what, "true or false", text, err);
	*value = strcasecmp(text, "true") == 0;
	return true;
}

bool compose_duration_ms(struct compose_reader *reader, const struct yaml_node *node,
			 const char *what, int64_t *ms, struct error *err)
{
	AUTO(free) char *text = NULL;
	struct error wrong;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	return duration_parse(text, what, ms, &wrong) ||
	       compose_wrong(reader, node, err, "%s", wrong.message);
}

/* Digits with an optional fraction of up to nine digits, times `scale`, rounded down; false if it
 * is none or too large. `end` is behind it. */
static bool parse_decimal(const char *text, int64_t scale, int64_t *value, const char **end)
{
	size_t whole = strspn(text, "0123456789");
	AUTO(free) char *digits = xstrndup(text, whole);
	__int128 part = 0, tens = 1;
	int64_t sum;

	if (!text_to_int64(digits, &sum) || __builtin_mul_overflow(sum, scale, &sum))
		return false;
	text += whole;
	if (*text == '.') {
		const char *from = ++text;

		for (; *text >= '0' && *text <= '9' && text - from < 9; text++, tens *= 10)
			part = part * 10 + (*text - '0');
		if (text == from)
			return false;
	}
	if (__builtin_add_overflow(sum, (int64_t)(part * scale / tens), &sum))
		return false;
	*value = sum;
	*end = text;
	return true;
}

/* Powers of 1024, as container runtimes read them. */
static bool unit_shift(const char *unit, int *shift)
{
	static const char letters[] = "kmgt";
	const char *letter;

	*shift = 0;
	if (!*unit || strcasecmp(unit, "b") == 0)
		return true;
	letter = strchr(letters, *unit | 0x20);
	if (!letter || !*letter)
		return false;
	*shift = 10 * (int)(letter - letters + 1);
	return !unit[1] || strcasecmp(unit + 1, "b") == 0 || strcasecmp(unit + 1, "ib") == 0;
}

bool compose_parse_bytes(const char *text, int64_t *bytes)
{
	size_t number = strspn(text, "0123456789.");
	const char *end;
	int64_t read;
	int shift;

	if (!unit_shift(text + number, &shift) ||
	    !parse_decimal(text, (int64_t)1 << shift, &read, &end) || end != text + number)
		return false;
	*bytes = read;
	return true;
}

bool compose_bytes(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		   int64_t *bytes, struct error *err)
{
	AUTO(free) char *text = NULL;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	return compose_parse_bytes(text, bytes) ||
	       refuse_value(reader, node, what, "a size, such as 64m or 1g", text, err);
}

bool compose_nano_cpus(struct compose_reader *reader, const struct yaml_node *node,
		       const char *what, int64_t *nano_cpus, struct error *err)
{
	AUTO(free) char *text = NULL;
	const char *end;
	int64_t read;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	if (!parse_decimal(text, 1000000000, &read, &end) || *end || read > 10000 * 1000000000LL)
		return refuse_value(reader, node, what, "a number of processors, such as 0.5", text,
				    err);
	*nano_cpus = read;
	return true;
}

bool compose_parse_mode(const char *text, int *mode)
{
	size_t length = strlen(text);

	if (length < 3 || length > 5 || strspn(text, "01234567") != length ||
	    strtol(text, NULL, 8) > 07777)
		return false;
	*mode = (int)strtol(text, NULL, 8);
	return true;
}

bool compose_mode(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		  int *mode, struct error *err)
{
	AUTO(free) char *text = NULL;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	return compose_parse_mode(text, mode) ||
	       compose_wrong(reader, node, err,
			     "\"%s\" must be octal, such as 0444 (got \"%.20s\")", what, text);
}

bool compose_check_target(const struct compose_reader *reader, const struct yaml_node *node,
			  const char *what, const char *target, struct error *err)
{
	char shown[80];

	/* A colon would be read as a separator by runtimes. */
	return (*target == '/' && target[1] && !strchr(target, ':')) ||
	       compose_wrong(reader, node, err,
			     "\"%s\": \"%s\" is not an absolute path in the container", what,
			     text_printable(target, shown, sizeof(shown)));
}
