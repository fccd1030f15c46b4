#include "base/yaml_read.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <yaml.h>

#include "base/duration.h"
#include "base/files.h"
#include "base/text.h"

#define DEPTH_MAX 32
#define NODES_MAX 100000
#define ANCHORS_MAX 1000
/* Keys are compared with each other, so this bounds the work of a map, not only its size. */
#define KEYS_MAX 2000

#define CORE_TAG "tag:yaml.org,2002:"

/* A copy of what was anchored, because merging takes maps apart. */
struct anchor {
	char *name;
	struct yaml_node *node;
};

struct reader {
	yaml_parser_t parser;
	const char *file;
	const char *const *tags; /* local ones that are allowed; NULL: none */
	const char *bytes;
	size_t length;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchor_count;
	size_t nodes;
};

static void auto_yaml_event_delete(yaml_event_t *event)
{
	yaml_event_delete(event);
}

void yaml_node_free(struct yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++) {
		if (node->keys)
			yaml_node_free(node->keys[i]);
		yaml_node_free(node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
	free(node);
}

/* ---- errors -------------------------------------------------------------------------------- */

static bool malformed(const struct reader *reader, yaml_mark_t mark, struct error *err,
		      const char *format, ...) PRINTF_LIKE(4, 5);

static bool malformed(const struct reader *reader, yaml_mark_t mark, struct error *err,
		      const char *format, ...)
{
	char what[320], shown[320];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set_as(err, ERR_INVALID, "yaml_malformed", "%s:%zu:%zu: %s", reader->file,
			    mark.line + 1, mark.column + 1,
			    text_printable(what, shown, sizeof(shown)));
}

/* The reader of libyaml knows only a byte offset, because it fails before there are lines. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < reader->length; i++) {
		if (reader->bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((reader->bytes[i] & 0xC0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* Indentation is ASCII, so the column is the byte of the line. */
static bool is_tab_at(const struct reader *reader, yaml_mark_t mark)
{
	size_t at = 0;

	for (size_t line = 0; line < mark.line && at < reader->length; at++)
		line += reader->bytes[at] == '\n';
	return at + mark.column < reader->length && reader->bytes[at + mark.column] == '\t';
}

static bool parser_failed(const struct reader *reader, struct error *err)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "cannot be read";

	if (parser->error == YAML_READER_ERROR)
		return malformed(reader, mark_of_offset(reader, parser->problem_offset), err, "%s",
				 problem);
	if (parser->error == YAML_SCANNER_ERROR && is_tab_at(reader, parser->problem_mark))
		return malformed(reader, parser->problem_mark, err,
				 "a tab cannot indent: use blanks");
	if (parser->context && parser->context_mark.line != parser->problem_mark.line)
		return malformed(reader, parser->problem_mark, err,
				 "%s (%s that began at line %zu)", problem, parser->context,
				 parser->context_mark.line + 1);
	return malformed(reader, parser->problem_mark, err, "%s", problem);
}

