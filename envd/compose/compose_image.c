#include "compose/compose_image.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "compose/compose_origin.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define DOCKERFILE_BYTES_MAX ((size_t)64 * 1024)

/* Not empty, not long, and of these characters only. */
static bool is_word(const char *text, const char *characters)
{
	size_t length = strlen(text);

	return length && length <= 255 && strspn(text, characters) == length;
}

bool compose_image_read(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	char shown[80];

	service->image_at = compose_place_of(node);
	if (!compose_text(reader, node, "image", &service->image, err))
		return false;
	return (is_word(service->image, LETTERS DIGITS "._/:@-") &&
		isalnum((unsigned char)service->image[0])) ||
	       compose_wrong(reader, node, err, "\"image\": \"%s\" is no image's name",
			     text_printable(service->image, shown, sizeof(shown)));
}

bool compose_pull_policy_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	static const struct {
		const char *name;
		enum compose_pull pull;
	} policies[] = {
		{ "always", COMPOSE_PULL_ALWAYS }, { "missing", COMPOSE_PULL_MISSING },
		{ "never", COMPOSE_PULL_NEVER },   { "if_not_present", COMPOSE_PULL_MISSING },
		{ "build", COMPOSE_PULL_BUILD },
	};
	AUTO(free) char *text = NULL;
	char shown[40];

	if (!compose_text(reader, node, "pull_policy", &text, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(text, policies[i].name) == 0) {
			service->pull = policies[i].pull;
			return true;
		}
	return compose_wrong(reader, node, err,
			     "\"pull_policy\" must be always, missing, never, if_not_present or "
			     "build (got \"%s\")",
			     text_printable(text, shown, sizeof(shown)));
}

/* "linux/arm64/v8", "linux/amd64" or, as the specification allows, less of it is not taken: what
 * is meant by "arm64" alone is the runtime's guess. */
bool compose_platform_read(struct compose_reader *reader, const struct yaml_node *node,
			   struct compose_service *service, struct error *err)
{
	const char *architecture;
	char shown[40];

	if (!compose_text(reader, node, "platform", &service->platform, err))
		return false;
	architecture = strchr(service->platform, '/');
	return (architecture && text_starts_with(service->platform, "linux/") &&
		is_word(architecture + 1, LETTERS DIGITS "/") && architecture[1] != '/') ||
	       compose_wrong(
		   reader, node, err,
		   "\"platform\" must be linux/ARCHITECTURE, as in linux/amd64 (got \"%s\")",
		   text_printable(service->platform, shown, sizeof(shown)));
}

/* ---- build ----------------------------------------------------------------------------------- */

static bool read_context(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_build *build, struct error *err)
{
	AUTO(free) char *written = NULL;

	if (!compose_text(reader, node, "build.context", &written, err))
		return false;
	if (strstr(written, "://") || text_starts_with(written, "git@"))
		return compose_unsupported(reader, node, err,
					   "\"build.context\": only a folder of the template can "
					   "be built");
	if (!written[0])
		return compose_wrong(reader, node, err, "\"build.context\" must name a folder");
	build->context = compose_path(reader, node, written);
	return true;
}

static bool read_dockerfile(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_build *build, struct error *err)
{
	if (!compose_text(reader, node, "build.dockerfile", &build->dockerfile, err))
		return false;
	/* Podman runs the C preprocessor over these, which includes any file of the machine. */
	if (text_ends_with(build->dockerfile, ".in"))
		return compose_unsupported(reader, node, err,
					   "\"build.dockerfile\": a name that ends with .in");
	return build->dockerfile[0] ||
	       compose_wrong(reader, node, err, "\"build.dockerfile\" must name a file");
}

static bool read_inline(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_build *build, struct error *err)
{
	return compose_text(reader, node, "build.dockerfile_inline", &build->dockerfile_inline,
			    err) &&
	       (strlen(build->dockerfile_inline) <= DOCKERFILE_BYTES_MAX ||
		compose_wrong(reader, node, err, "\"build.dockerfile_inline\" is over %zu bytes",
			      DOCKERFILE_BYTES_MAX));
}

