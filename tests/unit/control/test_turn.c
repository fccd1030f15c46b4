#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "control/turn.h"
#include "store/store_history.h"

/* A turn over a store of its own, and a second connection: the world's view of what is committed.
 */
struct fixture {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct store *witness;
	struct turn *turn;
	int64_t seen_at_settle; /* committed rows that the witness saw when a work was settled */
	int settled;
	int effects;
	int undone;
	int passes;
	bool failed;
	char slug[32];
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct error err;

	snprintf(f->folder, sizeof(f->folder), "/tmp/envd-turn-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_true(store_open(f->folder, true, &f->store, &err));
	assert_true(store_open(f->folder, false, &f->witness, &err));
	f->loop = loop_new();
	f->turn = turn_new(f->loop, f->store);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct error err;

	turn_free(f->turn);
	loop_free(f->loop);
	store_close(f->witness);
	store_close(f->store);
	assert_true(folder_remove(f->folder, &err));
	free(f);
	return 0;
}

static int64_t rows(struct fixture *f)
{
	struct error err;
	int64_t n;

	assert_true(store_history_newest(f->witness, &n, &err));
	return n;
}

static void count_effect(void *arg)
{
	struct fixture *f = arg;

	f->effects++;
}

static bool write_a_row(void *arg, struct store_tx *tx, struct error *err)
{
	struct fixture *f = arg;
	struct history_entry entry = { .kind = HISTORY_PROGRESS, .message = "row" };

	turn_after_commit(f->turn, count_effect, f);
	return store_history_append(tx, NULL, 1, &entry, err);
}

/* Its effect is one of its own: the same one after the same would be left out anyway. */
static bool write_and_fail(void *arg, struct store_tx *tx, struct error *err)
{
	struct fixture *f = arg;

	turn_after_commit_or(f->turn, count_effect, NULL, f);
	return write_a_row(arg, tx, err) && error_set_as(err, ERR_CONFLICT, "refused", "refused");
}

static void settle(void *arg, const struct error *failure)
{
	struct fixture *f = arg;

	f->settled++;
	f->seen_at_settle = rows(f);
	f->failed = failure != NULL;
	snprintf(f->slug, sizeof(f->slug), "%s", failure ? failure->slug : "");
}

static void add(struct fixture *f, bool (*apply)(void *, struct store_tx *, struct error *))
{
	turn_add(f->turn, &(struct turn_work){ .apply = apply, .settle = settle, .arg = f });
}

static void nobody_is_answered_before_the_commit(void **state)
{
	struct fixture *f = *state;

	add(f, write_a_row);
	assert_int_equal(f->settled, 0);
	turn_run(f->turn);
	assert_int_equal(f->settled, 1);
	assert_false(f->failed);
	assert_int_equal(f->seen_at_settle, 1);
	assert_int_equal(f->effects, 1);
}

static void one_refused_change_undoes_itself_and_its_effects_alone(void **state)
{
	struct fixture *f = *state;

	add(f, write_a_row);
	add(f, write_and_fail);
	turn_run(f->turn);
	assert_int_equal(f->settled, 2);
	assert_true(f->failed);
	assert_string_equal(f->slug, "refused");
	assert_int_equal(rows(f), 1);
	assert_int_equal(f->effects, 1);
}

static void take_back(void *arg)
{
	struct fixture *f = arg;

	f->undone++;
}

static bool write_and_break(void *arg, struct store_tx *tx, struct error *err)
{
	struct fixture *f = arg;

	turn_after_commit_or(f->turn, count_effect, take_back, f);
	/* Nothing of this transaction can be committed any more. */
	store_savepoint_undo(tx);
	store_savepoint_undo(tx);
	return error_set_as(err, ERR_UNAVAILABLE, "refused", "refused");
}

static bool write_with_undo(void *arg, struct store_tx *tx, struct error *err)
{
	struct fixture *f = arg;

	turn_after_commit_or(f->turn, count_effect, take_back, f);
	return write_a_row(arg, tx, err);
}

static void an_effect_runs_or_is_taken_back(void **state)
{
	struct fixture *f = *state;

	add(f, write_with_undo);
	turn_run(f->turn);
	assert_int_equal(f->undone, 0);
	assert_int_equal(f->effects, 2);
	add(f, write_and_break);
	turn_run(f->turn);
	assert_int_equal(f->undone, 1);
	assert_int_equal(f->effects, 2);
}

static void a_busy_store_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct store_tx *theirs;
	struct error err;

