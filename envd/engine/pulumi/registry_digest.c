#include "engine/pulumi/registry_digest.h"

#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "engine/container/image_reference.h"
#include "engine/container/registry_auth.h"

enum { CONNECT_MS = 5000, CALL_MS = 10000, ALL_MS = 30000, TOKEN_BYTES_MAX = 64 << 10 };

#define DIGEST_LENGTH (7 + 64) /* "sha256:" and its digits */

struct asking {
	CURL *curl;     /* one for all: registries keep connections */
	json_t *silent; /* {registry: why} */
	int64_t until_mono_ms;
};

/* What a HEAD said. */
struct headers {
	char digest[DIGEST_LENGTH + 1];
	char challenge[1024]; /* WWW-Authenticate: Bearer ... */
};

/* ---- one call ---- */

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	static const char digest[] = "docker-content-digest:", challenge[] = "www-authenticate:";
	struct headers *headers = arg;
	AUTO(free) char *copy = xstrndup(line, size * count);

	copy[strcspn(copy, "\r\n")] = '\0';
	if (strncasecmp(copy, digest, strlen(digest)) == 0)
		snprintf(headers->digest, sizeof(headers->digest), "%s",
			 copy + strlen(digest) + strspn(copy + strlen(digest), " "));
	if (strncasecmp(copy, challenge, strlen(challenge)) == 0)
		snprintf(headers->challenge, sizeof(headers->challenge), "%s",
			 copy + strlen(challenge) + strspn(copy + strlen(challenge), " "));
	return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct text *text = arg;

	if (text->length + size * count > TOKEN_BYTES_MAX)
		return 0;
	text_add_bytes(text, bytes, size * count);
	return size * count;
}

static void prepare(const struct asking *asking, const char *url, const json_t *auth)
{
	CURL *curl = asking->curl;
	const char *user = json_get_string(auth, "username", NULL);

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
	if (!user)
		return;
	curl_easy_setopt(curl, CURLOPT_USERNAME, user);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, json_get_string(auth, "password", ""));
}

/* realm="..." of a challenge; "" when it is not there. The caller frees. */
static char *parameter(const char *challenge, const char *name)
{
	AUTO(free) char *begin = xasprintf("%s=\"", name);
	const char *at = strstr(challenge, begin);

	return at ? xstrndup(at + strlen(begin), strcspn(at + strlen(begin), "\"")) : xstrdup("");
}

