#include "compose/compose_mounts.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_origin.h"

#define MOUNTS_MAX 200
#define CONFIG_MODE 0444

/* Permissions are octal in every notation that Compose tools agree on: 0444. */
static bool parse_mode(const char *text, int *mode)
{
	size_t length = strlen(text);

	if (length < 3 || length > 5 || strspn(text, "01234567") != length ||
	    strtol(text, NULL, 8) > 07777)
		return false;
	*mode = (int)strtol(text, NULL, 8);
	return true;
}

static bool check_list(const struct compose_reader *reader, const struct yaml_node *list,
		       const char *what, struct error *err)
{
	if (list->kind != YAML_LIST)
		return compose_wrong(reader, list, err, "\"%s\" must be a list (got %s)", what,
				     yaml_kind_name(list));
	return list->count <= MOUNTS_MAX ||
	       compose_wrong(reader, list, err, "\"%s\": more than %d", what, MOUNTS_MAX);
}

static struct compose_mount *add_mount(struct compose_mounts *mounts, const struct yaml_node *node)
{
	struct compose_mount *mount;

	mounts->items = xrealloc(mounts->items, mounts->count + 1, sizeof(*mounts->items));
	mount = &mounts->items[mounts->count++];
	*mount = (struct compose_mount){ .at = compose_place_of(node) };
	return mount;
}

static bool check_target(const struct compose_reader *reader, const struct yaml_node *node,
			 const char *what, const char *target, struct error *err)
{
	char shown[80];

	/* A colon would be read as a separator by runtimes. */
	return (*target == '/' && target[1] && !strchr(target, ':')) ||
	       compose_wrong(reader, node, err,
			     "\"%s\": \"%s\" is not an absolute path in the container", what,
			     text_printable(target, shown, sizeof(shown)));
}

static void release_mount(struct compose_mount *mount)
{
	free(mount->source);
	free(mount->target);
}

/* Two mounts in one place hide each other, unless one was merged over the other. */
static bool check_mount(const struct compose_reader *reader, const struct yaml_node *node,
			struct compose_mounts *mounts, struct error *err)
{
	struct compose_mount *last = &mounts->items[mounts->count - 1];

	if (!check_target(reader, node, "volumes", last->target, err))
		return false;
	if (last->source && strchr(last->source, ':'))
		return compose_wrong(reader, node, err,
				     "\"volumes\": a source cannot have \":\" in it");
	for (size_t i = 0; i + 1 < mounts->count; i++) {
		struct compose_mount *old = &mounts->items[i];

		if (strcmp(old->target, last->target) != 0)
			continue;
		if (!compose_is_over(last->at, old->at))
			return compose_wrong(
			    reader, node, err,
			    "\"volumes\": something else is mounted at \"%.80s\" already",
			    last->target);
		release_mount(old);
		*old = *last;
		mounts->count--;
		return true;
	}
	return true;
}

/* ---- volumes ------------------------------------------------------------------------------- */

static bool is_path(const char *source)
{
	return *source == '/' || *source == '.' || *source == '~';
}

static bool parse_access(const struct compose_reader *reader, const struct yaml_node *node,
			 const char *access, bool *is_read_only, struct error *err)
{
	*is_read_only = strcmp(access, "ro") == 0;
	return *is_read_only || strcmp(access, "rw") == 0 ||
	       compose_unsupported(reader, node, err,
				   "volume option \"%.40s\" is not supported (expected ro or rw)",
				   access);
}

/* [SOURCE:]TARGET[:ro|rw]; `text` is taken apart. */
static bool parse_short(const struct compose_reader *reader, const struct yaml_node *node,
			char *text, struct compose_mount *mount, struct error *err)
{
	char *rest = text, *parts[3];
	size_t count = 0;

	while (count < 3 && (parts[count] = strsep(&rest, ":")))
		count++;
	if (rest)
		return compose_wrong(reader, node, err,
				     "\"volumes\": more than SOURCE:TARGET:ACCESS");
	if (count == 1) {
		mount->kind = COMPOSE_MOUNT_ANONYMOUS;
		mount->target = xstrdup(parts[0]);
		return true;
	}
	mount->kind = is_path(parts[0]) ? COMPOSE_MOUNT_BIND : COMPOSE_MOUNT_VOLUME;
	mount->source = mount->kind == COMPOSE_MOUNT_BIND ? compose_path(reader, node, parts[0])
							  : xstrdup(parts[0]);
	mount->target = xstrdup(parts[1]);
	if (!*parts[0])
		return compose_wrong(reader, node, err,
				     "\"volumes\": nothing before the first \":\"");
	return count == 2 || parse_access(reader, node, parts[2], &mount->is_read_only, err);
}

