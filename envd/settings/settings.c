#include "settings/settings.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byte_size.h"
#include "base/duration.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/yaml_read.h"
#include "settings/target.h"
#include "settings/target_file.h"

#define TOKEN_LIFETIME_MAX_MS (INT64_C(90) * 24 * 3600000)

#define AT(field) offsetof(struct settings, field)

static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };

// clang-format off
static const struct option rows[] = {
	{ "config", 0, OPTION_TEXT, AT(config), "FILE", "ENVD_CONFIG",
	  "YAML file with these same settings", NULL },
	{ "data", 0, OPTION_TEXT, AT(data), "DIR", "ENVD_DATA",
	  "where everything is kept (default /var/lib/envd)", NULL },
	{ "listen", 0, OPTION_LIST, AT(listen), "ADDRESS", "ENVD_LISTEN",
	  "unix:PATH (the last one counts; default $XDG_RUNTIME_DIR/envd/envd.sock, else /run/envd/envd.sock) or HOST:PORT, with TLS", NULL },
	{ "tls-certificate", 0, OPTION_TEXT, AT(tls_certificate), "FILE", "ENVD_TLS_CERTIFICATE",
	  "PEM, with what leads to its CA; read again when it changes and on SIGHUP", NULL },
	{ "tls-key", 0, OPTION_TEXT, AT(tls_key), "FILE", "ENVD_TLS_KEY",
	  "PEM, of that certificate", NULL },
	{ "tls-client-ca", 0, OPTION_TEXT, AT(tls_client_ca), "FILE", "ENVD_TLS_CLIENT_CA",
	  "clients on TCP must show a certificate of this CA, besides a token", NULL },
	{ "plain-tcp", 0, OPTION_LIST, AT(plain_tcp), "HOST:PORT", NULL,
	  "listen without TLS, on a loopback address only", NULL },
	{ "token-lifetime", 0, OPTION_DURATION, AT(token_lifetime_ms), "DURATION", NULL,
	  "longest life of a token (default and most: 90d)", NULL },
	{ "templates", 0, OPTION_LIST, AT(templates), "DIR", "ENVD_TEMPLATES",
	  "folder of trusted templates; may be given again", NULL },
	{ "targets-file", 0, OPTION_TEXT, AT(targets_file), "FILE", "ENVD_TARGETS_FILE",
	  "YAML list of clusters and cloud accounts to build on; read again when it changes", NULL },
	{ "untrusted-templates", 0, OPTION_LIST, AT(untrusted_templates), "DIR", NULL,
	  "folder of templates that get no path outside themselves, no runtime socket, no privileges", NULL },
	{ "untrusted-registry-credentials", 0, OPTION_FLAG, AT(untrusted_registry_credentials), NULL, NULL,
	  "pull images of these templates, too, with the credentials that are kept for registries", NULL },
	{ "price-books", 0, OPTION_LIST, AT(price_books), "DIR", "ENVD_PRICE_BOOKS",
	  "folder of price books (*.yaml), from which templates with price components are quoted; may be given again", NULL },
	{ "price-age", 0, OPTION_DURATION, AT(price_age_ms), "DURATION", NULL,
	  "prices that were looked up longer ago are marked as old (default 90d)", NULL },
	{ "runtime", 0, OPTION_TEXT, AT(runtime), "unix:PATH", "ENVD_RUNTIME",
	  "API socket of Docker or Podman (default: DOCKER_HOST, then the usual places)", NULL },
	{ "queue-limit", 0, OPTION_DURATION, AT(queue_limit_ms), "DURATION", NULL,
	  "how long a request may wait for a slot (default 30m)", NULL },
	{ "lease-grace", 0, OPTION_DURATION, AT(lease_grace_ms), "DURATION", "ENVD_LEASE_GRACE",
	  "granted once when a lease ended while envd was down (default 15m, 0s for none)", NULL },
	{ "check-limit", 0, OPTION_DURATION, AT(check_limit_ms), "DURATION", NULL,
	  "longest check run (default 15m)", NULL },
	{ "destroy-limit", 0, OPTION_DURATION, AT(destroy_limit_ms), "DURATION", NULL,
	  "longest single attempt at destroying (default 15m)", NULL },
	{ "destroy-retry", 0, OPTION_DURATION, AT(retry_first_ms), "DURATION", "ENVD_DESTROY_RETRY",
	  "pause after a failed destroy, doubling to 30 min (default 30s)", NULL },
	{ "create-slots", 0, OPTION_INTEGER, AT(create_slots), "N", NULL,
	  "environments built at the same time (default 4)", NULL },
	{ "check-slots", 0, OPTION_INTEGER, AT(check_slots), "N", NULL,
	  "check runs at the same time (default 4)", NULL },
	{ "destroy-slots", 0, OPTION_INTEGER, AT(destroy_slots), "N", NULL,
	  "environments destroyed at the same time (default 8)", NULL },
	{ "environments", 0, OPTION_INTEGER, AT(environments_max), "N", NULL,
	  "environments a target takes; more are queued (default 20)", NULL },
	{ "open-environments", 0, OPTION_INTEGER, AT(open_max), "N", NULL,
	  "environments that are not destroyed yet, queued ones too; more are refused (default 1000)", NULL },
	{ "connections", 0, OPTION_INTEGER, AT(connections_max), "N", NULL,
	  "connections to the API at the same time; more are told to come again (default 512)", NULL },
	{ "connections-per-peer", 0, OPTION_INTEGER, AT(connections_per_peer_max), "N", NULL,
	  "of them, those of one user of the socket or one address (default 200)", NULL },
	{ "streams", 0, OPTION_INTEGER, AT(streams_max), "N", NULL,
	  "followers of events and logs at the same time (default 256)", NULL },
	{ "execs", 0, OPTION_INTEGER, AT(execs_max), "N", NULL,
	  "commands and forwarded connections in environments at the same time (default 64)", NULL },
	{ "exec-limit", 0, OPTION_DURATION, AT(exec_limit_ms), "DURATION", NULL,
	  "how long one of them may last (default 8h)", NULL },
	{ "request-deadline", 0, OPTION_DURATION, AT(request_deadline_ms), "DURATION", NULL,
	  "from a connection to the last byte of its request (default 15s)", NULL },
	{ "sweep-interval", 0, OPTION_DURATION, AT(sweep_interval_ms), "DURATION", NULL,
	  "how often left-overs are looked for (default 10m)", NULL },
	{ "keep-ended", 0, OPTION_DURATION, AT(keep_ended_ms), "DURATION", NULL,
	  "how long the record of an ended environment is kept (default 30d)", NULL },
	{ "keep-ended-max", 0, OPTION_INTEGER, AT(keep_ended_max), "N", NULL,
	  "records of ended environments, the newest, kept at most (default 10000)", NULL },
	{ "image-keep", 0, OPTION_DURATION, AT(image_keep_ms), "DURATION", NULL,
	  "how long an image that envd pulled or built is kept when nothing uses it (default 72h)", NULL },
	{ "image-keep-gib", 0, OPTION_INTEGER, AT(image_keep_gib), "N", NULL,
	  "GiB of such images that are kept; more go earlier, the longest unused first (default 20)", NULL },
	{ "keep-failed", 0, OPTION_DURATION, AT(keep_default_ms), "DURATION", NULL,
	  "how long a failed environment is kept when asked without a time (default 20m)", NULL },
	{ "keep-failed-max", 0, OPTION_DURATION, AT(keep_max_ms), "DURATION", NULL,
	  "longest that a failed environment is kept, extensions included (default 4h, 0s for never)", NULL },
	{ "evidence-limit", 0, OPTION_DURATION, AT(evidence_limit_ms), "DURATION", NULL,
	  "how long evidence of a failure may hold up its destroy (default 30s, at most 30s, 0s for none)", NULL },
	{ "evidence-size", 0, OPTION_INTEGER, AT(evidence_mib), "MIB", NULL,
	  "largest evidence bundle (default 16)", NULL },
	{ "evidence-total", 0, OPTION_INTEGER, AT(evidence_total_mib), "MIB", NULL,
	  "of all evidence bundles; the oldest go first (default 1024)", NULL },
	{ "metrics-listen", 0, OPTION_TEXT, AT(metrics_listen), "127.0.0.1:PORT", "ENVD_METRICS_LISTEN",
	  "serve /metrics, and nothing else, to everybody on this machine (default: only on the socket)", NULL },
	{ "otlp-endpoint", 0, OPTION_TEXT, AT(otlp_endpoint), "http[s]://HOST:PORT", "ENVD_OTLP_ENDPOINT",
	  "send the life of every environment that ends to this OpenTelemetry collector (OTLP/HTTP, JSON)", NULL },
	{ "otlp-ca", 0, OPTION_TEXT, AT(otlp_ca), "FILE", "ENVD_OTLP_CA",
	  "the CA (PEM) that the certificate of an https:// collector must lead to (default: the system's)", NULL },
	{ "source-limit", 0, OPTION_DURATION, AT(source_limit_ms), "DURATION", NULL,
	  "longest fetch of a git source of templates (default 1m, at most 2m)", NULL },
	{ "source-size", 0, OPTION_INTEGER, AT(source_mib_max), "MIB", NULL,
	  "most that one fetch of a git source may bring, and that a commit may hold (default 256)", NULL },
	{ "log-level", 0, OPTION_CHOICE, AT(log_level), "LEVEL", "ENVD_LOG_LEVEL",
	  "debug, info, warn or error (default info)", log_levels },
	{ "no-reaper", 0, OPTION_FLAG, AT(no_reaper), NULL, NULL,
	  "envd: do not start envd-reaper (something else keeps it running)", NULL },
	{ "stay", 0, OPTION_FLAG, AT(stay), NULL, NULL,
	  "envd-reaper: do not end when envd is gone and nothing is owed", NULL },
	OPTIONS_END,
};
// clang-format on

