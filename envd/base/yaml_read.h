/*
 * yaml_read.h - YAML (libyaml, YAML 1.1 events read with the YAML 1.2 core schema) as a tree whose
 * every node knows where it stood, so that an error can say file:line:column.
 *
 * Anchors, aliases and merge keys (<<) are resolved while reading; duplicate keys, tabs as
 * indentation, more than one document, depth over 32, more than 100,000 nodes *after* aliases are
 * expanded (the "billion laughs" bound), more than 2,000 keys in a map, empty keys, NUL characters
 * and tags other than the core ones are refused. A file without a value is a null scalar.
 */
#ifndef ENVD_BASE_YAML_READ_H
#define ENVD_BASE_YAML_READ_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	int line;         /* from 1 */
	int column;       /* from 1 */
	int layer;        /* 0; raised for what was merged over something else (yaml_edit.h) */
	const char *file; /* that it stands in; as long as its document's `file` */
	const char *tag;  /* one of the local tags that were allowed, or NULL */
	bool is_plain;    /* scalar without quotes: "1.20" quoted stays text, 1.20 is a number */
	char *text;       /* scalar: as written, quotes and escapes resolved */
	size_t count;     /* list: items; map: pairs */
	struct yaml_node **items; /* list: the items; map: the values */
	struct yaml_node **keys;  /* map only: scalars */
};

struct yaml_document {
	char *file; /* as named in errors */
	struct yaml_node *root;
};

/* `file` names the text in errors. Error ERR_INVALID, slug "yaml_malformed", message
 * "FILE:LINE:COLUMN: what". */
NODISCARD bool yaml_parse(const char *bytes, size_t length, const char *file,
			  struct yaml_document **document, struct error *err);
/* With the local tags ("!reset") of a list that ends with NULL and outlives the document. */
NODISCARD bool yaml_parse_tagged(const char *bytes, size_t length, const char *file,
				 const char *const *tags, struct yaml_document **document,
				 struct error *err);
NODISCARD bool yaml_read_file(const char *path, size_t bytes_max, struct yaml_document **document,
			      struct error *err);
void yaml_node_free(struct yaml_node *node);
DEFINE_AUTO(struct yaml_node *, yaml_node_free)
/* Hidden, because libyaml exports a yaml_free() of its own, and a program's symbol would take its
 * place inside the library. */
__attribute__((visibility("hidden"))) void yaml_free(struct yaml_document *document);
DEFINE_AUTO(struct yaml_document *, yaml_free)

/* "a map", "a list", "a value", "nothing" (null): for errors that say what was there instead. */
const char *yaml_kind_name(const struct yaml_node *node);

/* NULL if the key is not there, or `map` is no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* ERR_INVALID, slug "yaml_invalid", with "FILE:LINE:COLUMN: " before the formatted text. */
bool yaml_error(const struct yaml_document *document, const struct yaml_node *at, struct error *err,
		const char *format, ...) PRINTF_LIKE(4, 5);

/* As json_only_keys, with the place of the key. */
NODISCARD bool yaml_only_keys(const struct yaml_document *document, const struct yaml_node *map,
			      const char *const *known, struct error *err);

/* Typed reads; a missing key is an error that names `map`'s place and the key. Strings are
 * borrowed. */
NODISCARD bool yaml_read_string(const struct yaml_document *document, const struct yaml_node *map,
				const char *key, const char **value, struct error *err);
NODISCARD bool yaml_read_int64(const struct yaml_document *document, const struct yaml_node *map,
			       const char *key, int64_t *value, struct error *err);
NODISCARD bool yaml_read_bool(const struct yaml_document *document, const struct yaml_node *map,
			      const char *key, bool *value, struct error *err);
NODISCARD bool yaml_read_duration_ms(const struct yaml_document *document,
				     const struct yaml_node *map, const char *key, int64_t *ms,
				     struct error *err);

/* A copy of the text at `key`, or of `otherwise` (which may be NULL) if the key is not there. The
 * caller frees. */
NODISCARD bool yaml_copy_string(const struct yaml_document *document, const struct yaml_node *map,
				const char *key, const char *otherwise, char **copy,
				struct error *err);

/* The same data as JSON (YAML 1.2 core schema decides what a plain scalar is). New reference. */
json_t *yaml_to_json(const struct yaml_node *node);

#endif
