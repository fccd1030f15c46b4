#include "tests/support/pulumi_bench.h"

#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"

enum { LIMIT_MS = 200000 };

static const struct copy_limits limits = { 1000, 16 << 20 };

static const char *source_folder(void)
{
	const char *folder = getenv("ENVD_SOURCE");

	return folder ? folder : ".";
}

/* ---- the real parts ---- */

/* What it prints: folders joined for PATH, the virtual environment's first. */
static char *ask_parts(void)
{
	const char *other = getenv("ENVD_TEST_REAL_PARTS");
	AUTO(free)
	char *command = other ? xasprintf("%s python pulumi", other)
			      : xasprintf("%s/ci/local/real-parts python pulumi", source_folder());
	char line[4096] = "";
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	if (!fgets(line, sizeof(line), pipe) || pclose(pipe) != 0)
		fail_msg("the real Pulumi is not there: %s", command);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

/* Once a program: every later process has them on its PATH. Without the virtual environment, which
 * only gives its packages away. */
static const char *wheels(void)
{
	static char folder[1024];
	AUTO(free) char *parts = NULL;
	AUTO(free) char *path = NULL;
	char *rest;

	if (*folder)
		return folder;
	parts = ask_parts();
	rest = strchr(parts, ':');
	assert_non_null(rest);
	*rest = '\0';
	path = xasprintf("%s:%s", rest + 1, getenv("PATH"));
	setenv("PATH", path, 1);
	snprintf(folder, sizeof(folder), "%s/../../wheels", parts);
	return folder;
}

/* ---- the bench ---- */

/* Made once for all tests: what is shared in an installation may be shared by several. */
static void share_python(const struct pulumi_bench *bench)
{
	const char *work = getenv("ENVD_TEST_WORK");
	AUTO(free)
	char *shared = work ? xasprintf("%s/pulumi-python", work)
			    : xasprintf("/tmp/envd-tests-%d/pulumi-python", (int)getuid());
	AUTO(free) char *own = path_join(bench->world->data, "python");
	struct error err;

	assert_true(folder_make(shared, 0700, &err) && folder_make(bench->world->data, 0700, &err));
	assert_int_equal(symlink(shared, own), 0);
}

static struct pulumi_bench *bench_new(void)
{
	struct pulumi_bench *bench = xcalloc(1, sizeof(*bench));
	struct error err;

	wheels();
	bench->world = world_new("ENVD_TEST_PODMAN");
	world_argument(bench->world, "--destroy-retry=500ms");
	snprintf(bench->things, sizeof(bench->things), "%s/things", bench->world->folder);
	assert_true(folder_make(bench->things, 0755, &err));
	share_python(bench);
	return bench;
}

void pulumi_bench_own_python(const struct pulumi_bench *bench)
{
	AUTO(free) char *path = path_join(bench->world->data, "python");

	assert_int_equal(unlink(path), 0);
}

size_t pulumi_bench_count_venvs(const struct pulumi_bench *bench)
{
	AUTO(free) char *path = path_join(bench->world->data, "python");
	AUTO(closedir) DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.' && !text_ends_with(entry->d_name, ".lock");
	return count;
}

static void bench_free(struct pulumi_bench *bench)
{
	world_free(bench->world);
	free(bench);
}

void pulumi_bench_template(struct pulumi_bench *bench, const char *fixture)
{
	pulumi_bench_template_as(bench, fixture, fixture);
}

void pulumi_bench_template_as(struct pulumi_bench *bench, const char *fixture, const char *name)
{
	AUTO(free) char *from = xasprintf("%s/tests/fixtures/pulumi/%s", source_folder(), fixture);
	AUTO(free) char *old_name = xasprintf("name: %s", fixture);
	AUTO(free) char *new_name = xasprintf("name: %s", name);
	AUTO(free) char *to = path_join(bench->world->templates, name);
	struct error err;

	if (!folder_copy(from, to, &limits, &err))
		fail_msg("%s", err.message);
	pulumi_bench_edit(bench, name, "template.yaml", old_name, new_name);
	if (strcmp(fixture, "counted") == 0 || strcmp(fixture, "clouded") == 0)
		pulumi_bench_edit(bench, name, "layers.yaml", "/ENVD_TEST_WHEELS", wheels());
}

void pulumi_bench_edit(struct pulumi_bench *bench, const char *name, const char *file,
		       const char *from, const char *to)
{
	AUTO(free) char *path = xasprintf("%s/%s/%s", bench->world->templates, name, file);
	AUTO(free) char *bytes = NULL;
	AUTO(text_release) struct text text = TEXT_EMPTY;
	const char *at, *next;
	struct error err;

	assert_true(file_read(path, 1 << 20, &bytes, NULL, &err));
	if (!strstr(bytes, from))
		fail_msg("%s has no \"%s\"", path, from);
	for (at = bytes; (next = strstr(at, from)); at = next + strlen(from)) {
		text_add_bytes(&text, at, (size_t)(next - at));
		text_add(&text, to);
	}
	text_add(&text, at);
	assert_true(file_write_atomically(path, text_get(&text), text.length, 0755, &err));
}

/* ---- environments ---- */

void pulumi_bench_create(struct pulumi_bench *bench, const char *name, const char *template_name,
			 char id[37])
{
	AUTO(json_decref)
	json_t *request =
	    json_pack("{s:s, s:s, s:s}", "template", template_name, "name", name, "ttl", "10m");
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	if (strncmp(template_name, "counted", 7) == 0)
		json_object_set_new(request, "parameters",
				    json_pack("{s:s}", "world", bench->things));
	answer = world_ask(bench->world, "POST", "/v1/environments", request, &status);
	if (status != 201)
		fail_msg("create answered %d: %s", status, json_get_string(answer, "detail", "?"));
	snprintf(id, 37, "%s", json_get_string(answer, "id", ""));
}

void pulumi_bench_build(struct pulumi_bench *bench, const char *name, const char *template_name,
			char id[37])
{
	pulumi_bench_create(bench, name, template_name, id);
	world_wait(bench->world, id, "ready", LIMIT_MS);
}

static bool has_begun(void *arg)
{
	return pulumi_bench_count(arg, "") > 0;
}

void pulumi_bench_build_halfway(struct pulumi_bench *bench, char id[37])
{
	pulumi_bench_template(bench, "counted");
	pulumi_bench_switch(bench, "gate", "");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	if (!eventually(has_begun, bench, LIMIT_MS))
		fail_msg("nothing of %s was made", id);
}

json_t *pulumi_bench_get(struct pulumi_bench *bench, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);

	return world_ask(bench->world, "GET", target, NULL, NULL);
}

