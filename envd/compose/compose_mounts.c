#include "compose/compose_mounts.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_origin.h"

#define MOUNTS_MAX 200

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

static void release_mount(struct compose_mount *mount)
{
	free(mount->source);
	free(mount->target);
	free(mount->tmpfs_options);
}

/* Two mounts in one place hide each other, unless one was merged over the other. */
static bool check_mount(const struct compose_reader *reader, const struct yaml_node *node,
			struct compose_mounts *mounts, struct error *err)
{
	struct compose_mount *last = &mounts->items[mounts->count - 1];

	if (!compose_check_target(reader, node, "volumes", last->target, err))
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

static bool parse_option(const struct compose_reader *reader, const struct yaml_node *node,
			 const char *option, struct compose_mount *mount, struct error *err)
{
	bool is_bind = mount->kind == COMPOSE_MOUNT_BIND;

	if (strcmp(option, "ro") == 0)
		mount->is_read_only = true;
	else if (strcmp(option, "rw") == 0)
		mount->is_read_only = false;
	else if (is_bind && strcmp(option, "z") == 0)
		mount->relabel = "z";
	else if (is_bind && strcmp(option, "Z") == 0)
		mount->relabel = "Z";
	else if (!is_bind && strcmp(option, "nocopy") == 0)
		mount->is_nocopy = true;
	else
		return compose_unsupported(
		    reader, node, err,
		    "volume option \"%.40s\" is not supported (expected ro, rw, "
		    "%s)",
		    option, is_bind ? "z or Z" : "or nocopy");
	return true;
}

static bool parse_options(const struct compose_reader *reader, const struct yaml_node *node,
			  char *options, struct compose_mount *mount, struct error *err)
{
	char *option;

	while ((option = strsep(&options, ",")))
		if (!parse_option(reader, node, option, mount, err))
			return false;
	return true;
}

/* [SOURCE:]TARGET[:OPTION,...]; `text` is taken apart. */
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
	return count == 2 || parse_options(reader, node, parts[2], mount, err);
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
	       (!mode || compose_mode(reader, mode, "mode", &mount->tmpfs_mode, err));
}

/* A source that is not there is an error in either case: nothing is created on the machine. */
static bool read_bind_options(struct compose_reader *reader, const struct yaml_node *map,
			      struct compose_mount *mount, struct error *err)
{
	static const char *const known[] = { "create_host_path", "selinux", NULL };
	const struct yaml_node *create, *selinux;
	AUTO(free) char *relabel = NULL;
	bool unused;

	if (!compose_only_keys(reader, map, "volumes.bind", known, err))
		return false;
	if (mount->kind != COMPOSE_MOUNT_BIND)
		return compose_wrong(reader, map, err, "\"volumes.bind\" is for the type bind");
	create = compose_get(map, "create_host_path");
	selinux = compose_get(map, "selinux");
	if ((create && !compose_bool(reader, create, "create_host_path", &unused, err)) ||
	    (selinux && !compose_text(reader, selinux, "selinux", &relabel, err)))
		return false;
	return !relabel || parse_option(reader, selinux, relabel, mount, err);
}

static bool read_volume_options(struct compose_reader *reader, const struct yaml_node *map,
				struct compose_mount *mount, struct error *err)
{
	static const char *const known[] = { "nocopy", NULL };
	const struct yaml_node *nocopy;

	if (!compose_only_keys(reader, map, "volumes.volume", known, err))
		return false;
	if (mount->kind != COMPOSE_MOUNT_VOLUME && mount->kind != COMPOSE_MOUNT_ANONYMOUS)
		return compose_wrong(reader, map, err, "\"volumes.volume\" is for the type volume");
	nocopy = compose_get(map, "nocopy");
	return !nocopy || compose_bool(reader, nocopy, "nocopy", &mount->is_nocopy, err);
}

static bool read_options(struct compose_reader *reader, const struct yaml_node *map,
			 struct compose_mount *mount, struct error *err)
{
	const struct yaml_node *tmpfs = compose_get(map, "tmpfs"), *bind = compose_get(map, "bind"),
			       *volume = compose_get(map, "volume");

	return (!tmpfs || read_tmpfs_options(reader, tmpfs, mount, err)) &&
	       (!bind || read_bind_options(reader, bind, mount, err)) &&
	       (!volume || read_volume_options(reader, volume, mount, err));
}

static bool read_long(struct compose_reader *reader, const struct yaml_node *map,
		      struct compose_mount *mount, struct error *err)
{
	static const char *const known[] = { "type",  "source", "target", "read_only",
					     "tmpfs", "bind",   "volume", NULL };
	const struct yaml_node *target = compose_get(map, "target"), *read_only;

	if (!compose_only_keys(reader, map, "volumes", known, err))
		return false;
	if (!target)
		return compose_wrong(reader, map, err, "\"volumes.target\" is missing");
	read_only = compose_get(map, "read_only");
	return read_kind(reader, map, mount, err) && read_source(reader, map, mount, err) &&
	       compose_text(reader, target, "target", &mount->target, err) &&
	       (!read_only ||
		compose_bool(reader, read_only, "read_only", &mount->is_read_only, err)) &&
	       read_options(reader, map, mount, err);
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

/* Kept as they are: the kernel's own mount options. */
static bool is_mount_option(const char *option)
{
	static const char *const flags[] = { "ro",     "rw",  "exec",  "noexec", "suid",
					     "nosuid", "dev", "nodev", "noatime" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(option, flags[i]) == 0)
			return true;
	if (!text_starts_with(option, "uid=") && !text_starts_with(option, "gid="))
		return false;
	return option[4] && !option[4 + strspn(option + 4, "0123456789")];
}

static void add_mount_option(struct compose_mount *mount, const char *option)
{
	AUTO(free) char *before = mount->tmpfs_options;

	mount->tmpfs_options = xasprintf("%s,%s", before ? before : "", option);
}

static bool parse_tmpfs_option(const struct compose_reader *reader, const struct yaml_node *node,
			       const char *option, struct compose_mount *mount, struct error *err)
{
	bool is_size = text_starts_with(option, "size="),
	     is_mode = text_starts_with(option, "mode=");

	if (is_mount_option(option)) {
		add_mount_option(mount, option);
		return true;
	}
	if (!is_size && !is_mode)
		return compose_unsupported(
		    reader, node, err,
		    "tmpfs option \"%.40s\" is not supported (expected size=, "
		    "mode=, uid=, gid=, ro, noexec, nosuid, nodev and the "
		    "like)",
		    option);
	if (is_size ? compose_parse_bytes(option + 5, &mount->tmpfs_bytes)
		    : compose_parse_mode(option + 5, &mount->tmpfs_mode))
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
