#include "engine/container/registry_auth.h"

#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "engine/container/credential_helper.h"

#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)
/* What Docker calls its hub in every file and helper. */
#define HUB_SERVER "https://index.docker.io/v1/"
#define SLUG "registry_credentials"

static void wipe(json_t *auth)
{
	const char *key;
	json_t *value;

	json_object_foreach(auth, key, value) {
		char *text = (char *)(uintptr_t)json_string_value(value);

		if (text)
			explicit_bzero(text, strlen(text));
		else
			wipe(value);
	}
}

void registry_auth_forget(json_t *auth)
{
	wipe(auth);
	json_decref(auth);
}

char *registry_auth_header(const json_t *auth)
{
	AUTO(free) char *json = json_to_text(auth);
	AUTO(free) char *encoded = base64_encode(json, strlen(json), true);
	char *header = xasprintf("X-Registry-Auth: %s", encoded);

	explicit_bzero(json, strlen(json));
	explicit_bzero(encoded, strlen(encoded));
	return header;
}

/* Keys of the files are written in many ways: with a scheme, with "/v1/", or as the hub's old
 * names. The caller frees. */
static char *plain_key(const char *key)
{
	const char *scheme = strstr(key, "://");
	const char *from = scheme ? scheme + 3 : key;
	size_t length = strlen(from);
	AUTO(free) char *plain = NULL;

	while (length > 0 && from[length - 1] == '/')
		length--;
	if (length > 3 && (strncmp(from + length - 3, "/v1", 3) == 0 ||
			   strncmp(from + length - 3, "/v2", 3) == 0))
		length -= 3;
	plain = xstrndup(from, length);
	if (strcmp(plain, "index.docker.io") == 0 || strcmp(plain, "registry-1.docker.io") == 0)
		return xstrdup("docker.io");
	return TAKE(plain);
}

static char *registry_of(const char *repository)
{
	return xstrndup(repository, strcspn(repository, "/"));
}

/* The value whose key is the repository, or the longest of the folders above it. */
static const json_t *best_match(const json_t *map, const char *repository)
{
	const json_t *value, *best = NULL;
	size_t best_length = 0;
	const char *key;

	json_object_foreach_const(map, key, value) {
		AUTO(free) char *plain = plain_key(key);
		size_t length = strlen(plain);

		if (length <= best_length || !text_starts_with(repository, plain) ||
		    (repository[length] && repository[length] != '/'))
			continue;
		best = value;
		best_length = length;
	}
	return best;
}

static json_t *auth_new(const char *server, const char *user, const char *password)
{
	return json_pack("{s:s, s:s, s:s}", "username", user, "password", password, "serveraddress",
			 server);
}

/* ---- `auths` --------------------------------------------------------------------------------- */

static bool from_entry(const json_t *entry, const char *server, const char *path, json_t **auth,
		       struct error *err)
{
	const char *token = json_get_string(entry, "identitytoken", "");
	AUTO(free) char *plain = NULL;
	size_t length = 0;
	char *colon;

	if (token[0]) {
		*auth = json_pack("{s:s, s:s}", "identitytoken", token, "serveraddress", server);
		return true;
	}
	/* Where a store has the secret, the entry is there and empty. */
	if (!json_get_string(entry, "auth", "")[0])
		return true;
	if (!base64_decode(json_get_string(entry, "auth", ""), &plain, &length) ||
	    strlen(plain) != length || !(colon = strchr(plain, ':'))) {
		if (plain)
			explicit_bzero(plain, length);
		return error_set_as(err, ERR_INVALID, SLUG,
				    "%s: \"auth\" of registry \"%s\" must be USER:PASSWORD in "
				    "base64",
				    path, server);
	}
	*colon = '\0';
	*auth = auth_new(server, plain, colon + 1);
	explicit_bzero(plain, length);
	return *auth || error_set_as(err, ERR_INVALID, SLUG,
				     "%s: \"auth\" of registry \"%s\" is not text", path, server);
}

/* ---- a file ---------------------------------------------------------------------------------- */

static bool ask_helper(const char *helper, const char *server, json_t **auth, struct error *err)
{
	AUTO(free) char *user = NULL;
	AUTO(free) char *secret = NULL;

	if (!credential_helper_get(helper, server, &user, &secret, err))
		return false;
	if (!secret)
		return true;
	if (strcmp(user, "<token>") == 0)
		*auth = json_pack("{s:s, s:s}", "identitytoken", secret, "serveraddress", server);
	else
		*auth = auth_new(server, user, secret);
	explicit_bzero(secret, strlen(secret));
	return *auth ||
	       error_set_as(err, ERR_EXTERNAL, SLUG,
			    "credential helper \"%s\" gave a secret that is not text", helper);
}

static bool from_config(const json_t *config, const char *path, const char *repository,
			json_t **auth, struct error *err)
{
	AUTO(free) char *registry = registry_of(repository);
	const char *server = strcmp(registry, "docker.io") == 0 ? HUB_SERVER : registry;
	const json_t *helper = best_match(json_object_get(config, "credHelpers"), registry);
	const json_t *entry = best_match(json_object_get(config, "auths"), repository);
	const char *store = json_get_string(config, "credsStore", "");

	if (json_is_string(helper) &&
	    (!ask_helper(json_string_value(helper), server, auth, err) || *auth))
		return *auth != NULL;
	if (store[0] && !helper && (!ask_helper(store, server, auth, err) || *auth))
		return *auth != NULL;
	return !entry || from_entry(entry, server, path, auth, err);
}

static bool from_file(const char *path, const char *repository, json_t **auth, struct error *err)
{
	AUTO(json_decref) json_t *config = NULL;
	AUTO(free) char *bytes = NULL;
	size_t length = 0;
	struct error ignored; /* a parser's message may quote what it read */
	bool is_good;

	if (!file_exists(path))
		return true;
	if (!file_read(path, CONFIG_BYTES_MAX, &bytes, &length, err)) {
		err->slug = SLUG;
		return false;
	}
	is_good = length == 0 || json_parse(bytes, length, path, &config, &ignored);
	explicit_bzero(bytes, length);
	if (!is_good)
		return error_set_as(err, ERR_INVALID, SLUG, "%s is not JSON", path);
	return from_config(config, path, repository, auth, err);
}

/* ---- where files are ------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static size_t find_files(char *paths[4])
{
	const char *file = variable("REGISTRY_AUTH_FILE"), *run = variable("XDG_RUNTIME_DIR");
	const char *docker = variable("DOCKER_CONFIG"), *home = variable("HOME");
	size_t count = 0;

	if (file)
		paths[count++] = xstrdup(file);
	if (run)
		paths[count++] = xasprintf("%s/containers/auth.json", run);
	paths[count++] = xasprintf("/run/containers/%u/auth.json", (unsigned)getuid());
	if (docker)
		paths[count++] = xasprintf("%s/config.json", docker);
	else if (home)
		paths[count++] = xasprintf("%s/.docker/config.json", home);
	return count;
}

bool registry_auth_find(const char *repository, json_t **auth, struct error *err)
{
	char *paths[4] = { NULL };
	size_t count = find_files(paths);
	json_t *found = NULL;
	bool is_good = true;

	for (size_t i = 0; i < count; i++) {
		if (is_good && !found)
			is_good = from_file(paths[i], repository, &found, err);
		free(paths[i]);
	}
	if (is_good)
		*auth = found;
	return is_good;
}