struct failing {
	struct pulumi_bench *bench;
	const char *environment;
	char *message;
};

static bool has_failed(void *arg)
{
	struct failing *failing = arg;
	AUTO(json_decref) json_t *env = pulumi_bench_get(failing->bench, failing->environment);

	if (strcmp(json_get_string(env, "desired", ""), "absent") != 0)
		return false;
	failing->message = xstrdup(json_get_string(json_object_get(env, "error"), "message", ""));
	return true;
}

char *pulumi_bench_failure(struct pulumi_bench *bench, const char *environment)
{
	struct failing failing = { bench, environment, NULL };

	if (!eventually(has_failed, &failing, LIMIT_MS))
		fail_msg("%s does not fail", environment);
	return failing.message;
}

void pulumi_bench_destroy(struct pulumi_bench *bench, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);
	int status;

	json_decref(world_ask(bench->world, "DELETE", target, NULL, &status));
	assert_int_equal(status / 100, 2);
}

void pulumi_bench_end(struct pulumi_bench *bench, const char *environment)
{
	pulumi_bench_destroy(bench, environment);
	world_wait(bench->world, environment, "destroyed", LIMIT_MS);
}

char *pulumi_bench_history(struct pulumi_bench *bench, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/history?limit=500", environment);
	AUTO(json_decref) json_t *answer = world_ask(bench->world, "GET", target, NULL, NULL);
	struct text text = TEXT_EMPTY;
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(answer, "items"), i, entry) {
		const json_t *data = json_object_get(entry, "data");
		bool is_layer = strcmp(json_get_string(entry, "kind", ""), "layer") == 0;

		text_format(&text, "%s %s%s\n", is_layer ? json_get_string(data, "name", "") : "",
			    is_layer ? json_get_string(data, "state", "") : "",
			    json_get_string(entry, "message", ""));
	}
	return text_take(&text);
}