static bool next_event(struct reader *reader, yaml_event_t *event, struct error *err)
{
	return yaml_parser_parse(&reader->parser, event) || parser_failed(reader, err);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static bool node_new(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark, int depth,
		     struct yaml_node **node, struct error *err)
{
	if (depth > DEPTH_MAX)
		return malformed(reader, mark, err, "nested deeper than %d levels", DEPTH_MAX);
	if (++reader->nodes > NODES_MAX)
		return malformed(reader, mark, err, "more than %d values, aliases written out",
				 NODES_MAX);
	*node = xcalloc(1, sizeof(**node));
	(*node)->kind = kind;
	(*node)->file = reader->file;
	(*node)->line = (int)mark.line + 1;
	(*node)->column = (int)mark.column + 1;
	return true;
}

static void node_add(struct yaml_node *node, struct yaml_node *key, struct yaml_node *item)
{
	/* Room doubles whenever the count is a power of two. */
	if ((node->count & (node->count - 1)) == 0) {
		size_t room = node->count ? node->count * 2 : 1;

		node->items = xrealloc(node->items, room, sizeof(*node->items));
		if (key)
			node->keys = xrealloc(node->keys, room, sizeof(struct yaml_node *));
	}
	if (key)
		node->keys[node->count] = key;
	node->items[node->count++] = item;
}

static bool node_copy(struct reader *reader, const struct yaml_node *from, yaml_mark_t at,
		      int depth, struct yaml_node **copy, struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *node = NULL;

	if (!node_new(reader, from->kind, at, depth, &node, err))
		return false;
	/* Errors should point to where the thing is written, not to its alias. */
	node->line = from->line;
	node->column = from->column;
	node->is_plain = from->is_plain;
	node->tag = from->tag;
	node->text = from->text ? xstrdup(from->text) : NULL;
	for (size_t i = 0; i < from->count; i++) {
		AUTO(yaml_node_free) struct yaml_node *key = NULL;
		struct yaml_node *item;

		if ((from->keys && !node_copy(reader, from->keys[i], at, depth + 1, &key, err)) ||
		    !node_copy(reader, from->items[i], at, depth + 1, &item, err))
			return false;
		node_add(node, TAKE(key), item);
	}
	*copy = TAKE(node);
	return true;
}

/* ---- anchors and tags ---------------------------------------------------------------------- */

static bool remember(struct reader *reader, const yaml_char_t *name, yaml_mark_t mark,
		     const struct yaml_node *node, struct error *err)
{
	struct anchor *anchor = &reader->anchors[reader->anchor_count];

	if (!name)
		return true;
	if (reader->anchor_count == ANCHORS_MAX)
		return malformed(reader, mark, err, "more than %d anchors", ANCHORS_MAX);
	if (!node_copy(reader, node, mark, 0, &anchor->node, err))
		return false;
	anchor->name = xstrdup((const char *)name);
	reader->anchor_count++;
	return true;
}

static bool read_alias(struct reader *reader, const yaml_event_t *event, int depth,
		       struct yaml_node **node, struct error *err)
{
	const char *name = (const char *)event->data.alias.anchor;

	/* From the end: an anchor may be given again, and the latest counts. */
	for (size_t i = reader->anchor_count; i-- > 0;)
		if (strcmp(reader->anchors[i].name, name) == 0)
			return node_copy(reader, reader->anchors[i].node, event->start_mark, depth,
					 node, err);
	return malformed(reader, event->start_mark, err,
			 "alias \"*%.100s\" has no anchor before it", name);
}

/* The caller's own copy of a local tag that it allows, or NULL. */
static const char *local_tag(const struct reader *reader, const yaml_char_t *tag)
{
	for (size_t i = 0; tag && reader->tags && reader->tags[i]; i++)
		if (strcmp((const char *)tag, reader->tags[i]) == 0)
			return reader->tags[i];
	return NULL;
}

static bool check_tag(struct reader *reader, const yaml_event_t *event, const yaml_char_t *tag,
		      const char *const *known, struct error *err)
{
	const char *text = (const char *)tag;

	if (!text || strcmp(text, "!") == 0 || local_tag(reader, tag))
		return true;
	for (; *known; known++)
		if (text_starts_with(text, CORE_TAG) &&
		    strcmp(text + strlen(CORE_TAG), *known) == 0)
			return true;
	return malformed(reader, event->start_mark, err, "tag \"%.100s\" is not supported", text);
}

/* ---- events to nodes ----------------------------------------------------------------------- */

static bool read_node(struct reader *reader, const yaml_event_t *event, int depth,
		      struct yaml_node **node, struct error *err);

static bool scalar_is_plain(const struct reader *reader, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	if (!tag || local_tag(reader, event->data.scalar.tag))
		return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return strcmp(tag, "!") != 0 && strcmp(tag, CORE_TAG "str") != 0;
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event, int depth,
			struct yaml_node **node, struct error *err)
{
	static const char *const tags[] = { "str", "int", "float", "bool", "null", NULL };
	const char *value = (const char *)event->data.scalar.value;

	if (!check_tag(reader, event, event->data.scalar.tag, tags, err))
		return false;
	if (strlen(value) != event->data.scalar.length)
		return malformed(reader, event->start_mark, err, "text with a NUL character in it");
	if (!node_new(reader, YAML_SCALAR, event->start_mark, depth, node, err))
		return false;
	(*node)->text = xstrdup(value);
	(*node)->is_plain = scalar_is_plain(reader, event);
	(*node)->tag = local_tag(reader, event->data.scalar.tag);
	return true;
}

static bool read_list(struct reader *reader, const yaml_event_t *event, int depth,
		      struct yaml_node **node, struct error *err)
{
	static const char *const tags[] = { "seq", NULL };
	AUTO(yaml_node_free) struct yaml_node *list = NULL;

	if (!check_tag(reader, event, event->data.sequence_start.tag, tags, err) ||
	    !node_new(reader, YAML_LIST, event->start_mark, depth, &list, err))
		return false;
	for (;;) {
		AUTO(yaml_event_delete) yaml_event_t next = { 0 };
		struct yaml_node *item;

		if (!next_event(reader, &next, err))
			return false;
		if (next.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (!read_node(reader, &next, depth + 1, &item, err))
			return false;
		node_add(list, NULL, item);
	}
	list->tag = local_tag(reader, event->data.sequence_start.tag);
	*node = TAKE(list);
	return true;
}

static bool check_key(struct reader *reader, const yaml_event_t *event, const struct yaml_node *map,
		      const struct yaml_node *key, struct error *err)
{
	char shown[64];

	if (key->kind != YAML_SCALAR)
		return malformed(reader, event->start_mark, err,
				 "a key must be text, not a list or a map");
	if (!*key->text)
		return malformed(reader, event->start_mark, err, "a key must not be empty");
	if (map->count == KEYS_MAX)
		return malformed(reader, event->start_mark, err, "more than %d keys in one map",
				 KEYS_MAX);
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i]->text, key->text) == 0)
			return malformed(reader, event->start_mark, err,
					 "key \"%s\" is there twice (first at line %d)",
					 text_printable(key->text, shown, sizeof(shown)),
					 map->keys[i]->line);
	return true;
}

