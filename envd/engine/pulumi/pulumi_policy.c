#include "engine/pulumi/pulumi_policy.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"

/* A program is started by the CLI itself, a folder by the language host of its runtime. */
static bool is_pack(const char *path)
{
	AUTO(free) char *description = path_join(path, "PulumiPolicy.yaml");
	struct stat status;

	if (stat(path, &status) != 0)
		return false;
	return S_ISREG(status.st_mode) ? access(path, X_OK) == 0 : file_exists(description);
}

static bool check(const struct pulumi_place *place, const char *name, struct error *err)
{
	AUTO(free) char *path = path_join(place->request->template_folder, name);

	return (*name != '/' && !strstr(name, "..") && is_pack(path)) ||
	       error_set_as(err, ERR_INVALID, "policy_missing",
			    "policy pack \"%.100s\" is neither a folder of the template with a "
			    "PulumiPolicy.yaml nor a program of it",
			    name);
}

bool policy_check(const struct pulumi_place *place, struct error *err)
{
	size_t count = 0;

	for (char **name = place->list->policies; name && *name; name++) {
		if (!check(place, *name, err))
			return false;
		if (++count > POLICIES_MAX)
			return error_set_as(err, ERR_INVALID, "policy_missing",
					    "there are more than %d policy packs", POLICIES_MAX);
	}
	return true;
}

char **policy_packs(const struct pulumi_place *place)
{
	char *const *named = place->list->policies;
	char **packs;
	size_t count = 0;

	while (named && named[count])
		count++;
	if (!count)
		return NULL;
	packs = xcalloc(count + 1, sizeof(*packs));
	for (size_t i = 0; i < count; i++)
		packs[i] = path_join(place->request->template_folder, named[i]);
	return packs;
}
