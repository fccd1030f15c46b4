/* Tokens and the audit history: what the triggers keep, whoever writes the file. */
#include "store/store_audit.h"
#include "store/store_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "base/files.h"
#include "tests/support/store_bench.h"

#define DAY_MS (INT64_C(24) * 3600000)

static int start(void **state)
{
	struct store_bench *fixture = xcalloc(1, sizeof(*fixture));
	struct error err;

	strcpy(fixture->folder, "/tmp/envd-test-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	if (!store_open(fixture->folder, true, &fixture->store, &err))
		fail_msg("%s", err.message);
	*state = fixture;
	return 0;
}

static int stop(void **state)
{
	struct store_bench *fixture = *state;
	struct error err;

	store_close(fixture->store);
	assert_true(folder_remove(fixture->folder, &err));
	free(fixture);
	return 0;
}

/* Somebody with another program. Returns SQLite's words, "" when it was done. */
static char *run_sql(const struct store_bench *fixture, const char *sql)
{
	AUTO(free) char *path = path_join(fixture->folder, "store.db");
	char *message = NULL, *copy;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &message);
	copy = xstrdup(message ? message : "");
	sqlite3_free(message);
	sqlite3_close(db);
	return copy;
}

static struct token_row token(const char *id, int64_t created_at_ms)
{
	struct token_row row = { .role = ROLE_CI,
				 .created_at_ms = created_at_ms,
				 .expires_at_ms = created_at_ms + DAY_MS };

	snprintf(row.id, sizeof(row.id), "%s", id);
	snprintf(row.digest, sizeof(row.digest), "digest-of-%s", id);
	snprintf(row.name, sizeof(row.name), "agent");
	snprintf(row.project, sizeof(row.project), "web");
	snprintf(row.created_by, sizeof(row.created_by), "root");
	return row;
}

static void insert(struct store_bench *fixture, const char *id, int64_t created_at_ms)
{
	struct token_row row = token(id, created_at_ms);
	struct store_tx *tx = store_bench_begin(fixture);
	struct error err;

	if (!store_token_insert(tx, &row, &err))
		fail_msg("%s", err.message);
	store_bench_commit(tx);
}

static void a_token_comes_back_as_it_was_stored(void **state)
{
	struct store_bench *fixture = *state;
	struct token_row row;
	struct error err;
	bool found;

	insert(fixture, "0123abcd", 1000);
	assert_true(store_token_find(fixture->store, "0123abcd", &row, &found, &err));
	assert_true(found);
	assert_string_equal(row.digest, "digest-of-0123abcd");
	assert_string_equal(row.name, "agent");
	assert_string_equal(row.project, "web");
	assert_int_equal(row.role, ROLE_CI);
	assert_int_equal(row.expires_at_ms, 1000 + DAY_MS);
	assert_int_equal(row.last_used_at_ms, 0);
	assert_int_equal(row.revoked_at_ms, 0);
	assert_true(store_token_find(fixture->store, "00000000", &row, &found, &err));
	assert_false(found);
}

static void the_same_id_is_not_given_twice(void **state)
{
	struct store_bench *fixture = *state;
	struct token_row row = token("0123abcd", 1000);
	struct store_tx *tx;
	struct error err;

	insert(fixture, "0123abcd", 1000);
	tx = store_bench_begin(fixture);
	assert_false(store_token_insert(tx, &row, &err));
	assert_string_equal(err.slug, "token_exists");
	store_rollback(tx);
}

static void revoked_is_for_good(void **state)
{
	struct store_bench *fixture = *state;
	struct token_row row;
	struct store_tx *tx;
	struct error err;
	bool found;

	insert(fixture, "0123abcd", 1000);
	for (int64_t now_ms = 2000; now_ms <= 3000; now_ms += 1000) {
		tx = store_bench_begin(fixture);
		assert_true(store_token_revoke(tx, "0123abcd", now_ms, &err));
		store_bench_commit(tx);
	}
	assert_true(store_token_find(fixture->store, "0123abcd", &row, &found, &err));
	assert_int_equal(row.revoked_at_ms, 2000);

	AUTO(free) char *words = run_sql(fixture, "UPDATE tokens SET revoked_at = 0");

	assert_non_null(strstr(words, "stays revoked"));
}

