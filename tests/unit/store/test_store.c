#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "store/store_checks.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_jobs.h"
#include "store/store_retention.h"
#include "tests/support/store_bench.h"

static struct environment *made_up(const char *name)
{
	struct environment *env = store_bench_environment(name, "container", "local");

	env->currency = xstrdup("USD");
	env->attempts_max = 2;
	json_object_set_new(env->labels, "pr", json_string("12"));
	return env;
}

static struct env_id insert(struct store_bench *f, const char *name)
{
	AUTO(environment_free) struct environment *env = made_up(name);
	struct store_tx *tx = store_bench_begin(f);
	struct error err;

	assert_true(store_environment_insert(tx, env, &err));
	store_bench_commit(tx);
	return env->id;
}

static void move(struct store_bench *f, struct env_id id, enum env_state from, enum env_state to)
{
	struct store_tx *tx = store_bench_begin(f);
	struct error err;

	assert_true(store_environment_move(tx, id, from, to, clock_wall_ms(), &err));
	store_bench_commit(tx);
}

static void latch(struct store_bench *f, struct env_id id)
{
	struct store_tx *tx = store_bench_begin(f);
	struct error err;
	bool fell;

	assert_true(store_environment_latch(tx, id, REASON_REQUESTED, "m", NULL, 5, &fell, &err));
	assert_true(fell);
	store_bench_commit(tx);
}

static void an_environment_comes_back_as_it_was_stored(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;

	assert_true(store_environment_find(f->store, "e1", &env, &err));
	assert_string_equal(env->id.text, id.text);
	assert_int_equal(env->sequence, 1);
	assert_int_equal(env->state, ENV_QUEUED);
	assert_int_equal(env->desired, DESIRED_PRESENT);
	assert_int_equal(env->attempts_max, 2);
	assert_string_equal(json_get_string(env->labels, "pr", ""), "12");
	assert_string_equal(env->currency, "USD");
}

static void a_live_name_is_taken_and_a_free_one_is_not(void **state)
{
	struct store_bench *f = *state;
	AUTO(environment_free) struct environment *twin = made_up("e1");
	struct store_tx *tx;
	struct error err;

	insert(f, "e1");
	tx = store_bench_begin(f);
	assert_false(store_environment_insert(tx, twin, &err));
	assert_string_equal(err.slug, "name_taken");
	store_rollback(tx);
}

static void the_latch_falls_once_and_never_rises(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	AUTO(environment_free) struct environment *env = NULL;
	struct store_tx *tx;
	struct error err;
	bool fell = true;

	latch(f, id);
	tx = store_bench_begin(f);
	assert_true(store_environment_latch(tx, id, REASON_HARD_WALL, "n", NULL, 6, &fell, &err));
	assert_false(fell);
	store_bench_commit(tx);
	assert_true(store_environment_read(f->store, id, &env, &err));
	assert_string_equal(env->reason, REASON_REQUESTED);
	assert_int_equal(env->generation, 2);
}

static void destroyed_cannot_be_written_without_its_proofs(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	static const char *const needed[] = { "destroy_ended", "state_empty", "inventory_empty",
					      "no_process" };
	struct store_tx *tx;
	struct error err;

	latch(f, id);
	move(f, id, ENV_QUEUED, ENV_DESTROYING);
	for (size_t i = 0; i <= ARRAY_SIZE(needed); i++) {
		bool moved;

		tx = store_bench_begin(f);
		moved = store_environment_move(tx, id, ENV_DESTROYING, ENV_DESTROYED, 7, &err);
		assert_int_equal(moved, i == ARRAY_SIZE(needed));
		store_rollback(tx);
		if (i == ARRAY_SIZE(needed))
			break;
		tx = store_bench_begin(f);
		assert_true(store_proof_add(tx, id, needed[i], 7, NULL, &err));
		store_bench_commit(tx);
	}
}

