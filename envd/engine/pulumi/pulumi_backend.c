#include "engine/pulumi/pulumi_backend.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/cloud/aws_api.h"
#include "engine/cloud/s3.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_secret.h"
#include "engine/pulumi/pulumi_state.h"
#include "engine/pulumi/tool_set.h"
#include "model/layer_select.h"

enum { EXIT_NO_STACK = 6, LISTING_LIMIT_MS = 60000, LOCK_BYTES_MAX = 65536 };
#define EXPORT_BYTES_MAX ((size_t)256 << 20)

enum backend_kind { BACKEND_FILES, BACKEND_S3, BACKEND_SERVICE };

/* What `stack export` said of one layer. */
struct export
{
	bool is_known;
	json_t *whole; /* NULL: no such stack */
};

struct pulumi_backend {
	enum backend_kind kind;
	char *url;
	char *secrets; /* NULL: a passphrase */
	char *owner;   /* "organization", or that of Pulumi Cloud */
	char *stack;
	char **variables; /* the address first; ends with NULL */
	struct cloud_secret secret;
	struct export *exports;
};

/* ---- what the template says ---- */

static bool fill_optional(const struct pulumi_place *place, const char *text, char **filled,
			  struct error *err)
{
	return !text || place_fill(place, text, filled, err);
}

static bool check_secrets(const struct pulumi_backend *backend, struct error *err)
{
	return !backend->secrets || text_starts_with(backend->secrets, "awskms://") ||
	       strcmp(backend->secrets, "passphrase") == 0 ||
	       error_set_as(err, ERR_INVALID, "backend_invalid",
			    "\"secrets\" of the backend must be \"passphrase\" or begin with "
			    "awskms:// (got \"%.80s\")",
			    backend->secrets);
}

static bool check_service(const struct pulumi_place *place, const struct pulumi_backend *backend,
			  struct error *err)
{
	struct error inner;

	if (!cloud_endpoint_check(backend->url, &inner))
		return error_set_as(err, ERR_INVALID, "backend_invalid",
				    "the backend must begin with s3:// or https:// (got "
				    "\"%.80s\")",
				    backend->url);
	return place->list->backend.organization ||
	       error_set_as(err, ERR_INVALID, "backend_invalid",
			    "a backend of Pulumi Cloud needs its \"organization\"");
}

static bool take_kind(const struct pulumi_place *place, struct pulumi_backend *backend,
		      struct error *err)
{
	struct s3_place bucket;

	if (text_starts_with(backend->url, "s3://")) {
		backend->kind = BACKEND_S3;
		if (!s3_place_parse(backend->url, &bucket, err))
			return false;
		s3_place_release(&bucket);
		return true;
	}
	backend->kind = BACKEND_SERVICE;
	return check_service(place, backend, err);
}