static bool read_kind(struct compose_reader *reader, const struct yaml_node *map,
		      struct compose_mount *mount, struct error *err)
{
	const struct yaml_node *node = compose_get(map, "type");
	AUTO(free) char *type = NULL;

	if (!node)
		return compose_wrong(reader, map, err, "\"volumes.type\" is missing");
	if (!compose_text(reader, node, "type", &type, err))
		return false;
	if (strcmp(type, "bind") == 0)
		mount->kind = COMPOSE_MOUNT_BIND;
	else if (strcmp(type, "tmpfs") == 0)
		mount->kind = COMPOSE_MOUNT_TMPFS;
	else if (strcmp(type, "volume") == 0)
		mount->kind =
		    compose_get(map, "source") ? COMPOSE_MOUNT_VOLUME : COMPOSE_MOUNT_ANONYMOUS;
	else
		return compose_unsupported(
		    reader, node, err,
		    "volume type \"%.40s\" is not supported (expected volume, bind or tmpfs)",
		    type);
	return true;
}

static bool read_source(struct compose_reader *reader, const struct yaml_node *map,
			struct compose_mount *mount, struct error *err)
{
	const struct yaml_node *node = compose_get(map, "source");
	bool is_wanted = mount->kind == COMPOSE_MOUNT_BIND || mount->kind == COMPOSE_MOUNT_VOLUME;

	if (!node)
		return !is_wanted ||
		       compose_wrong(reader, map, err, "\"volumes.source\" is missing");
	if (!is_wanted)
		return compose_wrong(reader, node, err,
				     "\"volumes.source\" has no meaning for a tmpfs");
	if (!compose_text(reader, node, "source", &mount->source, err))
		return false;
	if (mount->kind == COMPOSE_MOUNT_BIND) {
		AUTO(free) char *written = mount->source;

		mount->source = compose_path(reader, node, written);
	}
	return true;
}

static bool read_mode(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		      int *mode, struct error *err)
{
	AUTO(free) char *text = NULL;

	if (!compose_text(reader, node, what, &text, err))
		return false;
	return parse_mode(text, mode) ||
	       compose_wrong(reader, node, err,
			     "\"%s\" must be octal, such as 0444 (got \"%.20s\")", what, text);
}

static bool read_tmpfs_options(struct compose_reader *reader, const struct yaml_node *map,
			       struct compose_mount *mount, struct error *err)
{
	static const char *const known[] = { "size", "mode", NULL };
	const struct yaml_node *size, *mode;

	if (!compose_only_keys(reader, map, "volumes.tmpfs", known, err))
		return false;
	if (mount->kind != COMPOSE_MOUNT_TMPFS)
		return compose_wrong(reader, map, err, "\"volumes.tmpfs\" is for the type tmpfs");
	size = compose_get(map, "size");
	mode = compose_get(map, "mode");
	return (!size || compose_bytes(reader, size, "size", &mount->tmpfs_bytes, err)) &&
	       (!mode || read_mode(reader, mode, "mode", &mount->tmpfs_mode, err));
}

static bool read_long(struct compose_reader *reader, const struct yaml_node *map,
		      struct compose_mount *mount, struct error *err)
{
	static const char *const known[] = {
		"type", "source", "target", "read_only", "tmpfs", NULL
	};
	const struct yaml_node *target = compose_get(map, "target"), *read_only, *tmpfs;

	if (!compose_only_keys(reader, map, "volumes", known, err))
		return false;
	if (!target)
		return compose_wrong(reader, map, err, "\"volumes.target\" is missing");
	read_only = compose_get(map, "read_only");
	tmpfs = compose_get(map, "tmpfs");
	return read_kind(reader, map, mount, err) && read_source(reader, map, mount, err) &&
	       compose_text(reader, target, "target", &mount->target, err) &&
	       (!read_only ||
		compose_bool(reader, read_only, "read_only", &mount->is_read_only, err)) &&
	       (!tmpfs || read_tmpfs_options(reader, tmpfs, mount, err));
}

static bool read_volume(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_mount *mount, struct error *err)
{
	AUTO(free) char *text = NULL;

	if (node->kind == YAML_MAP)
		return read_long(reader, node, mount, err);
	return compose_text(reader, node, "volumes", &text, err) &&
	       parse_short(reader, node, text, mount, err);
}

bool compose_volumes_read(struct compose_reader *reader, const struct yaml_node *list,
			  struct compose_mounts *mounts, struct error *err)
{
	if (!check_list(reader, list, "volumes", err))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!read_volume(reader, list->items[i], add_mount(mounts, list->items[i]), err) ||
		    !check_mount(reader, list->items[i], mounts, err))
			return false;
	return true;
}

