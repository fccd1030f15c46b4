#include "store/store_work.h"

#include <string.h>

#include "store/store_statement.h"

void env_id_list_release(struct env_id_list *list)
{
	free(list->items);
	*list = (struct env_id_list){ NULL, 0 };
}

static bool read_ids(struct store *store, sqlite3_stmt *statement, struct env_id_list *list,
		     struct error *err)
{
	AUTO(env_id_list_release) struct env_id_list made = { NULL, 0 };
	bool has_row;

	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.items = xrealloc(made.items, made.count + 1, sizeof(*made.items));
		made.items[made.count++] =
		    env_id_from((const char *)sqlite3_column_text(statement, 0));
	}
	*list = made;
	made = (struct env_id_list){ NULL, 0 };
	return true;
}

#define HAS_JOB                                                                                    \
	"EXISTS(SELECT 1 FROM jobs j WHERE j.environment = e.id"                                   \
	"       AND j.state IN ('intent','running'))"

#define TO_BUILD(queued)                                                                           \
	"SELECT id FROM environments WHERE sequence IN ("                                          \
	" SELECT sequence FROM environments INDEXED BY environments_evidence"                      \
	"  WHERE evidence = 'wanted'"                                                              \
	" UNION SELECT sequence FROM environments e INDEXED BY environments_active"                \
	"  WHERE desired = 'present' AND state = 'provisioning' AND NOT " HAS_JOB                  \
	" UNION SELECT sequence FROM environments e INDEXED BY environments_active"                \
	"  WHERE desired = 'present' AND state = 'checking' AND NOT " HAS_JOB                      \
	" UNION SELECT e.sequence FROM check_runs c INDEXED BY check_runs_live"                    \
	"  CROSS JOIN environments e"                                                              \
	"  ON e.id = c.environment WHERE c.state <> 'ended' AND e.desired = 'present'"             \
	"  AND e.state = 'ready' AND NOT " HAS_JOB " UNION SELECT * FROM (" queued "))"            \
	" ORDER BY sequence"

/* Each branch is one index, and says which: SQLite would not find out without statistics, and takes
 * a partial index only for its own condition, to the letter. */
bool store_work_to_build(struct store *store, int64_t queued_max, struct env_id_list *list,
			 struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(
		   store,
		   TO_BUILD("SELECT sequence FROM environments INDEXED BY environments_active"
			    "  WHERE desired = 'present' AND state = 'queued'"
			    "  ORDER BY sequence LIMIT ?"),
		   &statement, err, "i", queued_max) &&
	       read_ids(store, statement, list, err);
}

bool store_work_to_place(struct store *store, int64_t queued_max, struct env_id_list *list,
			 struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(
		   store,
		   TO_BUILD("SELECT sequence FROM (SELECT sequence, row_number() OVER"
			    "   (PARTITION BY engine, wishes ORDER BY sequence) AS place"
			    "   FROM environments INDEXED BY environments_active"
			    "   WHERE desired = 'present' AND state = 'queued')"
			    "  WHERE place <= ? ORDER BY sequence LIMIT 200"),
		   &statement, err, "i", queued_max) &&
	       read_ids(store, statement, list, err);
}

bool store_work_to_destroy(struct store *store, const struct destroyer_ask *ask,
			   struct env_id_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(
		   store,
		   "SELECT id FROM environments WHERE sequence IN ("
		   " SELECT sequence FROM environments INDEXED BY environments_falling"
		   "  WHERE desired = 'absent' AND state NOT IN ('destroying','destroyed')"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_evidence"
		   "  WHERE evidence = 'wanted' AND desired = 'absent'"
		   " UNION SELECT e.sequence FROM jobs j INDEXED BY jobs_live CROSS JOIN "
		   "environments e"
		   "  ON e.id = j.environment WHERE j.state IN ('intent','running')"
		   "  AND (j.kind <> 'destroy' OR j.owner <> ?4) AND e.desired = 'absent'"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_never_started"
		   "  WHERE desired = 'absent' AND state = 'destroying' AND provisioning_at = 0"
		   /* what waits for a slot, or runs */
		   " UNION SELECT * FROM (SELECT sequence FROM environments e"
		   "  INDEXED BY environments_unwanted WHERE desired = 'absent' AND state <> "
		   "'destroyed'"
		   "  AND (next_try_at <= ?1 OR next_try_at > ?1 + ?6) AND NOT " HAS_JOB
		   "  ORDER BY sequence LIMIT ?5)"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_walls"
		   "  WHERE desired = 'present' AND hard_wall_at <= ?1"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_leases"
		   "  WHERE desired = 'present'"
		   "  AND state IN ('ready','failed') AND expires_at <= ?1"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_leases_boot"
		   "  WHERE desired = 'present'"
		   "  AND state IN ('ready','failed') AND boot_id = ?3 AND expires_boot <= ?2"
		   " UNION SELECT sequence FROM environments INDEXED BY environments_queue_limits"
		   "  WHERE desired = 'present' AND state = 'queued' AND created_at + queue_limit "
		   "<= ?1)"
		   " ORDER BY sequence",
		   &statement, err, "iittii", ask->now.wall_ms, ask->now.boot_ms, ask->now.boot_id,
		   ask->owner, ask->start_max, ask->longest_pause_ms) &&
	       read_ids(store, statement, list, err);
}

bool store_work_next_due(struct store *store, int64_t now_ms, int64_t *at_ms, struct error *err)
{
	return statement_number(
	    store,
	    "SELECT min(due) FROM ("
	    " SELECT * FROM (SELECT hard_wall_at AS due FROM environments"
	    "  INDEXED BY environments_walls WHERE desired = 'present'"
	    "  AND hard_wall_at > ?1 ORDER BY hard_wall_at LIMIT 1)"
	    " UNION ALL SELECT * FROM (SELECT expires_at FROM environments"
	    "  INDEXED BY environments_leases"
	    "  WHERE desired = 'present' AND state IN ('ready','failed')"
	    "  AND expires_at > ?1 ORDER BY expires_at LIMIT 1)"
	    " UNION ALL SELECT * FROM (SELECT created_at + queue_limit FROM environments"
	    "  INDEXED BY environments_queue_limits"
	    "  WHERE desired = 'present' AND state = 'queued'"
	    "  AND created_at + queue_limit > ?1 ORDER BY created_at + queue_limit LIMIT 1)"
	    " UNION ALL SELECT * FROM (SELECT next_try_at FROM environments"
	    "  INDEXED BY environments_tries"
	    "  WHERE desired = 'absent' AND state <> 'destroyed' AND next_try_at > ?1"
	    "  ORDER BY next_try_at LIMIT 1))",
	    at_ms, err, "i", now_ms);
}
