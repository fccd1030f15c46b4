/* Kubeconfig files: who we are, where it leads, and what somebody else's machine gets of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "kube/kube_access.h"
#include "engine/pulumi/kube_export.h"
#include "engine/pulumi/pulumi_place.h"
#include "engine/pulumi/tool_set.h"

static char folder[] = "/tmp/envd-kube-XXXXXX";

#define CLUSTERS                                                                                   \
	"current-context: b\n"                                                                     \
	"clusters:\n"                                                                              \
	"- { name: one, cluster: { server: 'https://one' } }\n"                                    \
	"- { name: two, cluster: { server: 'https://two:6443/',\n"                                 \
	"    certificate-authority-data: Q0E= } }\n"                                               \
	"contexts:\n"                                                                              \
	"- { name: a, context: { cluster: one, user: u } }\n"                                      \
	"- { name: b, context: { cluster: two, user: u, namespace: shop } }\n"

static char *write_file(const char *name, const char *content)
{
	char *path = path_join(folder, name);
	struct error err;

	assert_true(file_write_atomically(path, content, strlen(content), 0600, &err));
	return path;
}

static bool run_program(void *arg, const char *const *argv, char *const *variables, char **output,
			struct error *err)
{
	AUTO(free) char *program = find_on_path(argv[0]);
	const char *words[8] = { program ? program : argv[0] };
	struct tool_end end;

	(void)arg;
	for (size_t i = 1; argv[i] && i < ARRAY_SIZE(words) - 1; i++)
		words[i] = argv[i];
	return tool_run(&(struct tool_spec){ .argv = words,
					     .variables = variables,
					     .directory = folder,
					     .limit_ms = 20000 },
			1 << 20, output, &end, err) &&
	       tool_ended_well(&end);
}

static bool log_in(const char *path, struct kube_access *access, struct error *err)
{
	static char variable[] = "FROM=environment";
	char *const variables[] = { variable, NULL };
	const struct kube_login login = { .variables = variables, .run = run_program };

	return kube_access_login(path, &login, access, err);
}

static void the_current_context_says_where_and_who(void **unused)
{
	AUTO(free)
	char *path = write_file("plain", CLUSTERS "users:\n- { name: u, user: { token: t0k, "
						  "username: n, password: p } }\n");
	AUTO(kube_access_release) struct kube_access access = { .server = NULL };
	struct error err;

	(void)unused;
	assert_true(log_in(path, &access, &err));
	assert_string_equal(access.server, "https://two:6443");
	assert_string_equal(access.authority, "CA");
	assert_string_equal(access.token, "t0k");
	assert_string_equal(access.password, "p");
}

/* As the files of EKS have it. */
static void a_program_is_asked_for_a_token_and_gets_the_variables(void **unused)
{
	AUTO(free)
	char *path = write_file(
	    "exec", CLUSTERS
	    "users:\n- name: u\n  user:\n    exec:\n      command: sh\n"
	    "      args: [-c, 'printf \"{\\\"status\\\":{\\\"token\\\":\\\"%s-%s-%s\\\"}}\" $FROM "
	    "$WITH $0', name]\n"
	    "      env: [{ name: WITH, value: more }]\n");
	AUTO(free)
	char *failing = write_file("fails", CLUSTERS
				   "users:\n- { name: u, user: { exec: { command: 'false' } } }\n");
	AUTO(kube_access_release) struct kube_access access = { .server = NULL };
	AUTO(kube_access_release) struct kube_access none = { .server = NULL };
	struct error err;

	(void)unused;
	assert_true(log_in(path, &access, &err));
	assert_string_equal(access.token, "environment-more-name");
	assert_false(log_in(failing, &none, &err));
	assert_string_equal(err.slug, "login_failed");
}

static void what_is_wrong_is_named(void **unused)
{
	static const struct {
		const char *content, *words;
	} cases[] = {
		{ "current-context: z\n", "/wrong: its current context \"z\" leads to no cluster" },
		{ "kind: Config\n", "/wrong: it has no current context" },
		{ "a: [\n", "kubeconfig" },
		{ "current-context: c\n"
		  "clusters: [{ name: one, cluster: { server: 'https://one', tls-server-name: two "
		  "} "
		  "}]\n"
		  "contexts: [{ name: c, context: { cluster: one, user: u } }]\n"
		  "users: [{ name: u, user: { token: t } }]\n",
		  "tls-server-name" },
		{ CLUSTERS "users:\n- { name: u, user: { client-key-data: '%%%' } }\n",
		  "client-key-data is no base64" },
		{ CLUSTERS "users:\n- { name: u, user: { client-key: /nonexistent } }\n",
		  "/nonexistent" },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *path = write_file("wrong", cases[i].content);
		AUTO(kube_access_release) struct kube_access access = { .server = NULL };

		assert_false(log_in(path, &access, &err));
		assert_string_equal(err.slug, "kubeconfig_invalid");
		if (!strstr(err.message, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].words);
	}
}

static void elsewhere_there_is_one_context_and_no_file_of_ours(void **unused)
{
	AUTO(free) char *key = write_file("key.pem", "KEY");
	AUTO(free)
	char *content = xasprintf(CLUSTERS "users:\n- { name: u, user: { client-key: %s, "
					   "client-certificate-data: Q0VSVA== } }\n",
				  key);
	AUTO(free) char *path = write_file("export", content);
	AUTO(json_decref) json_t *config = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	(void)unused;
	assert_true(kube_export(path, "demo", &config, &err));
	text = json_to_text(config);
	assert_string_equal(
	    text, "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"clusters\":[{\"name\":\"demo\","
		  "\"cluster\":{\"server\":\"https://two:6443/\",\"certificate-authority-data\":"
		  "\"Q0E=\"}}],\"users\":[{\"name\":\"demo\",\"user\":{\"client-certificate-data\":"
		  "\"Q0VSVA==\",\"client-key-data\":\"S0VZ\"}}],\"contexts\":[{\"name\":\"demo\","
		  "\"context\":{\"cluster\":\"demo\",\"user\":\"demo\",\"namespace\":\"shop\"}}],"
		  "\"current-context\":\"demo\"}");
}

static int make_folder(void **unused)
{
	(void)unused;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
	struct error err;

	(void)unused;
	return folder_remove(folder, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_current_context_says_where_and_who),
		cmocka_unit_test(a_program_is_asked_for_a_token_and_gets_the_variables),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(elsewhere_there_is_one_context_and_no_file_of_ours),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