static const struct settings defaults = {
	.data = "/var/lib/envd",
	.queue_limit_ms = 30 * 60000,
	.lease_grace_ms = 15 * 60000,
	.check_limit_ms = 15 * 60000,
	.destroy_limit_ms = 15 * 60000,
	.retry_first_ms = 30000,
	.create_slots = 4,
	.check_slots = 4,
	.destroy_slots = 8,
	.environments_max = 20,
	.open_max = 1000,
	.connections_max = 512,
	.connections_per_peer_max = 200,
	.streams_max = 256,
	.execs_max = 64,
	.exec_limit_ms = 8 * 3600000,
	.request_deadline_ms = 15000,
	.sweep_interval_ms = 10 * 60000,
	.image_keep_ms = (int64_t)72 * 3600000,
	.image_keep_gib = 20,
	.keep_ended_ms = 30 * 86400000LL,
	.keep_ended_max = 10000,
	.keep_default_ms = 20 * 60000,
	.keep_max_ms = 4 * 3600000,
	.evidence_limit_ms = 30000,
	.evidence_mib = 16,
	.evidence_total_mib = 1024,
	.source_limit_ms = 60000,
	.source_mib_max = 256,
	.price_age_ms = 90 * 86400000LL,
	.log_level = "info",
	.token_lifetime_ms = TOKEN_LIFETIME_MAX_MS,
};

