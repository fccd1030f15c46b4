#include "model/permission.h"

#include <string.h>

static const char *const role_names[] = {
#define X(role, name) [role] = name,
	ROLES(X)
#undef X
};

enum reach { NOBODY, OWN, ALL };

// clang-format off
static const struct {
	const char *verb;
	enum reach viewer, ci, operator, admin;
} table[PERMISSION_COUNT] = {
	[MAY_READ]          = { "read environments",         OWN,    OWN,    ALL,    ALL },
	[MAY_CREATE]        = { "create environments",       NOBODY, OWN,    ALL,    ALL },
	[MAY_EXTEND]        = { "extend environments",       NOBODY, OWN,    ALL,    ALL },
	[MAY_DESTROY]       = { "destroy environments",      NOBODY, OWN,    ALL,    ALL },
	[MAY_CHECK]         = { "check environments",        NOBODY, OWN,    ALL,    ALL },
	[MAY_READ_LOGS]     = { "read logs of environments", NOBODY, OWN,    ALL,    ALL },
	[MAY_REACH_INTO]    = { "reach into environments",   NOBODY, OWN,    ALL,    ALL },
	[MAY_ACKNOWLEDGE]   = { "acknowledge what is left of environments", NOBODY, NOBODY, ALL, ALL },
	[MAY_READ_AUDIT]    = { "read the audit history",    NOBODY, NOBODY, ALL,    ALL },
	[MAY_READ_METRICS]  = { "read numbers of all projects", NOBODY, NOBODY, ALL, ALL },
	[MAY_MANAGE_TOKENS] = { "manage tokens",             NOBODY, NOBODY, NOBODY, ALL },
	[MAY_MANAGE_TARGETS] = { "manage targets",           NOBODY, NOBODY, NOBODY, ALL },
};
// clang-format on

static enum reach reach_of(enum role role, enum permission permission)
{
	switch (role) {
	case ROLE_VIEWER:
		return table[permission].viewer;
	case ROLE_CI:
		return table[permission].ci;
	case ROLE_OPERATOR:
		return table[permission].operator;
	case ROLE_ADMIN:
		return table[permission].admin;
	default:
		return NOBODY;
	}
}

const char *role_name(enum role role)
{
	return role_names[role];
}

bool role_parse(const char *name, enum role *role, struct error *err)
{
	for (enum role at = ROLE_VIEWER; at <= ROLE_ADMIN; at++) {
		if (strcmp(role_names[at], name) == 0) {
			*role = at;
			return true;
		}
	}
	return error_set_as(err, ERR_INVALID, "role_unknown",
			    "role \"%.20s\" must be viewer, ci, operator or admin", name);
}

/* What another project is called is not told. */
bool permission_check(const struct caller *caller, enum permission permission, const char *project,
		      struct error *err)
{
	enum reach reach = reach_of(caller->role, permission);

	if (reach == ALL || (reach == OWN && (!project || strcmp(project, caller->project) == 0)))
		return true;
	if (reach == OWN)
		return error_set_as(err, ERR_DENIED, "not_your_project",
				    "\"%s\" (role %s) may %s of its own project \"%s\" only",
				    caller->name, role_name(caller->role), table[permission].verb,
				    caller->project);
	return error_set(err, ERR_DENIED, "\"%s\" (role %s) may not %s", caller->name,
			 role_name(caller->role), table[permission].verb);
}

bool permission_is_bound(const struct caller *caller, enum permission permission)
{
	return reach_of(caller->role, permission) != ALL;
}