static bool read_pair(struct reader *reader, const yaml_event_t *event, int depth,
		      struct yaml_node *map, struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *key = NULL;
	AUTO(yaml_event_delete) yaml_event_t next = { 0 };
	struct yaml_node *item;

	if (!read_node(reader, event, depth + 1, &key, err) ||
	    !check_key(reader, event, map, key, err) || !next_event(reader, &next, err) ||
	    !read_node(reader, &next, depth + 1, &item, err))
		return false;
	node_add(map, TAKE(key), item);
	return true;
}

static bool malformed_at(const struct reader *reader, const struct yaml_node *at, struct error *err,
			 const char *what)
{
	yaml_mark_t mark = { .line = (size_t)at->line - 1, .column = (size_t)at->column - 1 };

	return malformed(reader, mark, err, "%s", what);
}

/* Move the pairs of `from` whose keys `map` has not. */
static bool merge_map(const struct reader *reader, struct yaml_node *map, struct yaml_node *from,
		      struct error *err)
{
	if (from->kind != YAML_MAP)
		return malformed_at(reader, from, err, "\"<<\" takes a map or a list of maps");
	for (size_t i = 0; i < from->count; i++) {
		if (yaml_get(map, from->keys[i]->text))
			continue;
		if (map->count == KEYS_MAX)
			return malformed_at(reader, from, err, "too many keys in one map");
		node_add(map, TAKE(from->keys[i]), TAKE(from->items[i]));
	}
	return true;
}

/* What "<<" brings never wins over a key that is written out, nor a later map over an earlier one.
 */