static struct option_group group_of(struct settings *settings)
{
	return (struct option_group){ "Options", rows, settings };
}

/* ---- the file: the rows' names as keys, and targets ---- */

static const char *own(struct settings *settings, const char *text)
{
	const char *copy = xstrdup(text);

	option_list_add(&settings->owned, copy);
	return copy;
}

static bool set_duration(const struct yaml_document *file, const struct yaml_node *at,
			 const char *name, int64_t *ms, struct error *err)
{
	struct error inner;

	return duration_parse(at->text, name, ms, &inner) ||
	       yaml_error(file, at, err, "%s", inner.message);
}

static bool set_scalar(struct settings *settings, const struct yaml_document *file,
		       const struct yaml_node *at, const struct option *row, struct error *err)
{
	void *field = (char *)settings + row->offset;

	if (at->kind != YAML_SCALAR)
		return yaml_error(file, at, err, "\"%s\" must be a single value", row->name);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = strcmp(at->text, "true") == 0;
		return true;
	case OPTION_DURATION:
		return set_duration(file, at, row->name, field, err);
	case OPTION_INTEGER:
		return text_to_int64(at->text, field) ||
		       yaml_error(file, at, err, "\"%s\" must be a whole number", row->name);
	case OPTION_LIST:
		option_list_add(field, own(settings, at->text));
		return true;
	default:
		*(const char **)field = own(settings, at->text);
		return true;
	}
}

