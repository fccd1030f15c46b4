#include "cli/doctor.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

enum { CLOCK_SKEW_MAX_MS = 3000, PING_MS = 3000 };

static void look_at_clock(struct findings *findings, int64_t server_at_ms)
{
	/* A Date header has whole seconds, cut off. */
	int64_t skew_ms = clock_wall_ms() - server_at_ms - 500;

	if (!server_at_ms)
		return;
	if (skew_ms > CLOCK_SKEW_MAX_MS || skew_ms < -CLOCK_SKEW_MAX_MS)
		finding_add(
		    findings, FINDING_PROBLEM, "clock",
		    "set both clocks by NTP: timedatectl set-ntp true",
		    "this clock is %lld s %s the server's, so leases seem to end at other times",
		    (long long)(skew_ms < 0 ? -skew_ms : skew_ms) / 1000,
		    skew_ms < 0 ? "behind" : "ahead of");
	else
		finding_add(findings, FINDING_OK, "clock", NULL, "agrees with the server's");
}

static void look_at_targets(struct findings *findings, struct api_client *client)
{
	AUTO(json_decref) json_t *targets = NULL;
	struct error err;
	size_t i;
	json_t *target;

	if (!api_get_all(client, "/v1/targets", &targets, &err)) {
		finding_add(findings, FINDING_PROBLEM, "targets", NULL, "%s", err.message);
		return;
	}
	json_array_foreach(targets, i, target) {
		findings->has_server_runtime |=
		    text_equal(json_get_string(target, "engine", ""), "container");
		finding_add(findings, FINDING_OK, "target", NULL,
			    "%s: engine %s, %lld of %lld environments",
			    json_get_string(target, "name", "?"),
			    json_get_string(target, "engine", "?"),
			    (long long)json_get_int64(target, "environments", 0),
			    (long long)json_get_int64(target, "environments_max", 0));
	}
	if (!json_array_size(targets))
		finding_add(findings, FINDING_PROBLEM, "targets",
			    "start envd with a container runtime's socket (envd --help)",
			    "the server has nothing to build on");
}

void doctor_server(struct findings *findings, struct api_client *client)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .path = "/v1/version" };
	int64_t began_us = clock_mono_us();
	struct error err;

	if (!api_call(client, &request, &answer, &err)) {
		findings->is_server_away = error_is_transient(&err);
		finding_add(findings, FINDING_PROBLEM, "server",
			    findings->is_server_away
				? "start it: envd --data DIR --templates DIR; or name it: --server"
				: err.hint,
			    "%s", err.message);
		return;
	}
	if (!api_client_check_version(client, &err)) {
		finding_add(findings, FINDING_PROBLEM, "server", err.hint, "%s", err.message);
		return;
	}
	finding_add(findings, FINDING_OK, "server", NULL, "envd %s at %s, answered in %.1f ms",
		    json_get_string(answer.json, "version", "?"), api_client_server(client),
		    (double)(clock_mono_us() - began_us) / 1000);
	look_at_clock(findings, answer.server_at_ms);
	look_at_targets(findings, client);
}

/* ---- runtimes ---- */

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* "podman 4.3.1" */
static void describe(const json_t *version, char *into, size_t size)
{
	const json_t *first = json_array_get(json_object_get(version, "Components"), 0);
	bool is_podman = strstr(json_get_string(first, "Name", ""), "Podman") != NULL;

	snprintf(into, size, "%s %s, API %s", is_podman ? "Podman" : "Docker",
		 json_get_string(version, "Version", "?"),
		 json_get_string(version, "ApiVersion", "?"));
}

/* True if it answers. */
static bool look_at_socket(struct findings *findings, const char *path)
{
	AUTO(api_client_free) struct api_client *client = NULL;
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	AUTO(free) char *address = xasprintf("unix:%s", path);
	struct api_request request = { .path = "/version",
				       .timeout_ms = PING_MS,
				       .is_single = true };
	struct error err;
	char words[120];

	if (!is_socket(path))
		return false;
	if (access(path, R_OK | W_OK) != 0) {
		finding_add(findings, FINDING_NOTE, "runtime",
			    "run as root, or join the group that owns it", "%s: not ours to use",
			    path);
		return false;
	}
	if (!api_client_new(address, &client, &err) || !api_call(client, &request, &answer, &err)) {
		finding_add(findings, FINDING_NOTE, "runtime",
			    "restart the service behind it, or remove the stale socket",
			    "%s: there, but it does not answer", path);
		return false;
	}
	describe(answer.json, words, sizeof(words));
	finding_add(findings, FINDING_OK, "runtime", NULL, "%s at %s", words, path);
	return true;
}

void doctor_runtimes(struct findings *findings)
{
	const char *host = getenv("DOCKER_HOST"), *folder = getenv("XDG_RUNTIME_DIR");
	const char *envd = getenv("ENVD_RUNTIME");
	AUTO(free)
	char *own = folder && *folder ? xasprintf("%s/podman/podman.sock", folder) : NULL;
	const char *const paths[] = {
		host && text_starts_with(host, "unix://") ? host + strlen("unix://") : NULL,
		envd && text_starts_with(envd, "unix:") ? envd + strlen("unix:") : NULL,
		own,
		"/run/podman/podman.sock",
		"/run/docker.sock",
	};
	size_t answering = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (paths[i] && (i == 0 || !text_equal(paths[i], paths[0])))
			answering += look_at_socket(findings, paths[i]);
	if (!answering && findings->has_server_runtime)
		finding_add(findings, FINDING_OK, "runtime", NULL,
			    "none at its usual socket; the server uses another one");
	else if (!answering)
		finding_add(
		    findings, FINDING_PROBLEM, "runtime",
		    "install Podman and start its socket: systemctl enable --now podman.socket, "
		    "or podman system service --time=0 unix:///run/podman/podman.sock &",
		    "no container runtime answers at its usual socket");
}
