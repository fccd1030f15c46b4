#include "engine/container/container_payload.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_trust.h"
#include "engine/container/container_body.h"

#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)

static const char *kind_of(const struct planned_file *planned)
{
	return planned->is_secret ? "secret" : "config";
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* The innermost mount that the path is in, or NULL. */
static const struct compose_mount *mount_over(const struct compose_service *service,
					      const char *path)
{
	const struct compose_mount *innermost = NULL;

	for (size_t i = 0; i < service->mounts.count; i++) {
		const struct compose_mount *mount = &service->mounts.items[i];

		if (is_below(path, mount->target) &&
		    (!innermost || strlen(mount->target) > strlen(innermost->target)))
			innermost = mount;
	}
	return innermost;
}

/* Can it be put there before the start, and be seen after it? */
static bool check_target(const struct container_plan *plan, const struct compose_service *service,
			 const struct planned_file *planned, struct error *err)
{
	const struct compose_config_use *use = planned->use;
	const struct compose_mount *over = mount_over(service, use->target);

	if (over && over->kind == COMPOSE_MOUNT_TMPFS)
		return compose_error(plan->file, use->at, "compose_invalid", err,
				     "service \"%s\": %s \"%s\" at %s would be hidden by the "
				     "tmpfs at %s",
				     service->name, kind_of(planned), use->source, use->target,
				     over->target);
	if (!service->powers.is_read_only || (over && !over->is_read_only) ||
	    (container_has_secrets_volume(service) && is_below(use->target, SECRETS_FOLDER)))
		return true;
	compose_error(plan->file, use->at, "compose_invalid", err,
		      "service \"%s\": %s \"%s\" cannot be put at %s: \"read_only\" keeps "
		      "everybody from writing there",
		      service->name, kind_of(planned), use->source, use->target);
	return error_hint(err, "mount a volume over its folder");
}

static bool take_text(struct planned_file *planned, const char *text)
{
	planned->bytes = xstrdup(text);
	planned->length = strlen(text);
	return true;
}

static bool read_variable(const struct engine_request *request, const struct container_plan *plan,
			  const struct compose_config *config, struct planned_file *planned,
			  struct error *err)
{
	AUTO(free) char *name = xasprintf(SECRET_VARIABLE_PREFIX "%s", config->variable);
	const char *ours = planned->is_secret && request->is_trusted ? getenv(name) : NULL;

	if (ours || config->value)
		return take_text(planned, ours ? ours : config->value);
	compose_error(plan->file, config->at,
		      planned->is_secret ? "secret_missing" : "compose_variable", err,
		      "%s \"%s\": variable \"%.80s\" is not set", kind_of(planned), config->name,
		      config->variable);
	return planned->is_secret
		   ? error_hint(err,
				"set %s for the server, whose source of the template is trusted",
				name)
		   : false;
}

static bool read_one(const struct engine_request *request, const struct container_plan *plan,
		     const struct compose_service *service, struct planned_file *planned,
		     struct error *err)
{
	const struct compose_config *config = compose_config_find(
	    planned->is_secret ? &plan->file->secrets : &plan->file->configs, planned->use->source);
	AUTO(free) char *path = NULL;

	if (!check_target(plan, service, planned, err))
		return false;
	if (config->content)
		return take_text(planned, config->content);
	if (config->variable)
		return read_variable(request, plan, config, planned, err);
	if (!compose_path_resolve(plan->file, config->at, request->template_folder, config->file,
				  &path, err) ||
	    !file_read(path, CONFIG_BYTES_MAX, &planned->bytes, &planned->length, err))
		return error_wrap(err, "%s \"%s\"", kind_of(planned), config->name);
	return true;
}

static bool read_all(const struct engine_request *request, const struct container_plan *plan,
		     struct planned_service *planned, const struct compose_config_uses *uses,
		     bool is_secret, struct error *err)
{
	for (size_t i = 0; i < uses->count; i++) {
		struct planned_file *file = &planned->files[planned->file_count++];

		file->use = &uses->items[i];
		file->is_secret = is_secret;
		if (!read_one(request, plan, planned->service, file, err))
			return false;
	}
	return true;
}

bool payload_read(const struct engine_request *request, const struct container_plan *plan,
		  struct planned_service *planned, struct error *err)
{
	const struct compose_service *service = planned->service;

	planned->files =
	    xcalloc(service->configs.count + service->secrets.count + 1, sizeof(*planned->files));
	return read_all(request, plan, planned, &service->configs, false, err) &&
	       read_all(request, plan, planned, &service->secrets, true, err);
}

void payload_release(struct planned_service *planned)
{
	for (size_t i = 0; i < planned->file_count; i++) {
		struct planned_file *file = &planned->files[i];

		if (file->is_secret && file->bytes)
			explicit_bzero(file->bytes, file->length);
		free(file->bytes);
	}
	free(planned->files);
}
