/*
 * api_change.h - a request that changes something: noted now, applied inside the transaction at the
 * end of the loop turn, answered after its commit.
 */
#ifndef ENVD_API_API_CHANGE_H
#define ENVD_API_API_CHANGE_H

#include "api/api_context.h"
#include "control/lifecycle.h"
#include "store/store_tokens.h"

struct api_change {
	struct api *api;
	struct http_request *request;
	struct caller caller;
	const char *verb; /* for the log and the audit history: "create" */
	json_t *body;     /* NULL: none was sent */

	/* Fills in `env` and what its answer needs. */
	bool (*apply)(struct api_change *change, struct store_tx *tx, struct error *err);
	/* After the commit. Consumes the request. */
	void (*answer)(struct api_change *change);

	struct env_id env;
	const char *subject;               /* for the audit history; NULL: the environment */
	json_t *detail;                    /* likewise; NULL: nothing more to say */
	json_t *suites;                    /* check: what is to be run */
	struct template_checkout checkout; /* create: of a git source */
	bool is_plan;                      /* create: apply, then undo and answer `plan` */
	json_t *plan;
	json_t *question;    /* exec, forward: what their worker is asked */
	struct reach *reach; /* likewise, until it begins: api_exec.c's */
	char run[ID_TEXT_SIZE];
	bool was_there; /* create: a replay; destroy, revoke: it had ended before. Changes nothing.
			 */
	union {
		struct {
			struct create_request request;
			char digest[65];
		} create;
		struct {
			enum extend_kind kind;
			int64_t ms;
		} extend;
		struct {
			struct token_row row;
			struct token made; /* create: the secret itself */
		} token;
	};
};

/* What apply fails with so that a plan's transaction is undone. */
#define SLUG_PLANNED "planned"

/* With the caller of the request, who has been admitted. */
struct api_change *api_change_new(struct api *api, struct http_request *request, const char *verb);
void api_change_free(struct api_change *change);
DEFINE_AUTO(struct api_change *, api_change_free)

/* The environment that {env} of the request names, as of this transaction. */
NODISCARD bool api_change_environment(struct api_change *change, struct store_tx *tx,
				      struct environment **environment, struct error *err);

/* Takes it over, and the request with it. */
void api_change_submit(struct api_change *change);

/* The same when it cannot even be tried: logged, answered, freed. */
void api_change_refuse(struct api_change *change, const struct error *failure);

#endif