/* The token that the challenge sends us for; NULL: none. The caller wipes and frees. */
static char *fetch_token(const struct asking *asking, const char *challenge, const json_t *auth)
{
	AUTO(free) char *realm = parameter(challenge, "realm");
	AUTO(free) char *service = parameter(challenge, "service");
	AUTO(free) char *scope = parameter(challenge, "scope");
	AUTO(free) char *service_escaped = curl_easy_escape(asking->curl, service, 0);
	AUTO(free) char *scope_escaped = curl_easy_escape(asking->curl, scope, 0);
	AUTO(free)
	char *url = xasprintf("%s?service=%s&scope=%s", realm, service_escaped, scope_escaped);
	AUTO(text_release) struct text answer = TEXT_EMPTY;
	AUTO(json_decref) json_t *json = NULL;
	const char *token;

	/* Credentials go to no address without TLS that a registry made up. */
	if (!text_starts_with(realm, "https://"))
		return NULL;
	prepare(asking, url, auth);
	curl_easy_setopt(asking->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(asking->curl, CURLOPT_WRITEDATA, &answer);
	if (curl_easy_perform(asking->curl) != CURLE_OK)
		return NULL;
	json = json_loadb(text_get(&answer), answer.length, 0, NULL);
	token = json_get_string(json, "token", json_get_string(json, "access_token", NULL));
	return token ? xstrdup(token) : NULL;
}

static CURLcode head(const struct asking *asking, const char *url, const json_t *auth,
		     const char *token, struct headers *headers)
{
	struct curl_slist *list =
	    curl_slist_append(NULL, "Accept: application/vnd.oci.image.index.v1+json, "
				    "application/vnd.docker.distribution.manifest.list.v2+json, "
				    "application/vnd.oci.image.manifest.v1+json, "
				    "application/vnd.docker.distribution.manifest.v2+json");
	AUTO(free) char *bearer = xasprintf("Authorization: Bearer %s", token ? token : "");
	CURLcode code;

	*headers = (struct headers){ "", "" };
	prepare(asking, url, token ? NULL : auth);
	if (token)
		list = curl_slist_append(list, bearer);
	curl_easy_setopt(asking->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(asking->curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(asking->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(asking->curl, CURLOPT_HEADERDATA, headers);
	code = curl_easy_perform(asking->curl);
	curl_slist_free_all(list);
	explicit_bzero(bearer, strlen(bearer));
	return code;
}

/* ---- one image ---- */

/* Docker Hub's API is at another name; a registry of this machine may do without TLS, as for
 * Docker. */
static char *manifest_url(const char *image, const char *registry)
{
	AUTO(free) char *repository = image_repository(image);
	AUTO(free) char *name = image_pull_name(image);
	const char *after = strrchr(name, '@') ? strrchr(name, '@') : strrchr(name, ':');
	bool is_near =
	    text_starts_with(registry, "127.0.0.1:") || text_starts_with(registry, "localhost:");

	return xasprintf("%s://%s/v2/%s/manifests/%s", is_near ? "http" : "https",
			 strcmp(registry, "docker.io") == 0 ? "registry-1.docker.io" : registry,
			 repository + strlen(registry) + 1, after + 1);
}

static char *because(const char *why)
{
	return xasprintf("unresolved, because %s", why);
}

static char *judge(const struct asking *asking, const char *registry, const struct headers *headers)
{
	long status = 0;
	AUTO(free) char *why = NULL;

	curl_easy_getinfo(asking->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && text_starts_with(headers->digest, "sha256:"))
		return xstrdup(headers->digest);
	if (status == 404)
		why = xasprintf("%s has no such image", registry);
	else if (status == 401 || status == 403)
		why = xasprintf("%s does not let us see it", registry);
	else
		why = xasprintf("%s answers %ld", registry, status);
	return because(why);
}

static char *ask(struct asking *asking, const char *image, const char *registry, const json_t *auth)
{
	AUTO(free) char *url = manifest_url(image, registry);
	AUTO(free) char *token = NULL;
	struct headers headers;
	CURLcode code = head(asking, url, auth, NULL, &headers);

	if (code == CURLE_OK && text_starts_with(headers.challenge, "Bearer "))
		token = fetch_token(asking, headers.challenge, auth);
	if (token)
		code = head(asking, url, auth, token, &headers);
	if (token)
		explicit_bzero(token, strlen(token));
	if (code == CURLE_OK)
		return judge(asking, registry, &headers);
	json_object_set_new(asking->silent, registry, json_string(curl_easy_strerror(code)));
	return NULL;
}

static char *resolve(struct asking *asking, const char *image)
{
	AUTO(free) char *registry = image_registry(image);
	AUTO(free) char *repository = image_repository(image);
	AUTO(free) char *why = NULL;
	struct error ignored; /* then it is asked without credentials */
	json_t *auth = NULL;
	char *found = NULL;

	if (image_digest(image))
		return xstrdup(image_digest(image));
	if (!json_object_get(asking->silent, registry) && clock_mono_ms() < asking->until_mono_ms) {
		(void)!registry_auth_find(repository, &auth, &ignored);
		found = ask(asking, image, registry, auth);
		registry_auth_forget(auth);
	}
	if (found)
		return found;
	why = xasprintf("%s does not answer: %s", registry,
			json_get_string(asking->silent, registry, "no time is left to ask"));
	return because(why);
}

json_t *registry_digests(const json_t *images)
{
	struct asking asking = { curl_easy_init(), json_object(), clock_mono_ms() + ALL_MS };
	json_t *digests = json_object(), *image;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)images, i, image) {
		const char *name = json_string_value(image);
		AUTO(free) char *digest = NULL;

		if (!asking.curl || !name || !image_reference_is_valid(name))
			continue;
		digest = resolve(&asking, name);
		json_object_set_new(digests, name, json_string(digest));
	}
	curl_easy_cleanup(asking.curl);
	json_decref(asking.silent);
	return digests;
}
