/*
 * permission.h - who may do what: one table, default deny.
 */
#ifndef ENVD_MODEL_PERMISSION_H
#define ENVD_MODEL_PERMISSION_H

#include "base/error.h"

// clang-format off
#define ROLES(X)                                                                                   \
	X(ROLE_NONE,     "none")                                                                   \
	X(ROLE_VIEWER,   "viewer")                                                                 \
	X(ROLE_CI,       "ci")        /* its own environments */                                   \
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
	MAY_ACKNOWLEDGE, /* that something may be left of what could not be proved gone */
	PERMISSION_COUNT
};

struct caller {
	char name[64]; /* the owner of what this caller creates */
	enum role role;
};

const char *role_name(enum role role);

/* `owner`: of the environment in question, NULL for questions about no particular one.
 * ERR_DENIED that names caller, role and what was asked. */
NODISCARD bool permission_check(const struct caller *caller, enum permission permission,
				const char *owner, struct error *err);

#endif
