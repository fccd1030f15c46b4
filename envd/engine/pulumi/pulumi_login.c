#include "engine/pulumi/pulumi_login.h"

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/tool_set.h"

enum { OUTPUT_BYTES_MAX = 1 << 20, LOGIN_MS = 20000 };

static bool run_program(void *arg, const char *const *argv, char *const *variables, char **output,
			struct error *err)
{
	const struct pulumi_place *place = arg;
	AUTO(free) char *program = *argv[0] == '/' ? xstrdup(argv[0]) : find_on_path(argv[0]);
	const char *words[64] = { program };
	struct tool_end end;
	size_t count = 1;

	if (!program)
		return error_set(err, ERR_EXTERNAL, "there is no program \"%.80s\"", argv[0]);
	for (; argv[count] && count + 1 < ARRAY_SIZE(words); count++)
		words[count] = argv[count];
	return tool_run(&(struct tool_spec){ .argv = words,
					     .variables = variables,
					     .directory = place->folder,
					     .limit_ms = LOGIN_MS },
			OUTPUT_BYTES_MAX, output, &end, err) &&
	       (tool_ended_well(&end) ||
		error_set(err, ERR_EXTERNAL, "the login program \"%.80s\" failed", argv[0]));
}

bool pulumi_login(const struct pulumi_place *place, struct kube_access *access, struct error *err)
{
	AUTO(free) char *path = place_path(place, "kubeconfig");
	const struct kube_login login = { .variables = place->variables,
					  .run = run_program,
					  .arg = (void *)(uintptr_t)place };

	if (!file_exists(path))
		return error_set_as(err, ERR_CONFLICT, "no_cluster",
				    "environment \"%s\" has no cluster: it has no kubeconfig",
				    place->request->environment_name);
	return kube_access_login(path, &login, access, err);
}

bool pulumi_cluster_of(const struct engine_request *request, struct kube_access *access,
		       struct error *err)
{
	AUTO(place_release) struct pulumi_place place;

	return place_open(request, &place, err) && place_set_variables(&place, err) &&
	       pulumi_login(&place, access, err);
}
