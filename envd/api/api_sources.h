/*
 * api_sources.h - requests that wait until a git source was fetched. The fetch is a worker's; here
 * requests for one ref of one source share it. For api/ only.
 */
#ifndef ENVD_API_API_SOURCES_H
#define ENVD_API_API_SOURCES_H

#include "api/api_context.h"

/* Once, from the loop. `checkout` is borrowed and NULL on failure. ERR_INVALID "ref_not_found";
 * ERR_LIMIT "source_too_large"; ERR_EXTERNAL "source_failed"; ERR_UNAVAILABLE "client_left" when
 * `request` has nobody any more who would hear what was made. */
typedef void (*api_source_done)(void *arg, const struct template_checkout *checkout,
				const struct error *failure);

/* Fetches what `ref` (NULL: the source's own) of `source` is now: a fetch that began before the
 * call does not count. ERR_LIMIT "too_many_fetches": then `on_done` will not come. */
NODISCARD bool api_sources_fetch(struct api *api, const char *source, const char *ref,
				 struct http_request *request, api_source_done on_done, void *arg,
				 struct error *err);

/* Those that were not looked at for a minute are, without anybody waiting: for lists. */
void api_sources_refresh(struct api *api);

/* At the start: every source is known and looked at. At the end: nobody waits any more. */
void api_sources_open(struct api *api);
void api_sources_close(struct api *api);

#endif
