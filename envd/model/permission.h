/*
 * permission.h - who may do what: one table, default deny.
 */
#ifndef ENVD_MODEL_PERMISSION_H
#define ENVD_MODEL_PERMISSION_H

#include "base/ids.h"

// clang-format off
#define ROLES(X)                                                                                   \
	X(ROLE_NONE,     "none")                                                                   \
	X(ROLE_VIEWER,   "viewer")                                                                 \
	X(ROLE_CI,       "ci")        /* its project's */                                          \
	X(ROLE_OPERATOR, "operator")                                                               \
	X(ROLE_ADMIN,    "admin")
// clang-format on

enum role {
#define X(role, name) role,
	ROLES(X)
#undef X
};

enum permission {
	MAY_READ,
	MAY_CREATE,
	MAY_EXTEND,
	MAY_DESTROY,
	MAY_CHECK,
	MAY_READ_LOGS,
	MAY_REACH_INTO,  /* run commands in them, connect to what they do not publish */
	MAY_ACKNOWLEDGE, /* that something may be left of what could not be proved gone */
	MAY_READ_AUDIT,
	MAY_READ_METRICS, /* which are sums over all projects */
	MAY_MANAGE_TOKENS,
	MAY_MANAGE_TARGETS,
	PERMISSION_COUNT
};

#define PROJECT_DEFAULT "default"

struct caller {
	char name[2 * NAME_LENGTH_MAX + 2]; /* the owner of what this caller creates */
	enum role role;
	char project[NAME_LENGTH_MAX + 1]; /* of what it creates; viewer and ci see no other */
	char token[16];                    /* its id; "": known by its unix socket */
	int64_t token_expires_at_ms;       /* 0: it has none */
	char from[48];                     /* its address; "unix" */
};

const char *role_name(enum role role);

/* ERR_INVALID; "none" is no role that could be given. */
NODISCARD bool role_parse(const char *name, enum role *role, struct error *err);

/* `project`: of the environment in question, NULL for questions about no particular one.
 * ERR_DENIED that names caller, role and what was asked. */
NODISCARD bool permission_check(const struct caller *caller, enum permission permission,
				const char *project, struct error *err);

/* It may, but in its own project only. */
bool permission_is_bound(const struct caller *caller, enum permission permission);

#endif
