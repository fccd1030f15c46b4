#include "engine/container/image_pull.h"

#include <string.h>

#include "base/clock.h"
#include "engine/container/image_reference.h"
#include "engine/container/pull_progress.h"
#include "engine/container/registry_auth.h"

#define PULL_LIMIT_MS ((int64_t)60 * 60 * 1000)
#define TRIES_MAX 3
#define RETRY_FIRST_MS 1000
#define SAY_FIRST_MS 1000
#define SAY_MOST_MS 10000

/* One pull on its way. */
struct pulling {
	const struct image_pull *pull;
	json_t *auth;                /* NULL: nobody has credentials, or they may not be used */
	bool is_without_credentials; /* because the template is not trusted */
	struct docker_call *call;
	struct pull_progress progress;
	int tries;
	int64_t due_mono_ms; /* of the next try */
	int64_t say_mono_ms; /* of the next progress line */
	int64_t say_wait_ms;
	bool is_over;
};

/* ---- what a failure means -------------------------------------------------------------------- */

enum failure {
	FAILURE_MISSING,
	FAILURE_DENIED,
	FAILURE_TLS,
	FAILURE_UNREACHABLE,
	FAILURE_OTHER,
};

/* Parts of what runtimes say, most telling first; none of it is stable API, so what is not here
 * stays FAILURE_OTHER and is shown all the same. */
static const struct {
	const char *part;
	enum failure failure;
	bool is_worth_another_try;
} signs[] = {
	// clang-format off
	{ "x509:",                            FAILURE_TLS,         false },
	{ "HTTP response to HTTPS client",    FAILURE_TLS,         false },
	{ "HTTP request to an HTTPS server",  FAILURE_TLS,         false },
	{ "certificate",                      FAILURE_TLS,         false },
	{ "no basic auth credentials",        FAILURE_DENIED,      false },
	{ "unauthorized",                     FAILURE_DENIED,      false },
	{ "authentication required",          FAILURE_DENIED,      false },
	{ "invalid username/password",        FAILURE_DENIED,      false },
	{ "access denied",                    FAILURE_DENIED,      false },
	{ "access to the resource is denied", FAILURE_DENIED,      false },
	{ "denied:",                          FAILURE_DENIED,      false },
	{ "manifest unknown",                 FAILURE_MISSING,     false },
	{ "name unknown",                     FAILURE_MISSING,     false },
	{ "not found",                        FAILURE_MISSING,     false },
	{ "no matching manifest",             FAILURE_MISSING,     false },
	{ "no image found in",                FAILURE_MISSING,     false },
	{ "toomanyrequests",                  FAILURE_OTHER,       false },
	{ "no space left",                    FAILURE_OTHER,       false },
	{ "no such host",                     FAILURE_UNREACHABLE, false },
	{ "connection refused",               FAILURE_UNREACHABLE, true },
	{ "no route to host",                 FAILURE_UNREACHABLE, true },
	{ "network is unreachable",           FAILURE_UNREACHABLE, true },
	{ "i/o timeout",                      FAILURE_UNREACHABLE, true },
	{ "handshake timeout",                FAILURE_UNREACHABLE, true },
	{ "Client.Timeout",                   FAILURE_UNREACHABLE, true },
	{ "deadline exceeded",                FAILURE_UNREACHABLE, true },
	{ "connection reset",                 FAILURE_OTHER,       true },
	{ "broken pipe",                      FAILURE_OTHER,       true },
	{ "EOF",                              FAILURE_OTHER,       true },
	{ "internal server error",            FAILURE_OTHER,       true },
	{ "received unexpected HTTP status",  FAILURE_OTHER,       true },
	{ "502 Bad Gateway",                  FAILURE_OTHER,       true },
	{ "503 Service Unavailable",          FAILURE_OTHER,       true },
	// clang-format on
};

static enum failure judge(const char *said, bool *is_worth_another_try)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strcasestr(said, signs[i].part)) {
			*is_worth_another_try = signs[i].is_worth_another_try;
			return signs[i].failure;
		}
	*is_worth_another_try = false;
	return FAILURE_OTHER;
}