static bool set_row(struct settings *settings, const struct yaml_document *file,
		    const struct yaml_node *at, const struct option *row, struct error *err)
{
	if (row->kind != OPTION_LIST || at->kind != YAML_LIST)
		return set_scalar(settings, file, at, row, err);
	for (size_t i = 0; i < at->count; i++)
		if (!set_scalar(settings, file, at->items[i], row, err))
			return false;
	return true;
}

static const struct option *row_named(const char *name)
{
	/* People write the same list under the name that the design gives it. */
	const char *wanted = strcmp(name, "trusted_sources") == 0 ? "templates" : name;

	for (const struct option *row = rows; row->name; row++)
		if (strcmp(row->name, wanted) == 0 && row->kind != OPTION_ENDING)
			return row;
	return NULL;
}

static const char *without_scheme(const char *address)
{
	if (text_starts_with(address, "unix://"))
		return address + 7;
	return text_starts_with(address, "unix:") ? address + 5 : address;
}

static bool set_memory(const struct yaml_document *file, const struct yaml_node *at,
		       struct target *target, struct error *err)
{
	struct error inner;

	return byte_size_parse(at->kind == YAML_SCALAR ? at->text : "", "memory",
			       &target->memory_bytes_max, &inner) ||
	       yaml_error(file, at, err, "%s", inner.message);
}

static bool add_target(struct settings *settings, const struct yaml_document *file,
		       const struct yaml_node *at, struct error *err)
{
	static const char *const known[] = { "name",       "engine",
					     "socket",     "certificates",
					     "program",    "publish_address",
					     "advertised", "environments",
					     "memory",     NULL };
	struct target target = { .environments_max = settings->environments_max };
	const char *name, *engine;

	if (at->kind != YAML_MAP)
		return yaml_error(file, at, err, "a target must be a map");
	if (!yaml_only_keys(file, at, known, err) ||
	    !yaml_read_string(file, at, "name", &name, err) ||
	    !yaml_read_string(file, at, "engine", &engine, err) ||
	    (yaml_get(at, "environments") &&
	     !yaml_read_int64(file, at, "environments", &target.environments_max, err)))
		return false;
	target.name = xstrdup(name);
	target.engine = xstrdup(engine);
	if (yaml_get(at, "socket"))
		target.socket = xstrdup(without_scheme(yaml_get(at, "socket")->text));
	if (yaml_get(at, "certificates"))
		target.certificates = xstrdup(yaml_get(at, "certificates")->text);
	if (yaml_get(at, "memory") && !set_memory(file, yaml_get(at, "memory"), &target, err))
		return false;
	if (yaml_get(at, "advertised"))
		target.advertised = xstrdup(yaml_get(at, "advertised")->text);
	if (yaml_get(at, "program"))
		target.program = xstrdup(yaml_get(at, "program")->text);
	target.publish_address = xstrdup(
	    yaml_get(at, "publish_address") ? yaml_get(at, "publish_address")->text : "127.0.0.1");
	settings->targets = xrealloc(settings->targets, settings->target_count + 1, sizeof(target));
	settings->targets[settings->target_count++] = target;
	return true;
}

