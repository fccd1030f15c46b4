/*
 * pulumi_look.h - the verbs that only look: inspect, logs, inventory, probe; and what a create
 * answers.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_LOOK_H
#define ENVD_ENGINE_PULUMI_PULUMI_LOOK_H

#include "engine/pulumi/pulumi_record.h"

/* Layers as services; new reference. */
json_t *look_services(const struct pulumi_place *place, const struct pulumi_record *record);

/* The data of a create that succeeded; `lock` is borrowed. ERR_INVALID "output_missing",
 * "output_secret". */
NODISCARD bool look_result(const struct pulumi_place *place, const struct pulumi_record *record,
			   json_t *lock, json_t **data, struct error *err);

bool pulumi_inspect(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
bool pulumi_inventory(const struct engine_request *request, const struct env_id *environment,
		      struct worker_lines *lines, json_t **data, struct error *err);
bool pulumi_logs(const struct engine_request *request, const char *service, bool follow,
		 int64_t tail_lines, struct worker_lines *lines, struct error *err);
bool pulumi_probe(const struct engine_request *request, json_t **data, struct error *err);

#endif
