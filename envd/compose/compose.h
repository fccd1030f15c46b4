/*
 * compose.h - a Compose project as data: loaded, merged, interpolated, validated. It reads the
 * template's files and nothing else; what they may name is compose_trust.h's to say.
 *
 * A key of the Compose specification that envd does not honour is an error which names it, with its
 * place ("compose.yaml:12:5: service "web": "network_mode" is not supported"); nothing is ignored
 * in silence but `version:` and `x-...` keys. So what is in these structs is all that the files ask
 * for. templates/README.md has every key.
 *
 * Interpolation: $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?error}, ${NAME?error},
 * ${NAME:+alternative}, ${NAME+alternative}, $$ for a dollar sign; in values, not in keys. A
 * variable that is not set and has no default is an error, where other Compose tools warn and go on
 * with nothing.
 *
 * What may be asked of an engine is another question: see compose_trust.h.
 */
#ifndef ENVD_COMPOSE_COMPOSE_H
#define ENVD_COMPOSE_COMPOSE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

#define COMPOSE_SERVICES_MAX 100
#define COMPOSE_BYTES_MAX ((size_t)1024 * 1024)

/* Where a thing stands, line and column from 1. */
struct compose_place {
	int line;
	int column;
	int layer;        /* what was merged over something else has a higher one */
	const char *file; /* as named in errors; as long as the struct compose_file */
};

/* `items` ends with NULL, and is NULL itself only when count is 0. */
struct compose_strings {
	char **items;
	size_t count;
};

/* NAME=value, of `environment:` and `labels:`. */
struct compose_pair {
	char *name;
	char *value;
	struct compose_place at;
};

struct compose_pairs {
	struct compose_pair *items;
	size_t count;
};

/* `command:` and `entrypoint:`. Not set: the image's. Set with count 0: none at all. */
struct compose_command {
	bool is_set;
	struct compose_strings
	    argv; /* a string in the file is split as a shell would, without expansion */
	struct compose_place at;
};

struct compose_port {
	char *host_address; /* NULL: the target's publish address */
	int host_port;      /* 0: chosen by the system */
	int container_port;
	const char *protocol; /* "tcp" or "udp" */
	struct compose_place at;
};

struct compose_ports {
	struct compose_port *items;
	size_t count;
};

enum compose_condition {
	COMPOSE_STARTED,   /* service_started */
	COMPOSE_HEALTHY,   /* service_healthy */
	COMPOSE_COMPLETED, /* service_completed_successfully: exited with status 0 */
};

struct compose_dependency {
	char *service; /* exists, and is not the service itself */
	enum compose_condition condition;
	bool is_required; /* false: its failing is only a warning */
	struct compose_place at;
};

struct compose_dependencies {
	struct compose_dependency *items;
	size_t count;
};

enum compose_health_kind {
	COMPOSE_HEALTH_OF_IMAGE, /* not in the file: the image's HEALTHCHECK, if it has one */
	COMPOSE_HEALTH_NONE,     /* `disable: true` or `test: [NONE]` */
	COMPOSE_HEALTH_EXEC,     /* `test: [CMD, ...]`: test holds argv */
	COMPOSE_HEALTH_SHELL,    /* `test: [CMD-SHELL, x]` or a string: test holds one string for
				    /bin/sh -c */
};

/* Times that the file does not give are the specification's defaults, written out here. */
struct compose_health {
	enum compose_health_kind kind;
	struct compose_strings test; /* without the leading CMD or CMD-SHELL */
	int64_t interval_ms;         /* 30 s */
	int64_t timeout_ms;          /* 30 s */
	int64_t start_period_ms;     /* 0 */
	int64_t start_interval_ms;   /* 5 s; in the start period */
	int retries;                 /* 3 */
	struct compose_place at;
};

/* A service on a network. */
struct compose_attachment {
	char *network;                  /* a key of the file's networks, "default" included */
	struct compose_strings aliases; /* besides the service's name */
	struct compose_place at;
};

struct compose_attachments {
	struct compose_attachment *items;
	size_t count;
};

enum compose_mount_kind {
	COMPOSE_MOUNT_VOLUME,    /* source is a key of the file's volumes */
	COMPOSE_MOUNT_ANONYMOUS, /* a volume without a name; source is NULL */
	COMPOSE_MOUNT_BIND,      /* source is a path as written: "./conf", "/srv", "~/x" */
	COMPOSE_MOUNT_TMPFS,     /* in memory; source is NULL */
};

