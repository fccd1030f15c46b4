#include "engine/container/container_body.h"

#include <inttypes.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/container/container_host.h"
#include "engine/container/container_names.h"

static json_t *strings_to_json(const struct compose_strings *strings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(list, json_string(strings->items[i]));
	return list;
}

static json_t *list_or_empty(const json_t *config, const char *key)
{
	json_t *list = json_object_get(config, key);

	return json_is_array(list) ? json_copy(list) : json_array();
}

/*
 * Both lists in full, because the two runtimes differ in what a missing or empty one means.
 * Compose: an entrypoint of the file's own drops the image's command.
 */
static bool set_argv(const struct body_subject *subject, json_t *body, struct error *err)
{
	const struct compose_service *service = subject->service;
	const json_t *config = json_object_get(subject->image, "Config");
	AUTO(json_decref)
	json_t *entrypoint = service->entrypoint.is_set ? strings_to_json(&service->entrypoint.argv)
							: list_or_empty(config, "Entrypoint");
	AUTO(json_decref)
	json_t *command = service->command.is_set      ? strings_to_json(&service->command.argv)
			  : service->entrypoint.is_set ? json_array()
						       : list_or_empty(config, "Cmd");

	if (json_array_size(entrypoint) == 0 && json_array_size(command) == 0)
		return error_set_as(err, ERR_INVALID, "service_invalid",
				    "service \"%s\" has no command, and neither has its image",
				    service->name);
	if (json_array_size(entrypoint) == 0) {
		json_array_append(entrypoint, json_array_get(command, 0));
		json_array_remove(command, 0);
	}
	json_object_set(body, "Entrypoint", entrypoint);
	json_object_set(body, "Cmd", command);
	return true;
}

static json_t *variables_of(const struct compose_service *service)
{
	json_t *list = json_array();

	for (size_t i = 0; i < service->variables.count; i++) {
		const struct compose_pair *pair = &service->variables.items[i];
		AUTO(free) char *text = xasprintf("%s=%s", pair->name, pair->value);

		json_array_append_new(list, json_string(text));
	}
	return list;
}

/* The file's labels first, so that none of them can pass for one of ours. */
static json_t *labels_of(const struct body_subject *subject)
{
	const struct compose_pairs *own = &subject->service->labels;
	AUTO(json_decref) json_t *ours = container_labels(subject->request);
	AUTO(json_decref) json_t *health = health_check_to_json(subject->health);
	AUTO(free) char *health_text = json_to_text(health);
	int64_t grace_s = (subject->service->process.stop_grace_ms + 999) / 1000;
	json_t *labels = json_object();

	for (size_t i = 0; i < own->count; i++)
		json_object_set_new(labels, own->items[i].name, json_string(own->items[i].value));
	json_object_update(labels, ours);
	json_object_set_new(labels, LABEL_SERVICE, json_string(subject->service->name));
	json_object_set_new(labels, LABEL_HEALTH, json_string(health_text));
	if (grace_s > 0)
		json_object_set_new(labels, LABEL_STOP_GRACE, json_sprintf("%" PRId64, grace_s));
	return labels;
}

static void set_ports(const struct body_subject *subject, json_t *body, json_t *host)
{
	const struct compose_service *service = subject->service;
	json_t *exposed = json_object(), *bindings = json_object();
	char key[24];

	for (size_t i = 0; i < service->expose.count; i++) {
		const struct compose_port *port = &service->expose.items[i];

		snprintf(key, sizeof(key), "%d/%s", port->container_port, port->protocol);
		json_object_set_new(exposed, key, json_object());
	}
	for (size_t i = 0; i < service->ports.count; i++) {
		const struct compose_port *port = &service->ports.items[i];
		char chosen[12] = ""; /* by the system, unless the file insists */

		if (port->host_port)
			snprintf(chosen, sizeof(chosen), "%d", port->host_port);
		snprintf(key, sizeof(key), "%d/%s", port->container_port, port->protocol);
		json_object_set_new(exposed, key, json_object());
		json_object_set_new(bindings, key,
				    json_pack("[{s:s, s:s}]", "HostIp",
					      subject->request->target.publish_address, "HostPort",
					      chosen));
	}
	json_object_set_new(body, "ExposedPorts", exposed);
	json_object_set_new(host, "PortBindings", bindings);
}

