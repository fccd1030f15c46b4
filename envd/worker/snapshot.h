/*
 * snapshot.h - the template of an environment, kept as it was asked for.
 */
#ifndef ENVD_WORKER_SNAPSHOT_H
#define ENVD_WORKER_SNAPSHOT_H

#include "base/error.h"

struct snapshot_request {
	const char *from;   /* the template's folder */
	const char *to;     /* does not exist, or is the snapshot already */
	const char *digest; /* of both */
};

/* Copies once, whole or not at all; looks at the digest every time. ERR_CONFLICT "template_changed"
 * when the template is not the one that was asked for any more. */
NODISCARD bool snapshot_make(const struct snapshot_request *request, struct error *err);

#endif