static bool add_source(struct settings *settings, const struct yaml_document *file,
		       const struct yaml_node *at, struct error *err)
{
	struct source_settings source;

	if (!source_settings_read(file, at, &source, err)) {
		source_settings_release(&source);
		return false;
	}
	if (settings_source_named(settings, source.name)) {
		yaml_error(file, at, err, "there are two sources \"%s\"", source.name);
		source_settings_release(&source);
		return false;
	}
	settings->sources = xrealloc(settings->sources, settings->source_count + 1, sizeof(source));
	settings->sources[settings->source_count++] = source;
	return true;
}

static bool read_list(struct settings *settings, const struct yaml_document *file,
		      const struct yaml_node *key, const struct yaml_node *list,
		      bool (*add)(struct settings *settings, const struct yaml_document *file,
				  const struct yaml_node *at, struct error *err),
		      struct error *err)
{
	if (list->kind != YAML_LIST)
		return yaml_error(file, list, err, "\"%s\" must be a list", key->text);
	for (size_t i = 0; i < list->count; i++)
		if (!add(settings, file, list->items[i], err))
			return false;
	return true;
}

static bool read_key(struct settings *settings, const struct yaml_document *file,
		     const struct yaml_node *key, const struct yaml_node *value, struct error *err)
{
	const struct option *row = row_named(key->text);

	if (strcmp(key->text, "targets") == 0)
		return read_list(settings, file, key, value, add_target, err);
	if (strcmp(key->text, "sources") == 0)
		return read_list(settings, file, key, value, add_source, err);
	if (strcmp(key->text, "projects") == 0)
		return projects_read(file, value, &settings->projects, err);
	if (!row)
		return yaml_error(file, key, err, "unknown setting \"%s\"", key->text);
	return set_row(settings, file, value, row, err);
}

static bool read_file(struct settings *settings, const char *path, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *file = NULL;

	if (!yaml_read_file(path, 1 << 20, &file, err))
		return false;
	if (!file->root || file->root->kind != YAML_MAP)
		return error_set(err, ERR_INVALID, "%s: must be a map of settings", path);
	for (size_t i = 0; i < file->root->count; i++)
		if (!read_key(settings, file, file->root->keys[i], file->root->items[i], err))
			return false;
	return true;
}

/* ---- what is found out when nobody says ---- */

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static char *find_runtime(const struct settings *settings)
{
	const char *docker_host = getenv("DOCKER_HOST"), *runtime_dir = getenv("XDG_RUNTIME_DIR");
	AUTO(free)
	char *rootless = xasprintf("%s/podman/podman.sock", runtime_dir ? runtime_dir : "");
	const char *const places[] = { "/run/podman/podman.sock", "/var/run/docker.sock",
				       rootless };

	if (settings->runtime)
		return xstrdup(without_scheme(settings->runtime));
	if (docker_host && text_starts_with(docker_host, "unix://"))
		return xstrdup(docker_host + 7);
	if (docker_host && text_starts_with(docker_host, "tcp://"))
		return xstrdup(docker_host);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_socket(places[i]))
			return xstrdup(places[i]);
	/* The message of the first attempt to use it says where one was expected. */
	return xstrdup(places[0]);
}

/* As docker's own client finds them; NULL where it would not use TLS. */
static char *find_certificates(void)
{
	const char *verify = getenv("DOCKER_TLS_VERIFY"), *path = getenv("DOCKER_CERT_PATH");
	const char *home = getenv("HOME");

	if (!verify || !*verify)
		return NULL;
	return path && *path ? xstrdup(path) : xasprintf("%s/.docker", home ? home : "");
}

