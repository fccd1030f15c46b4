/*
 * environment_schema.h - what environment_json.c, history_json.c and the reports write, and what is
 * sent to ask for it, as tables for schema.h.
 */
#ifndef ENVD_WIRE_ENVIRONMENT_SCHEMA_H
#define ENVD_WIRE_ENVIRONMENT_SCHEMA_H

#include "wire/schema.h"

extern const struct schema environment_schema;
extern const struct schema environment_clocks_schema;
extern const struct schema environment_checks_schema;
extern const struct schema environment_kept_schema;
extern const struct schema environment_evidence_schema;
extern const struct schema environment_cost_schema;
extern const struct schema environment_proof_schema;
extern const struct schema environment_error_schema;
extern const struct schema environment_lease_schema;
extern const struct schema environment_request_schema;
extern const struct schema environment_plan_schema;
extern const struct schema plan_price_schema;
extern const struct schema plan_target_schema;
extern const struct schema plan_quota_schema;
extern const struct schema environment_extension_schema;
extern const struct schema environment_acknowledgement_schema;
extern const struct schema exec_request_schema;
extern const struct schema exec_terminal_schema;
extern const struct schema forward_request_schema;
extern const struct schema environment_service_schema;
extern const struct schema service_address_schema;
extern const struct schema environment_services_schema;
extern const struct schema forward_schema;
extern const struct schema history_row_schema;
extern const struct schema log_line_schema;
extern const struct schema report_schema;
extern const struct schema report_layer_schema;

#endif
