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
	[MAY_READ]      = { "read",        ALL,    ALL, ALL, ALL },
	[MAY_CREATE]    = { "create",      NOBODY, ALL, ALL, ALL },
	[MAY_EXTEND]    = { "extend",      NOBODY, OWN, ALL, ALL },
	[MAY_DESTROY]   = { "destroy",     NOBODY, OWN, ALL, ALL },
	[MAY_CHECK]     = { "check",       NOBODY, OWN, ALL, ALL },
	[MAY_READ_LOGS] = { "read logs of", NOBODY, OWN, ALL, ALL },
	[MAY_ACKNOWLEDGE] = { "acknowledge what is left of", NOBODY, NOBODY, ALL, ALL },
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

bool permission_check(const struct caller *caller, enum permission permission, const char *owner,
		      struct error *err)
{
	enum reach reach = reach_of(caller->role, permission);

	if (reach == ALL || (reach == OWN && (!owner || strcmp(owner, caller->name) == 0)))
		return true;
	if (reach == OWN)
		return error_set_as(
		    err, ERR_DENIED, "not_owner",
		    "\"%s\" (role %s) may %s only its own environments; this one is \"%s\"'s",
		    caller->name, role_name(caller->role), table[permission].verb, owner);
	return error_set(err, ERR_DENIED, "\"%s\" (role %s) may not %s environments", caller->name,
			 role_name(caller->role), table[permission].verb);
}
