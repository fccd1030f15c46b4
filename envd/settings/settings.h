/*
 * settings.h - what can be configured, for envd and envd-reaper alike: one row each in settings.c,
 * from which the command line, the variables, the configuration file and the help are read.
 *
 * Precedence: command line, ENVD_... variable, configuration file (YAML, --config), default.
 */
#ifndef ENVD_SETTINGS_SETTINGS_H
#define ENVD_SETTINGS_SETTINGS_H

#include <jansson.h>
#include <stdint.h>

#include "base/option_table.h"
#include "settings/project.h"
#include "settings/source_settings.h"

struct target {
	char *name;
	char *engine; /* "container", "external", "pulumi" */
	char *socket; /* container: path of the API socket, or tcp://HOST:PORT; NULL: none found */
	char *certificates; /* folder with ca.pem, cert.pem, key.pem; NULL: no TLS */
	/* external: absolute path; NULL: what the template names. pulumi: its CLI; NULL: on PATH */
	char *program;
	char *publish_address; /* where ports are bound; "127.0.0.1" unless set */
	char *advertised;      /* what clients are told instead; NULL: the publish address */
	int64_t environments_max;
	int64_t memory_bytes_max; /* of all environments together; 0: not looked at */

	/* Only of the targets file (target_file.h): */
	bool is_listed;
	json_t *labels;         /* {name: value}, "kind" among them; NULL: none */
	char *kubeconfig;       /* absolute path; NULL: none */
	json_t *credentials;    /* {VARIABLE: {"file"|"variable"|"command": where}}; NULL: none */
	char **inventory;       /* what is on it, whosever it is; ends with NULL; NULL: none */
	char **clean;           /* empties it; likewise */
	int64_t settle_ms;      /* between the two listings that prove it empty */
	int64_t clean_limit_ms; /* longest run of `clean` */
};

struct settings {
	const char *config;
	const char *data;
	struct option_list listen; /* as given */
	const char *unix_socket;   /* path, from them, or the default */
	struct option_list tcp;    /* HOST:PORT, from them: with TLS */
	struct option_list plain_tcp;
	const char *tls_certificate; /* NULL: none */
	const char *tls_key;
	const char *tls_client_ca;
	int64_t token_lifetime_ms; /* longest that may be asked for */
	const char *runtime;       /* container API socket; NULL: looked for */
	struct option_list templates;
	struct option_list untrusted_templates;
	struct option_list price_books;      /* folders */
	int64_t price_age_ms;                /* older prices are marked as such */
	bool untrusted_registry_credentials; /* templates that are not trusted get them, too */
	int64_t queue_limit_ms;
	int64_t lease_grace_ms;
	int64_t check_limit_ms;
	int64_t destroy_limit_ms;
	int64_t create_slots;
	int64_t check_slots;
	int64_t destroy_slots;
	int64_t environments_max;
	int64_t open_max;
	int64_t connections_max; /* of the API */
	int64_t connections_per_peer_max;
	int64_t streams_max;
	int64_t execs_max;
	int64_t exec_limit_ms;
	int64_t request_deadline_ms;
	int64_t sweep_interval_ms;
	int64_t image_keep_ms;   /* images of ours that nothing uses */
	int64_t image_keep_gib;  /* the same, all together */
	int64_t keep_ended_ms;   /* rows, reports and logs of what was proved gone */
	int64_t keep_ended_max;  /* and of at most so many */
	int64_t retry_first_ms;  /* pause after a first failed destroy; doubles */
	int64_t keep_default_ms; /* of a failed one that somebody asked to look at */
	int64_t keep_max_ms;
	int64_t evidence_limit_ms; /* taking one may hold up a destroy by this; 0: none is taken */
	int64_t evidence_mib;      /* of one bundle */
	int64_t evidence_total_mib;
	const char *metrics_listen; /* "127.0.0.1:PORT"; NULL: nowhere */
	const char *otlp_endpoint;  /* "http[s]://HOST:PORT"; NULL: no traces */
	const char *otlp_ca;        /* PEM; NULL: the system's */
	int64_t source_limit_ms;    /* longest fetch of a git source */
	int64_t source_mib_max;     /* and its size */
	const char *log_level;
	bool no_reaper; /* envd: do not start one */
	bool stay;      /* envd-reaper: do not end when nothing is owed */

	const char *targets_file; /* targets.yaml; NULL: none */
	struct target *targets;   /* at least one */
	size_t target_count;
	struct project_list projects;
	struct source_settings *sources; /* may be none */
	size_t source_count;
	struct option_list owned; /* strings read from the file: freed by settings_release() */
};

/* Reads argv (argv[0] is skipped), the variables and the file. Arguments that are no options go to
 * `arguments`. Errors: ERR_INVALID naming the option or file:line:column. */
struct settings_usage {
	const char *program;
	const char *about;
	const struct option_group *more; /* options of this command alone; NULL: none */
};
NODISCARD bool settings_read(struct settings *settings, const struct settings_usage *usage,
			     int argc, char *const *argv, struct option_list *arguments,
			     struct error *err);
void settings_release(struct settings *settings);

/* The source of this name, or NULL. */
const struct source_settings *settings_source_named(const struct settings *settings,
						    const char *name);

/* The targets file again, as it is now; without one nothing happens. On failure everything stays as
 * it was. Pointers to targets are not valid any more. */
NODISCARD bool settings_reload_targets(struct settings *settings, struct error *err);

/* The help that belongs to the same rows; the caller frees. */
char *settings_help(const struct settings_usage *usage);

/* The target with this engine, or NULL. Every external engine runs on the target "local". */
const struct target *settings_target_for(const struct settings *settings, const char *engine);
const struct target *settings_target_named(const struct settings *settings, const char *name);

#endif