struct volume_binds {
	const struct body_subject *subject;
	json_t *binds;
};

/* `options`: ":ro,z", or "". */
static void add_bind(json_t *binds, const char *source, const char *target, const char *options)
{
	AUTO(free) char *text = xasprintf("%s:%s%s", source, target, options);

	json_array_append_new(binds, json_string(text));
}

static void add_anonymous(void *arg, const char *path)
{
	const struct volume_binds *to = arg;
	AUTO(free)
	char *name =
	    container_anonymous_volume(to->subject->request, to->subject->service->name, path);

	add_bind(to->binds, name, path, "");
}

static void add_tmpfs(json_t *tmpfs, const struct compose_mount *mount)
{
	struct text options = TEXT_EMPTY;

	text_add(&options, mount->is_read_only ? "ro" : "rw");
	if (mount->tmpfs_bytes > 0)
		text_format(&options, ",size=%" PRId64, mount->tmpfs_bytes);
	if (mount->tmpfs_mode > 0)
		text_format(&options, ",mode=%o", (unsigned)mount->tmpfs_mode);
	text_add(&options, mount->tmpfs_options ? mount->tmpfs_options : "");
	json_object_set_new(tmpfs, mount->target, json_string(text_get(&options)));
	text_release(&options);
}

static char *bind_options(const struct compose_mount *mount)
{
	struct text options = TEXT_EMPTY;

	if (mount->is_read_only)
		text_add(&options, ",ro");
	if (mount->is_nocopy)
		text_add(&options, ",nocopy");
	if (mount->relabel)
		text_format(&options, ",%s", mount->relabel);
	if (options.length)
		options.bytes[0] = ':';
	return text_take(&options);
}

static void set_mount(struct volume_binds *to, const struct compose_mount *mount,
		      const char *bind_source, json_t *tmpfs)
{
	const struct engine_request *request = to->subject->request;
	AUTO(free) char *options = bind_options(mount);
	AUTO(free) char *volume = NULL;

	switch (mount->kind) {
	case COMPOSE_MOUNT_VOLUME:
		volume = container_name(request->environment, mount->source);
		add_bind(to->binds, volume, mount->target, options);
		break;
	case COMPOSE_MOUNT_ANONYMOUS:
		volume =
		    container_anonymous_volume(request, to->subject->service->name, mount->target);
		add_bind(to->binds, volume, mount->target, options);
		break;
	case COMPOSE_MOUNT_BIND:
		add_bind(to->binds, bind_source, mount->target, options);
		break;
	case COMPOSE_MOUNT_TMPFS:
		add_tmpfs(tmpfs, mount);
		break;
	}
}

static void set_mounts(const struct body_subject *subject, json_t *host)
{
	struct volume_binds to = { .subject = subject, .binds = json_array() };
	const struct compose_mounts *mounts = &subject->service->mounts;
	json_t *tmpfs = json_object();

	for (size_t i = 0; i < mounts->count; i++)
		set_mount(&to, &mounts->items[i], subject->bind_sources[i], tmpfs);
	if (container_has_secrets_volume(subject->service))
		add_anonymous(&to, SECRETS_FOLDER);
	container_image_volumes(subject->service, subject->image, add_anonymous, &to);
	json_object_set_new(host, "Binds", to.binds);
	json_object_set_new(host, "Tmpfs", tmpfs);
}

static void set_limits(const struct compose_limits *limits, json_t *host)
{
	if (limits->memory_bytes > 0) {
		json_object_set_new(host, "Memory", json_integer(limits->memory_bytes));
		/* The same again: no swap beside it. */
		json_object_set_new(host, "MemorySwap", json_integer(limits->memory_bytes));
	}
	if (limits->nano_cpus > 0)
		json_object_set_new(host, "NanoCpus", json_integer(limits->nano_cpus));
	if (limits->pids > 0)
		json_object_set_new(host, "PidsLimit", json_integer(limits->pids));
}

