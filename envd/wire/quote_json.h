/*
 * quote_json.h - a quote as others see it, and as it is kept with the environment that was accepted
 * with it, so that a price that changes later does not rewrite what was promised.
 *
 * {"currency", "provider", "region": text or null, "lease_seconds", "building_seconds",
 *  "low_microcents_per_hour", "high_microcents_per_hour", "low_microcents", "high_microcents" (to
 *  the end of the lease), "oldest", "newest": "2026-11-01" or null, "example": true if a figure is
 *  of a book of examples, "missing": components without a price, "components": [...],
 *  "choices": [...]}
 */
#ifndef ENVD_WIRE_QUOTE_JSON_H
#define ENVD_WIRE_QUOTE_JSON_H

#include <jansson.h>

#include "model/quote.h"

/* `choices` may be NULL. New reference. */
json_t *quote_json(const struct quote *quote, const struct quote_time *time,
		   const struct quote_choices *choices);

/* [{"name","provider","region","currency","as_of","source","example","old","prices"}]; books that
 * are older than `age_ms` are "old". New reference. */
json_t *price_books_json(const struct price_books *books, int64_t now_ms, int64_t age_ms);

#endif
