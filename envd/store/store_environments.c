#include "store/store_environments.h"

#include <string.h>

#include "store/store_statement.h"

/* One list of columns, in the order in which read_row() takes them. */
#define COLUMNS                                                                                    \
	"id, sequence, name, owner, template, template_folder, template_digest, trusted, engine, " \
	"target, "                                                                                 \
	"desired, state, generation, reason, message, error, labels, pins, parameters, outputs, "  \
	"addresses, services, lock, created_at, provisioning_at, ready_at, expires_at, "           \
	"grace_until, "                                                                            \
	"unwanted_at, ended_at, hard_wall_at, queue_limit, provision_limit, lease, "               \
	"lease_maximum, "                                                                          \
	"expires_boot, boot_id, attempts, attempts_max, next_try_at, unknown, quarantined, "       \
	"blocked_by, "                                                                             \
	"check_run, check_verdict, has_checks, price, currency, project, memory, "                 \
	"keep, keep_maximum, kept_at, evidence, evidence_until, evidence_at, evidence_bytes, "     \
	"trace_parent, source, coalesce(price_low, price), prices_as_of, prices_are_examples, "    \
	"CASE WHEN reason IS 'acknowledged' THEN (SELECT CASE settled_at WHEN 0 THEN -1 ELSE "     \
	"settled_at END FROM owed WHERE environment = environments.id) END, "                      \
	"wishes, targets_tried"

static void read_document(struct environment *made, enum environment_document which, json_t **slot,
			  sqlite3_stmt *row, int column)
{
	if (made->is_unparsed)
		made->stored[which] = column_text(row, column);
	else
		*slot = column_json(row, column, *slot);
}

static bool read_row(sqlite3_stmt *row, bool is_unparsed, struct environment **environment,
		     struct error *err)
{
	AUTO(environment_free)
	struct environment *made = is_unparsed ? xcalloc(1, sizeof(*made)) : environment_new();
	int c = 0;

