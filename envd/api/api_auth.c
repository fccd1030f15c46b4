#include "api/api_auth.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

void api_auth_init(struct api_auth *auth, const char *ci_group)
{
	const struct group *group = ci_group ? getgrnam(ci_group) : NULL;

	*auth =
	    (struct api_auth){ .own_uid = geteuid(), .ci_gid = group ? group->gr_gid : (gid_t)-1 };
}

static bool is_member(const struct http_peer *peer, gid_t gid)
{
	if (gid == (gid_t)-1)
		return false;
	for (size_t i = 0; i < peer->group_count; i++)
		if (peer->groups[i] == gid)
			return true;
	return peer->gid == gid;
}

enum role api_auth_role(const struct api_auth *auth, const struct http_peer *peer)
{
	if (peer->kind != HTTP_PEER_UNIX)
		return ROLE_NONE;
	if (peer->uid == 0 || peer->uid == auth->own_uid)
		return ROLE_ADMIN;
	return is_member(peer, auth->ci_gid) ? ROLE_CI : ROLE_NONE;
}

static void look_up_name(uid_t uid, char name[64])
{
	const struct passwd *user = getpwuid(uid);

	if (user && strlen(user->pw_name) < 64)
		snprintf(name, 64, "%s", user->pw_name);
	else
		snprintf(name, 64, "uid-%u", (unsigned)uid);
}

/* Asking the system may mean asking a directory server, so each user is asked for once. */
static const char *name_of(struct api_auth *auth, uid_t uid)
{
	size_t slot;

	for (size_t i = 0; i < auth->name_count && i < AUTH_NAMES_MAX; i++)
		if (auth->names[i].uid == uid)
			return auth->names[i].name;
	slot = auth->name_count++ % AUTH_NAMES_MAX;
	auth->names[slot].uid = uid;
	look_up_name(uid, auth->names[slot].name);
	return auth->names[slot].name;
}

bool api_auth_caller(struct api_auth *auth, const struct http_peer *peer, struct caller *caller,
		     struct error *err)
{
	enum role role = api_auth_role(auth, peer);

	if (role == ROLE_NONE) {
		error_set_as(err, ERR_DENIED, "peer_refused",
			     "user \"%s\" may not use this service", name_of(auth, peer->uid));
		return error_hint(err, "ask its owner to add you to the group that may");
	}
	*caller = (struct caller){ .role = role, .project = PROJECT_DEFAULT };
	snprintf(caller->name, sizeof(caller->name), "%s", name_of(auth, peer->uid));
	return true;
}
