#include "engine/container/container_runtime.h"

#include <string.h>
#include <sys/utsname.h>

#define FIRST_CALL_LIMIT_MS 10000
/* Old enough for Debian 12's Docker and Podman. Docker 29 (API 1.52) dropped what is before 1.44;
 * nothing that is used here changed in between. */
#define API_VERSION "1.41"
#define API_VERSION_NEW "1.44"
#define API_VERSION_LAST_WITH_OLD "1.51"

/* "Libpod/4.3.1 (linux)" is version 4.3.1. */
static void set_version_text(struct runtime *runtime, const char *server)
{
	const char *slash = strchr(server, '/');
	const char *version = slash ? slash + 1 : server;

	snprintf(runtime->version, sizeof(runtime->version), "%.*s", (int)strcspn(version, " "),
		 version);
}

/* GET /version would tell more, and takes Podman a fifth of a second. */
static bool ping(struct runtime *runtime, struct error *err)
{
	AUTO(docker_call_free) struct docker_call *call = docker_call_new("GET", "/_ping");
	AUTO(free) char *server = NULL;
	AUTO(free) char *api = NULL;
	AUTO(free) char *libpod = NULL;
	AUTO(free) char *prefix = NULL;

	call->time_limit_ms = FIRST_CALL_LIMIT_MS;
	if (!docker_run(runtime->docker, call, err))
		return false;
	server = docker_header(call, "Server");
	api = docker_header(call, "Api-Version");
	libpod = docker_header(call, "Libpod-Api-Version");
	if (!docker_succeeded(call) || !server || !api)
		return error_set_as(err, ERR_EXTERNAL, "runtime_strange",
				    "what answers is neither Docker nor Podman (status %d to "
				    "GET /_ping)",
				    call->status);
	runtime->is_podman = libpod != NULL;
	set_version_text(runtime, server);
	snprintf(runtime->api, sizeof(runtime->api), "%s",
		 strverscmp(api, API_VERSION_LAST_WITH_OLD) > 0 ? API_VERSION_NEW : API_VERSION);
	prefix = xasprintf("/v%s", runtime->api);
	docker_set_version(runtime->docker, prefix);
	return true;
}

/* What was learned in this process, of which socket. */
static struct {
	char *socket;
	char architecture[32];
	struct runtime_limits limits;
} known;

static void remember(struct runtime *runtime, const char *socket)
{
	struct utsname own;

	runtime->socket = socket;
	if (known.socket && strcmp(known.socket, socket) == 0) {
		runtime->has_info = true;
		runtime->limits = known.limits;
		memcpy(runtime->architecture, known.architecture, sizeof(known.architecture));
	} else if (!runtime->is_remote && uname(&own) == 0) {
		/* Behind a socket of this machine there is, nearly always, this machine. */
		snprintf(runtime->architecture, sizeof(runtime->architecture), "%.31s",
			 runtime_architecture_name(own.machine));
	}
}

bool runtime_open(const struct engine_request *request, struct runtime *runtime, struct error *err)
{
	const struct docker_way way = { request->target.socket, request->target.certificates };

	if (!request->target.socket || !request->target.socket[0])
		return error_set_as(err, ERR_INVALID, "target_has_no_socket",
				    "target \"%s\" has no socket", request->target.name);
	if (!docker_way_check(&way, err))
		return error_wrap(err, "target \"%s\"", request->target.name);
	*runtime = (struct runtime){
		.docker = docker_new(&way),
		.is_remote = docker_way_is_tcp(&way),
	};
	docker_set_deadline(runtime->docker, request->deadline_at_ms);
	remember(runtime, request->target.socket);
	if (ping(runtime, err))
		return true;
	runtime_release(runtime);
	return false;
}

void runtime_release(struct runtime *runtime)
{
	docker_free(runtime->docker);
	runtime->docker = NULL;
}

const char *runtime_name(const struct runtime *runtime)
{
	return runtime->is_podman ? "podman" : "docker";
}

const char *runtime_architecture_name(const char *machine)
{
	static const struct {
		const char *machine;
		const char *name;
	} names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" },
		{ "i686", "386" },     { "i386", "386" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(machine, names[i].machine) == 0)
			return names[i].name;
	return machine;
}

const char *runtime_image_id(const char *id)
{
	return text_starts_with(id, "sha256:") ? id + strlen("sha256:") : id;
}

static bool ask_info(struct runtime *runtime, json_t **info, struct error *err)
{
	AUTO(docker_call_free) struct docker_call *call = docker_call_new("GET", "/info");

	if (!docker_run(runtime->docker, call, err) || !docker_json(call, info, err))
		return false;
	runtime->has_info = true;
	runtime->limits.has_memory = json_get_bool(*info, "MemoryLimit", false);
	runtime->limits.has_cpu = json_get_bool(*info, "CpuCfsQuota", false);
	runtime->limits.has_pids = json_get_bool(*info, "PidsLimit", false);
	snprintf(runtime->architecture, sizeof(runtime->architecture), "%s",
		 runtime_architecture_name(json_get_string(*info, "Architecture", "")));
	free(known.socket);
	known.socket = xstrdup(runtime->socket);
	known.limits = runtime->limits;
	memcpy(known.architecture, runtime->architecture, sizeof(known.architecture));
	return true;
}

bool runtime_learn(struct runtime *runtime, struct error *err)
{
	AUTO(json_decref) json_t *info = NULL;

	return runtime->has_info || ask_info(runtime, &info, err);
}

static json_t *probe_warnings(const struct runtime *runtime, const json_t *info, bool is_plain)
{
	json_t *warnings = json_array();
	const struct runtime_limits limits = runtime->limits;
	json_t *warning;
	size_t i;

	if (!limits.has_memory)
		json_array_append_new(warnings, json_string("memory limits are not enforced here"));
	if (!limits.has_cpu)
		json_array_append_new(warnings, json_string("cpu limits are not enforced here"));
	if (!limits.has_pids)
		json_array_append_new(warnings, json_string("pids limits are not enforced here"));
	if (runtime->is_podman && json_get_bool(info, "Rootless", false))
		json_array_append_new(
		    warnings, json_string("podman is rootless: limits and isolation depend on its "
					  "network helper"));
	if (is_plain)
		json_array_append_new(
		    warnings,
		    json_string("the runtime is reached by plain TCP: whoever reaches its port is "
				"root on its machine"));
	if (!json_get_bool(info, "IPv4Forwarding", true))
		json_array_append_new(
		    warnings, json_string("IPv4 forwarding is off: published ports may not work"));
	json_array_foreach(json_object_get(info, "Warnings"), i, warning)
		json_array_append(warnings, warning);
	return warnings;
}

bool container_probe(const struct engine_request *request, json_t **data, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *info = NULL;

	if (!runtime_open(request, &runtime, err) || !ask_info(&runtime, &info, err))
		return false;
	*data = json_pack(
	    "{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "runtime", runtime_name(&runtime), "version",
	    runtime.version, "api", runtime.api, "architecture", runtime.architecture, "cpus",
	    (json_int_t)json_get_int64(info, "NCPU", 0), "memory_bytes",
	    (json_int_t)json_get_int64(info, "MemTotal", 0), "warnings",
	    probe_warnings(&runtime, info, runtime.is_remote && !request->target.certificates));
	return true;
}
