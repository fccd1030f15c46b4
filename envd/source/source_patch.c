#include "source/source_patch.h"

#include <git2.h>

#include "base/files.h"
#include "source/git_transport.h"

static bool parse(const char *patch, size_t length, git_diff **diff, struct error *err)
{
	if (git_diff_from_buffer(diff, patch, length) != 0) {
		git_library_error(err, "it is no unified diff");
		err->code = ERR_INVALID;
		err->slug = "patch_invalid";
		return false;
	}
	return git_diff_num_deltas(*diff) > 0 ||
	       error_set_as(err, ERR_INVALID, "patch_invalid", "it changes no file");
}

/* libgit2 applies to a repository's files, so these become one's for a moment. */
static bool apply(git_diff *diff, const char *folder, const char *scratch, struct error *err)
{
	git_repository *repository = NULL;
	bool is_open = git_repository_init(&repository, scratch, 1) == 0 &&
		       git_repository_set_workdir(repository, folder, 0) == 0;
	bool is_good =
	    is_open && git_apply(repository, diff, GIT_APPLY_LOCATION_WORKDIR, NULL) == 0;

	if (!is_good) {
		git_library_error(err, is_open ? "it does not fit" : "preparing to apply it");
		if (is_open) {
			err->code = ERR_INVALID;
			err->slug = "patch_failed";
		}
	}
	git_repository_free(repository);
	return is_good;
}

bool source_patch(const char *patch, size_t length, const char *folder, const char *scratch,
		  struct error *err)
{
	struct error ignored; /* of an empty repository, which the place's owner removes later */
	git_diff *diff = NULL;
	bool is_good;

	if (!git_library_start(err))
		return false;
	is_good = parse(patch, length, &diff, err) && apply(diff, folder, scratch, err);
	git_diff_free(diff);
	(void)!folder_remove(scratch, &ignored);
	return is_good;
}
