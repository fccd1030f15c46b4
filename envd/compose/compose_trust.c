#include "compose/compose_trust.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/text.h"

bool compose_deny(const struct compose_file *file, struct compose_place at, struct error *err,
		  const char *format, ...)
{
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	compose_error(file, at, "template_not_trusted", err, "%s", what);
	err->code = ERR_DENIED;
	return error_hint(err, "an admin can list the template's source as trusted");
}

/* ---- the runtime's socket ------------------------------------------------------------------ */

/* Where runtimes put their sockets. A folder above any of these holds one. */
static const char *const runtime_paths[] = {
	"/run/docker.sock",
	"/run/podman/podman.sock",
	"/run/containerd/containerd.sock",
	"/run/crio/crio.sock",
	"/run/buildkit/buildkitd.sock",
	"/run/user/",
	"/var/run/docker.sock",
	"/var/run/podman/podman.sock",
	"/var/run/containerd/containerd.sock",
	"/var/run/crio/crio.sock",
	"/var/run/buildkit/buildkitd.sock",
	NULL,
};

static bool is_runtime_name(const char *name)
{
	static const char *const runtimes[] = { "docker", "podman",   "containerd",
						"crio",   "buildkit", NULL };

	if (!strstr(name, ".sock"))
		return false;
	for (size_t i = 0; runtimes[i]; i++)
		if (strstr(name, runtimes[i]))
			return true;
	return false;
}

static bool is_at_or_above(const char *path, const char *other)
{
	size_t length = strlen(path);

	return strcmp(path, "/") == 0 ||
	       (strncmp(path, other, length) == 0 && (other[length] == '/' || !other[length]));
}

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool folder_holds_runtime_socket(const char *path)
{
	AUTO(closedir) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_runtime_name(entry->d_name))
			return true;
	return false;
}

static bool reaches_runtime(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (is_socket(path) || is_runtime_name(slash ? slash + 1 : path) ||
	    folder_holds_runtime_socket(path) || text_starts_with(path, "/run/user/") ||
	    is_at_or_above("/proc", path))
		return true;
	for (size_t i = 0; runtime_paths[i]; i++)
		if (is_at_or_above(path, runtime_paths[i]))
			return true;
	return false;
}

/* What the path is once links and ".." are followed; where nothing is there, the path as it stands.
 */
static char *real_path(const char *template_folder, const char *path)
{
	AUTO(free) char *whole = *path == '/' ? xstrdup(path) : path_join(template_folder, path);
	char *resolved = realpath(whole, NULL);

	return resolved ? resolved : TAKE(whole);
}

/* Is it there, and below the template's folder once links are followed? */
static bool is_inside(const char *template_folder, const char *path)
{
	AUTO(free) char *folder = realpath(template_folder, NULL);
	AUTO(free) char *whole = path_join(template_folder, path);
	AUTO(free) char *resolved = *path == '/' ? realpath(path, NULL) : realpath(whole, NULL);

	return folder && resolved && strcmp(folder, "/") != 0 && is_at_or_above(folder, resolved);
}

static bool check_socket(const struct compose_file *file, const struct compose_service *service,
			 const struct compose_mount *mount, const char *template_folder,
			 struct error *err)
{
	AUTO(free) char *path = real_path(template_folder, mount->source);
	/* Our own data may lie in a folder where runtimes keep sockets: /run/user/1000. */
	bool is_ours = is_inside(template_folder, mount->source);

	if (is_ours ? !is_socket(path) : !reaches_runtime(path))
		return true;
	compose_error(file, mount->at, "runtime_socket", err,
		      "service \"%s\": \"volumes\": a bind mount of \"%.100s\" would reach the "
		      "container runtime "
		      "or other processes of the host",
		      service->name, mount->source);
	err->code = ERR_DENIED;
	return false;
}

/* ---- paths that stay inside ---------------------------------------------------------------- */

/* Does any part of the path below the folder lead elsewhere? Says why, or NULL. */
const char *compose_path_outside(const char *template_folder, const char *path)
{
	AUTO(free) char *parts = xstrdup(path);
	AUTO(free) char *below = xstrdup(template_folder);
	char *rest = parts, *part;
	struct stat status;

	if (*path == '/')
		return "is an absolute path";
	if (*path == '~')
		return "is in somebody's home";
	while ((part = strsep(&rest, "/"))) {
		char *deeper;

		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0)
			return "has \"..\" in it";
		deeper = path_join(below, part);
		free(below);
		below = deeper;
		if (lstat(below, &status) == 0 && S_ISLNK(status.st_mode))
			return "is or passes a link";
	}
	return NULL;
}

static bool check_bind(const struct compose_file *file, const struct compose_service *service,
		       const struct compose_mount *mount, const char *template_folder,
		       struct error *err)
{
	const char *why = compose_path_outside(template_folder, mount->source);