static bool hint_denied(const struct pulling *pulling, const char *registry, struct error *err)
{
	if (pulling->is_without_credentials)
		return error_hint(err, "the template is not trusted, so no credentials were sent: "
				       "an admin can trust its source, or set "
				       "--untrusted-registry-credentials");
	if (pulling->auth)
		return error_hint(err,
				  "the credentials that were found for \"%s\" were refused: "
				  "log in again as the user that envd runs as",
				  registry);
	return error_hint(err,
			  "no credentials for \"%s\" were found: log in as the user that envd "
			  "runs as, or correct the image's name",
			  registry);
}

static bool refuse(const struct pulling *pulling, const char *said, struct error *err)
{
	static const struct {
		enum error_code code;
		const char *slug;
		const char *what;
		const char *hint;
	} meanings[] = {
		[FAILURE_MISSING] = { ERR_NOT_FOUND, "image_missing",
				      "is not on the target, and its registry does not have it",
				      "build or push it, or correct its name or tag" },
		[FAILURE_DENIED] = { ERR_DENIED, "registry_denied",
				     "was not given out by its registry", "" },
		[FAILURE_TLS] = { ERR_EXTERNAL, "registry_tls",
				  "cannot be pulled, because its registry's certificate is not "
				  "trusted or there is none",
				  "put its CA into certs.d/REGISTRY/ca.crt of the runtime "
				  "(/etc/docker, /etc/containers)" },
		[FAILURE_UNREACHABLE] = { ERR_UNAVAILABLE, "registry_unreachable",
					  "cannot be pulled, because its registry cannot be "
					  "reached",
					  "is the registry up, and its name right?" },
		[FAILURE_OTHER] = { ERR_EXTERNAL, "image_pull_failed", "cannot be pulled",
				    "the runtime's log may say more" },
	};
	AUTO(free) char *registry = image_registry(pulling->pull->reference);
	bool ignored;
	enum failure failure = judge(said, &ignored);
	char shown[200];

	error_set_as(err, meanings[failure].code, meanings[failure].slug,
		     "image \"%s\" of service \"%s\" %s: registry \"%s\": %s%s",
		     pulling->pull->reference, pulling->pull->service, meanings[failure].what,
		     registry, text_printable(said, shown, sizeof(shown)),
		     pulling->tries > 1 ? " (tried 3 times)" : "");
	if (failure == FAILURE_DENIED)
		return hint_denied(pulling, registry, err);
	return error_hint(err, "%s", meanings[failure].hint);
}

/* ---- one pull -------------------------------------------------------------------------------- */

static bool find_credentials(const struct engine_request *request, struct pulling *pulling,
			     struct error *err)
{
	AUTO(free) char *repository = image_repository(pulling->pull->reference);

	pulling->is_without_credentials = !request->may_use_credentials;
	if (!request->may_use_credentials)
		return true;
	return registry_auth_find(repository, &pulling->auth, err) ||
	       error_wrap(err, "image \"%s\" of service \"%s\"", pulling->pull->reference,
			  pulling->pull->service);
}

static bool on_bytes(struct docker_call *call, const char *bytes, size_t length)
{
	struct pulling *pulling = call->arg;

	pull_progress_feed(&pulling->progress, bytes, length);
	return true;
}

static void begin(struct runtime *runtime, struct pulling *pulling)
{
	AUTO(free) char *name = image_pull_name(pulling->pull->reference);
	AUTO(free) char *encoded = docker_encode(name);
	AUTO(free)
	char *platform = pulling->pull->platform ? docker_encode(pulling->pull->platform) : NULL;
	struct docker_call *call =
	    docker_call_new("POST", "/images/create?fromImage=%s%s%s", encoded,
			    platform ? "&platform=" : "", platform ? platform : "");

	call->time_limit_ms = PULL_LIMIT_MS;
	call->secret_header = pulling->auth ? registry_auth_header(pulling->auth) : NULL;
	call->on_bytes = on_bytes;
	call->arg = pulling;
	pull_progress_release(&pulling->progress);
	pulling->call = call;
	pulling->tries++;
	pulling->say_wait_ms = SAY_FIRST_MS;
	pulling->say_mono_ms = clock_mono_ms() + SAY_FIRST_MS;
	docker_begin(runtime->docker, call);
}

/* What went wrong, or "" when it is pulled; the caller frees. */
static char *failure_of(struct pulling *pulling)
{
	pull_progress_end(&pulling->progress);
	if (pulling->call->status == 0)
		return xstrdup(pulling->call->err.message);
	if (!docker_succeeded(pulling->call))
		return docker_message(pulling->call);
	return xstrdup(pulling->progress.failure ? pulling->progress.failure : "");
}

