/*
 * cloud_marks.h - is a thing of a cloud one of this environment's? Pure.
 *
 * A cloud account has things of several environments and of people. What ties one to an
 * environment: a tag, a name that holds the environment's own, the cluster that made it, or that it
 * was in a state (or was seen as ours) before. What a cluster makes by itself (load balancers,
 * volumes) carries the cluster's mark alone, and some of it carries none: such a stray counts as
 * ours when it is younger than the environment and nobody else claims it. A doubt is a left-over,
 * never nothing.
 */
#ifndef ENVD_ENGINE_CLOUD_CLOUD_MARKS_H
#define ENVD_ENGINE_CLOUD_CLOUD_MARKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What it costs to forget one. How much is the price books' to say. */
enum cloud_cost {
	CLOUD_COST_NONE,
	CLOUD_COST_STORAGE, /* by what is kept */
	CLOUD_COST_RUNNING, /* by the hour */
};

struct cloud_marks {
	const json_t *tags;     /* ["Stack=envd-1234", "word"]: any of them */
	const json_t *names;    /* [pattern] */
	const json_t *clusters; /* [name or id] */
	const json_t *known;    /* {id: {type: true}}: what was in a state, or was seen */
	const json_t *suspects; /* [name]: creates that were interrupted; NULL: none */
	int64_t since_s;        /* when the environment began, Unix */
};

struct cloud_thing {
	const char *kind;               /* a literal: "aws:volume" */
	const char *id, *name, *region; /* name, region may be NULL */
	const char *also;               /* another id of it (an ARN), or NULL */
	const char *type;               /* as Pulumi calls it, or NULL */
	const char *cluster;            /* what says that it made it, or NULL */
	const char *within;             /* what it lies in (a VPC), or NULL */
	const json_t *tags;             /* ["key=value"], or NULL */
	int64_t created_at_s;           /* 0: it does not say */
	enum cloud_cost cost;
	bool is_stray;        /* made by some cluster, and does not say which */
	bool has_ids_by_type; /* ids of two types may be equal */
};

/* Why it is one of ours, in words that follow "because of"; NULL: it is not. `is_certain` (may be
 * NULL): it says so itself, and is not only thought to be. */
const char *cloud_bond(const struct cloud_marks *marks, const struct cloud_thing *thing,
		       bool *is_certain);

/* Judged, and if it is ours appended: {"kind","id","name","type","region",
 * "cost","is_certain","reason"}. */
void cloud_add(const struct cloud_marks *marks, const struct cloud_thing *thing, json_t *items);

#endif
