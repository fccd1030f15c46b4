#include "engine/container/image_marks.h"

#include <string.h>

#include "base/text.h"
#include "engine/container/image_reference.h"

#define INSTANCE_SHOWN 13
#define DIGEST_TAG "sha256-"

static char *pulled_prefix(const char *instance)
{
	return xasprintf("localhost/envd-pulled/%.*s/", INSTANCE_SHOWN, instance);
}

char *image_build_name(const char *instance)
{
	return xasprintf("localhost/envd-build/%.*s", INSTANCE_SHOWN, instance);
}

void image_mark_make(const char *instance, const char *reference, char **name, char **tag)
{
	AUTO(free) char *prefix = pulled_prefix(instance);
	AUTO(free) char *repository = image_repository(reference);
	AUTO(free) char *pull_name = image_pull_name(reference);
	const char *digest = image_digest(pull_name);
	const char *path = strchr(repository, '/');
	const char *port = memchr(repository, ':', (size_t)(path - repository));
	int host = (int)((port ? port : path) - repository);

	*name = xasprintf("%s%.*s%s%.*s%s", prefix, host, repository, port ? "__" : "",
			  port ? (int)(path - port - 1) : 0, port ? port + 1 : "", path);
	if (digest)
		*tag = xasprintf("%s%s", DIGEST_TAG, strrchr(digest, ':') + 1);
	else
		*tag = xstrdup(strrchr(pull_name, ':') + 1);
}

/* "127.0.0.1__5000/web:sha256-00" is "127.0.0.1:5000/web@sha256:00". */
static char *pulled_name(const char *marked)
{
	const char *slash = strchr(marked, '/'), *tag = strrchr(marked, ':');
	const char *port = strstr(marked, "__");
	struct text name = TEXT_EMPTY;

	if (!slash || !tag || tag < slash)
		return NULL;
	if (port && port < slash) {
		text_add_bytes(&name, marked, (size_t)(port - marked));
		text_add_char(&name, ':');
		marked = port + 2;
	}
	text_add_bytes(&name, marked, (size_t)(tag - marked));
	if (text_starts_with(tag + 1, DIGEST_TAG))
		text_format(&name, "@sha256:%s", tag + 1 + strlen(DIGEST_TAG));
	else
		text_add(&name, tag);
	return text_take(&name);
}

bool image_mark_read(const char *instance, const char *repo_tag, char **pulled)
{
	AUTO(free) char *built = image_build_name(instance);
	AUTO(free) char *prefix = pulled_prefix(instance);

	*pulled = NULL;
	if (text_starts_with(repo_tag, built) && repo_tag[strlen(built)] == ':')
		return true;
	if (!text_starts_with(repo_tag, prefix))
		return false;
	*pulled = pulled_name(repo_tag + strlen(prefix));
	return *pulled != NULL;
}
