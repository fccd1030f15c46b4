#include "engine/cloud/s3.h"

#include <string.h>

#include "engine/cloud/aws_api.h"

enum { KEYS_MAX = 10000 };

/* Of no bytes at all, which is what a GET sends. */
#define NOTHING_HASH                                                                               \
	"X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- the address ---- */

static char *decode(const char *text, size_t length)
{
	char *decoded = xcalloc(length + 1, 1);
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned code;

		if (text[i] == '%' && i + 2 < length && sscanf(text + i + 1, "%2x", &code) == 1) {
			decoded[at++] = (char)code;
			i += 2;
		} else {
			decoded[at++] = text[i];
		}
	}
	return decoded;
}

/* A parameter of the query, or NULL; the caller frees. */
static char *parameter(const char *query, const char *name)
{
	size_t wanted = strlen(name);

	for (const char *at = query; at && *at;) {
		size_t length = strcspn(at, "&");

		if (length > wanted && strncmp(at, name, wanted) == 0 && at[wanted] == '=')
			return decode(at + wanted + 1, length - wanted - 1);
		at += length + (at[length] == '&');
	}
	return NULL;
}

static bool check(const struct s3_place *place, const char *url, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	if (!*place->bucket || strspn(place->bucket, letters) != strlen(place->bucket))
		return error_set_as(err, ERR_INVALID, "backend_invalid",
				    "\"%.100s\" names no bucket", url);
	if (!*place->region)
		return error_set_as(err, ERR_INVALID, "backend_invalid",
				    "\"%.100s\" needs a region: ?region=...", url);
	return cloud_endpoint_check(place->endpoint, err);
}

bool s3_place_parse(const char *url, struct s3_place *place, struct error *err)
{
	const char *begin = url + strlen("s3://");
	const char *query = strchr(begin, '?');
	size_t length = query ? (size_t)(query - begin) : strlen(begin);
	size_t bucket = strcspn(begin, "/?");
	const char *folder = begin + bucket + (begin[bucket] == '/');
	size_t rest = length - (size_t)(folder - begin);
	AUTO(free) char *region = parameter(query ? query + 1 : "", "region");
	AUTO(free) char *endpoint = parameter(query ? query + 1 : "", "endpoint");

	*place = (struct s3_place){
		.bucket = xstrndup(begin, bucket),
		.folder = xasprintf("%.*s%s", (int)rest, folder,
				    rest && folder[rest - 1] != '/' ? "/" : ""),
		.region = region ? TAKE(region) : xstrdup(""),
	};
	if (!endpoint)
		place->endpoint = xasprintf("https://s3.%s.amazonaws.com", place->region);
	else if (strstr(endpoint, "://"))
		place->endpoint = TAKE(endpoint);
	else
		place->endpoint = xasprintf("https://%s", endpoint);
	if (check(place, url, err))
		return true;
	s3_place_release(place);
	return false;
}

void s3_place_release(struct s3_place *place)
{
	free(place->bucket);
	free(place->folder);
	free(place->region);
	free(place->endpoint);
	*place = (struct s3_place){ .bucket = NULL };
}

/* ---- reading ---- */

static char *encode_path(const char *key)
{
	struct text path = TEXT_EMPTY;

	for (const char *at = key; *at;) {
		size_t length = strcspn(at, "/");
		AUTO(free) char *part = xstrndup(at, length);
		AUTO(free) char *encoded = cloud_encode(part);

		text_add(&path, encoded);
		at += length;
		if (*at == '/')
			text_add_char(&path, *at++);
	}
	return text_take(&path);
}

static bool run(const struct s3_place *place, const struct cloud_session *session,
		const char *target, struct cloud_call *call, struct error *err)
{
	AUTO(free)
	char *url = xasprintf("%s/%s%s", place->endpoint, place->bucket, target);

	*call = (struct cloud_call){ .method = "GET",
				     .url = url,
				     .header = NOTHING_HASH,
				     .region = place->region,
				     .service = "s3" };
	if (!cloud_run(session, call, err))
		return error_wrap(err, "bucket \"%s\"", place->bucket);
	return call->status == 200 ||
	       error_set_as(err, ERR_EXTERNAL, "cloud_denied", "bucket \"%s\" answered %d",
			    place->bucket, call->status);
}

/* One key is an object, several are a list. */
static void take_keys(const json_t *contents, json_t *keys)
{
	size_t i;
	json_t *item;

	if (json_is_object(contents))
		json_array_append_new(keys, json_string(json_get_string(contents, "Key", "?")));
	json_array_foreach((json_t *)(uintptr_t)contents, i, item)
		json_array_append_new(keys, json_string(json_get_string(item, "Key", "?")));
}

static bool read_page(const struct cloud_call *call, json_t *keys, char **next, struct error *err)
{
	AUTO(json_decref) json_t *whole = NULL;
	const json_t *result;

	if (!aws_xml(text_get(&call->answer), call->answer.length, &whole, err))
		return false;
	result = json_object_get(whole, "ListBucketResult");
	if (!json_is_object(result))
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "what a bucket answered is no list of keys");
	take_keys(json_object_get(result, "Contents"), keys);
	if (strcmp(json_get_string(result, "IsTruncated", "false"), "true") == 0)
		*next = cloud_encode(json_get_string(result, "NextContinuationToken", ""));
	return true;
}

bool s3_list(const struct s3_place *place, const struct cloud_session *session, const char *below,
	     json_t **keys, struct error *err)
{
	AUTO(free) char *prefix = xasprintf("%s%s", place->folder, below);
	AUTO(free) char *encoded = cloud_encode(prefix);
	AUTO(json_decref) json_t *found = json_array();
	AUTO(free) char *page = xstrdup("");

	while (page) {
		AUTO(cloud_call_release) struct cloud_call call = { .method = NULL };
		AUTO(free)
		char *target =
		    xasprintf("?%s%s%slist-type=2&prefix=%s", *page ? "continuation-token=" : "",
			      page, *page ? "&" : "", encoded);

		free(page);
		page = NULL;
		if (!run(place, session, target, &call, err) ||
		    !read_page(&call, found, &page, err))
			return false;
		if (json_array_size(found) > KEYS_MAX)
			return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
					    "there are more than %d keys below \"%s\"", KEYS_MAX,
					    prefix);
	}
	*keys = TAKE(found);
	return true;
}

bool s3_get(const struct s3_place *place, const struct cloud_session *session, const char *key,
	    size_t bytes_max, char **bytes, struct error *err)
{
	AUTO(free) char *path = encode_path(key);
	AUTO(free) char *target = xasprintf("/%s", path);
	AUTO(cloud_call_release) struct cloud_call call = { .method = NULL };

	if (!run(place, session, target, &call, err))
		return false;
	if (call.answer.length > bytes_max)
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "\"%.100s\" is longer than %zu bytes", key, bytes_max);
	*bytes = text_take(&call.answer);
	return true;
}
