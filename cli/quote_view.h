/*
 * quote_view.h - money for people: amounts that came as whole microcents, and quotes.
 */
#ifndef CLI_QUOTE_VIEW_H
#define CLI_QUOTE_VIEW_H

#include <jansson.h>

#include "base/text.h"

/* "0.41", "-" where it is missing. */
void quote_amount(const json_t *object, const char *key, struct text *into);

/* "0.41 to 0.52", or "0.41" where both look alike. */
void quote_range(const json_t *object, const char *low, const char *high, struct text *into);

/* ", example prices as of 2026-11-01": what has to be known of a figure; nothing where there is
 * nothing to say. */
void quote_remark(const json_t *quote, struct text *into);

/* The components, a line each, then the choices that are cheaper. */
void quote_print(const json_t *quote);

#endif