/* ---- tmpfs --------------------------------------------------------------------------------- */

static bool parse_tmpfs_option(const struct compose_reader *reader, const struct yaml_node *node,
			       const char *option, struct compose_mount *mount, struct error *err)
{
	bool is_size = text_starts_with(option, "size="),
	     is_mode = text_starts_with(option, "mode=");

	if (!is_size && !is_mode)
		return compose_unsupported(
		    reader, node, err,
		    "tmpfs option \"%.40s\" is not supported (expected size= or mode=)", option);
	if (is_size ? compose_parse_bytes(option + 5, &mount->tmpfs_bytes)
		    : parse_mode(option + 5, &mount->tmpfs_mode))
		return true;
	return compose_wrong(reader, node, err, "\"tmpfs\": \"%.40s\" cannot be read", option);
}

/* TARGET[:size=64m,mode=0755]; `text` is taken apart. */
static bool parse_tmpfs(const struct compose_reader *reader, const struct yaml_node *node,
			char *text, struct compose_mount *mount, struct error *err)
{
	char *options = text, *option;

	mount->kind = COMPOSE_MOUNT_TMPFS;
	mount->target = xstrdup(strsep(&options, ":"));
	while ((option = strsep(&options, ",")))
		if (!parse_tmpfs_option(reader, node, option, mount, err))
			return false;
	return true;
}

bool compose_tmpfs_read(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_mounts *mounts, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings list = { 0 };

	if (!compose_list(reader, node, "tmpfs", true, &list, err))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		const struct yaml_node *at = node->kind == YAML_LIST ? node->items[i] : node;

		if (!parse_tmpfs(reader, at, list.items[i], add_mount(mounts, at), err) ||
		    !check_mount(reader, at, mounts, err))
			return false;
	}
	return true;
}

void compose_mounts_release(struct compose_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		release_mount(&mounts->items[i]);
	free(mounts->items);
	*mounts = (struct compose_mounts){ 0 };
}

/* ---- configs ------------------------------------------------------------------------------- */

static bool read_owner(struct compose_reader *reader, const struct yaml_node *map, const char *key,
		       int64_t *id, struct error *err)
{
	const struct yaml_node *node = compose_get(map, key);

	return !node || compose_int64(reader, node, key, 0, 4294967294, id, err);
}

static bool read_long_config(struct compose_reader *reader, const struct yaml_node *map,
			     struct compose_config_use *use, struct error *err)
{
	static const char *const known[] = { "source", "target", "uid", "gid", "mode", NULL };
	const struct yaml_node *source = compose_get(map, "source"), *target, *mode;

	if (!compose_only_keys(reader, map, "configs", known, err))
		return false;
	if (!source)
		return compose_wrong(reader, map, err, "\"configs.source\" is missing");
	target = compose_get(map, "target");
	mode = compose_get(map, "mode");
	return compose_text(reader, source, "source", &use->source, err) &&
	       (!target || compose_text(reader, target, "target", &use->target, err)) &&
	       (!mode || read_mode(reader, mode, "mode", &use->mode, err)) &&
	       read_owner(reader, map, "uid", &use->uid, err) &&
	       read_owner(reader, map, "gid", &use->gid, err);
}

static bool read_config_use(struct compose_reader *reader, const struct yaml_node *node,
			    struct compose_config_use *use, struct error *err)
{
	bool fine = node->kind == YAML_MAP
			? read_long_config(reader, node, use, err)
			: compose_text(reader, node, "configs", &use->source, err);

	if (!fine)
		return false;
	if (!use->target)
		use->target = xasprintf("/%s", use->source);
	return check_target(reader, node, "configs", use->target, err);
}

bool compose_config_uses_read(struct compose_reader *reader, const struct yaml_node *list,
			      struct compose_config_uses *uses, struct error *err)
{
	if (!check_list(reader, list, "configs", err))
		return false;
	uses->items = xcalloc(list->count + 1, sizeof(*uses->items));
	for (size_t i = 0; i < list->count; i++) {
		struct compose_config_use *use = &uses->items[uses->count++];

		use->mode = CONFIG_MODE;
		use->at = compose_place_of(list->items[i]);
		if (!read_config_use(reader, list->items[i], use, err))
			return false;
	}
	return true;
}

void compose_config_uses_release(struct compose_config_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		free(uses->items[i].source);
		free(uses->items[i].target);
	}
	free(uses->items);
	*uses = (struct compose_config_uses){ 0 };
}
