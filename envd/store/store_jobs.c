#include "store/store_jobs.h"

#include <string.h>

#include "base/clock.h"
#include "store/store_statement.h"

#define COLUMNS                                                                                    \
	"id, environment, generation, kind, owner, state, pid, start_ticks, boot_id, check_run, "  \
	"intent_at, "                                                                              \
	"ended_at, lines_offset, stop_asked_at, outcome, running_at"

static const char *const state_names[] = {
#define X(state, name) [state] = name,
	JOB_STATES(X)
#undef X
};

void job_row_free(struct job_row *job)
{
	if (!job)
		return;
	free(job->outcome);
	free(job);
}

void job_list_release(struct job_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		job_row_free(list->items[i]);
	free(list->items);
	*list = (struct job_list){ NULL, 0 };
}

static void copy_column(char *into, size_t size, sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	snprintf(into, size, "%s", text ? text : "");
}

static struct job_row *read_row(sqlite3_stmt *row)
{
	struct job_row *job = xcalloc(1, sizeof(*job));
	const char *state = (const char *)sqlite3_column_text(row, 5);

	copy_column(job->id.text, sizeof(job->id.text), row, 0);
	copy_column(job->environment.text, sizeof(job->environment.text), row, 1);
	job->generation = sqlite3_column_int64(row, 2);
	copy_column(job->kind, sizeof(job->kind), row, 3);
	copy_column(job->owner, sizeof(job->owner), row, 4);
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
		if (strcmp(state_names[i], state) == 0)
			job->state = (enum job_state)i;
	job->process.pid = sqlite3_column_int(row, 6);
	job->process.start_ticks = sqlite3_column_int64(row, 7);
	copy_column(job->process.boot_id, sizeof(job->process.boot_id), row, 8);
	copy_column(job->check_run, sizeof(job->check_run), row, 9);
	job->intent_at_ms = sqlite3_column_int64(row, 10);
	job->ended_at_ms = sqlite3_column_int64(row, 11);
	job->lines_offset = sqlite3_column_int64(row, 12);
	job->stop_asked_at_ms = sqlite3_column_int64(row, 13);
	job->outcome = column_text(row, 14);
	job->running_at_ms = sqlite3_column_int64(row, 15);
	return job;
}

static bool read_list(struct store *store, sqlite3_stmt *statement, struct job_list *list,
		      struct error *err)
{
	AUTO(job_list_release) struct job_list made = { NULL, 0 };
	bool has_row;

	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.items = xrealloc(made.items, made.count + 1, sizeof(*made.items));
		made.items[made.count++] = read_row(statement);
	}
	*list = made;
	made = (struct job_list){ NULL, 0 };
	return true;
}

bool store_job_insert(struct store_tx *tx, const struct job_row *job, struct error *err)
{
	return statement_run(tx,
			     "INSERT INTO jobs(id, environment, generation, kind, owner, state, "
			     "check_run, intent_at)"
			     " VALUES (?,?,?,?,?,'intent',?,?)",
			     NULL, err, "ttittti", job->id.text, job->environment.text,
			     job->generation, job->kind, job->owner,
			     job->check_run[0] ? job->check_run : NULL, job->intent_at_ms);
}

bool store_job_read(struct store *store, struct job_id id, struct job_row **job, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store, "SELECT " COLUMNS " FROM jobs WHERE id = ?", &statement, err,
			       "t", id.text) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	if (!has_row)
		return error_set(err, ERR_NOT_FOUND, "there is no job \"%s\"", id.text);
	*job = read_row(statement);
	return true;
}

bool store_job_set_running(struct store_tx *tx, struct job_id id,
			   const struct process_identity *process, struct error *err)
{
	int64_t changed;

	if (!statement_run(tx,
			   "UPDATE jobs SET state = 'running', pid = ?, start_ticks = ?, boot_id = "
			   "?, running_at = ?"
			   " WHERE id = ? AND state = 'intent'",
			   &changed, err, "iitit", (int64_t)process->pid,
			   (int64_t)process->start_ticks, process->boot_id, clock_wall_ms(),
			   id.text))
		return false;
	return changed == 1 ||
	       error_set(err, ERR_CONFLICT, "job %s is not an intent any more", id.text);
}

bool store_job_end(struct store_tx *tx, struct job_id id, const char *outcome, const json_t *result,
		   int64_t now_ms, bool *done, struct error *err)
{
	int64_t changed;

	if (!statement_run(tx,
			   "UPDATE jobs SET state = 'ended', outcome = ?, result = ?, ended_at = ?"
			   " WHERE id = ? AND state <> 'ended'",
			   &changed, err, "tjit", outcome, result, now_ms, id.text))
		return false;
	*done = changed == 1;
	return true;
}

bool store_job_set_offset(struct store_tx *tx, struct job_id id, int64_t offset, struct error *err)
{
	return statement_run(tx, "UPDATE jobs SET lines_offset = ? WHERE id = ?", NULL, err, "it",
			     offset, id.text);
}

bool store_job_ask_stop(struct store_tx *tx, struct job_id id, int64_t now_ms, struct error *err)
{
	return statement_run(tx,
			     "UPDATE jobs SET stop_asked_at = ? WHERE id = ? AND stop_asked_at = 0",
			     NULL, err, "it", now_ms, id.text);
}

bool store_job_take_over(struct store_tx *tx, struct job_id id, const char *from, const char *to,
			 bool *done, struct error *err)
{
	int64_t changed;

	if (!statement_run(
		tx, "UPDATE jobs SET owner = ? WHERE id = ? AND owner = ? AND state <> 'ended'",
		&changed, err, "ttt", to, id.text, from))
		return false;
	*done = changed == 1;
	return true;
}

bool store_job_live(struct store *store, struct env_id id, struct job_row **job, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT " COLUMNS
			       " FROM jobs WHERE environment = ? AND state IN ('intent','running')",
			       &statement, err, "t", id.text) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	*job = has_row ? read_row(statement) : NULL;
	return true;
}

bool store_jobs_live(struct store *store, const char *owner, struct job_list *list,
		     struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store,
				 "SELECT " COLUMNS " FROM jobs WHERE state IN ('intent','running')"
				 " AND (?1 IS NULL OR owner = ?1) ORDER BY intent_at",
				 &statement, err, "t", owner) &&
	       read_list(store, statement, list, err);
}

bool store_jobs_of(struct store *store, struct env_id id, struct job_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(
		   store, "SELECT " COLUMNS " FROM jobs WHERE environment = ? ORDER BY intent_at",
		   &statement, err, "t", id.text) &&
	       read_list(store, statement, list, err);
}