/* The connection to the runtime is over, and that is about the runtime or the time. */
static bool refuse_unanswered(const struct pulling *pulling, struct error *err)
{
	AUTO(free) char *registry = image_registry(pulling->pull->reference);
	AUTO(free) char *how_far = pull_progress_text(&pulling->progress);

	*err = pulling->call->err;
	if (err->code != ERR_TIMEOUT)
		return error_wrap(err, "image \"%s\" of service \"%s\" was not pulled",
				  pulling->pull->reference, pulling->pull->service);
	error_set_as(err, ERR_TIMEOUT, "image_pull_timeout",
		     "image \"%s\" of service \"%s\" was not pulled from registry \"%s\" in the "
		     "time there was: %s",
		     pulling->pull->reference, pulling->pull->service, registry, how_far);
	return error_hint(err, "give the template a longer limits.provision, or pull the image on "
			       "the target beforehand");
}

/* The call has ended. False, with the error, when there is no use in going on. */
static bool take_end(struct worker_lines *lines, struct pulling *pulling, struct error *err)
{
	AUTO(free) char *said = failure_of(pulling);
	bool is_worth_another_try;

	if (pulling->call->status == 0)
		return refuse_unanswered(pulling, err);
	docker_call_free(TAKE(pulling->call));
	judge(said, &is_worth_another_try);
	if (!said[0]) {
		pulling->is_over = true;
		return true;
	}
	if (!is_worth_another_try || pulling->tries == TRIES_MAX)
		return refuse(pulling, said, err);
	pulling->due_mono_ms = clock_mono_ms() + RETRY_FIRST_MS * pulling->tries;
	worker_say_log(lines, "warn", "pulling image %s broke off, trying again: %.200s",
		       pulling->pull->reference, said);
	return true;
}

static void say_progress(struct worker_lines *lines, struct pulling *pulling)
{
	AUTO(free) char *how_far = NULL;

	if (clock_mono_ms() < pulling->say_mono_ms)
		return;
	how_far = pull_progress_text(&pulling->progress);
	worker_say_progress(lines, "pulling image %s: %s", pulling->pull->reference, how_far);
	if (pulling->say_wait_ms < SAY_MOST_MS)
		pulling->say_wait_ms *= 2;
	pulling->say_mono_ms = clock_mono_ms() + pulling->say_wait_ms;
}

static bool advance(struct runtime *runtime, struct worker_lines *lines, struct pulling *pulling,
		    struct error *err)
{
	if (pulling->is_over)
		return true;
	if (!pulling->call) {
		if (clock_mono_ms() >= pulling->due_mono_ms)
			begin(runtime, pulling);
		return true;
	}
	if (!pulling->call->transfer)
		return take_end(lines, pulling, err);
	say_progress(lines, pulling);
	return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool prepare(const struct engine_request *request, struct worker_lines *lines,
		    struct pulling *pullings, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!find_credentials(request, &pullings[i], err))
			return false;
		worker_say_progress(lines, "pulling image %s", pullings[i].pull->reference);
	}
	return true;
}

static bool run(struct runtime *runtime, struct worker_lines *lines, struct pulling *pullings,
		size_t count, struct error *err)
{
	for (;;) {
		size_t over = 0;

		for (size_t i = 0; i < count; i++) {
			if (!advance(runtime, lines, &pullings[i], err))
				return false;
			over += pullings[i].is_over;
		}
		if (over == count)
			return true;
		docker_turn(runtime->docker, 100);
	}
}

bool images_pull(const struct engine_request *request, struct runtime *runtime,
		 struct worker_lines *lines, const struct image_pull *pulls, size_t count,
		 struct error *err)
{
	AUTO(free) struct pulling *pullings = xcalloc(count, sizeof(*pullings));
	bool is_good;

	for (size_t i = 0; i < count; i++)
		pullings[i].pull = &pulls[i];
	is_good = prepare(request, lines, pullings, count, err) &&
		  run(runtime, lines, pullings, count, err);
	for (size_t i = 0; i < count; i++) {
		docker_call_free(pullings[i].call);
		pull_progress_release(&pullings[i].progress);
		registry_auth_forget(pullings[i].auth);
	}
	return is_good;
}
