/*
 * container_health.h - judging a service's health ourselves, the same on every runtime.
 *
 * Podman without systemd never runs health checks, so the runtime is told of none: the command runs
 * as an exec, and this file decides what its answers mean. Pure: no calls, the clock is an
 * argument.
 *
 * The verdict comes when Compose's would: `retries` failures, an interval apart, after the start
 * period. Between these a service that is not healthy yet is asked more often (50 ms, growing to 1
 * s, or to the interval or start interval where that is shorter), so that being ready is seen soon;
 * those extra failures do not count.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_HEALTH_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_HEALTH_H

#include <jansson.h>
#include <stdint.h>

#include "compose/compose.h"

struct health_check {
	json_t *argv; /* NULL: the service has no check, and is ready when it runs */
	int64_t interval_ms;
	int64_t timeout_ms;
	int64_t start_period_ms;
	int64_t start_interval_ms; /* the longest wait in the start period */
	int retries;
};

/* From the file, or else the image's Config ({"Healthcheck": ...} or without). */
void health_check_init(struct health_check *check, const struct compose_health *health,
		       const json_t *image_config);
void health_check_release(struct health_check *check);

/* As a container carries it in LABEL_HEALTH, so that it can be asked without the template.
 * New reference; a label that is not ours leaves a check without argv. */
json_t *health_check_to_json(const struct health_check *check);
void health_check_from_json(struct health_check *check, const json_t *json);

enum health_verdict { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

/* One container's way to its verdict; zeroed at first. */
struct health {
	int64_t started_mono_ms;
	int64_t counted_mono_ms; /* of the last failure that counted; 0: none yet */
	int64_t wait_ms;         /* before the next asking */
	int failures;
};

void health_start(struct health *health, int64_t now_mono_ms);

/* An answer came: passed or not. After HEALTH_STARTING ask again in `health->wait_ms`. */
enum health_verdict health_note(struct health *health, const struct health_check *check,
				bool passed, int64_t now_mono_ms);

#endif
