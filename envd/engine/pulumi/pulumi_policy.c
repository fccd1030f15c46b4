#include "engine/pulumi/pulumi_policy.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"

static bool check(const struct pulumi_place *place, const char *folder, struct error *err)
{
	AUTO(free) char *file = xasprintf("%s/PulumiPolicy.yaml", folder);
	AUTO(free) char *path = path_join(place->request->template_folder, file);

	return (*folder != '/' && !strstr(folder, "..") && file_exists(path)) ||
	       error_set_as(err, ERR_INVALID, "policy_missing",
			    "policy pack \"%.100s\" is no folder of the template with a "
			    "PulumiPolicy.yaml",
			    folder);
}

bool policy_check(const struct pulumi_place *place, struct error *err)
{
	size_t count = 0;

	for (char **folder = place->list->policies; folder && *folder; folder++) {
		if (!check(place, *folder, err))
			return false;
		if (++count > POLICIES_MAX)
			return error_set_as(err, ERR_INVALID, "policy_missing",
					    "there are more than %d policy packs", POLICIES_MAX);
	}
	return true;
}

char **policy_folders(const struct pulumi_place *place)
{
	char *const *named = place->list->policies;
	char **folders;
	size_t count = 0;

	while (named && named[count])
		count++;
	if (!count)
		return NULL;
	folders = xcalloc(count + 1, sizeof(*folders));
	for (size_t i = 0; i < count; i++)
		folders[i] = path_join(place->request->template_folder, named[i]);
	return folders;
}