static void add_default_target(struct settings *settings, const char *name, const char *engine,
			       char *socket)
{
	settings->targets =
	    xrealloc(settings->targets, settings->target_count + 1, sizeof(*settings->targets));
	settings->targets[settings->target_count++] = (struct target){
		.name = xstrdup(name),
		.engine = xstrdup(engine),
		.socket = socket,
		.publish_address = xstrdup("127.0.0.1"),
		.environments_max = settings->environments_max,
	};
}

static void fill_targets(struct settings *settings)
{
	if (!settings_target_for(settings, "container"))
		add_default_target(settings, "local", "container", find_runtime(settings));
	if (!settings_target_for(settings, "external"))
		add_default_target(settings, "external", "external", NULL);
	if (!settings_target_for(settings, "pulumi"))
		add_default_target(settings, "pulumi", "pulumi", NULL);
	for (size_t i = 0; i < settings->target_count; i++) {
		struct target *target = &settings->targets[i];

		if (!target->socket && strcmp(target->engine, "container") == 0)
			target->socket = find_runtime(settings);
		if (!target->certificates && target->socket &&
		    text_starts_with(target->socket, "tcp://"))
			target->certificates = find_certificates();
	}
}

/* Workers run in "/": a path that is relative is meant from where we were started. */
static const char *from_here(struct settings *settings, const char *path)
{
	AUTO(free) char *here = NULL;
	AUTO(free) char *whole = NULL;

	if (*path == '/')
		return path;
	here = getcwd(NULL, 0);
	whole = path_join(here ? here : "/", path);
	return own(settings, whole);
}

static void fill_folders(struct settings *settings)
{
	struct option_list *lists[] = { &settings->templates, &settings->untrusted_templates };

	settings->data = from_here(settings, settings->data);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			lists[i]->items[k] = from_here(settings, lists[i]->items[k]);
}

static void fill_listen(struct settings *settings)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	AUTO(free) char *path = NULL;

	for (size_t i = 0; i < settings->listen.count; i++) {
		const char *address = settings->listen.items[i];

		if (*address == '/' || text_starts_with(address, "unix:"))
			settings->unix_socket = without_scheme(address);
		else
			option_list_add(&settings->tcp, address);
	}
	/* Always there: a first token is made through it. */
	if (!settings->unix_socket) {
		path = runtime_dir && *runtime_dir ? xasprintf("%s/envd/envd.sock", runtime_dir)
						   : xstrdup("/run/envd/envd.sock");
		settings->unix_socket = own(settings, path);
	}
}

static bool check_access(const struct settings *settings, struct error *err)
{
	if (!settings->tls_certificate != !settings->tls_key)
		return error_set(err, ERR_INVALID,
				 "--tls-certificate and --tls-key need each other");
	if (settings->tls_client_ca && !settings->tls_certificate)
		return error_set(err, ERR_INVALID, "--tls-client-ca needs --tls-certificate");
	if (settings->tcp.count && !settings->tls_certificate) {
		error_set(err, ERR_INVALID, "--listen %s needs --tls-certificate and --tls-key",
			  settings->tcp.items[0]);
		return error_hint(err, "without TLS only loopback is possible: --plain-tcp");
	}
	if (settings->token_lifetime_ms < 60000 ||
	    settings->token_lifetime_ms > TOKEN_LIFETIME_MAX_MS)
		return error_set(err, ERR_INVALID, "--token-lifetime must be 1m to 90d");
	return true;
}