static bool resolve_merge(const struct reader *reader, struct yaml_node *map, struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *merged = NULL;
	size_t i = 0;

	while (i < map->count && !(map->keys[i]->is_plain && strcmp(map->keys[i]->text, "<<") == 0))
		i++;
	if (i == map->count)
		return true;
	merged = map->items[i];
	yaml_node_free(map->keys[i]);
	map->count--;
	/* node_add() trusts that the room grew with the count; shrinking by one keeps what there
	 * is. */
	memmove(map->keys + i, map->keys + i + 1, (map->count - i) * sizeof(struct yaml_node *));
	memmove(map->items + i, map->items + i + 1, (map->count - i) * sizeof(struct yaml_node *));
	if (merged->kind != YAML_LIST)
		return merge_map(reader, map, merged, err);
	for (i = 0; i < merged->count; i++)
		if (!merge_map(reader, map, merged->items[i], err))
			return false;
	return true;
}

static bool read_map(struct reader *reader, const yaml_event_t *event, int depth,
		     struct yaml_node **node, struct error *err)
{
	static const char *const tags[] = { "map", NULL };
	AUTO(yaml_node_free) struct yaml_node *map = NULL;

	if (!check_tag(reader, event, event->data.mapping_start.tag, tags, err) ||
	    !node_new(reader, YAML_MAP, event->start_mark, depth, &map, err))
		return false;
	for (;;) {
		AUTO(yaml_event_delete) yaml_event_t next = { 0 };

		if (!next_event(reader, &next, err))
			return false;
		if (next.type == YAML_MAPPING_END_EVENT)
			break;
		if (!read_pair(reader, &next, depth, map, err))
			return false;
	}
	if (!resolve_merge(reader, map, err))
		return false;
	map->tag = local_tag(reader, event->data.mapping_start.tag);
	*node = TAKE(map);
	return true;
}

static bool read_node(struct reader *reader, const yaml_event_t *event, int depth,
		      struct yaml_node **node, struct error *err)
{
	const yaml_char_t *anchor;
	bool fine;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event, depth, node, err);
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		fine = read_scalar(reader, event, depth, node, err);
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		fine = read_list(reader, event, depth, node, err);
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		fine = read_map(reader, event, depth, node, err);
		break;
	default:
		return malformed(reader, event->start_mark, err, "a value was expected");
	}
	if (!fine)
		return false;
	if (remember(reader, anchor, event->start_mark, *node, err))
		return true;
	yaml_node_free(*node);
	return false;
}

/* ---- documents ----------------------------------------------------------------------------- */

static bool expect(struct reader *reader, yaml_event_type_t type, struct error *err)
{
	AUTO(yaml_event_delete) yaml_event_t event = { 0 };

	if (!next_event(reader, &event, err))
		return false;
	if (event.type != type)
		return malformed(reader, event.start_mark, err, "more than one document");
	return true;
}

/* A file without any value is a null, as everywhere. */
static bool read_root(struct reader *reader, struct yaml_node **root, struct error *err)
{
	AUTO(yaml_event_delete) yaml_event_t start = { 0 };
	AUTO(yaml_event_delete) yaml_event_t first = { 0 };
	AUTO(yaml_node_free) struct yaml_node *node = NULL;

	if (!expect(reader, YAML_STREAM_START_EVENT, err) || !next_event(reader, &start, err))
		return false;
	if (start.type == YAML_STREAM_END_EVENT) {
		if (!node_new(reader, YAML_SCALAR, start.start_mark, 0, root, err))
			return false;
		(*root)->text = xstrdup("");
		(*root)->is_plain = true;
		return true;
	}
	if (!next_event(reader, &first, err) || !read_node(reader, &first, 0, &node, err) ||
	    !expect(reader, YAML_DOCUMENT_END_EVENT, err) ||
	    !expect(reader, YAML_STREAM_END_EVENT, err))
		return false;
	*root = TAKE(node);
	return true;
}