static void what_a_token_may_do_never_changes(void **state)
{
	static const char *const changes[] = { "role = 'admin'", "project = 'ops'", "digest = 'x'",
					       "expires_at = 9e15", "id = 'deadbeef'" };
	struct store_bench *fixture = *state;

	insert(fixture, "0123abcd", 1000);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		AUTO(free) char *sql = xasprintf("UPDATE tokens SET %s", changes[i]);
		AUTO(free) char *words = run_sql(fixture, sql);

		if (!strstr(words, "a token does not change"))
			fail_msg("%s: \"%s\"", sql, words);
	}
}

static void tokens_that_are_long_over_make_room_and_others_do_not(void **state)
{
	struct store_bench *fixture = *state;
	struct token_row row, full = token("ffffffff", 200 * DAY_MS);
	struct store_tx *tx = store_bench_begin(fixture);
	struct error err;
	bool found;
	char id[TOKEN_ID_SIZE];

	for (int i = 0; i < TOKENS_MAX; i++) {
		snprintf(id, sizeof(id), "%08x", i);
		/* The first is over for a hundred days when the last comes. */
		row = token(id, i ? 200 * DAY_MS : 99 * DAY_MS);
		assert_true(store_token_insert(tx, &row, &err));
	}
	assert_true(store_token_insert(tx, &full, &err));
	assert_true(store_token_find(store_of(tx), "00000000", &row, &found, &err));
	assert_false(found);
	full = token("eeeeeeee", 200 * DAY_MS);
	assert_false(store_token_insert(tx, &full, &err));
	assert_string_equal(err.slug, "token_limit");
	store_rollback(tx);
}

/* ---- the audit history ---- */

static void append(struct store_tx *tx, int64_t at_ms)
{
	const struct audit_entry entry = { .at_ms = at_ms,
					   .who = "web/ci",
					   .role = "ci",
					   .project = "web",
					   .token = "0123abcd",
					   .from = "192.0.2.1",
					   .request = "r",
					   .action = "create",
					   .subject = "s" };
	struct error err;

	if (!store_audit_append(tx, &entry, &err))
		fail_msg("%s", err.message);
}

static void the_audit_history_is_append_only(void **state)
{
	struct store_bench *fixture = *state;
	struct store_tx *tx = store_bench_begin(fixture);

	append(tx, 1000);
	append(tx, 2000);
	store_bench_commit(tx);

	AUTO(free) char *changed = run_sql(fixture, "UPDATE audit SET who = 'nobody'");
	AUTO(free) char *removed = run_sql(fixture, "DELETE FROM audit WHERE n = 1");
	AUTO(free) char *emptied = run_sql(fixture, "DELETE FROM audit");

	assert_non_null(strstr(changed, "append only"));
	assert_non_null(strstr(removed, "is kept"));
	assert_non_null(strstr(emptied, "is kept"));
}

/* A high number stands for many rows. They go when a multiple of 256 comes. */
static void only_what_is_older_than_the_newest_hundred_thousand_goes(void **state)
{
	struct store_bench *fixture = *state;
	struct store_tx *tx = store_bench_begin(fixture);
	AUTO(json_decref) json_t *items = NULL;
	struct error err;
	int64_t last;

	append(tx, 1000);
	append(tx, 2000);
	store_bench_commit(tx);
	free(run_sql(fixture, "INSERT INTO audit SELECT 100095, at, who, role, project, token, "
			      "peer, request, action, subject, detail FROM audit WHERE n = 2"));
	tx = store_bench_begin(fixture);
	append(tx, 3000); /* number 100096: what is not above 96 goes */
	store_bench_commit(tx);
	assert_true(store_audit_list(fixture->store, 0, 10, &items, &last, &err));
	assert_int_equal(json_array_size(items), 2);
	assert_int_equal(last, 100095);
	assert_int_equal(json_get_int64(json_array_get(items, 0), "n", 0), 100096);
}

#define stored(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		stored(a_token_comes_back_as_it_was_stored),
		stored(the_same_id_is_not_given_twice),
		stored(revoked_is_for_good),
		stored(what_a_token_may_do_never_changes),
		stored(tokens_that_are_long_over_make_room_and_others_do_not),
		stored(the_audit_history_is_append_only),
		stored(only_what_is_older_than_the_newest_hundred_thousand_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