struct compose_mount {
	enum compose_mount_kind kind;
	char *source;
	char *target; /* absolute path in the container */
	bool is_read_only;
	bool is_nocopy;      /* a new volume does not get what the image has at `target` */
	const char *relabel; /* bind: "z", "Z" or NULL, for machines with SELinux */
	int64_t tmpfs_bytes; /* 0: no limit of its own */
	int tmpfs_mode;      /* 0: the runtime's */
	char *tmpfs_options; /* further mount options, ",noexec,uid=5", or NULL */
	struct compose_place at;
};

/* `volumes:` and `tmpfs:` of a service together. */
struct compose_mounts {
	struct compose_mount *items;
	size_t count;
};

/* A config or a secret as one service sees it. */
struct compose_config_use {
	char *source; /* a key of the file's configs, or secrets */
	char *target; /* absolute path in the container; unless given "/SOURCE", and for a secret
			 "/run/secrets/SOURCE" */
	int mode;     /* permissions; 0444 unless given */
	int64_t uid;
	int64_t gid;
	struct compose_place at;
};

struct compose_config_uses {
	struct compose_config_use *items;
	size_t count;
};

enum compose_restart {
	COMPOSE_RESTART_NO,
	COMPOSE_RESTART_ALWAYS,
	COMPOSE_RESTART_ON_FAILURE,
	COMPOSE_RESTART_UNLESS_STOPPED,
};

/* From deploy.resources.limits, or mem_limit, cpus and pids_limit. 0: no limit. */
struct compose_limits {
	int64_t memory_bytes;
	int64_t nano_cpus; /* 1.5 cpus are 1500000000 */
	int64_t pids;
};

enum compose_pull {
	COMPOSE_PULL_MISSING, /* `missing`, `if_not_present`: unless the target has it */
	COMPOSE_PULL_ALWAYS,
	COMPOSE_PULL_NEVER,
	COMPOSE_PULL_BUILD, /* `build`: made again even if the target has it */
};

/* `build:` of a service. */
struct compose_build {
	char *context;           /* folder, from the template's: ".", "./web" */
	char *dockerfile;        /* path below the context; "Dockerfile" unless given */
	char *dockerfile_inline; /* instead of it; NULL: none */
	struct compose_pairs args;
	struct compose_pairs labels;
	char *target;  /* stage; NULL: the last */
	char *network; /* "none", "host", "default"; NULL: the runtime's default */
	bool no_cache;
	bool pull; /* its base images, even if the target has them */
	struct compose_place at;
};

/* A list of texts, each once. */
struct compose_list {
	struct compose_strings texts;
	struct compose_place at;
};

struct compose_device {
	char *source;
	char *target;
	char *permissions; /* of r, w, m */
	struct compose_place at;
};

/* What the service may do beyond, or less than, a plain container. */
struct compose_powers {
	bool is_privileged;
	bool is_read_only; /* its root file system */
	struct compose_list cap_add;
	struct compose_list cap_drop;
	struct compose_list group_add;
	struct compose_pairs sysctls;
	struct compose_device *devices;
	size_t device_count;
	struct compose_place privileged_at;
	struct compose_place sysctls_at;
};

/* How it is called and finds others. NULL and empty: the runtime's. */
struct compose_naming {
	char *hostname;
	char *domainname;
	struct compose_list dns; /* IP addresses */
	struct compose_list dns_search;
	struct compose_list dns_opt;
	struct compose_list extra_hosts; /* HOST:ADDRESS; an IP address or host-gateway */
};

struct compose_ulimit {
	char *name;
	int64_t soft; /* -1: none */
	int64_t hard;
};

#define COMPOSE_STOP_GRACE_MAX_MS                                                                  \
	60000 /* an environment that ends must not be held up for long                             \
	       */

struct compose_process {
	bool has_init;
	char *stop_signal; /* NULL: the image's */
	bool has_stop_grace;
	int64_t stop_grace_ms;
	int64_t shm_bytes; /* 0: the runtime's */
	struct compose_ulimit *ulimits;
	size_t ulimit_count;
	char *log_driver; /* "json-file", "local"; NULL: the runtime's */
	struct compose_pairs log_options;
};