static void what_is_wanted_cannot_be_proved_gone_nor_destroyed(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	struct store_tx *tx = store_bench_begin(f);
	struct error err;

	assert_false(store_proof_add(tx, id, "never_started", 7, NULL, &err));
	assert_false(store_environment_move(tx, id, ENV_QUEUED, ENV_DESTROYING, 7, &err));
	store_rollback(tx);
}

static bool insert_job(struct store_bench *f, struct env_id id, const char *kind,
		       struct job_id *job)
{
	struct job_row row = {
		.id = job_id_new(), .environment = id, .generation = 1, .owner = "envd"
	};
	struct store_tx *tx = store_bench_begin(f);
	struct error err;
	bool done;

	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	done = store_job_insert(tx, &row, &err);
	*job = row.id;
	if (done)
		store_bench_commit(tx);
	else
		store_rollback(tx);
	return done;
}

static void never_started_cannot_be_claimed_once_a_job_was(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	struct store_tx *tx;
	struct job_id job;
	struct error err;

	assert_true(insert_job(f, id, "create", &job));
	latch(f, id);
	tx = store_bench_begin(f);
	assert_false(store_proof_add(tx, id, "never_started", 7, NULL, &err));
	store_rollback(tx);
}

static void one_live_job_per_environment_and_only_towards_what_is_desired(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	struct job_id job, other;
	struct store_tx *tx;
	struct error err;
	bool done;

	assert_false(insert_job(f, id, "destroy", &job));
	assert_true(insert_job(f, id, "create", &job));
	assert_false(insert_job(f, id, "create", &other));
	tx = store_bench_begin(f);
	assert_true(store_job_end(tx, job, "completed", NULL, 9, &done, &err));
	assert_true(done);
	assert_true(store_job_end(tx, job, "completed", NULL, 9, &done, &err));
	assert_false(done);
	store_bench_commit(tx);
	latch(f, id);
	assert_false(insert_job(f, id, "create", &other));
	assert_true(insert_job(f, id, "destroy", &other));
}

static void make_ready(struct store_bench *f, struct env_id id, int64_t expires_at_ms)
{
	struct lease_change change = { expires_at_ms, 0, "" };
	struct store_tx *tx;
	struct error err;

	move(f, id, ENV_QUEUED, ENV_PROVISIONING);
	move(f, id, ENV_PROVISIONING, ENV_CHECKING);
	tx = store_bench_begin(f);
	assert_true(store_environment_set_lease(tx, id, &change, &err));
	assert_true(store_environment_move(tx, id, ENV_CHECKING, ENV_READY, 5, &err));
	store_bench_commit(tx);
}

static void the_first_of_extend_and_expire_wins(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1");
	int64_t end = clock_wall_ms() + 1000;
	struct lease_change longer = { end + 1000, 0, "" };
	struct store_tx *tx;
	struct error err;
	bool done;

	make_ready(f, id, end);
	tx = store_bench_begin(f);
	assert_true(store_environment_extend(tx, id, &longer, &done, &err));
	assert_true(done);
	/* Decided on what was the end before: somebody was faster. */
	assert_true(store_environment_expire(tx, id, end, 7, &done, &err));
	assert_false(done);
	assert_true(store_environment_expire(tx, id, end + 1000, 7, &done, &err));
	assert_true(done);
	assert_true(store_environment_extend(tx, id, &longer, &done, &err));
	assert_false(done);
	store_bench_commit(tx);
}

static void a_rolled_back_savepoint_undoes_one_piece_only(void **state)
{
	struct store_bench *f = *state;
	struct store_tx *tx = store_bench_begin(f);
	struct history_entry entry = { .kind = HISTORY_PROGRESS, .message = "kept" };
	AUTO(history_list_release) struct history_list list = { NULL, 0 };
	struct error err;

	assert_true(store_savepoint(tx, &err));
	assert_true(store_history_append(tx, NULL, 1, &entry, &err));
	assert_true(store_savepoint_keep(tx, &err));
	assert_true(store_savepoint(tx, &err));
	entry.message = "undone";
	assert_true(store_history_append(tx, NULL, 2, &entry, &err));
	store_savepoint_undo(tx);
	store_bench_commit(tx);
	assert_true(store_history_list(f->store, NULL, 0, 10, &list, &err));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].message, "kept");
}