char *pulumi_bench_path(const struct pulumi_bench *bench, const char *id, const char *name)
{
	return xasprintf("%s/environments/%s/pulumi/%s", bench->world->data, id, name);
}

/* ---- the world ---- */

size_t pulumi_bench_count(const struct pulumi_bench *bench, const char *name)
{
	AUTO(free) char *begin = xasprintf("thing-%s", name);
	AUTO(closedir) DIR *dir = opendir(bench->things);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir)))
		count += text_starts_with(entry->d_name, begin);
	return count;
}

void pulumi_bench_switch(struct pulumi_bench *bench, const char *name, const char *content)
{
	AUTO(free) char *path = path_join(bench->things, name);
	struct error err;

	assert_true(file_write_atomically(path, content, strlen(content), 0644, &err));
}

void pulumi_bench_unswitch(struct pulumi_bench *bench, const char *name)
{
	AUTO(free) char *path = path_join(bench->things, name);

	assert_int_equal(unlink(path), 0);
}

/* ---- processes ---- */

static bool file_mentions(pid_t pid, const char *file, const char *words)
{
	AUTO(free) char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	AUTO(fclose) FILE *stream = fopen(path, "re");
	static char content[1 << 17];
	size_t length = stream ? fread(content, 1, sizeof(content) - 1, stream) : 0;

	for (size_t i = 0; i < length; i++)
		if (!content[i])
			content[i] = '\n';
	content[length] = '\0';
	return length && strstr(content, words);
}

static size_t each_of_ours(const struct pulumi_bench *bench, bool programs_only, bool kills)
{
	AUTO(free) char *mark = xasprintf("ENVD_FOLDER=%s", bench->world->data);
	AUTO(closedir) DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) || pid == getpid() ||
		    !(file_mentions(pid, "environ", mark) ||
		      (!programs_only && file_mentions(pid, "cmdline", bench->world->data))))
			continue;
		count++;
		if (kills)
			kill(pid, SIGKILL);
	}
	return count;
}

bool pulumi_bench_kill_cli(const struct pulumi_bench *bench)
{
	AUTO(free) char *mark = xasprintf("ENVD_FOLDER=%s", bench->world->data);
	AUTO(closedir) DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool is_killed = false;

	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !file_mentions(pid, "cmdline", "\nup\n--yes\n") ||
		    !file_mentions(pid, "environ", mark))
			continue;
		is_killed = true;
		kill(pid, SIGKILL);
	}
	return is_killed;
}

size_t pulumi_bench_programs(const struct pulumi_bench *bench)
{
	return each_of_ours(bench, true, false);
}

static bool all_are_killed(void *arg)
{
	const struct pulumi_bench *bench = arg;

	if (bench->world->envd > 0 && waitpid(bench->world->envd, NULL, WNOHANG) > 0)
		bench->world->envd = 0;
	return each_of_ours(bench, false, true) == 0 && bench->world->envd == 0;
}

void pulumi_bench_kill_everything(struct pulumi_bench *bench)
{
	if (!eventually(all_are_killed, bench, 10000))
		fail_msg("something of %s cannot be killed", bench->world->folder);
}

int pulumi_bench_open(void **state)
{
	*state = bench_new();
	return 0;
}

int pulumi_bench_close(void **state)
{
	bench_free(*state);
	return 0;
}