	if (why)
		return compose_deny(
		    file, mount->at, err,
		    "service \"%s\": \"volumes\": bind mount of \"%.100s\", which %s, "
		    "needs a trusted "
		    "template",
		    service->name, mount->source, why);
	return mount->is_read_only ||
	       compose_deny(file, mount->at, err,
			    "service \"%s\": \"volumes\": bind mount of \"%.100s\" "
			    "must be read-only (:ro) unless the "
			    "template is trusted",
			    service->name, mount->source);
}

static bool check_config_file(const struct compose_file *file, const struct compose_config *config,
			      const char *kind, const char *template_folder, struct error *err)
{
	const char *why = config->file ? compose_path_outside(template_folder, config->file) : NULL;

	return !why || compose_deny(file, config->at, err,
				    "%s \"%s\": \"file\" \"%.100s\", which %s, needs a trusted "
				    "template",
				    kind, config->name, config->file, why);
}

/* ---- powers -------------------------------------------------------------------------------- */

static bool deny_key(const struct compose_file *file, const struct compose_service *service,
		     struct compose_place at, const char *key, struct error *err)
{
	return compose_deny(file, at, err, "service \"%s\": \"%s\" needs a trusted template",
			    service->name, key);
}

/* What reaches the machine itself. Giving powers up is everybody's right. */
static bool check_powers(const struct compose_file *file, const struct compose_service *service,
			 struct error *err)
{
	const struct compose_powers *powers = &service->powers;

	if (powers->is_privileged)
		return deny_key(file, service, powers->privileged_at, "privileged", err);
	if (powers->cap_add.texts.count)
		return deny_key(file, service, powers->cap_add.at, "cap_add", err);
	if (powers->device_count)
		return deny_key(file, service, powers->devices[0].at, "devices", err);
	if (powers->sysctls.count)
		return deny_key(file, service, powers->sysctls_at, "sysctls", err);
	if (powers->group_add.texts.count)
		return deny_key(file, service, powers->group_add.at, "group_add", err);
	return true;
}

/* ---- addresses ----------------------------------------------------------------------------- */

/* Where clouds hand out the machine's credentials, in the ways these are written. */
static const char *const metadata_addresses[] = {
	"169.254.169.254", "fd00:ec2::254", "metadata.google.internal",
	"fd20:ce::254",    "169.254.170.2", "100.100.100.200",
	"2852039166",      "0xa9fea9fe",    NULL,
};

/* The metadata address in a text, or NULL. */
static const char *metadata_address_in(const char *text)
{
	for (size_t i = 0; metadata_addresses[i]; i++)
		if (strcasestr(text, metadata_addresses[i]))
			return metadata_addresses[i];
	return NULL;
}

static bool check_text(const struct compose_file *file, const struct compose_service *service,
		       struct compose_place at, const char *key, const char *text,
		       struct error *err)
{
	const char *address = metadata_address_in(text);

	return !address ||
	       compose_deny(
		   file, at, err,
		   "service \"%s\": \"%.80s\" names %s, a cloud's metadata address, which needs a "
		   "trusted template",
		   service->name, key, address);
}

static bool check_texts(const struct compose_file *file, const struct compose_service *service,
			struct compose_place at, const char *key,
			const struct compose_strings *texts, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++)
		if (!check_text(file, service, at, key, texts->items[i], err))
			return false;
	return true;
}

/* What a name resolves to, and who resolves names. */
static bool check_naming(const struct compose_file *file, const struct compose_service *service,
			 struct error *err)
{
	const struct compose_naming *naming = &service->naming;

	if (!check_texts(file, service, naming->extra_hosts.at, "extra_hosts",
			 &naming->extra_hosts.texts, err) ||
	    !check_texts(file, service, naming->dns.at, "dns", &naming->dns.texts, err) ||
	    !check_texts(file, service, naming->dns_search.at, "dns_search",
			 &naming->dns_search.texts, err))
		return false;
	for (size_t i = 0; i < naming->extra_hosts.texts.count; i++)
		if (text_ends_with(naming->extra_hosts.texts.items[i], ":host-gateway"))
			return compose_deny(file, naming->extra_hosts.at, err,
					    "service \"%s\": \"extra_hosts\": host-gateway is the "
					    "machine itself, which needs a trusted template",
					    service->name);
	return true;
}

static bool check_variables(const struct compose_file *file, const struct compose_service *service,
			    struct error *err)
{
	for (size_t i = 0; i < service->variables.count; i++) {
		const struct compose_pair *pair = &service->variables.items[i];
		AUTO(free) char *key = xasprintf("environment.%s", pair->name);

		if (!check_text(file, service, pair->at, key, pair->value, err))
			return false;
	}
	return true;
}