	assert_true(store_begin(f->witness, &theirs, &err));
	add(f, write_a_row);
	turn_run(f->turn);
	assert_int_equal(f->settled, 0);
	assert_true(store_commit(theirs, &err));
	/* Woken by the turn's own timer. */
	loop_turn(f->loop);
	turn_run(f->turn);
	assert_int_equal(f->settled, 1);
	assert_false(f->failed);
	assert_int_equal(rows(f), 1);
}

static void add_another(void *arg, const struct error *failure)
{
	struct fixture *f = arg;

	settle(arg, failure);
	if (f->settled == 1)
		add(f, write_a_row);
}

static void what_is_noted_while_settling_is_applied_in_the_next_turn(void **state)
{
	struct fixture *f = *state;

	turn_add(f->turn,
		 &(struct turn_work){ .apply = write_a_row, .settle = add_another, .arg = f });
	turn_run(f->turn);
	assert_int_equal(f->settled, 1);
	turn_run(f->turn);
	assert_int_equal(f->settled, 2);
	assert_int_equal(rows(f), 2);
}

static bool fail_at_first(void *arg, struct store_tx *tx, struct error *err)
{
	struct fixture *f = arg;

	(void)tx;
	return ++f->passes > 1 || error_set_as(err, ERR_UNAVAILABLE, "store_busy", "not now");
}

static bool is_always_needed(void *unused)
{
	(void)unused;
	return true;
}

static void a_pass_that_failed_is_tried_again_by_itself(void **state)
{
	struct fixture *f = *state;

	turn_set_pass(f->turn, fail_at_first, is_always_needed, f);
	turn_want_pass(f->turn);
	turn_run(f->turn);
	assert_int_equal(f->passes, 1);
	loop_turn(f->loop); /* woken by the turn's own timer */
	turn_run(f->turn);
	assert_int_equal(f->passes, 2);
}

static void note_commit(void *arg)
{
	*(int *)arg += 1;
}

static void what_the_other_program_commits_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct history_entry entry = { .kind = HISTORY_PROGRESS, .message = "theirs" };
	struct store_tx *theirs;
	struct error err;
	int commits = 0;

	turn_on_commit(f->turn, note_commit, &commits);
	turn_run(f->turn);
	assert_int_equal(commits, 0);
	assert_true(store_begin(f->witness, &theirs, &err));
	assert_true(store_history_append(theirs, NULL, 1, &entry, &err));
	assert_true(store_commit(theirs, &err));
	turn_run(f->turn);
	assert_int_equal(commits, 1);
}

struct passes {
	bool is_needed;
	int asked, made;
};

static bool is_needed(void *arg)
{
	struct passes *passes = arg;

	passes->asked++;
	return passes->is_needed;
}

static bool make_pass(void *arg, struct store_tx *tx, struct error *err)
{
	struct passes *passes = arg;

	(void)tx;
	(void)err;
	passes->made++;
	return true;
}

static void a_pass_that_would_change_nothing_takes_no_lock(void **state)
{
	struct fixture *f = *state;
	struct passes passes = { .is_needed = false };
	struct store_tx *theirs;
	struct error err;

	turn_set_pass(f->turn, make_pass, is_needed, &passes);
	assert_true(store_begin(f->witness, &theirs, &err));
	turn_want_pass(f->turn);
	turn_run(f->turn);
	turn_run(f->turn); /* it was looked at, and is not wanted any more */
	assert_int_equal(passes.asked, 1);
	store_rollback(theirs);
	passes.is_needed = true;
	turn_want_pass(f->turn);
	turn_run(f->turn);
	assert_int_equal(passes.made, 1);
	/* What was noted is always followed by one. */
	add(f, write_a_row);
	turn_run(f->turn);
	assert_int_equal(passes.made, 2);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_answered_before_the_commit),
		TEST(one_refused_change_undoes_itself_and_its_effects_alone),
		TEST(an_effect_runs_or_is_taken_back),
		TEST(a_busy_store_is_waited_for),
		TEST(what_is_noted_while_settling_is_applied_in_the_next_turn),
		TEST(a_pass_that_failed_is_tried_again_by_itself),
		TEST(what_the_other_program_commits_is_noticed),
		TEST(a_pass_that_would_change_nothing_takes_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
