/*
 * compose_lists.h - values that are several: lists, sets, pairs of NAME=value. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_LISTS_H
#define ENVD_COMPOSE_COMPOSE_LISTS_H

#include "base/yaml_read.h"
#include "compose/compose.h"

struct compose_reader;

/* `what` is the key, for errors; texts are copies with variables filled in. */

/* A list of texts, or (if `may_be_text`) one text for a list of one. */
NODISCARD bool compose_list(struct compose_reader *reader, const struct yaml_node *node,
			    const char *what, bool may_be_text, struct compose_strings *list,
			    struct error *err);
/* The same as a set: what is there twice, by merging or otherwise, counts once. */
NODISCARD bool compose_set(struct compose_reader *reader, const struct yaml_node *node,
			   const char *what, bool may_be_text, struct compose_list *list,
			   struct error *err);
/* NAME: value, or - NAME=value. A name without a value: that of the variable of the same name where
 * `from_variables`, left out if there is none; otherwise "". */
NODISCARD bool compose_pairs(struct compose_reader *reader, const struct yaml_node *node,
			     const char *what, bool from_variables, struct compose_pairs *pairs,
			     struct error *err);

/* Takes the text over. */
void compose_strings_add(struct compose_strings *strings, char *text);
void compose_strings_release(struct compose_strings *strings);
void compose_pairs_release(struct compose_pairs *pairs);

static inline void auto_compose_strings_release(struct compose_strings *strings)
{
	compose_strings_release(strings);
}

#endif