static json_t *restart_policy(const struct compose_service *service)
{
	static const char *const names[] = {
		[COMPOSE_RESTART_NO] = "no",
		[COMPOSE_RESTART_ALWAYS] = "always",
		[COMPOSE_RESTART_ON_FAILURE] = "on-failure",
		[COMPOSE_RESTART_UNLESS_STOPPED] = "unless-stopped",
	};

	return json_pack("{s:s, s:i}", "Name", names[service->restart], "MaximumRetryCount",
			 service->restart_retries);
}

static json_t *host_config(const struct body_subject *subject, json_t *body)
{
	const struct compose_service *service = subject->service;
	AUTO(free)
	char *network =
	    container_name(subject->request->environment, service->networks.items[0].network);
	json_t *host = json_pack("{s:s, s:o}", "NetworkMode", network, "RestartPolicy",
				 restart_policy(service));

	if (!subject->request->is_trusted)
		json_object_set_new(host, "SecurityOpt", json_pack("[s]", "no-new-privileges"));
	set_ports(subject, body, host);
	set_mounts(subject, host);
	set_limits(&service->limits, host);
	container_host_add(service, body, host);
	return host;
}

bool container_body(const struct body_subject *subject, json_t **result, struct error *err)
{
	const struct compose_service *service = subject->service;
	AUTO(json_decref) json_t *body = json_object();
	AUTO(free)
	char *network =
	    container_name(subject->request->environment, service->networks.items[0].network);

	/* The id, not the reference: nothing that is tagged meanwhile gets in. */
	json_object_set_new(body, "Image", json_string(json_get_string(subject->image, "Id", "")));
	if (!set_argv(subject, body, err))
		return false;
	json_object_set_new(body, "Env", variables_of(service));
	if (service->user)
		json_object_set_new(body, "User", json_string(service->user));
	if (service->working_dir)
		json_object_set_new(body, "WorkingDir", json_string(service->working_dir));
	json_object_set_new(body, "Labels", labels_of(subject));
	/* We judge (container_health.h); two judges would double the load and could disagree. */
	json_object_set_new(body, "Healthcheck", json_pack("{s:[s]}", "Test", "NONE"));
	json_object_set_new(body, "HostConfig", host_config(subject, body));
	json_object_set_new(body, "NetworkingConfig",
			    json_pack("{s:{s:o}}", "EndpointsConfig", network,
				      container_endpoint(service, &service->networks.items[0])));
	*result = TAKE(body);
	return true;
}

json_t *container_endpoint(const struct compose_service *service,
			   const struct compose_attachment *attachment)
{
	json_t *aliases = strings_to_json(&attachment->aliases);

	json_array_insert_new(aliases, 0, json_string(service->name));
	return json_pack("{s:o}", "Aliases", aliases);
}

char *container_anonymous_volume(const struct engine_request *request, const char *service,
				 const char *path)
{
	AUTO(free) char *key = NULL;
	char digest[SHA256_TEXT_SIZE];

	sha256_text(path, strlen(path), digest);
	/* Two dots are in no key of a Compose file, so this is never a named volume's name. */
	key = xasprintf("%s..%.8s", service, digest);
	return container_name(request->environment, key);
}

bool container_has_secrets_volume(const struct compose_service *service)
{
	for (size_t i = 0; i < service->mounts.count; i++)
		if (strcmp(service->mounts.items[i].target, SECRETS_FOLDER) == 0)
			return false;
	for (size_t i = 0; service->powers.is_read_only && i < service->secrets.count; i++)
		if (text_starts_with(service->secrets.items[i].target, SECRETS_FOLDER "/"))
			return true;
	return false;
}

static bool is_mounted(const struct compose_service *service, const char *path)
{
	for (size_t i = 0; i < service->mounts.count; i++)
		if (strcmp(service->mounts.items[i].target, path) == 0)
			return true;
	return false;
}

void container_image_volumes(const struct compose_service *service, const json_t *image,
			     void (*on_path)(void *arg, const char *path), void *arg)
{
	const json_t *config = json_object_get(image, "Config");
	json_t *volumes = json_object_get(config, "Volumes"), *unused;
	const char *path;

	json_object_foreach(volumes, path, unused)
		if (path[0] == '/' && !strchr(path, ':') && !is_mounted(service, path))
			on_path(arg, path);
}