	made->is_unparsed = is_unparsed;
	made->id = env_id_from((const char *)sqlite3_column_text(row, c++));
	made->sequence = sqlite3_column_int64(row, c++);
	made->name = column_text(row, c++);
	made->owner = column_text(row, c++);
	made->template_name = column_text(row, c++);
	made->template_folder = column_text(row, c++);
	made->template_digest = column_text(row, c++);
	made->is_trusted = sqlite3_column_int(row, c++);
	made->engine = column_text(row, c++);
	made->target = column_text(row, c++);
	made->desired = strcmp((const char *)sqlite3_column_text(row, c++), "present") == 0
			    ? DESIRED_PRESENT
			    : DESIRED_ABSENT;
	if (!env_state_parse((const char *)sqlite3_column_text(row, c++), &made->state, err))
		return error_wrap(err, "environment %s", made->id.text);
	made->generation = sqlite3_column_int64(row, c++);
	made->reason = column_text(row, c++);
	made->message = column_text(row, c++);
	read_document(made, DOCUMENT_ERROR, &made->error, row, c++);
	read_document(made, DOCUMENT_LABELS, &made->labels, row, c++);
	read_document(made, DOCUMENT_PINS, &made->pins, row, c++);
	read_document(made, DOCUMENT_PARAMETERS, &made->parameters, row, c++);
	read_document(made, DOCUMENT_OUTPUTS, &made->outputs, row, c++);
	read_document(made, DOCUMENT_ADDRESSES, &made->addresses, row, c++);
	read_document(made, DOCUMENT_SERVICES, &made->services, row, c++);
	read_document(made, DOCUMENT_LOCK, &made->lock, row, c++);
	made->created_at_ms = sqlite3_column_int64(row, c++);
	made->provisioning_at_ms = sqlite3_column_int64(row, c++);
	made->ready_at_ms = sqlite3_column_int64(row, c++);
	made->expires_at_ms = sqlite3_column_int64(row, c++);
	made->grace_until_ms = sqlite3_column_int64(row, c++);
	made->unwanted_at_ms = sqlite3_column_int64(row, c++);
	made->ended_at_ms = sqlite3_column_int64(row, c++);
	made->hard_wall_at_ms = sqlite3_column_int64(row, c++);
	made->queue_limit_ms = sqlite3_column_int64(row, c++);
	made->provision_limit_ms = sqlite3_column_int64(row, c++);
	made->lease_ms = sqlite3_column_int64(row, c++);
	made->lease_maximum_ms = sqlite3_column_int64(row, c++);
	made->expires_boot_ms = sqlite3_column_int64(row, c++);
	snprintf(made->boot_id, sizeof(made->boot_id), "%s",
		 (const char *)sqlite3_column_text(row, c++));
	made->attempts = sqlite3_column_int64(row, c++);
	made->attempts_max = sqlite3_column_int64(row, c++);
	made->next_try_at_ms = sqlite3_column_int64(row, c++);
	made->is_unknown = sqlite3_column_int(row, c++);
	made->is_quarantined = sqlite3_column_int(row, c++);
	read_document(made, DOCUMENT_BLOCKED_BY, &made->blocked_by, row, c++);
	made->check_run = column_text(row, c++);
	made->check_verdict = column_text(row, c++);
	made->has_checks = sqlite3_column_int(row, c++);
	made->price_microcents_per_hour = sqlite3_column_int64(row, c++);
	made->currency = column_text(row, c++);
	made->project = column_text(row, c++);
	made->memory_bytes = sqlite3_column_int64(row, c++);
	made->keep_ms = sqlite3_column_int64(row, c++);
	made->keep_maximum_ms = sqlite3_column_int64(row, c++);
	made->kept_at_ms = sqlite3_column_int64(row, c++);
	made->evidence = evidence_parse((const char *)sqlite3_column_text(row, c++));
	made->evidence_until_ms = sqlite3_column_int64(row, c++);
	made->evidence_at_ms = sqlite3_column_int64(row, c++);
	made->evidence_bytes = sqlite3_column_int64(row, c++);
	made->trace_parent = column_text(row, c++);
	read_document(made, DOCUMENT_SOURCE, &made->source, row, c++);
	made->price_low_microcents_per_hour = sqlite3_column_int64(row, c++);
	made->prices_as_of = column_text(row, c++);
	made->prices_are_examples = sqlite3_column_int(row, c++);
	made->settled_at_ms = sqlite3_column_int64(row, c++);
	made->wishes = column_json(row, c++, NULL);
	made->targets_tried = column_json(row, c++, NULL);
	*environment = TAKE(made);
	return true;
}

static bool name_is_taken(struct store_tx *tx, const char *name, struct error *err)
{
	int64_t taken;

	if (!statement_number(
		tx->store,
		"SELECT count(*) FROM environments WHERE name = ? AND state <> 'destroyed'", &taken,
		err, "t", name))
		return true;
	if (!taken)
		return false;
	error_set_as(err, ERR_CONFLICT, "name_taken", "an environment named \"%s\" exists already",
		     name);
	error_hint(err, "choose another --name, or look at it: envctl get %s", name);
	return true;
}

bool store_environment_insert(struct store_tx *tx, struct environment *environment,
			      struct error *err)
{
	const struct environment *e = environment;

