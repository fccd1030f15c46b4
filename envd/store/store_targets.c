#include "store/store_targets.h"

#include <string.h>

#include "store/store_statement.h"

enum { UNCLEAN_MAX = 64 };

bool store_target_read(struct store *store, const char *name, struct target_row *row,
		       struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *found = NULL;
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT condition, why, since, attempts, next_try_at,"
			       " no_room_until, holders, last_claim FROM targets WHERE name = ?",
			       &found, err, "t", name) ||
	    !statement_step(store, found, &has_row, err))
		return false;
	*row = (struct target_row){ .condition = TARGET_CLEAN };
	if (!has_row)
		return true;
	row->condition = target_condition_parse((const char *)sqlite3_column_text(found, 0));
	snprintf(row->why, sizeof(row->why), "%s", (const char *)sqlite3_column_text(found, 1));
	row->since_ms = sqlite3_column_int64(found, 2);
	row->attempts = sqlite3_column_int64(found, 3);
	row->next_try_at_ms = sqlite3_column_int64(found, 4);
	row->no_room_until_ms = sqlite3_column_int64(found, 5);
	row->holders = sqlite3_column_int64(found, 6);
	row->last_claim = sqlite3_column_int64(found, 7);
	return true;
}

/* ---- claims ---------------------------------------------------------------------------------- */

static bool step_claim(struct store *store, sqlite3_stmt *found, struct claim *claim,
		       struct error *err)
{
	bool has_row;

	*claim = (struct claim){ 0 };
	if (!statement_step(store, found, &has_row, err))
		return false;
	if (!has_row)
		return true;
	claim->number = sqlite3_column_int64(found, 0);
	snprintf(claim->target, sizeof(claim->target), "%s",
		 (const char *)sqlite3_column_text(found, 1));
	claim->claimed_at_ms = sqlite3_column_int64(found, 2);
	claim->is_leaving = sqlite3_column_int(found, 3);
	return true;
}

bool store_claim_read(struct store *store, struct env_id id, const char *target,
		      struct claim *claim, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *found = NULL;

	return statement_prepare(store,
				 "SELECT number, target, claimed_at, leaving FROM claims"
				 " WHERE environment = ? AND target = ?",
				 &found, err, "tt", id.text, target) &&
	       step_claim(store, found, claim, err);
}

bool store_claim_next(struct store *store, struct env_id id, struct claim *claim, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *found = NULL;

	return statement_prepare(store,
				 "SELECT number, target, claimed_at, leaving FROM claims"
				 " WHERE environment = ? AND leaving = 0 ORDER BY number DESC"
				 " LIMIT 1",
				 &found, err, "t", id.text) &&
	       step_claim(store, found, claim, err);
}

bool store_claim_is_live(struct store *store, int64_t number, bool *is_live, struct error *err)
{
	int64_t count;

	if (!statement_number(store, "SELECT count(*) FROM claims WHERE number = ?", &count, err,
			      "i", number))
		return false;
	*is_live = count > 0;
	return true;
}

static bool know(struct store_tx *tx, const char *name, struct error *err)
{
	return statement_run(tx, "INSERT INTO targets(name) VALUES (?) ON CONFLICT DO NOTHING",
			     NULL, err, "t", name);
}

bool store_claim(struct store_tx *tx, const char *target, struct env_id id, int64_t places,
		 int64_t now_ms, struct error *err)
{
	struct claim claim;

	if (!store_claim_read(tx->store, id, target, &claim, err))
		return false;
	return claim.number ||
	       (know(tx, target, err) &&
		statement_run(tx,
			      "INSERT INTO claims(target, environment, places, claimed_at)"
			      " VALUES (?,?,?,?)",
			      NULL, err, "ttii", target, id.text, places, now_ms));
}

bool store_claim_leave(struct store_tx *tx, struct env_id id, const char *target, struct error *err)
{
	return statement_run(tx,
			     "UPDATE claims SET leaving = 1 WHERE environment = ? AND target = ?",
			     NULL, err, "tt", id.text, target);
}

bool store_claim_vacate(struct store_tx *tx, struct env_id id, const char *from, const char *to,
			int64_t now_ms, struct error *err)
{
	return statement_run(tx,
			     "UPDATE claims SET vacated_at = ?"
			     " WHERE environment = ? AND target = ? AND leaving = 1",
			     NULL, err, "itt", now_ms, id.text, from) &&
	       statement_run(tx, "DELETE FROM claims WHERE environment = ? AND target = ?", NULL,
			     err, "tt", id.text, from) &&
	       store_environment_place(tx, id, to, err);
}

bool store_environment_place(struct store_tx *tx, struct env_id id, const char *target,
			     struct error *err)
{
	return statement_run(tx,
			     "UPDATE environments SET target = ?1 WHERE id = ?2 AND target <> ?1",
			     NULL, err, "tt", target, id.text);
}

bool store_environment_set_tried(struct store_tx *tx, struct env_id id, const json_t *tried,
				 struct error *err)
{
	return statement_run(tx, "UPDATE environments SET targets_tried = ? WHERE id = ?", NULL,
			     err, "jt", tried, id.text);
}

/* ---- holders --------------------------------------------------------------------------------- */

void holder_list_release(struct holder_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].owner);
		free(list->items[i].project);
	}
	free(list->items);
	*list = (struct holder_list){ NULL, 0 };
}

