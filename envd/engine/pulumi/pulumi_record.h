/*
 * pulumi_record.h - how far each layer of an environment is, and which providers it ever had
 * something from: kept in its folder, written before and after every operation.
 *
 * Without the list of providers an empty state would say that nothing is left, while nobody was
 * ever asked.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_RECORD_H
#define ENVD_ENGINE_PULUMI_PULUMI_RECORD_H

#include "engine/pulumi/pulumi_place.h"

enum layer_mark {
	LAYER_UNTOUCHED, /* nothing of it was ever begun */
	LAYER_BEGUN,     /* an operation was begun and its good end was not noted */
	LAYER_UP,
	LAYER_GONE, /* destroyed, and its state was empty then */
};

struct pulumi_record {
	char *path;
	json_t *json;
};

NODISCARD bool record_open(const struct pulumi_place *place, struct pulumi_record *record,
			   struct error *err);
void record_release(struct pulumi_record *record);

static inline void auto_record_release(struct pulumi_record *record)
{
	record_release(record);
}

enum layer_mark record_mark(const struct pulumi_record *record, const char *layer);
/* Both are on the disk when they return. */
NODISCARD bool record_set_mark(struct pulumi_record *record, const char *layer,
			       enum layer_mark mark, struct error *err);
/* Those of a layer's state; nothing is written when they are known. Before and after everything
 * that may change it. record_note_providers() leaves the writing to the mark that is set next. */
NODISCARD bool record_add_providers(struct pulumi_record *record, const struct pulumi_place *place,
				    size_t layer, struct error *err);
NODISCARD bool record_note_providers(struct pulumi_record *record, const struct pulumi_place *place,
				     size_t layer, struct error *err);
/* {"aws": true}; borrowed. */
const json_t *record_providers(const struct pulumi_record *record);

/* {id: {type: true}} of a provider: everything of it that was ever in a state, or that an inventory
 * found. NULL: nothing. Borrowed until the next addition. */
const json_t *record_known(const struct pulumi_record *record, const char *provider);
NODISCARD bool record_add_known(struct pulumi_record *record, const char *provider,
				const json_t *found, struct error *err);

/* A thing to remember by name, such as "cluster"; NULL: not there. Borrowed. */
const char *record_fact(const struct pulumi_record *record, const char *name);
NODISCARD bool record_set_fact(struct pulumi_record *record, const char *name, const char *value,
			       struct error *err);
/* {name: value}, all with one write. */
NODISCARD bool record_add_facts(struct pulumi_record *record, const json_t *facts,
				struct error *err);

#endif
