#include "engine/container/image_reference.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define REFERENCE_BYTES_MAX 512
#define HUB "docker.io"

bool image_reference_is_valid(const char *reference)
{
	size_t length = strlen(reference);

	if (length == 0 || length > REFERENCE_BYTES_MAX || !isalnum((unsigned char)reference[0]) ||
	    strstr(reference, "..") || strstr(reference, "//"))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)reference[i]) && !strchr("._/:@-", reference[i]))
			return false;
	return true;
}

bool image_is_local(const char *reference)
{
	return text_starts_with(reference, "localhost/");
}

const char *image_digest(const char *reference)
{
	const char *at = strchr(reference, '@');

	return at ? at + 1 : NULL;
}

/* The tag with its colon, or the end of the name. */
static const char *tag_of(const char *reference)
{
	const char *end = reference + strcspn(reference, "@");
	const char *slash = memrchr(reference, '/', (size_t)(end - reference));
	const char *from = slash ? slash : reference;
	const char *colon = memchr(from, ':', (size_t)(end - from));

	return colon ? colon : end;
}

/* Docker's rule: the first part is a registry if it could be a host's name and no user's. */
static size_t registry_length(const char *reference)
{
	const char *slash = strchr(reference, '/');
	size_t length = slash ? (size_t)(slash - reference) : 0;

	if (memchr(reference, '.', length) || memchr(reference, ':', length) ||
	    (length == strlen("localhost") && text_starts_with(reference, "localhost")))
		return length;
	return 0;
}

char *image_registry(const char *reference)
{
	size_t length = registry_length(reference);

	if (length == 0 || text_starts_with(reference, "index.docker.io/"))
		return xstrdup(HUB);
	return xstrndup(reference, length);
}

char *image_repository(const char *reference)
{
	AUTO(free) char *registry = image_registry(reference);
	size_t skip = registry_length(reference);
	const char *path = reference + skip + (skip ? 1 : 0);
	int length = (int)(tag_of(reference) - path);
	bool is_official =
	    strcmp(registry, HUB) == 0 && !memchr(path, '/', (size_t)(length > 0 ? length : 0));

	return xasprintf("%s/%s%.*s", registry, is_official ? "library/" : "", length, path);
}

char *image_pull_name(const char *reference)
{
	const char *tag = tag_of(reference), *digest = image_digest(reference);

	if (digest)
		return xasprintf("%.*s@%s", (int)(tag - reference), reference, digest);
	/* Without a tag Docker would take every one there is. */
	return xasprintf("%s%s", reference, *tag ? "" : ":latest");
}

char *image_repo_digest(const char *reference, const json_t *repo_digests)
{
	AUTO(free) char *wanted = image_repository(reference);
	const json_t *item;
	size_t i;

	json_array_foreach(repo_digests, i, item) {
		const char *name = json_string_value(item);
		AUTO(free) char *repository = name ? image_repository(name) : NULL;

		if (repository && image_digest(name) && strcmp(repository, wanted) == 0)
			return xstrdup(name);
	}
	return NULL;
}
