/*
 * Looking into environments out of Pulumi projects, by the real CLI: layers, resources, what every
 * operation changed, also of one that was killed in the middle; and no secret in any of it.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/cli_session.h"
#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000, THINGS = 7 };

#define SECRET "look-s3cr3t-value"

/* GET .../NAME, its items; new reference. */
static json_t *look(struct pulumi_bench *bench, const char *id, const char *name)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/%s", id, name);
	AUTO(json_decref) json_t *page = NULL;
	int status;

	page = world_ask(bench->world, "GET", target, NULL, &status);
	assert_int_equal(status, 200);
	return json_incref(json_object_get(page, "items"));
}

static const json_t *find(const json_t *items, const char *key, const char *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)items, i, item)
		if (strcmp(json_get_string(item, key, ""), value) == 0)
			return item;
	fail_msg("nothing has %s \"%s\"", key, value);
	return NULL;
}

static size_t count(const json_t *items, const char *key, const char *value)
{
	const json_t *item;
	size_t i, found = 0;

	json_array_foreach((json_t *)(uintptr_t)items, i, item)
		found += strcmp(json_get_string(item, key, ""), value) == 0;
	return found;
}

/* An answer has every property that the document gives its shape, and no other. */
static void is_as_described(struct pulumi_bench *bench, const char *shape, const json_t *answer)
{
	AUTO(json_decref)
	json_t *document = world_ask(bench->world, "GET", "/v1/openapi.json", NULL, NULL);
	const json_t *properties = json_object_get(
	    json_object_get(json_object_get(json_object_get(document, "components"), "schemas"),
			    shape),
	    "properties");
	const char *name;
	json_t *value;

	assert_true(json_object_size(properties) > 0);
	json_object_foreach((json_t *)(uintptr_t)properties, name, value)
		if (!json_object_get(answer, name))
			fail_msg("%s has no %s", shape, name);
	assert_int_equal(json_object_size(answer), json_object_size(properties));
}

/* Everything that is written down about what was done. */
static char *all_books(const struct pulumi_bench *bench, const char *id)
{
	AUTO(free) char *folder = pulumi_bench_path(bench, id, "updates");
	AUTO(closedir) DIR *dir = opendir(folder);
	struct text text = TEXT_EMPTY;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);
		AUTO(free) char *bytes = NULL;
		struct error err;

		if (entry->d_name[0] == '.')
			continue;
		assert_true(file_read(path, 1 << 20, &bytes, NULL, &err));
		text_add(&text, bytes);
	}
	return text_take(&text);
}

static void what_was_made_and_changed_can_be_read_and_holds_no_secret(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *layers = NULL;
	AUTO(json_decref) json_t *resources = NULL;
	AUTO(json_decref) json_t *updates = NULL;
	AUTO(json_decref) json_t *later = NULL;
	AUTO(json_decref) json_t *one = NULL;
	AUTO(free) char *books = NULL;
	AUTO(free) char *shown = NULL;
	const json_t *resource;
	char id[37];

	setenv("ENVD_SECRET_LOOK", SECRET, 1);
	pulumi_bench_template(bench, "counted");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "\"app:password\": { random: 20 }",
			  "\"app:password\": { random: 20 }\n"
			  "  \"app:look\": { variable: ENVD_SECRET_LOOK }");
	/* A program that gives its secret away, under a name that says nothing. */
	pulumi_bench_edit(bench, "counted", "checkout/app/__main__.py", "pulumi.export(\"url\"",
			  "pulumi.export(\"plain\", \"x\" + config.require(\"look\"))\n"
			  "pulumi.export(\"url\"");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);

	layers = look(bench, id, "layers");
	assert_int_equal(json_array_size(layers), 3);
	assert_int_equal(count(layers, "state", "ready"), 3);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(find(layers, "name", "app"), "needs"), 0)),
			    "net");
	resources = look(bench, id, "resources");
	assert_int_equal(json_array_size(resources), THINGS);
	assert_int_equal(count(resources, "layer", "side"), 1);
	one = look(bench, id, "resources?layer=side");
	assert_int_equal(json_array_size(one), 1);
	updates = look(bench, id, "updates");
	assert_int_equal(json_array_size(updates), 3);
	assert_int_equal(count(updates, "state", "succeeded"), 3);
	assert_int_equal(
	    json_get_int64(json_object_get(find(updates, "layer", "app"), "changes"), "create", 0),
	    3);

	is_as_described(bench, "EnvironmentLayer", json_array_get(layers, 0));
	is_as_described(bench, "Resource", json_array_get(resources, 0));
	is_as_described(bench, "Update", find(updates, "layer", "app"));
	resource = json_array_get(json_object_get(find(updates, "layer", "app"), "resources"), 0);
	is_as_described(bench, "UpdateResource", resource);
	is_as_described(bench, "AttributeChange",
			json_array_get(json_object_get(resource, "attributes"), 0));

	pulumi_bench_end(bench, id);
	later = look(bench, id, "updates");
	assert_int_equal(count(later, "operation", "destroy"), 3);
	books = all_books(bench, id);
	assert_null(strstr(books, SECRET));
	stage_contains(books, "{\"path\":\"plain\",\"from\":null,\"to\":\"x[secret]\"}");
	stage_contains(books, "{\"path\":\"password\",\"from\":null,\"to\":\"[secret]\"}");
	assert_int_equal(world_envctl(bench->world, &shown, "graph", id, "-o", "svg", NULL), 0);
	stage_contains(shown, "removed");
	unsetenv("ENVD_SECRET_LOOK");
}

