/*
 * s3.h - a bucket as Pulumi names it (s3://BUCKET/FOLDER?region=...&endpoint=...), read: which keys
 * there are, and what one holds.
 */
#ifndef ENVD_ENGINE_CLOUD_S3_H
#define ENVD_ENGINE_CLOUD_S3_H

#include "engine/cloud/cloud_http.h"

struct s3_place {
	char *bucket;
	char *folder; /* "" or "a/b/" */
	char *region;
	char *endpoint; /* "https://..." */
};

/* ERR_INVALID "backend_invalid", "endpoint_invalid". */
NODISCARD bool s3_place_parse(const char *url, struct s3_place *place, struct error *err);
void s3_place_release(struct s3_place *place);

static inline void auto_s3_place_release(struct s3_place *place)
{
	s3_place_release(place);
}

/* Keys below the folder that begin with `below`, each as it is in the bucket. New reference.
 * ERR_EXTERNAL "cloud_denied" and those of cloud_http.h. */
NODISCARD bool s3_list(const struct s3_place *place, const struct cloud_session *session,
		       const char *below, json_t **keys, struct error *err);

/* The caller frees. */
NODISCARD bool s3_get(const struct s3_place *place, const struct cloud_session *session,
		      const char *key, size_t bytes_max, char **bytes, struct error *err);

#endif