	if (name_is_taken(tx, e->name, err) ||
	    !statement_run(tx, "UPDATE instance SET sequence = sequence + 1", NULL, err, "") ||
	    !statement_number(tx->store, "SELECT sequence FROM instance", &environment->sequence,
			      err, ""))
		return false;
	return statement_run(
	    tx,
	    "INSERT INTO environments(id, sequence, name, owner, template, template_folder, "
	    "template_digest,"
	    " trusted, engine, target, desired, state, generation, labels, pins, parameters, "
	    "created_at,"
	    " hard_wall_at, queue_limit, provision_limit, lease, lease_maximum, attempts_max, "
	    "has_checks,"
	    " price, currency, project, memory, keep, keep_maximum, trace_parent, source,"
	    " price_low, prices_as_of, prices_are_examples, quote, wishes)"
	    " VALUES (?,?,?,?,?,?,?,?,?,?,'present','queued',1,?,?,?,?,?,?,?,?,?,?,?,?,?,"
	    "coalesce(?,'default'),?,?,?,?,?,?,?,?,?,?)",
	    NULL, err, "titttttittjjjiiiiiiiiittiiitjitijj", e->id.text, e->sequence, e->name,
	    e->owner, e->template_name, e->template_folder, e->template_digest,
	    (int64_t)e->is_trusted, e->engine, e->target, e->labels, e->pins, e->parameters,
	    e->created_at_ms, e->hard_wall_at_ms, e->queue_limit_ms, e->provision_limit_ms,
	    e->lease_ms, e->lease_maximum_ms, e->attempts_max, (int64_t)e->has_checks,
	    e->price_microcents_per_hour, e->currency, e->project, e->memory_bytes, e->keep_ms,
	    e->keep_maximum_ms, e->trace_parent, e->source, e->price_low_microcents_per_hour,
	    e->prices_as_of, (int64_t)e->prices_are_examples, e->quote, e->wishes);
}

static bool read_one(struct store *store, sqlite3_stmt *statement, bool is_unparsed,
		     struct environment **environment, bool *found, struct error *err)
{
	return statement_step(store, statement, found, err) &&
	       (!*found || read_row(statement, is_unparsed, environment, err));
}

static bool read_by_id(struct store *store, struct env_id id, bool is_unparsed,
		       struct environment **environment, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool found;

	if (!statement_prepare(store, "SELECT " COLUMNS " FROM environments WHERE id = ?",
			       &statement, err, "t", id.text) ||
	    !read_one(store, statement, is_unparsed, environment, &found, err))
		return false;
	return found || error_set_as(err, ERR_NOT_FOUND, "environment_not_found",
				     "there is no environment \"%s\"", id.text);
}

bool store_environment_read(struct store *store, struct env_id id, struct environment **environment,
			    struct error *err)
{
	return read_by_id(store, id, false, environment, err);
}

bool store_environment_show(struct store *store, struct env_id id, struct environment **environment,
			    struct error *err)
{
	return read_by_id(store, id, true, environment, err);
}

static bool find_named(struct store *store, const char *sql, const char *name,
		       struct environment **environment, bool *found, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store, sql, &statement, err, "t", name) &&
	       read_one(store, statement, false, environment, found, err);
}

bool store_environment_find(struct store *store, const char *name_or_id,
			    struct environment **environment, struct error *err)
{
	bool found;

	if (id_is_valid(name_or_id))
		return store_environment_read(store, env_id_from(name_or_id), environment, err);
	if (!find_named(store,
			"SELECT " COLUMNS " FROM environments INDEXED BY environments_live_name"
			" WHERE name = ? AND state <> 'destroyed'",
			name_or_id, environment, &found, err) ||
	    (!found && !find_named(store,
				   "SELECT " COLUMNS " FROM environments"
				   " INDEXED BY environments_ended_name"
				   " WHERE name = ? AND state = 'destroyed'"
				   " ORDER BY sequence DESC LIMIT 1",
				   name_or_id, environment, &found, err)))
		return false;
	if (!found) {
		error_set_as(err, ERR_NOT_FOUND, "environment_not_found",
			     "there is no environment \"%.60s\"", name_or_id);
		return error_hint(err, "envctl list shows what there is");
	}
	return true;
}

/* Row by row: a page of 500 is never in memory as a whole. */
static bool each_row(struct store *store, sqlite3_stmt *statement, environment_row on_row,
		     void *arg, struct error *err)
{
	bool has_row;

	for (;;) {
		AUTO(environment_free) struct environment *one = NULL;

		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		if (!read_row(statement, true, &one, err) || !on_row(arg, one, err))
			return false;
	}
}