static void read_holder(sqlite3_stmt *row, struct holder *holder)
{
	holder->id = env_id_from((const char *)sqlite3_column_text(row, 0));
	holder->name = column_text(row, 1);
	holder->owner = column_text(row, 2);
	holder->project = column_text(row, 3);
	snprintf(holder->state, sizeof(holder->state), "%s",
		 (const char *)sqlite3_column_text(row, 4));
	holder->number = sqlite3_column_int64(row, 5);
	holder->claimed_at_ms = sqlite3_column_int64(row, 6);
	holder->until_ms = sqlite3_column_int64(row, 7);
}

/* One that is being built has no end yet: what it may build for, and what it was lent for, at most
 * until its wall. */
bool store_target_holders(struct store *store, const char *name, int64_t limit,
			  struct holder_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *row = NULL;
	AUTO(holder_list_release) struct holder_list made = { NULL, 0 };
	bool has_row;

	if (!statement_prepare(
		store,
		"SELECT e.id, e.name, e.owner, e.project, e.state, c.number, c.claimed_at,"
		" CASE WHEN e.desired = 'absent' THEN 0"
		"  WHEN e.expires_at > 0 THEN e.expires_at"
		"  ELSE min(e.hard_wall_at, c.claimed_at + e.provision_limit + e.lease) END"
		" FROM claims c INDEXED BY claims_of_target JOIN environments e"
		" ON e.id = c.environment WHERE c.target = ? ORDER BY c.number LIMIT ?",
		&row, err, "ti", name, limit))
		return false;
	for (;;) {
		if (!statement_step(store, row, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.items = xrealloc(made.items, made.count + 1, sizeof(*made.items));
		made.items[made.count] = (struct holder){ .name = NULL };
		read_holder(row, &made.items[made.count++]);
	}
	*list = made;
	made = (struct holder_list){ NULL, 0 };
	return true;
}

/* ---- clean and dirty ------------------------------------------------------------------------- */

bool store_target_soil(struct store_tx *tx, const char *name, const char *why, int64_t now_ms,
		       bool *done, struct error *err)
{
	int64_t changed;

	if (!know(tx, name, err) ||
	    !statement_run(tx,
			   "UPDATE targets SET condition = 'dirty', why = ?, since = ?,"
			   " attempts = 0, next_try_at = 0"
			   " WHERE name = ? AND condition = 'clean'",
			   &changed, err, "tit", why, now_ms, name))
		return false;
	*done = changed == 1;
	return true;
}

bool store_target_soil_free(struct store_tx *tx, const char *name, const char *why,
			    int64_t last_claim, int64_t now_ms, bool *done, struct error *err)
{
	int64_t changed;

	if (!know(tx, name, err) ||
	    !statement_run(tx,
			   "UPDATE targets SET condition = 'dirty', why = ?, since = ?,"
			   " attempts = 0, next_try_at = 0 WHERE name = ?"
			   " AND condition = 'clean' AND holders = 0 AND last_claim = ?",
			   &changed, err, "titi", why, now_ms, name, last_claim))
		return false;
	*done = changed == 1;
	return true;
}

bool store_target_clean_begin(struct store_tx *tx, const char *name, int64_t now_ms, bool *done,
			      struct error *err)
{
	int64_t changed;

	if (!statement_run(tx,
			   "UPDATE targets SET condition = 'cleaning', attempts = attempts + 1"
			   " WHERE name = ? AND condition = 'dirty' AND holders = 0"
			   " AND next_try_at <= ?",
			   &changed, err, "ti", name, now_ms))
		return false;
	*done = changed == 1;
	return true;
}

bool store_target_clean_failed(struct store_tx *tx, const char *name, const char *why,
			       int64_t next_try_at_ms, struct error *err)
{
	return statement_run(tx,
			     "UPDATE targets SET condition = 'dirty', why = ?, next_try_at = ?"
			     " WHERE name = ? AND condition <> 'clean'",
			     NULL, err, "tit", why, next_try_at_ms, name);
}

bool store_target_cleaned(struct store_tx *tx, const char *name, int64_t now_ms, bool *done,
			  struct error *err)
{
	int64_t changed;

	if (!statement_run(tx,
			   "UPDATE targets SET condition = 'clean', why = '', since = ?,"
			   " attempts = 0, next_try_at = 0"
			   " WHERE name = ? AND condition <> 'clean'",
			   &changed, err, "it", now_ms, name))
		return false;
	*done = changed == 1;
	return true;
}

bool store_target_clean_abandon(struct store_tx *tx, const char *name, struct error *err)
{
	return statement_run(tx,
			     "UPDATE targets SET condition = 'dirty' WHERE name = ?"
			     " AND condition = 'cleaning'",
			     NULL, err, "t", name);
}

bool store_target_set_no_room(struct store_tx *tx, const char *name, int64_t until_ms,
			      struct error *err)
{
	return know(tx, name, err) &&
	       statement_run(tx, "UPDATE targets SET no_room_until = ? WHERE name = ?", NULL, err,
			     "it", until_ms, name);
}

void name_list_release(struct name_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct name_list){ NULL, 0 };
}

bool store_targets_unclean(struct store *store, struct name_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *row = NULL;
	AUTO(name_list_release) struct name_list made = { NULL, 0 };
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT name FROM targets WHERE condition <> 'clean' AND holders = 0"
			       " ORDER BY next_try_at LIMIT ?",
			       &row, err, "i", (int64_t)UNCLEAN_MAX))
		return false;
	for (;;) {
		if (!statement_step(store, row, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.items = xrealloc(made.items, made.count + 1, sizeof(*made.items));
		made.items[made.count++] = column_text(row, 0);
	}
	*list = made;
	made = (struct name_list){ NULL, 0 };
	return true;
}