struct compose_service {
	char *name;
	char *image;                 /* NULL: what `build` makes is its image */
	struct compose_build *build; /* NULL: none */
	enum compose_pull pull;
	char *platform;                  /* "linux/amd64"; NULL: the target's own */
	struct compose_strings profiles; /* that bring it; none: it is always there */
	struct compose_command command;
	struct compose_command entrypoint;
	struct compose_pairs variables; /* `environment:`, and `env_file:` behind it */
	struct compose_ports ports;
	struct compose_ports expose;       /* only container_port and protocol */
	struct compose_dependencies needs; /* `depends_on:` */
	struct compose_health health;
	struct compose_attachments networks; /* at least one */
	struct compose_mounts mounts;
	struct compose_config_uses configs;
	struct compose_config_uses secrets;
	struct compose_powers powers;
	struct compose_naming naming;
	struct compose_process process;
	struct compose_pairs labels;
	char *user;        /* NULL: the image's */
	char *working_dir; /* NULL: the image's */
	struct compose_limits limits;
	enum compose_restart restart;
	int restart_retries;           /* on-failure:N; 0: no bound */
	struct compose_place at;       /* of its key */
	struct compose_place image_at; /* of its image */
};

/* A top-level network or volume. */
struct compose_name {
	char *name;
	bool is_internal; /* a network without a way out */
	struct compose_place at;
};

struct compose_names {
	struct compose_name *items;
	size_t count;
};

/* A config or a secret. Exactly one of `file`, `content` and `variable` is there. */
struct compose_config {
	char *name;
	char *file;     /* a path from the template's folder, or an absolute one */
	char *content;  /* configs only */
	char *variable; /* whose value it is */
	char *value;    /* of the variable among the template's; NULL: it is not among them */
	struct compose_place at;
};

struct compose_configs {
	struct compose_config *items;
	size_t count;
};

struct compose_origins;

struct compose_file {
	char *path;                       /* of the first of its files, as named in errors */
	struct compose_origins *origins;  /* of its parts: compose_origin.h */
	char *name;                       /* top-level `name:` or NULL; not used to name anything */
	struct compose_service *services; /* in the file's order */
	size_t service_count;
	struct compose_names networks; /* "default" is among them if a service is on it */
	struct compose_names volumes;
	struct compose_configs configs;
	struct compose_configs secrets;
	struct compose_strings
	    variables_used; /* every variable the file mentions, each once, sorted */
};

/* What compose_load() reads. */
struct compose_request {
	const char *folder;         /* the template's: where relative paths start */
	bool is_trusted;            /* its source; the untrusted read nothing outside of `folder` */
	const char *const *sources; /* files in it, at least one, each merged over those before it;
				       ends with NULL */
	const json_t *variables;    /* object of texts, or NULL; FOLDER/.env stands in for what is
				       not among them */
};

/*
 * The files, with what they include and extend, as one; compose_check_trust() is part of it. The
 * result is checked: references to services, networks, volumes, configs and secrets exist,
 * dependencies have no cycle. Services of profiles that are not asked for are not in it.
 * Error: ERR_INVALID with "PATH:LINE:COLUMN: "; slugs yaml_malformed, compose_unsupported (a key
 * that is not honoured), compose_variable, compose_cycle, compose_invalid (all else); ERR_NOT_FOUND
 * for a file that is not there; ERR_DENIED, slug template_not_trusted.
 */
NODISCARD bool compose_load(const struct compose_request *request, struct compose_file **file,
			    struct error *err);

/* One text, which `path` names in errors; a reference to any other file is an error. */
NODISCARD bool compose_parse(const char *bytes, size_t length, const char *path,
			     const json_t *variables, struct compose_file **file,
			     struct error *err);

void compose_free(struct compose_file *file);
DEFINE_AUTO(struct compose_file *, compose_free)

/* NULL if there is none. */
const struct compose_service *compose_service_find(const struct compose_file *file,
						   const char *name);
/* In the file's configs or its secrets; NULL if there is none. */
const struct compose_config *compose_config_find(const struct compose_configs *configs,
						 const char *name);

/* ERR_INVALID, slug `slug` (a literal), "PATH:LINE:COLUMN: " and the text: for what others find
 * wrong with a thing of this file. */
bool compose_error(const struct compose_file *file, struct compose_place at, const char *slug,
		   struct error *err, const char *format, ...) PRINTF_LIKE(5, 6);

#endif