static bool check_http_bounds(const struct settings *settings, struct error *err)
{
	if (settings->connections_max < 1 || settings->connections_max > 65536)
		return error_set(err, ERR_INVALID, "--connections must be 1 to 65536");
	if (settings->connections_per_peer_max < 1 || settings->connections_per_peer_max > 65536)
		return error_set(err, ERR_INVALID, "--connections-per-peer must be 1 to 65536");
	if (settings->streams_max < 1 || settings->streams_max > 65536)
		return error_set(err, ERR_INVALID, "--streams must be 1 to 65536");
	if (settings->execs_max < 0 || settings->execs_max > 10000)
		return error_set(err, ERR_INVALID, "--execs must be 0 to 10000");
	if (settings->exec_limit_ms < 1000 || settings->exec_limit_ms > 7 * 86400000ll)
		return error_set(err, ERR_INVALID, "--exec-limit must be 1s to 7d");
	if (settings->request_deadline_ms < 500 || settings->request_deadline_ms > 10 * 60000)
		return error_set(err, ERR_INVALID, "--request-deadline must be 500ms to 10m");
	return true;
}

static bool check_evidence(const struct settings *settings, struct error *err)
{
	if (settings->evidence_limit_ms > 30000 ||
	    (settings->evidence_limit_ms > 0 && settings->evidence_limit_ms < 5000))
		return error_set(err, ERR_INVALID, "--evidence-limit must be 5s to 30s, or 0s");
	if (settings->evidence_mib < 1 || settings->evidence_mib > 256)
		return error_set(err, ERR_INVALID, "--evidence-size must be 1 to 256");
	if (settings->evidence_total_mib < settings->evidence_mib)
		return error_set(err, ERR_INVALID,
				 "--evidence-total must be at least --evidence-size");
	if (settings->keep_max_ms > 0 && settings->keep_default_ms > settings->keep_max_ms)
		return error_set(err, ERR_INVALID, "--keep-failed may not pass --keep-failed-max");
	return true;
}

static bool check_bounds(const struct settings *settings, struct error *err)
{
	if (settings->create_slots < 1 || settings->check_slots < 1 ||
	    settings->destroy_slots < 1 || settings->create_slots > 256 ||
	    settings->check_slots > 256 || settings->destroy_slots > 256)
		return error_set(
		    err, ERR_INVALID,
		    "--create-slots, --check-slots and --destroy-slots must be 1 to 256");
	if (settings->lease_grace_ms > 15 * 60000)
		return error_set(err, ERR_INVALID, "--lease-grace may be at most 15m");
	if (settings->keep_ended_ms < 0 || settings->keep_ended_max < 0)
		return error_set(err, ERR_INVALID,
				 "--keep-ended and --keep-ended-max must be at least 0");
	if (settings->image_keep_gib < 0 || settings->image_keep_gib > 1 << 20)
		return error_set(err, ERR_INVALID, "--image-keep-gib must be 0 to 1048576");
	if (settings->price_age_ms < 86400000LL || settings->price_age_ms > 3650 * 86400000LL)
		return error_set(err, ERR_INVALID, "--price-age must be 1d to 3650d");
	if (settings->retry_first_ms < 100)
		return error_set(err, ERR_INVALID, "--destroy-retry must be at least 100ms");
	if (settings->source_limit_ms < 1000 || settings->source_limit_ms > 120000)
		return error_set(err, ERR_INVALID, "--source-limit must be 1s to 2m");
	if (settings->source_mib_max < 1 || settings->source_mib_max > 10240)
		return error_set(err, ERR_INVALID, "--source-size must be 1 to 10240");
	if (strlen(settings->unix_socket) > 107)
		return error_set(err, ERR_INVALID,
				 "--listen \"%s\" is too long for a socket (at most 107 bytes)",
				 settings->unix_socket);
	for (size_t i = 0; i < settings->target_count; i++)
		if (!target_check(&settings->targets[i], err))
			return false;
	return check_access(settings, err) && check_http_bounds(settings, err) &&
	       check_evidence(settings, err);
}