static void two_programs_take_turns(void **state)
{
	struct store_bench *f = *state;
	struct store *other;
	struct store_holder holder;
	struct store_tx *tx, *theirs;
	struct error err;

	assert_true(store_open(f->folder, false, &other, &err));
	assert_string_equal(store_instance(other), store_instance(f->store));
	tx = store_bench_begin(f);
	assert_false(store_begin(other, &theirs, &err));
	assert_string_equal(err.slug, "store_busy");
	assert_true(store_lock_holder(f->folder, &holder));
	assert_int_equal(holder.process.pid, getpid());
	store_bench_commit(tx);
	assert_true(store_begin(other, &theirs, &err));
	store_bench_commit(theirs);
	store_close(other);
}

static void a_newer_file_is_refused_and_left_alone(void **state)
{
	struct store_bench *f = *state;
	AUTO(free) char *path = path_join(f->folder, "store.db");
	AUTO(free) char *command = xasprintf("sqlite3 %s 'PRAGMA user_version = 999'", path);
	struct store *other = NULL;
	struct error err;

	if (system(command) != 0)
		fail_msg("sqlite3 is needed for this test");
	assert_false(store_open(f->folder, true, &other, &err));
	assert_string_equal(err.slug, "store_newer");
	assert_null(other);
}

/* Whatever program has the file open: SQL that is not ours, too. */
static int run_sql(struct store_bench *f, const char *sql)
{
	AUTO(free)
	char *command = xasprintf("sqlite3 %s/store.db \"%s\" 2>/dev/null", f->folder, sql);

	return system(command);
}

static void nobody_can_make_the_unwanted_wanted_again(void **state)
{
	struct store_bench *f = *state;

	latch(f, insert(f, "e1"));
	assert_int_equal(run_sql(f, "UPDATE environments SET message = 'x'"), 0);
	assert_int_not_equal(run_sql(f, "UPDATE environments SET desired = 'present'"), 0);
	assert_int_not_equal(run_sql(f, "UPDATE environments SET generation = 1"), 0);
	assert_int_not_equal(run_sql(f, "UPDATE environments SET hard_wall_at = hard_wall_at + 1"),
			     0);
	assert_int_not_equal(run_sql(f, "DELETE FROM environments"), 0);
	assert_int_equal(
	    run_sql(f, "INSERT INTO history(at, kind, message) VALUES (1, 'state', 'm')"), 0);
	assert_int_not_equal(run_sql(f, "UPDATE history SET message = 'it was not me'"), 0);
}

static void idempotency_remembers_the_body(void **state)
{
	struct store_bench *f = *state;
	struct env_id id = insert(f, "e1"), found_id;
	struct store_tx *tx = store_bench_begin(f);
	char digest[65];
	struct error err;
	bool found;

	assert_true(store_idempotency_add(tx, "alice", "k", id, "abc", &err));
	store_bench_commit(tx);
	assert_true(
	    store_idempotency_find(f->store, "alice", "k", &found, &found_id, digest, &err));
	assert_true(found);
	assert_string_equal(found_id.text, id.text);
	assert_string_equal(digest, "abc");
	assert_true(store_idempotency_find(f->store, "bob", "k", &found, &found_id, digest, &err));
	assert_false(found);
}

struct listed {
	char names[64];
	int64_t last;
};

static bool note_listed(void *arg, const struct environment *environment, struct error *err)
{
	struct listed *listed = arg;
	size_t length = strlen(listed->names);

	(void)err;
	snprintf(listed->names + length, sizeof(listed->names) - length, "%s ", environment->name);
	listed->last = environment->sequence;
	return true;
}

