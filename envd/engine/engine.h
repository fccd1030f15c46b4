/*
 * engine.h - what a deploy engine answers. Worker side: blocking, straight-line code; nothing here
 * knows the daemon or the store.
 *
 * Every verb is repeatable. `create` resumes at the first unfinished layer, `destroy` of something
 * that is not there is success. Each verb says what it does through `lines` and leaves its data as
 * one JSON object. A verb that failed may leave data too (what it got done, last log lines).
 *
 * Everything that an engine makes carries the labels of struct engine_labels, so that a sweep needs
 * no database to know whose it is and when it is overdue (design.md section 5):
 *
 *	envd-instance, envd-environment, envd-sequence, envd-hard-wall (Unix seconds)
 *
 * data of each verb:
 *	plan      {"lock": {...}, "layers": [{"name","needs":[...]}]}
 *	create    {"outputs": {name: value}, "addresses":
 *[{"service","host","port","container_port"}], "services": [SERVICE...], "lock": {...}} inspect
 *{"services": [SERVICE...], "drift": [{"service","what"}], "healthy": true} recover   {"found": n}
 *after an unknown ending: look, clean half-made things destroy   {"removed": n, "state_empty":
 *true, "pending": 0, "left": [ITEM...]} inventory {"complete": true, "items": [ITEM...]} SERVICE =
 *{"name","container","image","image_id","version","state","health","addresses":[...],
 *	           "restarts","memory_bytes_max"}
 *	ITEM    =
 *{"kind","id","name","instance","environment","sequence","hard_wall_s","created_at_s"}
 */
#ifndef ENVD_ENGINE_ENGINE_H
#define ENVD_ENGINE_ENGINE_H

#include "base/ids.h"
#include "base/json_read.h"
#include "kube/kube_access.h"
#include "wire/worker_lines.h"

struct engine_target {
	const char *name;
	const char *engine;
	const char *socket;          /* container: path of the API socket, or tcp://HOST:PORT */
	const char *certificates;    /* folder with ca.pem, cert.pem, key.pem; NULL: no TLS */
	const char *advertised;      /* what clients are told instead of the address; or NULL */
	const char *publish_address; /* where host ports are bound; "127.0.0.1" unless set */
	const char *program; /* external: absolute path of the engine program; pulumi: of its CLI */
	/* Of the targets file; NULL or 0 for others: */
	const char *kubeconfig;    /* to be copied, never used as it is */
	const json_t *labels;      /* {name: value} */
	const json_t *credentials; /* {VARIABLE: where it is} (target_access.h) */
	int64_t claim_number;      /* the fence: a later claim of it has a higher one */
	const char *claim_file;    /* gone when the claim has ended */
};

struct engine_request {
	const char *task;
	const char *instance;      /* of this envd installation */
	struct env_id environment; /* "" for verbs about a whole target */
	const char *environment_name;
	int64_t sequence;
	int64_t hard_wall_s; /* Unix seconds */
	const char *folder;  /* of the environment: ours to write into; NULL for a whole target */
	const char
	    *template_folder; /* the snapshot inside `folder`; NULL after the environment ended */
	bool is_trusted; /* the template's source; untrusted gets design.md section 5 *Trust* */
	bool may_use_credentials; /* of registries: trusted, or the settings allow it to all */
	const json_t *pins;       /* {component: version} as asked */
	const json_t *parameters; /* {name: value}, validated, defaults filled in */
	const json_t *lock;       /* of an earlier attempt, or NULL */
	struct engine_target target;
	int64_t deadline_at_ms; /* wall clock; 0: none */
	const json_t *whole;    /* the request as sent, for external engines */
};

struct engine_exec_result {
	int status;
	char *output; /* stdout and stderr, at most 64 KiB; the caller frees */
};

/* A command with somebody at the other end of `fd`, who speaks as wire/tunnel_frames.h says. */
struct engine_attachment {
	const char *service;
	const char *const *argv;
	bool has_terminal;
	int rows, columns;
	int fd;
	int64_t time_limit_ms; /* 0: none */
};

/* A part of a long list. */
struct engine_page {
	int64_t after, limit; /* items whose number is greater, so many at most */
	const char *layer;    /* of this one alone; NULL: of all */
};

struct engine {
	const char *name;
	int64_t settle_ms; /* between the two inventories that prove emptiness */

	bool (*plan)(const struct engine_request *request, struct worker_lines *lines,
		     json_t **data, struct error *err);
	bool (*create)(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err);
	bool (*inspect)(const struct engine_request *request, struct worker_lines *lines,
			json_t **data, struct error *err);
	bool (*recover)(const struct engine_request *request, struct worker_lines *lines,
			json_t **data, struct error *err);
	bool (*destroy)(const struct engine_request *request, struct worker_lines *lines,
			json_t **data, struct error *err);

	/* `environment` NULL: everything of the instance on this target. Never true with a part of
	 * the list: what could not be listed makes "complete" false. */
	bool (*inventory)(const struct engine_request *request, const struct env_id *environment,
			  struct worker_lines *lines, json_t **data, struct error *err);

	/* Run a command inside a service (checks of kind exec and dns; NULL where impossible). */
	bool (*exec)(const struct engine_request *request, const char *service,
		     const char *const *argv, int64_t time_limit_ms,
		     struct engine_exec_result *result, struct error *err);

	/* The same, live. Says {"type":"begun"} when it has started; an error before that is
	 * returned, and whatever happens later is told through `fd` and is true here. Nothing of
	 * the command is left when its client goes away. SIGTERM ends it. */
	bool (*attach)(const struct engine_request *request,
		       const struct engine_attachment *attachment, struct worker_lines *lines,
		       struct error *err);

	/* A connection to a port of a service, published or not. */
	bool (*dial)(const struct engine_request *request, const char *service, int port, int *fd,
		     struct error *err);

	/* Write {"type":"line","service","stream","at","text"} lines; `service` NULL: all of them.
	 */
	bool (*logs)(const struct engine_request *request, const char *service, bool follow,
		     int64_t tail_lines, struct worker_lines *lines, struct error *err);

	/* Everything there is, {"items": [RESOURCE...], "next": 0 or the last one's number}; NULL:
	 * what `inventory` answers. RESOURCE = {"layer","type","name","id","urn","parent","link"}
	 */
	bool (*resources)(const struct engine_request *request, const struct engine_page *page,
			  struct worker_lines *lines, json_t **data, struct error *err);

	/* What its operations changed, likewise; NULL: it keeps no such books. Reads what is there,
	 * also after the end of the environment. */
	bool (*updates)(const struct engine_request *request, const struct engine_page *page,
			json_t **data, struct error *err);

	/* How to log in to its cluster; NULL: it has no clusters. Both: ERR_CONFLICT "no_cluster"
	 * where this environment has none. */
	bool (*cluster)(const struct engine_request *request, struct kube_access *access,
			struct error *err);
	/* What leads there for somebody else, {"kubeconfig": {...}}. */
	bool (*kubeconfig)(const struct engine_request *request, json_t **data, struct error *err);

	/* Remove images that nothing needs: container/image_collect.h. NULL: it has none. */
	bool (*images)(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err);

	/* All that the runtime says about it, unjudged, for evidence; NULL: nothing to add. */
	bool (*state)(const struct engine_request *request, struct worker_lines *lines,
		      json_t **data, struct error *err);

	/* Version, reachability and limits of the target:
	 * {"runtime","version","api","warnings":[...]}. */
	bool (*probe)(const struct engine_request *request, json_t **data, struct error *err);
};

/* NULL for a name that is none of `template_engines`. */
const struct engine *engine_find(const char *name);

#endif
