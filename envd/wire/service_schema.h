/*
 * service_schema.h - templates (template_json.c), check runs (check_json.c), targets, costs,
 * versions, as tables for schema.h.
 */
#ifndef ENVD_WIRE_SERVICE_SCHEMA_H
#define ENVD_WIRE_SERVICE_SCHEMA_H

#include "wire/schema.h"

extern const struct schema template_schema;
extern const struct schema template_parameter_schema;
extern const struct schema template_component_schema;
extern const struct schema template_source_schema;
extern const struct schema template_limits_schema;
extern const struct schema template_lease_schema;
extern const struct schema template_price_schema;
extern const struct schema check_request_schema;
extern const struct schema check_run_schema;
extern const struct schema check_environment_schema;
extern const struct schema smoke_result_schema;
extern const struct schema expectation_result_schema;
extern const struct schema load_result_schema;
extern const struct schema load_warmup_schema;
extern const struct schema latency_schema;
extern const struct schema threshold_result_schema;
extern const struct schema generator_health_schema;
extern const struct schema target_schema;
extern const struct schema target_holder_schema;
extern const struct schema target_mark_schema;
extern const struct schema bill_schema;
extern const struct schema version_schema;
extern const struct schema status_schema;

#endif