static void lists_are_filtered_and_paged_newest_first(void **state)
{
	struct store_bench *f = *state;
	struct environment_filter filter = { .limit = 2 };
	struct listed first = { "", 0 }, second = { "", 0 }, labelled = { "", 0 };
	struct error err;

	insert(f, "e1");
	insert(f, "e2");
	insert(f, "e3");
	assert_true(store_environment_list(f->store, &filter, note_listed, &first, &err));
	assert_string_equal(first.names, "e3 e2 ");
	filter.after_sequence = first.last;
	assert_true(store_environment_list(f->store, &filter, note_listed, &second, &err));
	assert_string_equal(second.names, "e1 ");
	filter = (struct environment_filter){ .label_key = "pr", .label_value = "13" };
	assert_true(store_environment_list(f->store, &filter, note_listed, &labelled, &err));
	assert_string_equal(labelled.names, "");
}

/* Proved gone without ever having been started. */
static struct env_id insert_ended(struct store_bench *f, const char *name, int64_t at_ms)
{
	struct env_id id = insert(f, name);
	struct history_entry entry = { .kind = HISTORY_STATE, .message = "it was there" };
	struct store_tx *tx;
	struct error err;

	latch(f, id);
	tx = store_bench_begin(f);
	assert_true(store_environment_move(tx, id, ENV_QUEUED, ENV_DESTROYING, at_ms, &err));
	assert_true(store_proof_add(tx, id, "never_started", at_ms, NULL, &err));
	assert_true(store_environment_move(tx, id, ENV_DESTROYING, ENV_DESTROYED, at_ms, &err));
	assert_true(store_idempotency_add(tx, "alice", name, id, "abc", &err));
	assert_true(store_history_append(tx, &id, at_ms, &entry, &err));
	assert_true(store_history_append(tx, NULL, at_ms, &entry, &err));
	store_bench_commit(tx);
	return id;
}

static size_t forget(struct store_bench *f, const struct retention *retention)
{
	struct retention_batch batch;
	struct store_tx *tx;
	struct error err;
	size_t count;

	assert_true(store_retention_due(f->store, retention, &batch, &err));
	tx = store_bench_begin(f);
	assert_true(store_retention_forget(tx, &batch, &err));
	assert_true(store_retention_prune_history(tx, retention, &err));
	store_bench_commit(tx);
	count = batch.count;
	retention_batch_release(&batch);
	return count;
}

static bool is_known(struct store_bench *f, struct env_id id)
{
	struct error err;
	bool known;

	assert_true(store_retention_knows(f->store, id.text, &known, &err));
	return known;
}

static void what_ended_long_ago_is_forgotten_and_nothing_else_is(void **state)
{
	struct store_bench *f = *state;
	struct env_id old = insert_ended(f, "old", 1000), young = insert_ended(f, "young", 3000);
	struct env_id live = insert(f, "live"), unwanted = insert(f, "unwanted");
	struct retention retention = { .before_ms = 2000, .newest_kept = 10 };
	AUTO(history_list_release) struct history_list left = { NULL, 0 };
	struct error err;

	latch(f, unwanted);
	assert_int_equal(forget(f, &retention), 1);
	assert_false(is_known(f, old));
	assert_true(is_known(f, young) && is_known(f, live) && is_known(f, unwanted));
	assert_true(store_history_list(f->store, NULL, 0, 100, &left, &err));
	for (size_t i = 0; i < left.count; i++)
		assert_true(left.rows[i].at_ms >= 2000);
	assert_int_equal(forget(f, &retention), 0);
}

static void of_what_has_ended_only_the_newest_are_kept(void **state)
{
	struct store_bench *f = *state;
	struct env_id first = insert_ended(f, "first", 1000);
	struct env_id second = insert_ended(f, "second", 2000);
	struct env_id third = insert_ended(f, "third", 3000), live = insert(f, "live");
	struct retention retention = { .before_ms = 0, .newest_kept = 1 };

	assert_int_equal(forget(f, &retention), 2);
	assert_false(is_known(f, first) || is_known(f, second));
	assert_true(is_known(f, third) && is_known(f, live));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, store_bench_open, store_bench_close)

