/*
 * cloud.h - what a cloud account has of one environment, asked of the cloud itself.
 *
 * An adapter lists everything of the kinds that an environment can leave behind and keeps what
 * cloud_marks.h ties to it. It answers with all of it or with an error, never with a part: a page
 * that did not come, a permission that is missing, a region that is not enabled are "unknown".
 */
#ifndef ENVD_ENGINE_CLOUD_CLOUD_H
#define ENVD_ENGINE_CLOUD_CLOUD_H

#include "engine/cloud/cloud_http.h"
#include "engine/cloud/cloud_marks.h"

#define CLOUD_ITEMS_MAX 20000 /* of one kind: more are not looked through */

struct cloud_question {
	struct cloud_session session;
	const char *endpoint; /* NULL: the cloud's own */
	char *const *regions; /* AWS: at least one; ends with NULL */
	struct cloud_marks marks;
};

struct cloud_adapter {
	const char *name;
	bool needs_regions;
	/* The text that the reference leads to: a token, a file, JSON. ERR_INVALID
	 * "credentials_invalid". */
	bool (*read_secret)(const char *text, struct cloud_secret *secret, struct error *err);
	/* Whose account it is; the caller frees. Fails where the credentials do. */
	bool (*account)(const struct cloud_question *question, char **account, struct error *err);
	/* ERR_EXTERNAL "cloud_denied", "cloud_invalid" and those of cloud_http.h. New reference. */
	bool (*list)(const struct cloud_question *question, json_t **items, struct error *err);
};

/* NULL: there is none of this name. `cloud_adapter_names` ends with NULL. */
const struct cloud_adapter *cloud_adapter_find(const char *name);
extern const char *const cloud_adapter_names[];

/* A token: one line, nothing around it. */
NODISCARD bool cloud_read_token(const char *text, struct cloud_secret *secret, struct error *err);

/* "the list is longer than 20000": ERR_EXTERNAL "cloud_invalid". */
bool cloud_too_many(const char *what, struct error *err);

#endif
