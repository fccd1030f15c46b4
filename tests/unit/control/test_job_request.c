#include "control/job_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "settings/settings.h"

struct fixture {
	char folder[64];
	struct target target;
	struct settings settings;
	struct control control;
	struct environment *environment;
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct error err;

	snprintf(f->folder, sizeof(f->folder), "/tmp/envd-request-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->target.name = xstrdup("local");
	f->target.engine = xstrdup("container");
	f->target.publish_address = xstrdup("127.0.0.1");
	f->settings.targets = &f->target;
	f->settings.target_count = 1;
	f->control.settings = &f->settings;
	f->control.environments_folder = f->folder;
	assert_true(store_open(f->folder, true, &f->control.store, &err));
	f->environment = environment_new();
	f->environment->id = env_id_new();
	f->environment->name = xstrdup("e1");
	f->environment->template_name = xstrdup("t");
	f->environment->template_folder = xstrdup("/t");
	f->environment->template_digest = xstrdup("d");
	f->environment->engine = xstrdup("container");
	f->environment->target = xstrdup("local");
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct error err;

	environment_free(f->environment);
	store_close(f->control.store);
	free(f->target.name);
	free(f->target.engine);
	free(f->target.publish_address);
	assert_true(folder_remove(f->folder, &err));
	free(f);
	return 0;
}

/* Of every call that the engine makes to answer; 0: none. */
static int64_t deadline_of(struct fixture *f, bool is_open_ended)
{
	AUTO(json_decref) json_t *request = NULL;
	struct error err;

	if (!job_request_question(&f->control, f->environment, "logs", is_open_ended, &request,
				  &err))
		fail_msg("%s", err.message);
	return json_get_int64(json_object_get(request, "limits"), "deadline_ms", -1);
}

static void a_question_has_a_time_limit_and_an_open_ended_one_has_none(void **state)
{
	assert_int_equal(deadline_of(*state, false), JOB_QUESTION_MS);
	assert_int_equal(deadline_of(*state, true), 0);
}

static void a_question_about_a_target_that_is_gone_names_it(void **state)
{
	struct fixture *f = *state;
	json_t *request = NULL;
	struct error err;

	f->settings.target_count = 0;
	assert_false(
	    job_request_question(&f->control, f->environment, "logs", false, &request, &err));
	assert_string_equal(err.slug, "target_unknown");
	assert_non_null(strstr(err.message, "\"local\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_question_has_a_time_limit_and_an_open_ended_one_has_none, open_fixture,
		    close_fixture),
		cmocka_unit_test_setup_teardown(a_question_about_a_target_that_is_gone_names_it,
						open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