/* SQLite opens what it may not write for reading, and says nothing. Root may write everything, so
 * somebody else tries. */
static int open_as_somebody_else(struct store_bench *f)
{
	struct store *store;
	struct error err;

	if (geteuid() == 0 && setuid(65534) != 0)
		return 2;
	if (store_open(f->folder, true, &store, &err))
		return 1;
	return strcmp(err.slug, "store_unwritable") == 0 ? 0 : 3;
}

static void a_store_that_cannot_be_written_is_not_opened(void **state)
{
	struct store_bench *f = *state;
	AUTO(free) char *database = path_join(f->folder, "store.db");
	AUTO(free) char *lock = path_join(f->folder, "store.lock");
	int status;
	pid_t pid;

	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(chmod(lock, 0666), 0);
	assert_int_equal(chmod(database, 0444), 0);
	pid = fork();
	if (pid == 0)
		_exit(open_as_somebody_else(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static off_t size_of(struct store_bench *f, const char *name)
{
	AUTO(free) char *path = path_join(f->folder, name);
	struct stat found;

	return stat(path, &found) == 0 ? found.st_size : 0;
}

static void write_until_the_log_has_begun_anew(struct store_bench *f)
{
	struct history_entry entry = { .kind = HISTORY_PROGRESS };
	AUTO(free) char *message = xcalloc(1, 100001);
	struct error err;

	memset(message, 'm', 100000);
	entry.message = message;
	for (int i = 0; i < 400; i++) {
		struct store_tx *tx;

		assert_true(store_begin(f->store, &tx, &err));
		assert_true(store_history_append(tx, NULL, 1, &entry, &err));
		assert_true(store_commit(tx, &err));
	}
}

/* What is freed must hold the whole log, or it cannot be moved into the database. */
static void the_reserve_is_larger_than_the_log_ever_gets(void **state)
{
	struct store_bench *f = *state;
	AUTO(free) char *reserve = path_join(f->folder, "reserve");
	struct error err;

	/* as an earlier version left it */
	assert_true(file_replace(reserve, "small", 5, 0600, &err));
	store_reserve_ensure(f->store);
	write_until_the_log_has_begun_anew(f);
	assert_true(size_of(f, "store.db-wal") > 0);
	assert_true(size_of(f, "reserve") > size_of(f, "store.db-wal"));
	store_reserve_release(f->store);
	assert_int_equal(size_of(f, "reserve"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(the_reserve_is_larger_than_the_log_ever_gets),
		WITH_STORE(a_store_that_cannot_be_written_is_not_opened),
		WITH_STORE(an_environment_comes_back_as_it_was_stored),
		WITH_STORE(a_live_name_is_taken_and_a_free_one_is_not),
		WITH_STORE(the_latch_falls_once_and_never_rises),
		WITH_STORE(destroyed_cannot_be_written_without_its_proofs),
		WITH_STORE(what_is_wanted_cannot_be_proved_gone_nor_destroyed),
		WITH_STORE(never_started_cannot_be_claimed_once_a_job_was),
		WITH_STORE(one_live_job_per_environment_and_only_towards_what_is_desired),
		WITH_STORE(the_first_of_extend_and_expire_wins),
		WITH_STORE(a_rolled_back_savepoint_undoes_one_piece_only),
		WITH_STORE(two_programs_take_turns),
		WITH_STORE(a_newer_file_is_refused_and_left_alone),
		WITH_STORE(nobody_can_make_the_unwanted_wanted_again),
		WITH_STORE(idempotency_remembers_the_body),
		WITH_STORE(lists_are_filtered_and_paged_newest_first),
		WITH_STORE(what_ended_long_ago_is_forgotten_and_nothing_else_is),
		WITH_STORE(of_what_has_ended_only_the_newest_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