bool store_environment_list(struct store *store, const struct environment_filter *filter,
			    environment_row on_row, void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	int64_t limit = filter->limit > 0 && filter->limit <= 500 ? filter->limit : 500;

	/* Labels are a small JSON object; a key cannot hold a quote (checked when it is accepted).
	 */
	if (!statement_prepare(
		store,
		"SELECT " COLUMNS " FROM environments"
		" WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR owner = ?2)"
		" AND (?3 IS NULL OR template = ?3)"
		" AND (?4 IS NULL OR json_extract(labels, '$.\"' || ?4 || '\"') = ?5)"
		" AND (?6 OR state <> 'destroyed') AND (?7 = 0 OR sequence < ?7)"
		" AND (?9 IS NULL OR project = ?9)"
		" ORDER BY sequence DESC LIMIT ?8",
		&statement, err, "tttttiiit", filter->state, filter->owner, filter->template_name,
		filter->label_key, filter->label_value,
		(int64_t)(filter->with_destroyed || filter->state), filter->after_sequence, limit,
		filter->project))
		return false;
	return each_row(store, statement, on_row, arg, err);
}

/* Which moment a state's beginning is. */
static const char *moment_of(enum env_state state)
{
	switch (state) {
	case ENV_PROVISIONING:
		return "UPDATE environments SET provisioning_at = ?1, attempts = 0 WHERE id = ?2";
	case ENV_READY:
		return "UPDATE environments SET ready_at = ?1, attempts = 0 WHERE id = ?2";
	case ENV_DESTROYING:
		return "UPDATE environments SET attempts = 0, next_try_at = 0 WHERE id = ?2 AND ?1 "
		       "> 0";
	default:
		return NULL;
	}
}

bool store_environment_move(struct store_tx *tx, struct env_id id, enum env_state from,
			    enum env_state to, int64_t now_ms, struct error *err)
{
	const char *moment = moment_of(to);
	int64_t changed;

	/* The end is written together with the state: a destroyed row never changes again. */
	if (!statement_run(tx,
			   "UPDATE environments SET state = ?1,"
			   " ended_at = CASE ?1 WHEN 'destroyed' THEN ?2 ELSE ended_at END,"
			   " quarantined = CASE ?1 WHEN 'destroyed' THEN 0 ELSE quarantined END,"
			   " blocked_by = CASE ?1 WHEN 'destroyed' THEN NULL ELSE blocked_by END"
			   " WHERE id = ?3 AND state = ?4",
			   &changed, err, "titt", env_state_name(to), now_ms, id.text,
			   env_state_name(from)))
		return false;
	if (changed != 1)
		return error_set_as(err, ERR_CONFLICT, "state_forbids",
				    "environment %s is no longer %s", id.text,
				    env_state_name(from));
	return !moment || statement_run(tx, moment, NULL, err, "it", now_ms, id.text);
}

static json_t *failure_json(const struct error *failure)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "code", error_code_name(failure->code), "slug",
			 failure->slug, "message", failure->message, "hint", failure->hint);
}

bool store_environment_latch(struct store_tx *tx, struct env_id id, const char *reason,
			     const char *message, const struct error *failure, int64_t now_ms,
			     bool *fell, struct error *err)
{
	AUTO(json_decref) json_t *error = NULL;
	int64_t changed;

	if (failure)
		error = failure_json(failure);
	if (!statement_run(
		tx,
		"UPDATE environments SET desired = 'absent', generation = generation + 1, reason = "
		"?,"
		" message = ?, error = ?, unwanted_at = ? WHERE id = ? AND desired = 'present'",
		&changed, err, "ttjit", reason, message, error, now_ms, id.text))
		return false;
	*fell = changed == 1;
	return true;
}

bool store_environment_expire(struct store_tx *tx, struct env_id id, int64_t expires_at_ms,
			      int64_t now_ms, bool *done, struct error *err)
{
	int64_t changed;

	if (!statement_run(
		tx,
		"UPDATE environments SET desired = 'absent', generation = generation + 1,"
		/* Of one that was kept it stays what it failed of. */
		" reason = CASE state WHEN 'failed' THEN reason ELSE '" REASON_LEASE_ENDED "' END,"
		" unwanted_at = ?"
		" WHERE id = ? AND desired = 'present' AND state IN ('ready','failed')"
		" AND expires_at = ?",
		&changed, err, "iti", now_ms, id.text, expires_at_ms))
		return false;
	*done = changed == 1;
	return true;
}