static struct reader *reader_new(const char *bytes, size_t length, const char *file)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->file = file;
	reader->bytes = bytes;
	reader->length = length;
	if (!yaml_parser_initialize(&reader->parser))
		abort();
	/* Not guessed: a file in UTF-16 is an error like any other byte that is not UTF-8. */
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)bytes, length);
	return reader;
}

static void reader_free(struct reader *reader)
{
	for (size_t i = 0; i < reader->anchor_count; i++) {
		free(reader->anchors[i].name);
		yaml_node_free(reader->anchors[i].node);
	}
	yaml_parser_delete(&reader->parser);
	free(reader);
}
DEFINE_AUTO(struct reader *, reader_free)

bool yaml_parse_tagged(const char *bytes, size_t length, const char *file, const char *const *tags,
		       struct yaml_document **document, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *read = xcalloc(1, sizeof(*read));
	AUTO(reader_free) struct reader *reader = NULL;

	read->file = xstrdup(file);
	reader = reader_new(bytes, length, read->file);
	reader->tags = tags;
	if (!read_root(reader, &read->root, err))
		return false;
	*document = TAKE(read);
	return true;
}

bool yaml_parse(const char *bytes, size_t length, const char *file, struct yaml_document **document,
		struct error *err)
{
	return yaml_parse_tagged(bytes, length, file, NULL, document, err);
}

bool yaml_read_file(const char *path, size_t bytes_max, struct yaml_document **document,
		    struct error *err)
{
	AUTO(free) char *bytes = NULL;
	size_t length;

	return file_read(path, bytes_max, &bytes, &length, err) &&
	       yaml_parse(bytes, length, path, document, err);
}

void yaml_free(struct yaml_document *document)
{
	if (!document)
		return;
	yaml_node_free(document->root);
	free(document->file);
	free(document);
}

/* ---- reading ------------------------------------------------------------------------------- */

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
		if (map->keys[i] && strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}

bool yaml_error(const struct yaml_document *document, const struct yaml_node *at, struct error *err,
		const char *format, ...)
{
	char what[400], shown[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set_as(err, ERR_INVALID, "yaml_invalid", "%s:%d:%d: %s", document->file,
			    at->line, at->column, text_printable(what, shown, sizeof(shown)));
}

bool yaml_only_keys(const struct yaml_document *document, const struct yaml_node *map,
		    const char *const *known, struct error *err)
{
	if (map->kind != YAML_MAP)
		return yaml_error(document, map, err, "must be a map (got %s)",
				  yaml_kind_name(map));
	for (size_t i = 0; i < map->count; i++) {
		const char *key = map->keys[i]->text;
		char shown[64];

		if (text_is_among(key, known))
			continue;
		yaml_error(document, map->keys[i], err, "unknown key \"%s\"",
			   text_printable(key, shown, sizeof(shown)));
		return error_hint_known(err, key, known);
	}
	return true;
}

static bool is_null(const struct yaml_node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };

	return node->kind == YAML_SCALAR && node->is_plain && text_is_among(node->text, nulls);
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	if (is_null(node))
		return "nothing";
	return node->kind == YAML_LIST ? "a list" : node->kind == YAML_MAP ? "a map" : "a value";
}

static bool read_text(const struct yaml_document *document, const struct yaml_node *map,
		      const char *key, const struct yaml_node **value, struct error *err)
{
	const struct yaml_node *found = yaml_get(map, key);

	if (!found)
		return yaml_error(document, map, err, "\"%s\" is missing", key);
	if (found->kind != YAML_SCALAR || is_null(found))
		return yaml_error(document, found, err, "\"%s\" must be text (got %s)", key,
				  yaml_kind_name(found));
	*value = found;
	return true;
}

bool yaml_read_string(const struct yaml_document *document, const struct yaml_node *map,
		      const char *key, const char **value, struct error *err)
{
	const struct yaml_node *found;

	if (!read_text(document, map, key, &found, err))
		return false;
	*value = found->text;
	return true;
}