static struct option_spec spec_of(const struct settings_usage *usage, struct option_group groups[2],
				  struct settings *settings)
{
	groups[0] = usage->more ? *usage->more : group_of(settings);
	groups[1] = group_of(settings);
	return (struct option_spec){ .program = usage->program,
				     .synopsis = "",
				     .about = usage->about,
				     .groups = groups,
				     .group_count = usage->more ? 2 : 1,
				     .arguments_max = 8 };
}

static bool parse(struct settings *settings, const struct settings_usage *usage, int argc,
		  char *const *argv, struct option_list *arguments, struct error *err)
{
	struct option_group groups[2];
	struct option_spec spec = spec_of(usage, groups, settings);

	return options_parse(&spec, argc, argv, arguments, err);
}

/* The command line is read twice: to find the file, and then over what the file said. */
static bool read_all(struct settings *settings, const struct settings_usage *usage, int argc,
		     char *const *argv, struct option_list *arguments, struct error *err)
{
	AUTO(option_list_release) struct option_list ignored = OPTION_LIST_EMPTY;
	struct settings first = defaults;
	bool done = parse(&first, usage, argc, argv, &ignored, err);

	option_list_release(&first.listen);
	option_list_release(&first.plain_tcp);
	option_list_release(&first.templates);
	option_list_release(&first.untrusted_templates);
	option_list_release(&first.price_books);
	return done && (!first.config || read_file(settings, first.config, err)) &&
	       parse(settings, usage, argc, argv, arguments, err);
}

bool settings_read(struct settings *settings, const struct settings_usage *usage, int argc,
		   char *const *argv, struct option_list *arguments, struct error *err)
{
	*settings = defaults;
	if (!read_all(settings, usage, argc, argv, arguments, err)) {
		settings_release(settings);
		return false;
	}
	fill_folders(settings);
	fill_listen(settings);
	if (settings_reload_targets(settings, err)) {
		fill_targets(settings);
		if (check_bounds(settings, err))
			return true;
	}
	settings_release(settings);
	return false;
}

bool settings_reload_targets(struct settings *settings, struct error *err)
{
	return !settings->targets_file || target_file_read(settings, settings->targets_file, err);
}

void settings_release(struct settings *settings)
{
	for (size_t i = 0; i < settings->target_count; i++)
		target_release(&settings->targets[i]);
	free(settings->targets);
	for (size_t i = 0; i < settings->source_count; i++)
		source_settings_release(&settings->sources[i]);
	free(settings->sources);
	for (size_t i = 0; i < settings->owned.count; i++)
		free((void *)(uintptr_t)settings->owned.items[i]);
	option_list_release(&settings->owned);
	option_list_release(&settings->listen);
	option_list_release(&settings->tcp);
	option_list_release(&settings->plain_tcp);
	projects_release(&settings->projects);
	option_list_release(&settings->templates);
	option_list_release(&settings->untrusted_templates);
	option_list_release(&settings->price_books);
}

char *settings_help(const struct settings_usage *usage)
{
	struct settings values = defaults;
	struct option_group groups[2];
	struct option_spec spec = spec_of(usage, groups, &values);
	struct text help = TEXT_EMPTY;

	options_help(&spec, 100, &help);
	return text_take(&help);
}

const struct target *settings_target_for(const struct settings *settings, const char *engine)
{
	for (size_t i = 0; i < settings->target_count; i++)
		if (strcmp(settings->targets[i].engine, engine) == 0)
			return &settings->targets[i];
	return NULL;
}

const struct target *settings_target_named(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->target_count; i++)
		if (strcmp(settings->targets[i].name, name) == 0)
			return &settings->targets[i];
	return NULL;
}

const struct source_settings *settings_source_named(const struct settings *settings,
						    const char *name)
{
	for (size_t i = 0; i < settings->source_count; i++)
		if (strcmp(settings->sources[i].name, name) == 0)
			return &settings->sources[i];
	return NULL;
}