bool store_environment_extend(struct store_tx *tx, struct env_id id,
			      const struct lease_change *change, bool *done, struct error *err)
{
	int64_t changed;

	if (!statement_run(
		tx,
		"UPDATE environments SET expires_at = ?1, expires_boot = ?2, boot_id = ?3, "
		"grace_until = 0"
		" WHERE id = ?4 AND desired = 'present' AND state IN ('ready','failed')"
		" AND ?1 <= hard_wall_at",
		&changed, err, "iitt", change->expires_at_ms, change->expires_boot_ms,
		change->boot_id, id.text))
		return false;
	*done = changed == 1;
	return true;
}

bool store_environment_grant_grace(struct store_tx *tx, struct env_id id,
				   const struct lease_change *change, bool *done, struct error *err)
{
	int64_t changed;

	if (!statement_run(
		tx,
		"UPDATE environments SET grace_until = ?1, expires_at = ?1, expires_boot = ?2, "
		"boot_id = ?3"
		" WHERE id = ?4 AND desired = 'present' AND state = 'ready' AND grace_until = 0",
		&changed, err, "iitt", change->expires_at_ms, change->expires_boot_ms,
		change->boot_id, id.text))
		return false;
	*done = changed == 1;
	return true;
}

bool store_environment_set_created(struct store_tx *tx, struct env_id id, const json_t *data,
				   struct error *err)
{
	return statement_run(tx,
			     "UPDATE environments SET outputs = ?, addresses = ?, services = ?, "
			     "lock = ?, unknown = 0,"
			     " error = NULL, message = '' WHERE id = ?",
			     NULL, err, "jjjjt", json_object_get(data, "outputs"),
			     json_object_get(data, "addresses"), json_object_get(data, "services"),
			     json_object_get(data, "lock"), id.text);
}

bool store_environment_set_lease(struct store_tx *tx, struct env_id id,
				 const struct lease_change *change, struct error *err)
{
	return statement_run(
	    tx,
	    "UPDATE environments SET expires_at = ?, expires_boot = ?, boot_id = ? WHERE id = ?",
	    NULL, err, "iitt", change->expires_at_ms, change->expires_boot_ms, change->boot_id,
	    id.text);
}

bool store_environment_set_try(struct store_tx *tx, struct env_id id,
			       const struct try_change *change, struct error *err)
{
	AUTO(json_decref) json_t *error = NULL;

	if (change->failure)
		error = failure_json(change->failure);
	/* What made it unwanted stays its error; the trouble with removing it is its message. */
	return statement_run(
	    tx,
	    "UPDATE environments SET attempts = ?, next_try_at = ?, unknown = ?, quarantined = ?,"
	    " blocked_by = ?, message = CASE WHEN desired = 'absent' AND ?6 = '' THEN message ELSE "
	    "?6 END,"
	    " error = CASE desired WHEN 'absent' THEN error ELSE ?7 END WHERE id = ?8",
	    NULL, err, "iiiijtjt", change->attempts, change->next_try_at_ms,
	    (int64_t)change->is_unknown, (int64_t)change->is_quarantined, change->blocked_by,
	    change->message ? change->message : "", error, id.text);
}

bool store_environment_set_check(struct store_tx *tx, struct env_id id, const char *run,
				 const char *verdict, struct error *err)
{
	return statement_run(
	    tx, "UPDATE environments SET check_run = ?, check_verdict = ? WHERE id = ?", NULL, err,
	    "ttt", run, verdict, id.text);
}

bool store_environment_set_reason(struct store_tx *tx, struct env_id id, const char *reason,
				  struct error *err)
{
	return statement_run(tx, "UPDATE environments SET reason = ? WHERE id = ?", NULL, err, "tt",
			     reason, id.text);
}

bool store_environment_keep(struct store_tx *tx, struct env_id id, const char *reason,
			    const char *message, const struct error *failure, int64_t now_ms,
			    struct error *err)
{
	AUTO(json_decref) json_t *error = failure ? failure_json(failure) : NULL;

