/*
 * source_request.h - what a worker is told about a git source, to fetch from it (source/source.h).
 */
#ifndef ENVD_CONTROL_SOURCE_REQUEST_H
#define ENVD_CONTROL_SOURCE_REQUEST_H

#include <jansson.h>

#include "settings/settings.h"

/* `ref` NULL: the source's own. Secrets are named by their files, never in it. New reference. */
json_t *source_request(const struct settings *settings, const struct source_settings *source,
		       const char *ref);

#endif