bool yaml_copy_string(const struct yaml_document *document, const struct yaml_node *map,
		      const char *key, const char *otherwise, char **copy, struct error *err)
{
	if (yaml_get(map, key) && !yaml_read_string(document, map, key, &otherwise, err))
		return false;
	*copy = otherwise ? xstrdup(otherwise) : NULL;
	return true;
}

/* Digits with a sign, or 0x and 0o as the core schema has them. */
static bool to_int64(const char *text, int64_t *value)
{
	bool is_negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');
	int base = 10;
	long long number;
	char *end;

	if (digits == text && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o')) {
		base = digits[1] == 'x' ? 16 : 8;
		digits += 2;
	}
	if (!*digits || digits[strspn(digits, base == 16  ? "0123456789abcdefABCDEF"
					      : base == 8 ? "01234567"
							  : "0123456789")])
		return false;
	errno = 0;
	number = strtoll(is_negative ? text : digits, &end, base);
	if (errno || *end)
		return false;
	*value = number;
	return true;
}

bool yaml_read_int64(const struct yaml_document *document, const struct yaml_node *map,
		     const char *key, int64_t *value, struct error *err)
{
	const struct yaml_node *found;
	char shown[64];

	if (!read_text(document, map, key, &found, err))
		return false;
	if (!found->is_plain || !to_int64(found->text, value))
		return yaml_error(document, found, err,
				  "\"%s\" must be a whole number (got \"%s\")", key,
				  text_printable(found->text, shown, sizeof(shown)));
	return true;
}

static bool to_bool(const char *text, bool *value)
{
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };

	*value = text_is_among(text, yes);
	return *value || text_is_among(text, no);
}

bool yaml_read_bool(const struct yaml_document *document, const struct yaml_node *map,
		    const char *key, bool *value, struct error *err)
{
	const struct yaml_node *found;
	char shown[64];
	bool read;

	if (!read_text(document, map, key, &found, err))
		return false;
	if (!found->is_plain || !to_bool(found->text, &read))
		return yaml_error(document, found, err, "\"%s\" must be true or false (got \"%s\")",
				  key, text_printable(found->text, shown, sizeof(shown)));
	*value = read;
	return true;
}

bool yaml_read_duration_ms(const struct yaml_document *document, const struct yaml_node *map,
			   const char *key, int64_t *ms, struct error *err)
{
	const struct yaml_node *found;
	struct error wrong;

	if (!read_text(document, map, key, &found, err))
		return false;
	return duration_parse(found->text, key, ms, &wrong) ||
	       yaml_error(document, found, err, "%s", wrong.message);
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static bool is_float(const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	size_t whole = strspn(at, "0123456789"), part = 0;

	at += whole;
	if (*at == '.') {
		part = strspn(at + 1, "0123456789");
		at += 1 + part;
	}
	if (!whole && !part)
		return false;
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '-' || at[1] == '+');
		if (!*at)
			return false;
		at += strspn(at, "0123456789");
	}
	return !*at;
}

/* .inf and .nan have no place in JSON and stay text, as does a number too large to be finite. */
static json_t *scalar_to_json(const struct yaml_node *node)
{
	json_t *number = NULL;
	int64_t whole;
	bool truth;

	if (is_null(node))
		return json_null();
	if (node->is_plain && to_bool(node->text, &truth))
		return json_boolean(truth);
	if (node->is_plain && to_int64(node->text, &whole))
		return json_integer(whole);
	if (node->is_plain && is_float(node->text))
		number = json_real(strtod(node->text, NULL));
	return number ? number : json_string(node->text);
}

json_t *yaml_to_json(const struct yaml_node *node)
{
	json_t *json;

	if (node->kind == YAML_SCALAR)
		return scalar_to_json(node);
	json = node->kind == YAML_LIST ? json_array() : json_object();
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == YAML_LIST)
			json_array_append_new(json, yaml_to_json(node->items[i]));
		else
			json_object_set_new(json, node->keys[i]->text,
					    yaml_to_json(node->items[i]));
	}
	return json;
}