	return statement_run(tx,
			     "UPDATE environments SET reason = ?, message = ?, error = ?, "
			     "kept_at = ? WHERE id = ? AND desired = 'present'",
			     NULL, err, "ttjit", reason, message, error, now_ms, id.text);
}

bool store_environment_want_evidence(struct store_tx *tx, struct env_id id, int64_t until_ms,
				     struct error *err)
{
	return statement_run(tx,
			     "UPDATE environments SET evidence = 'wanted', evidence_until = ?"
			     " WHERE id = ? AND state <> 'destroyed'",
			     NULL, err, "it", until_ms, id.text);
}

bool store_environment_set_evidence(struct store_tx *tx, struct env_id id, enum evidence evidence,
				    int64_t at_ms, int64_t bytes, struct error *err)
{
	/* A bundle that was taken before stays the one to look at when a later one is given up. */
	return statement_run(
	    tx,
	    "UPDATE environments SET evidence = CASE WHEN ?1 = 'given_up' AND evidence_at > 0"
	    " THEN 'taken' ELSE ?1 END,"
	    " evidence_at = CASE ?1 WHEN 'taken' THEN ?2 ELSE evidence_at END,"
	    " evidence_bytes = CASE ?1 WHEN 'taken' THEN ?3 ELSE evidence_bytes END WHERE id = ?4",
	    NULL, err, "tiit", evidence_name(evidence), at_ms, bytes, id.text);
}

bool store_environment_set_next_try(struct store_tx *tx, struct env_id id, int64_t at_ms,
				    struct error *err)
{
	return statement_run(tx, "UPDATE environments SET next_try_at = ? WHERE id = ?", NULL, err,
			     "it", at_ms, id.text);
}

bool store_proof_add(struct store_tx *tx, struct env_id id, const char *kind, int64_t at_ms,
		     const json_t *detail, struct error *err)
{
	return statement_run(tx,
			     "INSERT INTO proofs(environment, kind, at, detail) VALUES (?,?,?,?)",
			     NULL, err, "ttij", id.text, kind, at_ms, detail);
}

bool store_proofs(struct store *store, struct env_id id, json_t **proofs, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	AUTO(json_decref) json_t *made = json_array();
	bool has_row;

	if (!statement_prepare(
		store, "SELECT kind, at, detail FROM proofs WHERE environment = ? ORDER BY n",
		&statement, err, "t", id.text))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		json_array_append_new(
		    made, json_pack("{s:s, s:I, s:o}", "kind", sqlite3_column_text(statement, 0),
				    "at_ms", (json_int_t)sqlite3_column_int64(statement, 1),
				    "detail", column_json(statement, 2, json_object())));
	}
	*proofs = TAKE(made);
	return true;
}

bool store_idempotency_find(struct store *store, const char *owner, const char *key, bool *found,
			    struct env_id *id, char body_digest[65], struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	if (!statement_prepare(
		store, "SELECT environment, body FROM idempotency WHERE owner = ? AND key = ?",
		&statement, err, "tt", owner, key) ||
	    !statement_step(store, statement, found, err))
		return false;
	if (*found) {
		*id = env_id_from((const char *)sqlite3_column_text(statement, 0));
		snprintf(body_digest, 65, "%s", (const char *)sqlite3_column_text(statement, 1));
	}
	return true;
}

bool store_idempotency_add(struct store_tx *tx, const char *owner, const char *key,
			   struct env_id id, const char *body_digest, struct error *err)
{
	return statement_run(
	    tx, "INSERT INTO idempotency(owner, key, body, environment) VALUES (?,?,?,?)", NULL,
	    err, "tttt", owner, key, body_digest, id.text);
}

bool store_environments_each(struct store *store, environment_row on_row, void *arg,
			     struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store, "SELECT " COLUMNS " FROM environments", &statement, err,
				 "") &&
	       each_row(store, statement, on_row, arg, err);
}

bool store_environment_quote(struct store *store, struct env_id id, json_t **quote,
			     struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store, "SELECT quote FROM environments WHERE id = ?", &statement,
			       err, "t", id.text) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	*quote = has_row ? column_json(statement, 0, NULL) : NULL;
	return true;
}