/* Pages are whole and none is told twice. */
static void pages_of_resources_add_up(struct pulumi_bench *bench, const char *id)
{
	AUTO(free) char *next = xstrdup("");
	size_t found = 0;
	int status;

	for (int pages = 0; next; pages++) {
		AUTO(free)
		char *target = xasprintf("/v1/environments/%s/resources?limit=3%s%s", id,
					 *next ? "&next=" : "", next);
		AUTO(json_decref)
		json_t *page = world_ask(bench->world, "GET", target, NULL, &status);
		const char *more = json_get_string(page, "next", NULL);

		assert_int_equal(status, 200);
		assert_true(pages < 4);
		found += json_array_size(json_object_get(page, "items"));
		free(next);
		next = more ? xstrdup(more) : NULL;
	}
	assert_int_equal(found, THINGS);
}

/* No cluster, no way into it. */
static void there_is_no_cluster(struct pulumi_bench *bench, const char *id)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/kubeconfig", id);
	AUTO(json_decref) json_t *problem = NULL;
	int status;

	problem = world_ask(bench->world, "POST", target, NULL, &status);
	assert_int_equal(status, 409);
	assert_string_equal(json_get_string(problem, "code", ""), "no_cluster");
	assert_int_equal(world_envctl(bench->world, NULL, "forward", "a", NULL), 6);
}

static void what_was_killed_in_the_middle_is_told_as_interrupted(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *updates = NULL;
	char id[37];

	pulumi_bench_build_halfway(bench, id);
	pulumi_bench_kill_everything(bench);
	pulumi_bench_unswitch(bench, "gate");
	world_start(bench->world);
	world_wait(bench->world, id, "ready", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
	updates = look(bench, id, "updates");
	assert_string_equal(json_get_string(json_array_get(updates, 0), "state", ""),
			    "interrupted");
	assert_string_equal(json_get_string(json_array_get(updates, 1), "operation", ""),
			    "refresh");
	assert_int_equal(count(updates, "state", "running"), 0);
	pages_of_resources_add_up(bench, id);
	there_is_no_cluster(bench, id);
}

/* ---- a cluster ---- */

/* The address of what a forward gave; 0: it has not. */
static int port_of(const struct cli_session *run, const char *name)
{
	AUTO(free) char *words = xasprintf("%s 127.0.0.1:", name);
	const char *at = strstr(text_get(&run->out), words);

	return at ? atoi(at + strlen(words)) : 0;
}

/* What comes back until the end. */
static char *talk(int port, const char *words)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct text heard = TEXT_EMPTY;
	char block[4096];
	ssize_t got;

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
	while ((got = read(fd, block, sizeof(block))) > 0)
		text_add_bytes(&heard, block, (size_t)got);
	close(fd);
	return text_take(&heard);
}

static bool is_written(void *arg)
{
	return file_exists(arg);
}

/* tests/support/fake_kube; it ends when the stream is closed. */
static FILE *start_cluster(char *kubeconfig)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free)
	char *command =
	    xasprintf("exec %s/tests/support/fake_kube %s", source ? source : ".", kubeconfig);
	FILE *cluster = popen(command, "we"); /* what is started later does not hold it */

	assert_non_null(cluster);
	assert_true(eventually(is_written, kubeconfig, 20000));
	return cluster;
}

static struct cli_session *begin_forward(struct pulumi_bench *bench, const char *what)
{
	AUTO(free) char *server = xasprintf("ENVCTL_SERVER=%s", bench->world->socket);
	const char *bin = getenv("ENVD_BIN");
	AUTO(free) char *envctl = xasprintf("%s/envctl", bin ? bin : "build/bin");
	const char *const program[] = { envctl, "forward", "a", what, NULL };
	const char *const variables[] = { server, NULL };
	struct cli_session *run =
	    cli_start(&(struct cli_spec){ .variables = variables, .program = program });

	cli_await(run, "until Ctrl-C");
	return run;
}

static void end_forward(struct cli_session *run)
{
	kill(run->pid, SIGINT);
	cli_finish(run);
}

