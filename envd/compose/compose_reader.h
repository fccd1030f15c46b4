/*
 * compose_reader.h - what the readers of a Compose file's parts share: values with variables filled
 * in, of one type, with errors that name the place and the service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_READER_H
#define ENVD_COMPOSE_COMPOSE_READER_H

#include "base/json_read.h"
#include "base/yaml_read.h"
#include "compose/compose.h"
#include "compose/compose_lists.h"

struct compose_reader {
	const struct yaml_node *root; /* of everything that is read */
	const char *folder;           /* the template's; NULL: no other file can be read */
	bool is_trusted;
	const json_t *variables;   /* of the first file; each file has its own (compose_origin.h) */
	struct compose_file *file; /* is being filled in */
	const char *service;       /* the one that is being read; NULL outside services */
	json_t *variables_used;    /* object: each name is a key */
	size_t expanded_bytes;     /* of all values so far */
};

/* How one key of a service is read into it. */
typedef bool compose_read_key(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err);

struct compose_place compose_place_of(const struct yaml_node *node);

/* The reader's errors: slug compose_invalid, compose_unsupported, compose_variable. */
bool compose_wrong(const struct compose_reader *reader, const struct yaml_node *at,
		   struct error *err, const char *format, ...) PRINTF_LIKE(4, 5);
bool compose_unsupported(const struct compose_reader *reader, const struct yaml_node *at,
			 struct error *err, const char *format, ...) PRINTF_LIKE(4, 5);

/* NULL if the key is not there or holds nothing. */
const struct yaml_node *compose_get(const struct yaml_node *map, const char *key);
bool compose_is_null(const struct yaml_node *node);

/* Was `at` merged over `old`? Then it takes its place; otherwise it is there twice. */
bool compose_is_over(struct compose_place at, struct compose_place old);

/* `map` is a map, and its keys are in `known` or begin with "x-". `what` is the path of the map
 * below its service ("deploy.resources"), or "" for the service itself. */
NODISCARD bool compose_only_keys(const struct compose_reader *reader, const struct yaml_node *map,
				 const char *what, const char *const *known, struct error *err);
bool compose_is_extension(const char *key);

/* `what` is the key, for errors. All texts are copies with variables filled in, owned by the
 * caller. */
NODISCARD bool compose_text(struct compose_reader *reader, const struct yaml_node *node,
			    const char *what, char **text, struct error *err);
NODISCARD bool compose_int64(struct compose_reader *reader, const struct yaml_node *node,
			     const char *what, int64_t min, int64_t max, int64_t *value,
			     struct error *err);
NODISCARD bool compose_bool(struct compose_reader *reader, const struct yaml_node *node,
			    const char *what, bool *value, struct error *err);
NODISCARD bool compose_duration_ms(struct compose_reader *reader, const struct yaml_node *node,
				   const char *what, int64_t *ms, struct error *err);
/* "64m", "1.5gb", "1048576". */
NODISCARD bool compose_bytes(struct compose_reader *reader, const struct yaml_node *node,
			     const char *what, int64_t *bytes, struct error *err);
/* "0.5" as 500000000. */
NODISCARD bool compose_nano_cpus(struct compose_reader *reader, const struct yaml_node *node,
				 const char *what, int64_t *nano_cpus, struct error *err);
/* A map of at most `count_max` pairs, or NULL in `map` if the key is not there. */
NODISCARD bool compose_get_map(const struct compose_reader *reader, const char *key,
			       size_t count_max, const struct yaml_node **map, struct error *err);
/* A name that networks, volumes, configs and secrets may have. */
NODISCARD bool compose_check_name(const struct compose_reader *reader, const struct yaml_node *name,
				  const char *what, struct error *err);
/* Octal permissions. */
NODISCARD bool compose_mode(struct compose_reader *reader, const struct yaml_node *node,
			    const char *what, int *mode, struct error *err);
bool compose_parse_mode(const char *text, int *mode);
/* An absolute path in a container. */
NODISCARD bool compose_check_target(const struct compose_reader *reader,
				    const struct yaml_node *node, const char *what,
				    const char *target, struct error *err);
/* "64m" and so on; false if it is none. */
bool compose_parse_bytes(const char *text, int64_t *bytes);

#endif
