#include "api/api_evidence.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "http/http_response.h"

static bool refuse_without(const struct environment *environment, struct error *err)
{
	if (environment->evidence == EVIDENCE_WANTED) {
		error_set_as(err, ERR_CONFLICT, "evidence_pending",
			     "evidence of \"%s\" is being taken", environment->name);
		return error_hint(err, "it takes at most half a minute");
	}
	error_set_as(err, ERR_NOT_FOUND, "no_evidence", "there is no evidence of \"%s\"%s",
		     environment->name,
		     environment->evidence == EVIDENCE_GIVEN_UP ? ": it could not be taken" : "");
	return environment->evidence == EVIDENCE_GIVEN_UP
		   ? error_hint(err, "why: envctl history %s", environment->name)
		   : error_hint(err, "it is taken when an environment fails, or when asked for");
}

static bool open_bundle(const struct api *api, const struct environment *environment, int *fd,
			int64_t *bytes, struct error *err)
{
	AUTO(free)
	char *path = xasprintf("%s/%s.tar.gz", api->control->evidence_folder, environment->id.text);
	struct stat status;

	if (environment->evidence != EVIDENCE_TAKEN)
		return refuse_without(environment, err);
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 || fstat(*fd, &status) != 0)
		return error_set_as(err, ERR_GONE, "evidence_expired",
				    "the evidence of \"%s\" made room for newer ones",
				    environment->name);
	*bytes = status.st_size;
	return true;
}

void api_get_evidence(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(free) char *name = NULL;
	AUTO(close) int fd = -1;
	struct api *api = arg;
	struct error err;
	int64_t bytes = 0;

	/* It holds what the logs hold. */
	if (!api_view_find(api, request, &environment, &err) ||
	    !permission_check(&api->caller, MAY_READ_LOGS, environment->project, &err) ||
	    !open_bundle(api, environment, &fd, &bytes, &err)) {
		api_answer_error(request, &err);
		return;
	}
	name = xasprintf("%s-evidence.tar.gz", environment->name);
	http_answer_file(request, "application/gzip", name, fd, bytes);
	fd = -1; /* the answer's now */
}

static bool apply_take(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;

	return api_change_environment(change, tx, &environment, err) &&
	       lifecycle_ask_evidence(change->api->control, tx, change->env, &change->caller, err);
}

static void answer_take(struct api_change *change)
{
	api_answer_stored(change->api, change->request, 202, change->env);
}

void api_take_evidence(void *api, struct http_request *request)
{
	struct api_change *change = api_change_new(api, request, "evidence");

	change->apply = apply_take;
	change->answer = answer_take;
	api_change_submit(change);
}
