#include "worker/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/files.h"
#include "base/ids.h"

/* As where the digest of the request was taken (control/template_registry.c). */
static const struct copy_limits limits = { .files_max = 2000, .bytes_max = 16 << 20 };

static bool check_digest(const char *folder, const char *digest, struct error *err)
{
	char found[SHA256_TEXT_SIZE];

	if (!folder_digest(folder, &limits, found, err))
		return false;
	if (strcmp(found, digest) == 0)
		return true;
	error_set_as(err, ERR_CONFLICT, "template_changed",
		     "the template was changed after the environment was asked for (digest %.12s, "
		     "expected %.12s)",
		     found, digest);
	return error_hint(err, "ask again to get an environment of the template as it is now");
}

static bool sync_folder_of(const char *path, struct error *err)
{
	AUTO(free) char *parent = xasprintf("%s/..", path);
	AUTO(close) int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) != 0)
		return error_set_errno(err, errno, "cannot sync \"%s\"", path);
	return true;
}

/* The digest is taken of the copy: the source may change while it is read. */
static bool copy(const struct snapshot_request *request, const char *temporary, struct error *err)
{
	if (!folder_copy(request->from, temporary, &limits, err) ||
	    !check_digest(temporary, request->digest, err))
		return false;
	if (rename(temporary, request->to) != 0)
		return error_set_errno(err, errno, "cannot rename \"%s\"", temporary);
	return sync_folder_of(request->to, err);
}

bool snapshot_make(const struct snapshot_request *request, struct error *err)
{
	AUTO(free) char *temporary = NULL;
	struct error ignored; /* what is left of the copy goes with the environment's folder */
	char suffix[9];

	if (file_exists(request->to))
		return check_digest(request->to, request->digest, err);
	random_hex(suffix, 8);
	temporary = xasprintf("%s.%s.tmp", request->to, suffix);
	if (copy(request, temporary, err))
		return true;
	if (!folder_remove(temporary, &ignored))
		return false;
	return false;
}
