/*
 * container_names.h - what the things of an environment are called, and the labels they carry.
 *
 * Names come from the environment's id alone, so a second attempt finds what the first one made:
 * "envd-" + 12 digits of the id + "-" + the key in the Compose file. Labels say whose a thing is
 * without any database (engine.h); nothing is adopted or removed because of its name alone.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_NAMES_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_NAMES_H

#include "engine/engine.h"

#define LABEL_INSTANCE "envd-instance"
#define LABEL_ENVIRONMENT "envd-environment"
#define LABEL_SEQUENCE "envd-sequence"
#define LABEL_HARD_WALL "envd-hard-wall"
#define LABEL_SERVICE "envd-service"       /* containers only, as the next two */
#define LABEL_CONFIG "envd-config"         /* hash of what it was created from */
#define LABEL_STOP_GRACE "envd-stop-grace" /* seconds, if the file gives them */
#define LABEL_HEALTH "envd-health"         /* its health check: container_health.h */

/* "envd-0123456789ab-KEY"; the caller frees. */
char *container_name(struct env_id environment, const char *key);

/* The bridge of a network on the host: as unique as the name, and at most 15 bytes. */
#define INTERFACE_NAME_SIZE 16
void container_interface_name(const char *network_name, char into[INTERFACE_NAME_SIZE]);

/* The four labels of every thing. New reference. */
json_t *container_labels(const struct engine_request *request);

/* ?filters= for the things of the instance, or of one environment of it; the caller frees. */
char *container_label_filter(const char *instance, const struct env_id *environment);

/* Do these labels say that a thing is the instance's, and the environment's (NULL: any)? Filters
 * were misread by runtimes before, so whatever removes asks this too. */
bool container_labels_match(const json_t *labels, const char *instance,
			    const struct env_id *environment);

#endif