static void build_with_cluster(struct pulumi_bench *bench, const char *kubeconfig, char id[37])
{
	AUTO(free)
	char *more = xasprintf("kubeconfig: %s\n"
			       "forwards:\n"
			       "  web: { namespace: shop, service: web, port: 80 }\n"
			       "  nobody: { namespace: shop, service: broken, port: 80 }\n"
			       "  none-ready: { namespace: shop, service: empty, port: 80 }\n"
			       "layers:\n",
			       kubeconfig);

	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n", more);
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
}

/* Who may reach into it gets it, and that is written down; it is nowhere else. */
static void the_kubeconfig_is_given(struct pulumi_bench *bench, const char *kubeconfig)
{
	AUTO(free) char *merged = path_join(bench->world->folder, "merged.yaml");
	AUTO(free) char *token_file = xasprintf("%s.token", kubeconfig);
	AUTO(free) char *token = NULL;
	AUTO(free) char *printed = NULL;
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *audit = NULL;
	struct stat status;
	struct error err;

	assert_true(file_read(token_file, 1000, &token, NULL, &err));
	token[strcspn(token, "\n")] = '\0';
	assert_int_equal(world_envctl(bench->world, &printed, "kubeconfig", "a", NULL), 0);
	/* Nothing in it is a file of the server. */
	stage_contains(printed, token);
	stage_contains(printed, "current-context: a");
	assert_null(strstr(printed, "tokenFile"));

	assert_true(file_write_atomically(merged,
					  "kind: Config\ncurrent-context: mine\nclusters:\n"
					  "- {name: mine, cluster: {server: https://mine}}\n",
					  strlen("kind: Config\ncurrent-context: mine\nclusters:\n"
						 "- {name: mine, cluster: {server: https://mine}}"
						 "\n"),
					  0644, &err));
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    world_envctl(bench->world, NULL, "kubeconfig", "a", "--merge", merged, NULL),
		    0);
	assert_int_equal(stat(merged, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(file_read(merged, 100000, &bytes, NULL, &err));
	stage_contains(bytes, "current-context: mine");
	stage_contains(bytes, "https://mine");
	assert_null(strstr(strstr(bytes, token) + 1, token));

	assert_int_equal(world_envctl(bench->world, &audit, "audit", NULL), 0);
	stage_contains(audit, "kubeconfig");
	assert_null(strstr(audit, token));
}

static void a_cluster_is_reached_by_names_of_the_template_and_by_its_kubeconfig(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *kubeconfig = path_join(bench->world->folder, "cluster.yaml");
	FILE *cluster = start_cluster(kubeconfig);
	AUTO(cli_free) struct cli_session *all = NULL;
	AUTO(json_decref) json_t *services = NULL;
	AUTO(free) char *target = NULL;
	AUTO(cli_free) struct cli_session *one = NULL;
	AUTO(free) char *heard = NULL;
	AUTO(free) char *nothing = NULL;
	AUTO(free) char *again = NULL;
	AUTO(free) char *long_one = xcalloc(1, 300010);
	AUTO(free) char *much = NULL;
	char id[37];

	build_with_cluster(bench, kubeconfig, id);
	target = xasprintf("/v1/environments/%s/services", id);
	services = world_ask(bench->world, "GET", target, NULL, NULL);
	is_as_described(bench, "Services", services);
	is_as_described(bench, "Forward", json_array_get(json_object_get(services, "forwards"), 0));
	all = begin_forward(bench, NULL);
	cli_await_out(all, "none-ready 127.0.0.1:");
	heard = talk(port_of(all, "web"), "hello\nbye\n");
	assert_string_equal(heard, "web-2:8080 heard hello\nweb-2:8080 heard bye\n");
	memset(long_one, 'x', 300000);
	strcpy(long_one + 300000, "\nbye\n");
	much = talk(port_of(all, "web"), long_one);
	assert_int_equal(strlen(much), strlen("web-2:8080 heard ") * 2 + 300000 + 1 + 4);
	nothing = talk(port_of(all, "nobody"), "hello\n");
	assert_string_equal(nothing, "");
	free(talk(port_of(all, "none-ready"), "hello\n"));
	cli_await(all, "service \"empty\" in namespace \"shop\" has no pod that is ready");
	end_forward(all);

	/* Without a name of the template's. */
	one = begin_forward(bench, "web.shop:80");
	again = talk(atoi(strchr(text_get(&one->out), ':') + 1), "bye\n");
	assert_string_equal(again, "web-2:8080 heard bye\n");
	end_forward(one);
	the_kubeconfig_is_given(bench, kubeconfig);
	pclose(cluster);
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(what_was_made_and_changed_can_be_read_and_holds_no_secret),
		ON_BENCH(what_was_killed_in_the_middle_is_told_as_interrupted),
		ON_BENCH(a_cluster_is_reached_by_names_of_the_template_and_by_its_kubeconfig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