static bool is_loopback(const char *address)
{
	return text_starts_with(address, "127.") || strcmp(address, "::1") == 0;
}

static bool check_ports(const struct compose_file *file, const struct compose_service *service,
			struct error *err)
{
	for (size_t i = 0; i < service->ports.count; i++) {
		const struct compose_port *port = &service->ports.items[i];

		if (port->host_address && !is_loopback(port->host_address))
			return compose_deny(
			    file, port->at, err,
			    "service \"%s\": \"ports\": host address %s needs a trusted template",
			    service->name, port->host_address);
	}
	return true;
}

static bool check_build(const struct compose_file *file, const struct compose_service *service,
			const char *template_folder, struct error *err)
{
	const struct compose_build *build = service->build;
	const char *why = compose_path_outside(template_folder, build->context);
	AUTO(free) char *context = path_join(template_folder, build->context);

	if (why)
		return compose_deny(
		    file, build->at, err,
		    "service \"%s\": \"build.context\" \"%.100s\", which %s, needs a "
		    "trusted template",
		    service->name, build->context, why);
	why = compose_path_outside(context, build->dockerfile);
	if (why)
		return compose_deny(
		    file, build->at, err,
		    "service \"%s\": \"build.dockerfile\" \"%.100s\", which %s, needs a "
		    "trusted template",
		    service->name, build->dockerfile, why);
	if (text_equal(build->network, "host"))
		return compose_deny(
		    file, build->at, err,
		    "service \"%s\": \"build.network: host\" needs a trusted template",
		    service->name);
	for (size_t i = 0; i < build->args.count; i++)
		if (!check_text(file, service, build->at, "build.args", build->args.items[i].value,
				err))
			return false;
	return true;
}

static bool check_untrusted_service(const struct compose_file *file,
				    const struct compose_service *service,
				    const char *template_folder, struct error *err)
{
	for (size_t i = 0; i < service->mounts.count; i++)
		if (service->mounts.items[i].kind == COMPOSE_MOUNT_BIND &&
		    !check_bind(file, service, &service->mounts.items[i], template_folder, err))
			return false;
	if (service->build && !check_build(file, service, template_folder, err))
		return false;
	return check_powers(file, service, err) && check_naming(file, service, err) &&
	       check_ports(file, service, err) && check_variables(file, service, err) &&
	       check_texts(file, service, service->command.at, "command", &service->command.argv,
			   err) &&
	       check_texts(file, service, service->entrypoint.at, "entrypoint",
			   &service->entrypoint.argv, err) &&
	       check_texts(file, service, service->health.at, "healthcheck.test",
			   &service->health.test, err);
}

static bool check_untrusted_config(const struct compose_file *file,
				   const struct compose_config *config, const char *template_folder,
				   struct error *err)
{
	const char *address = config->content ? metadata_address_in(config->content) : NULL;

	if (address)
		return compose_deny(
		    file, config->at, err,
		    "config \"%s\": \"content\" names %s, a cloud's metadata address, "
		    "which needs a "
		    "trusted template",
		    config->name, address);
	return check_config_file(file, config, "config", template_folder, err);
}

static bool check_everybody(const struct compose_file *file, const struct compose_service *service,
			    const char *template_folder, struct error *err)
{
	for (size_t i = 0; i < service->mounts.count; i++)
		if (service->mounts.items[i].kind == COMPOSE_MOUNT_BIND &&
		    !check_socket(file, service, &service->mounts.items[i], template_folder, err))
			return false;
	return true;
}

bool compose_check_trust(const struct compose_file *file, bool is_trusted,
			 const char *template_folder, struct error *err)
{
	for (size_t i = 0; i < file->service_count; i++) {
		const struct compose_service *service = &file->services[i];

		if (!check_everybody(file, service, template_folder, err) ||
		    (!is_trusted && !check_untrusted_service(file, service, template_folder, err)))
			return false;
	}
	for (size_t i = 0; !is_trusted && i < file->configs.count; i++)
		if (!check_untrusted_config(file, &file->configs.items[i], template_folder, err))
			return false;
	for (size_t i = 0; !is_trusted && i < file->secrets.count; i++)
		if (!check_config_file(file, &file->secrets.items[i], "secret", template_folder,
				       err))
			return false;
	return true;
}

bool compose_path_resolve(const struct compose_file *file, struct compose_place at,
			  const char *template_folder, const char *path, char **resolved,
			  struct error *err)
{
	AUTO(free) char *whole = *path == '/' ? xstrdup(path) : path_join(template_folder, path);

	*resolved = realpath(whole, NULL);
	if (*resolved)
		return true;
	compose_error(file, at, "compose_invalid", err, "\"%.150s\" cannot be found: %s", path,
		      strerror(errno));
	err->code = ERR_NOT_FOUND;
	return false;
}