bool backend_open(struct pulumi_place *place, struct error *err)
{
	const struct layer_backend *said = &place->list->backend;
	struct pulumi_backend *backend = xcalloc(1, sizeof(*backend));

	place->backend = backend; /* released with the place, whatever follows */
	/* Layers that only the checkout's own order knows come later. */
	backend->exports =
	    xcalloc(place->list->count + LAYERS_FOUND_MAX, sizeof(*backend->exports));
	if (said->url && (!place_fill(place, said->url, &backend->url, err) ||
			  !fill_optional(place, said->secrets, &backend->secrets, err) ||
			  !fill_optional(place, said->organization, &backend->owner, err) ||
			  !take_kind(place, backend, err) || !check_secrets(backend, err)))
		return false;
	if (!backend->url)
		backend->url = xasprintf("file://%s/backend?no_tmp_dir=true", place->folder);
	if (!backend->owner || backend->kind != BACKEND_SERVICE) {
		free(backend->owner);
		backend->owner = xstrdup("organization");
	}
	backend->stack = backend->kind == BACKEND_SERVICE
			     ? xasprintf("%s/%s", backend->owner, place->stack)
			     : xstrdup(place->stack);
	return true;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void backend_release(struct pulumi_place *place)
{
	struct pulumi_backend *backend = place->backend;

	if (!backend)
		return;
	for (size_t i = 0; place->list && i < place->list->count; i++)
		json_decref(backend->exports[i].whole);
	for (char **variable = backend->variables; variable && *variable; variable++)
		wipe(*variable);
	free(backend->variables);
	free(backend->exports);
	cloud_secret_release(&backend->secret);
	free(backend->url);
	free(backend->secrets);
	free(backend->owner);
	free(backend->stack);
	free(backend);
	place->backend = NULL;
}

/* ---- variables ---- */

static void add(struct pulumi_backend *backend, const char *name, const char *value)
{
	size_t count = 0;

	while (backend->variables && backend->variables[count])
		count++;
	if (!value)
		return;
	backend->variables = xrealloc(backend->variables, count + 2, sizeof(*backend->variables));
	backend->variables[count] = xasprintf("%s=%s", name, value);
	backend->variables[count + 1] = NULL;
}

static void add_keys(struct pulumi_backend *backend)
{
	const struct cloud_secret *secret = &backend->secret;

	if (backend->kind == BACKEND_SERVICE) {
		add(backend, "PULUMI_ACCESS_TOKEN", secret->token);
		return;
	}
	add(backend, "AWS_ACCESS_KEY_ID", secret->key_id);
	add(backend, "AWS_SECRET_ACCESS_KEY", secret->key);
	add(backend, "AWS_SESSION_TOKEN", secret->session);
	/* The metadata service of the machine would be asked for others. */
	add(backend, "AWS_EC2_METADATA_DISABLED", "true");
}

static bool read_keys(struct pulumi_place *place, struct error *err)
{
	struct pulumi_backend *backend = place->backend;
	char *text = NULL;
	bool is_good;

	if (!secret_read(place, &place->list->backend.credentials, &text, err))
		return error_wrap(err, "backend");
	is_good =
	    (backend->kind == BACKEND_SERVICE ? cloud_read_token(text, &backend->secret, err)
					      : aws_read_secret(text, &backend->secret, err)) ||
	    error_wrap(err, "backend");
	wipe(text);
	if (is_good)
		add_keys(backend);
	return is_good;
}

bool backend_variables(struct pulumi_place *place, char *const **variables, struct error *err)
{
	struct pulumi_backend *backend = place->backend;

	if (!backend->variables) {
		add(backend, "PULUMI_BACKEND_URL", backend->url);
		if (backend->kind != BACKEND_FILES && !read_keys(place, err))
			return false;
	}
	*variables = backend->variables;
	return true;
}

/* ---- names ---- */

const char *backend_stack(const struct pulumi_place *place)
{
	return place->backend ? place->backend->stack : place->stack;
}

const char *backend_owner(const struct pulumi_place *place)
{
	return place->backend->owner;
}

char *backend_link(const struct pulumi_place *place, const char *project)
{
	/* Where the pages of a service of somebody's own are, only they know. */
	if (!place->backend || strcmp(place->backend->url, "https://api.pulumi.com") != 0)
		return NULL;
	return xasprintf("https://app.pulumi.com/%s/%s/%s", place->backend->owner, project,
			 place->stack);
}

void backend_init_words(const struct pulumi_place *place, const char *words[BACKEND_INIT_WORDS])
{
	const char *secrets = place->backend ? place->backend->secrets : NULL;
	const char *const all[BACKEND_INIT_WORDS] = {
		"stack", "init", "--no-select", secrets ? "--secrets-provider" : NULL, secrets, NULL
	};

	memcpy(words, all, sizeof(all));
}

/* ---- states ---- */

static bool ask(const struct pulumi_place *place, size_t layer, struct export *export,
		struct error *err)
{
	static const char *const words[] = { "stack", "export", NULL };
	AUTO(free) char *output = NULL;
	json_error_t wrong;
	int status;

	if (!cli_ask(&(struct cli_call){ place, layer, words, NULL }, EXPORT_BYTES_MAX, &output,
		     &status, err) &&
	    status != EXIT_NO_STACK) {
		err->slug = "state_unreadable";
		return false;
	}
	export->whole = status ? NULL : json_loads(output, 0, &wrong);
	export->is_known = status || json_is_object(json_object_get(export->whole, "deployment"));
	return export->is_known || error_set_as(err, ERR_EXTERNAL, "state_unreadable",
						"what `pulumi stack export` printed is no state");
}

bool backend_export(const struct pulumi_place *place, size_t layer, const json_t **whole,
		    struct error *err)
{
	struct export *export = &place->backend->exports[layer];

	if (!export->is_known && !ask(place, layer, export, err))
		return false;
	*whole = export->whole;
	return true;
}

void backend_forget(const struct pulumi_place *place, size_t layer)
{
	struct export *export = place->backend ? &place->backend->exports[layer] : NULL;

	if (!export)
		return;
	json_decref(export->whole);
	*export = (struct export){ .is_known = false };
}

bool backend_is_remote(const struct pulumi_place *place)
{
	return place->backend && place->backend->kind != BACKEND_FILES;
}

/* ---- locks ---- */

/* A number may have been given to another program since. */
static bool lives_as_pulumi(int64_t pid)
{
	AUTO(free) char *path = xasprintf("/proc/%lld/comm", (long long)pid);
	AUTO(free) char *name = NULL;
	struct error ignored; /* nobody is there */

	return file_read(path, 4096, &name, NULL, &ignored) && strstr(name, "pulumi");
}

bool backend_lock_is_dead(const char *text, const char *host, struct error *err)
{
	AUTO(json_decref) json_t *lock = json_loads(text, 0, NULL);
	const char *where = json_get_string(lock, "hostname", "?");
	int64_t pid = json_get_int64(lock, "pid", 0);

	if (pid > 0 && strcmp(where, host) == 0 && !lives_as_pulumi(pid))
		return true;
	error_set_as(
	    err, ERR_CONFLICT, "locked_elsewhere",
	    "its state is locked by pid %lld of %.60s on \"%.60s\" since %.40s, and that it "
	    "has ended cannot be seen here",
	    (long long)pid, json_get_string(lock, "username", "?"), where,
	    json_get_string(lock, "timestamp", "?"));
	return error_hint(err, "`pulumi cancel` where it ran, once nothing of it does");
}

static bool check_locks(const struct s3_place *bucket, const struct cloud_session *session,
			const json_t *keys, struct error *err)
{
	char host[256] = "";
	size_t i;
	json_t *key;

	gethostname(host, sizeof(host) - 1);
	json_array_foreach((json_t *)(uintptr_t)keys, i, key) {
		AUTO(free) char *text = NULL;

		if (!s3_get(bucket, session, json_string_value(key), LOCK_BYTES_MAX, &text, err) ||
		    !backend_lock_is_dead(text, host, err))
			return false;
	}
	return true;
}

/* They are broken all at once, so every one is looked at. */
static bool count_in_bucket(const struct pulumi_place *place, size_t layer, size_t *count,
			    struct error *err)
{
	const struct cloud_session session = { .secret = &place->backend->secret,
					       .ends_mono_ms = clock_mono_ms() + LISTING_LIMIT_MS,
					       .is_stopping = tools_are_stopping };
	AUTO(free)
	char *below = xasprintf(".pulumi/locks/organization/%s/%s/", place->projects[layer].name,
				place->stack);
	AUTO(s3_place_release) struct s3_place bucket = { .bucket = NULL };
	AUTO(json_decref) json_t *keys = NULL;

	if (!s3_place_parse(place->backend->url, &bucket, err) ||
	    !s3_list(&bucket, &session, below, &keys, err) ||
	    !check_locks(&bucket, &session, keys, err))
		return false;
	*count = json_array_size(keys);
	return true;
}

bool backend_locks(const struct pulumi_place *place, size_t layer, size_t *count, struct error *err)
{
	*count = 0;
	if (!place->projects || !place->projects[layer].name)
		return true;
	if (place->backend && place->backend->kind == BACKEND_S3)
		return count_in_bucket(place, layer, count, err);
	if (!backend_is_remote(place))
		*count = state_locks(place, layer);
	return true;
}
