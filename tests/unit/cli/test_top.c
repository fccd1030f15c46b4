#include "cli/top_view.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* 2026-11-24T20:00:00Z */
#define NOW_MS 1795550400000LL

static json_t *environment(const char *name, const char *state, const char *expires_at)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:{s:s, s:f}}", "id", name, "name",
			 name, "state", state, "expires_at", expires_at, "created_at",
			 "2026-11-24T19:30:00Z", "owner", "café", "template", "bank", "cost",
			 "currency", "USD", "per_hour", 0.5);
}

/* Worst last, as a server that knows nothing of us would list them. */
static json_t *environments(void)
{
	json_t *bad = environment("bad", "ready", "2026-11-25T20:00:00Z");
	json_t *stuck = environment("stuck", "destroying", "2026-11-24T19:00:00Z");

	json_object_set_new(bad, "checks", json_pack("{s:s}", "verdict", "failed"));
	json_object_set_new(stuck, "quarantined", json_true());
	return json_pack("[o, o, o, o, o, o, o]", environment("new", "queued", NULL),
			 environment("later", "ready", "2026-11-25T21:00:00Z"),
			 environment("sooner", "ready", "2026-11-24T21:00:00Z"),
			 environment("soon", "ready", "2026-11-24T20:05:00Z"), bad,
			 environment("broken", "failed", "2026-11-24T20:30:00Z"), stuck);
}

static char *names_of(const json_t *list)
{
	struct text names = TEXT_EMPTY;
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item) {
		text_format(&names, "%s%s", i ? " " : "", json_get_string(item, "name", "?"));
	}
	return text_take(&names);
}

/* ---- the view ---- */

static void what_needs_a_person_comes_first_and_then_what_ends_next(void **unused)
{
	AUTO(json_decref) json_t *all = environments();
	AUTO(json_decref) json_t *sorted = top_view_sort(all, false, NOW_MS);
	AUTO(json_decref) json_t *faults = top_view_sort(all, true, NOW_MS);
	AUTO(free) char *names = names_of(sorted);
	AUTO(free) char *names_of_faults = names_of(faults);

	(void)unused;
	assert_string_equal(names, "stuck broken bad soon sooner later new");
	assert_string_equal(names_of_faults, "stuck broken bad soon");
}

static void a_screen_fits_and_shows_what_is_selected(void **unused)
{
	AUTO(json_decref) json_t *all = environments();

	(void)unused;
	for (size_t height = 6; height < 16; height++) {
		for (size_t selected = 0; selected < json_array_size(all); selected++) {
			struct top_view view = { .terminal = { .is_terminal = true, .width = 40 },
						 .height = height,
						 .now_ms = NOW_MS,
						 .server = "unix:/x",
						 .environments = all,
						 .selected = selected };
			AUTO(text_release) struct text frame = TEXT_EMPTY;
			const char *name =
			    json_get_string(json_array_get(all, selected), "name", "");
			size_t lines = 0;

			top_view_draw(&view, &frame);
			assert_non_null(strstr(text_get(&frame), name));
			for (const char *at = text_get(&frame); *at; at += strcspn(at, "\n") + 1) {
				AUTO(free) char *line = xstrndup(at, strcspn(at, "\n"));

				lines++;
				assert_true(text_columns(line) < 40);
			}
			assert_true(lines <= height);
		}
	}
}

static void totals_say_what_leaks_and_what_is_spent(void **unused)
{
	AUTO(json_decref) json_t *all = environments();
	struct top_view view = { .now_ms = NOW_MS, .server = "unix:/x", .environments = all };
	AUTO(text_release) struct text frame = TEXT_EMPTY;

	(void)unused;
	top_view_draw(&view, &frame);
	assert_non_null(strstr(text_get(&frame), "DEBT 0.50 USD/h, 1 stuck   SPEND 3.00 USD/h   "
						 "ENVIRONMENTS 7: 0 building, 2 failed, 1 end soon "
						 "  QUEUE 1\n"));
}

/* ---- on a terminal ---- */

static struct fake_server *serve(void)
{
	json_t *list = json_pack("{s:[o, o], s:n}", "items",
				 environment("one", "ready", "2099-01-01T00:00:00Z"),
				 environment("two", "ready", "2099-01-02T00:00:00Z"), "next");

	return fake_server_start(json_pack(
	    "[{s:s, s:s, s:[{s:o}]}, {s:s, s:s, s:[{s:[], s:b}]}, {s:s, s:s, s:[{s:i, s:{}}]}]",
	    "method", "GET", "path", "/v1/environments", "answers", "json", list, "method", "GET",
	    "path", "/v1/events", "answers", "events", "hold", 1, "method", "DELETE", "path",
	    "/v1/environments/two", "answers", "status", 202, "json"));
}

static struct cli_session *start(const struct fake_server *server)
{
	struct cli_session *run = cli_start(
	    &(struct cli_spec){ .server = server, .arguments = WORDS("top"), .columns = 100 });

	cli_await(run, "q quit");
	return run;
}

static void d_destroys_after_a_y_and_nothing_else(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve();
	AUTO(cli_free) struct cli_session *run = start(server);

	(void)unused;
	cli_type(run, "\033[Bd");
	cli_await(run, "destroy env/two? y or n");
	cli_type(run, "n");
	cli_type(run, "d");
	cli_type(run, "y");
	cli_await(run, "destroying env/two");
	cli_type(run, "\r");
	cli_await(run, "any key goes back");
	cli_type(run, " q");
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 0);
	assert_int_equal(fake_server_count(server, "DELETE", "/v1/environments/two"), 1);
	/* The terminal is as it was. */
	assert_true(text_ends_with(text_get(&run->err), "\033[?25h\033[?1049l"));
}

static void ctrl_c_leaves_the_terminal_as_it_was(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve();
	AUTO(cli_free) struct cli_session *run = start(server);

	(void)unused;
	cli_type(run, "\003");
	cli_finish(run);
	assert_true(WIFSIGNALED(run->status));
	assert_int_equal(WTERMSIG(run->status), SIGINT);
	assert_true(text_ends_with(text_get(&run->err), "\033[?25h\033[?1049l"));
}

static void in_a_pipe_it_is_printed_once(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve();
	AUTO(cli_free)
	struct cli_session *run =
	    cli_run(&(struct cli_spec){ .server = server, .arguments = WORDS("top") });

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_non_null(strstr(text_get(&run->out), "\n  one "));
	assert_null(strchr(text_get(&run->out), '\033'));
	assert_int_equal(fake_server_count(server, "GET", "/v1/events"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_a_person_comes_first_and_then_what_ends_next),
		cmocka_unit_test(a_screen_fits_and_shows_what_is_selected),
		cmocka_unit_test(totals_say_what_leaks_and_what_is_spent),
		cmocka_unit_test(d_destroys_after_a_y_and_nothing_else),
		cmocka_unit_test(ctrl_c_leaves_the_terminal_as_it_was),
		cmocka_unit_test(in_a_pipe_it_is_printed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
