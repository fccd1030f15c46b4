#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "worker/request.h"

#define ID "22222222-2222-4222-8222-222222222222"

static json_t *good_request(void)
{
	return json_pack("{s:i, s:s, s:s, s:{s:s, s:s, s:i, s:i}, s:s, s:{s:s, s:s, s:b}, s:s,"
			 " s:{s:s, s:s}, s:{s:i}}",
			 "protocol", 1, "task", "create", "instance", "i", "environment", "id", ID,
			 "name", "e1", "sequence", 7, "hard_wall_s", 1000, "folder", "/nowhere/e1",
			 "template", "folder", "/nowhere/t", "digest", "abc", "trusted", 1,
			 "engine", "external", "target", "name", "local", "socket", "/run/x.sock",
			 "limits", "deadline_ms", 5000);
}

static void a_request_is_read_into_what_engines_want(void **state)
{
	AUTO(json_decref) json_t *json = good_request();
	AUTO(request_release) struct request request;
	const struct engine_request *read = &request.engine_request;
	struct error err;

	(void)state;
	assert_true(request_read(&request, json, &err));
	assert_true(request_has_environment(&request));
	assert_string_equal(request.engine->name, "external");
	assert_string_equal(read->environment.text, ID);
	assert_int_equal(read->sequence, 7);
	assert_true(read->is_trusted);
	assert_string_equal(read->target.socket, "/run/x.sock");
	assert_string_equal(read->target.publish_address, "127.0.0.1");
	assert_string_equal(request.snapshot_folder, "/nowhere/e1/template");
	/* Neither the snapshot nor the source is there. */
	assert_null(read->template_folder);
	assert_null(read->lock);
	assert_true(llabs((long long)(read->deadline_at_ms - clock_wall_ms() - 5000)) < 2000);
	assert_ptr_equal(read->whole, json);
}

static void only_trusted_templates_get_credentials_unless_the_settings_say_so(void **state)
{
	static const struct {
		bool is_trusted;
		bool is_allowed_to_all;
		bool may_use_credentials;
	} cases[] = {
		{ true, false, true },
		{ true, true, true },
		{ false, false, false },
		{ false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *json = good_request();
		AUTO(request_release) struct request request;
		struct error err;

		json_object_set_new(json_object_get(json, "template"), "trusted",
				    json_boolean(cases[i].is_trusted));
		json_object_set_new(json, "untrusted_registry_credentials",
				    json_boolean(cases[i].is_allowed_to_all));
		assert_true(request_read(&request, json, &err));
		assert_int_equal(request.engine_request.may_use_credentials,
				 cases[i].may_use_credentials);
	}
}

static void a_whole_target_needs_no_environment(void **state)
{
	AUTO(json_decref) json_t *json = good_request();
	AUTO(request_release) struct request request;
	struct error err;

	(void)state;
	json_object_set_new(json, "environment", json_null());
	json_object_set_new(json, "folder", json_null());
	json_object_set_new(json, "template", json_null());
	assert_true(request_read(&request, json, &err));
	assert_false(request_has_environment(&request));
	assert_string_equal(request.engine_request.environment.text, "");
}

static void an_earlier_lock_is_handed_to_the_engine(void **state)
{
	char folder[] = "/tmp/envd-request-XXXXXX";
	AUTO(json_decref) json_t *json = good_request();
	AUTO(request_release) struct request request;
	AUTO(free) char *path = NULL;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = path_join(folder, "lock.json");
	assert_true(file_write_atomically(path, "{\"v\":1}", 7, 0600, &err));
	json_object_set_new(json, "folder", json_string(folder));
	assert_true(request_read(&request, json, &err));
	assert_int_equal(json_get_int64(request.engine_request.lock, "v", 0), 1);
	assert_true(folder_remove(folder, &err));
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *key;
		const char *value; /* NULL: the key is missing */
		const char *message;
	} cases[] = {
		{ "protocol", "2", "speaks protocol 2, expected 1" },
		{ "protocol", NULL, "protocol" },
		{ "task", NULL, "task" },
		{ "instance", "7", "instance" },
		{ "engine", "\"magic\"", "there is no engine \"magic\"" },
		{ "environment",
		  "{\"id\":\"../x\",\"name\":\"e\",\"sequence\":1,\"hard_wall_s\":1}",
		  "not the id of an environment" },
		{ "environment", "{\"name\":\"e\"}", "id" },
		{ "folder", NULL, "folder" },
		{ "template", "{\"folder\":\"/t\"}", "digest" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *json = good_request();
		AUTO(request_release) struct request request;
		struct error err;

		json_object_del(json, cases[i].key);
		if (cases[i].value)
			json_object_set_new(json, cases[i].key,
					    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		assert_false(request_read(&request, json, &err));
		if (!strstr(err.message, cases[i].message))
			fail_msg("%s: %s", cases[i].key, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_into_what_engines_want),
		cmocka_unit_test(only_trusted_templates_get_credentials_unless_the_settings_say_so),
		cmocka_unit_test(a_whole_target_needs_no_environment),
		cmocka_unit_test(an_earlier_lock_is_handed_to_the_engine),
		cmocka_unit_test(what_is_wrong_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
