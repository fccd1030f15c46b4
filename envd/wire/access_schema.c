#include "wire/access_schema.h"

// clang-format off
static const struct schema_field token_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=Token", "always Token" },
	{ "id", "string", "the part of it that is no secret" },
	{ "name", "name", "what its maker called it" },
	{ "role", "=viewer|ci|operator|admin", "what it may do" },
	{ "project", "name", "where it may do it" },
	{ "state", "=good|expired|revoked", "whether it still opens anything" },
	{ "created_by", "string", "who made it" },
	{ "created_at", "time?", "made" },
	{ "expires_at", "time?", "worthless from then on" },
	{ "last_used_at", "time?", "to within five minutes" },
	{ "revoked_at", "time?", "null while it was not" },
	{ "token?", "string", "the secret: in the answer that made it, and never again" },
};
SCHEMA(token_schema, "Token",
       "a key to this interface",
       token_fields);

static const struct schema_field token_request_fields[] = {
	{ "name", "name", "what to call it" },
	{ "role", "=viewer|ci|operator|admin", "what it may do" },
	{ "project?", "name?", "where it may do it; the caller's own when it is missing" },
	{ "expires_in?", "duration?", "until it is worthless; the longest allowed when it is missing" },
};
SCHEMA(token_request_schema, "TokenRequest",
       "asks for a token",
       token_request_fields);

static const struct schema_field audit_entry_fields[] = {
	{ "n", "integer", "counts up" },
	{ "at", "time", "when" },
	{ "who", "string", "a user, or PROJECT/TOKEN" },
	{ "role", "string", "as what" },
	{ "project", "string", "in which project" },
	{ "token", "string", "with which token, by its id" },
	{ "from", "string", "an address; nothing for the unix socket" },
	{ "request", "string", "the id that its answer carried" },
	{ "action", "string", "create, extend, destroy, ..." },
	{ "subject", "string", "the id of what was changed" },
	{ "detail", "object", "what else is to be known" },
};
SCHEMA(audit_entry_schema, "AuditEntry",
       "who changed what",
       audit_entry_fields);
// clang-format on
