#include "wire/look_schema.h"

// clang-format off
static const struct schema_field layer_fields[] = {
	{ "name", "string", "as its engine calls it" },
	{ "needs", "[string]", "layers that must be there before" },
	{ "level", "integer?", "0: it needs none; null: its engine did not say" },
	{ "state", "=waiting|building|ready|failed|removing|removed", "how far it is" },
	{ "started_at", "time?", "the last try at building it" },
	{ "ended_at", "time?", "of that" },
	{ "elapsed_ms", "integer?", "time that took" },
	{ "attempts", "integer", "at building it" },
	{ "removed_at", "time?", "when" },
	{ "message", "string", "in words" },
};
SCHEMA(look_layer_schema, "EnvironmentLayer",
       "a step of building: a service, a Pulumi project",
       layer_fields);

static const struct schema_field resource_fields[] = {
	{ "layer?", "string", "that it is part of" },
	{ "type", "string", "as its engine calls it" },
	{ "name", "string", "as its program calls it" },
	{ "id", "string", "as its provider calls it; empty: it is only a name for others" },
	{ "urn?", "string", "as Pulumi calls it" },
	{ "parent?", "string?", "URN of what it belongs to" },
	{ "link", "string?", "its page in the cloud's own console; null: it has none" },
};
SCHEMA(look_resource_schema, "Resource",
       "something that exists, by the engine's books",
       resource_fields);

static const struct schema_field update_fields[] = {
	{ "n", "integer", "counts up" },
	{ "layer", "string", "of which" },
	{ "operation", "string", "up, destroy, refresh" },
	{ "state", "=running|succeeded|failed|interrupted", "how it ended" },
	{ "started_at", "time?", "when" },
	{ "ended_at", "time?", "null: it runs, or nobody saw its end" },
	{ "message", "string", "why it failed" },
	{ "changes", "{integer}", "how many resources, by what was done to them" },
	{ "resources", "[UpdateResource]", "those that were changed" },
	{ "left_out", "integer", "so many more were" },
};
SCHEMA(look_update_schema, "Update",
       "an operation on a layer, and what it changed",
       update_fields);

static const struct schema_field update_resource_fields[] = {
	{ "urn", "string", "as Pulumi calls it" },
	{ "type", "string", "of it" },
	{ "name", "string", "as its program calls it" },
	{ "op", "string", "create, update, delete, ..." },
	{ "id", "string", "as its provider calls it" },
	{ "failed", "boolean", "it was tried" },
	{ "attributes", "[AttributeChange]", "what is different" },
	{ "attributes_left_out", "integer", "so many more are" },
};
SCHEMA(look_update_resource_schema, "UpdateResource",
       "what was done to a resource",
       update_resource_fields);

static const struct schema_field attribute_fields[] = {
	{ "path", "string", "spec.replicas" },
	{ "from", "string?", "null: there was none; secrets are \"[secret]\"" },
	{ "to", "string?", "null: there is none any more" },
};
SCHEMA(look_attribute_schema, "AttributeChange",
       "of a resource; values as text, long ones cut",
       attribute_fields);
// clang-format on