static bool read_args(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_build *build, struct error *err)
{
	return compose_pairs(reader, node, "build.args", true, &build->args, err);
}

static bool read_labels(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_build *build, struct error *err)
{
	if (!compose_pairs(reader, node, "build.labels", false, &build->labels, err))
		return false;
	for (size_t i = 0; i < build->labels.count; i++)
		if (text_starts_with(build->labels.items[i].name, "envd-"))
			return compose_wrong(reader, node, err,
					     "\"build.labels\": \"%.80s\": envd-... is reserved",
					     build->labels.items[i].name);
	return true;
}

static bool read_target(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_build *build, struct error *err)
{
	return compose_text(reader, node, "build.target", &build->target, err) &&
	       (is_word(build->target, LETTERS DIGITS "._-") ||
		compose_wrong(reader, node, err, "\"build.target\" must name a stage"));
}

static bool read_network(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_build *build, struct error *err)
{
	if (!compose_text(reader, node, "build.network", &build->network, err))
		return false;
	return strcmp(build->network, "none") == 0 || strcmp(build->network, "host") == 0 ||
	       strcmp(build->network, "default") == 0 ||
	       compose_wrong(reader, node, err,
			     "\"build.network\" must be default, none or host (got \"%.40s\")",
			     build->network);
}

static bool read_no_cache(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_build *build, struct error *err)
{
	return compose_bool(reader, node, "build.no_cache", &build->no_cache, err);
}

static bool read_pull(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_build *build, struct error *err)
{
	return compose_bool(reader, node, "build.pull", &build->pull, err);
}

/* Every key of `build:`, and its reader. */
// clang-format off
static const struct {
	const char *key;
	bool (*read)(struct compose_reader *reader, const struct yaml_node *node,
		     struct compose_build *build, struct error *err);
} build_keys[] = {
	{ "context",           read_context },
	{ "dockerfile",        read_dockerfile },
	{ "dockerfile_inline", read_inline },
	{ "args",              read_args },
	{ "labels",            read_labels },
	{ "target",            read_target },
	{ "network",           read_network },
	{ "no_cache",          read_no_cache },
	{ "pull",              read_pull },
};
// clang-format on

static bool read_build_map(struct compose_reader *reader, const struct yaml_node *map,
			   struct compose_build *build, struct error *err)
{
	const char *known[ARRAY_SIZE(build_keys) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(build_keys); i++)
		known[i] = build_keys[i].key;
	if (!compose_only_keys(reader, map, "build", known, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(build_keys); i++) {
		const struct yaml_node *node = compose_get(map, build_keys[i].key);

		if (node && !build_keys[i].read(reader, node, build, err))
			return false;
	}
	if (build->dockerfile && build->dockerfile_inline)
		return compose_wrong(reader, map, err,
				     "\"build\": dockerfile and dockerfile_inline exclude each "
				     "other");
	return true;
}

bool compose_build_read(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_service *service, struct error *err)
{
	struct compose_build *build = xcalloc(1, sizeof(*build));

	service->build = build;
	build->at = compose_place_of(node);
	if (!(node->kind == YAML_SCALAR ? read_context(reader, node, build, err)
					: read_build_map(reader, node, build, err)))
		return false;
	if (!build->context)
		build->context = compose_path(reader, node, ".");
	if (!build->dockerfile)
		build->dockerfile = xstrdup("Dockerfile");
	return true;
}

bool compose_image_check(struct compose_reader *reader, const struct yaml_node *name,
			 const struct compose_service *service, struct error *err)
{
	if (!service->image && !service->build)
		return compose_wrong(reader, name, err, "\"image\" is missing");
	if (service->pull == COMPOSE_PULL_BUILD && !service->build)
		return compose_wrong(reader, name, err, "\"pull_policy: build\" needs a \"build\"");
	return true;
}

void compose_image_release(struct compose_service *service)
{
	struct compose_build *build = service->build;

	free(service->image);
	free(service->platform);
	if (!build)
		return;
	compose_pairs_release(&build->args);
	compose_pairs_release(&build->labels);
	free(build->context);
	free(build->dockerfile);
	free(build->dockerfile_inline);
	free(build->target);
	free(build->network);
	free(build);
}
