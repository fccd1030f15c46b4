#include "tests/support/job_stage.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "loop/timer.h"

static const char template_yaml[] = "apiVersion: envd/v1\n"
				    "name: fake\n"
				    "description: things that are files\n"
				    "engine: external\n"
				    "source: fake_engine\n";

static const struct copy_limits limits = { .files_max = 2000, .bytes_max = 16 << 20 };

static void must(bool done, const struct error *err)
{
	if (!done)
		fail_msg("%s", err->message);
}

static char *folder_in(const struct job_stage *stage, const char *name)
{
	char *path = path_join(stage->folder, name);
	struct error err;

	must(folder_make(path, 0700, &err), &err);
	return path;
}

static void write_template(const struct job_stage *stage)
{
	const char *root = getenv("ENVD_SOURCE");
	AUTO(free) char *engine = path_join(root ? root : ".", "tests/support/fake_engine");
	AUTO(free) char *to = path_join(stage->template_folder, "fake_engine");
	AUTO(free) char *yaml = path_join(stage->template_folder, "template.yaml");
	AUTO(free) char *program = NULL;
	size_t length;
	struct error err;

	must(file_read(engine, 1 << 20, &program, &length, &err), &err);
	must(file_write_atomically(to, program, length, 0755, &err), &err);
	must(file_write_atomically(yaml, template_yaml, strlen(template_yaml), 0644, &err), &err);
}

static void on_tick(void *arg)
{
	struct job_stage *stage = arg;

	timer_set_ms(stage->tick, 10);
}

struct job_stage *job_stage_new(void)
{
	struct job_stage *stage = xcalloc(1, sizeof(*stage));
	const char *programs = getenv("ENVD_BIN");
	AUTO(free) char *program = path_join(programs ? programs : "build/bin", "envd-worker");
	AUTO(free) char *absolute = realpath(program, NULL);
	char folder[] = "/tmp/envd-stage-XXXXXX";

	assert_non_null(absolute);
	assert_non_null(mkdtemp(folder));
	stage->folder = xstrdup(folder);
	stage->jobs_folder = folder_in(stage, "jobs");
	stage->environment_folder = path_join(folder, "environment");
	stage->template_folder = folder_in(stage, "fake");
	stage->world = folder_in(stage, "world");
	stage->environment = env_id_new();
	write_template(stage);
	setenv("ENVD_EXTERNAL_FAKE_WORLD", stage->world, 1);
	stage->loop = loop_new();
	stage->jobs = jobs_new(stage->loop, stage->jobs_folder, absolute);
	stage->tick = timer_new(stage->loop, on_tick, stage);
	timer_set_ms(stage->tick, 0);
	return stage;
}

void job_stage_free(struct job_stage *stage)
{
	struct error ignored; /* a folder that stays in /tmp fails nothing */

	jobs_free(stage->jobs);
	timer_free(stage->tick);
	loop_free(stage->loop);
	if (!folder_remove(stage->folder, &ignored))
		print_message("%s\n", ignored.message);
	free(stage->folder);
	free(stage->jobs_folder);
	free(stage->environment_folder);
	free(stage->template_folder);
	free(stage->world);
	free(stage);
}

json_t *job_stage_request(const struct job_stage *stage, const char *task, const char *fake)
{
	char digest[SHA256_TEXT_SIZE];
	struct error err;
	json_t *request;

	must(folder_digest(stage->template_folder, &limits, digest, &err), &err);
	request = json_pack(
	    "{s:i, s:s, s:s, s:s, s:{s:s, s:s, s:i, s:I}, s:s, s:{s:s, s:s, s:s, s:b}, s:{}, s:{}, "
	    "s:s,"
	    " s:{s:s}, s:{s:i, s:i}}",
	    "protocol", 1, "job", "", "task", task, "instance",
	    "11111111-1111-4111-8111-111111111111", "environment", "id", stage->environment.text,
	    "name", "e1", "sequence", 1, "hard_wall_s", (json_int_t)2000000000, "folder",
	    stage->environment_folder, "template", "name", "fake", "folder", stage->template_folder,
	    "digest", digest, "trusted", 1, "pins", "parameters", "engine", "external", "target",
	    "name", "local", "limits", "deadline_ms", 60000, "stop_grace_ms", 10000);
	assert_non_null(request);
	if (fake)
		json_object_set_new(json_object_get(request, "parameters"), "fake",
				    json_string(fake));
	return request;
}

void job_stage_limit(json_t *request, const char *limit, int64_t value)
{
	json_object_set_new(json_object_get(request, "limits"), limit, json_integer(value));
}

struct job_id job_stage_make(const struct job_stage *stage, const json_t *request)
{
	struct job_id id = job_id_new();
	struct error err;

	must(job_folder_make(stage->jobs_folder, id, request, &err), &err);
	return id;
}

static void on_ready(void *arg, const struct process_identity *identity)
{
	struct stage_run *run = arg;

	run->is_ready = true;
	run->identity = *identity;
	if (run->goes_at_once)
		job_go(run->job);
}

static void on_start_failed(void *arg, const struct error *failure)
{
	struct stage_run *run = arg;

	run->has_start_failed = true;
	run->failure = *failure;
	run->job = NULL;
	run->ends++;
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object,
		    int64_t offset_after)
{
	struct stage_run *run = arg;

	(void)type;
	assert_false(run->has_ended);
	assert_true(offset_after > run->offset);
	run->offset = offset_after;
	json_array_append_new(run->lines, json_deep_copy(object));
}

static void on_end(void *arg, const struct job_end *end)
{
	struct stage_run *run = arg;

	run->has_ended = true;
	run->end = *end;
	run->failure = end->failure;
	run->data = end->data ? json_deep_copy(end->data) : NULL;
	run->end.data = run->data;
	run->job = NULL;
	run->ends++;
}

static struct job_callbacks callbacks_of(struct stage_run *run)
{
	return (struct job_callbacks){ .on_ready = on_ready,
				       .on_start_failed = on_start_failed,
				       .on_line = on_line,
				       .on_end = on_end,
				       .arg = run };
}

static void begin(struct stage_run *run, struct job_stage *stage, struct job_id id)
{
	bool goes_at_once = run->goes_at_once;

	*run = (struct stage_run){ .stage = stage, .id = id, .goes_at_once = goes_at_once };
	run->lines = json_array();
}

void stage_run_launch(struct stage_run *run, struct job_stage *stage, struct job_id id)
{
	struct job_callbacks callbacks = callbacks_of(run);

	begin(run, stage, id);
	run->job = job_launch(stage->jobs, id, &callbacks);
	assert_int_equal(run->ends, 0);
}

void stage_run_adopt(struct stage_run *run, struct job_stage *stage, struct job_id id,
		     const struct process_identity *identity, int64_t offset)
{
	struct job_callbacks callbacks = callbacks_of(run);

	begin(run, stage, id);
	run->offset = offset;
	run->job = job_adopt(stage->jobs, id, identity, offset, &callbacks);
	assert_int_equal(run->ends, 0);
}

void stage_run_release(struct stage_run *run)
{
	if (run->job)
		job_forget(run->job);
	json_decref(run->data);
	json_decref(run->lines);
	run->data = run->lines = NULL;
}

void stage_run_until(struct stage_run *run, bool (*condition)(struct stage_run *run))
{
	int64_t until_mono_ms = clock_mono_ms() + STAGE_LIMIT_MS;

	while (!condition(run)) {
		loop_turn(run->stage->loop);
		if (clock_mono_ms() > until_mono_ms)
			fail_msg("job %s: what was waited for did not happen", run->id.text);
	}
}

bool stage_run_is_ready(struct stage_run *run)
{
	return run->is_ready || run->ends;
}

bool stage_run_is_over(struct stage_run *run)
{
	return run->ends > 0;
}

void stage_run_whole(struct stage_run *run, struct job_stage *stage, json_t *request)
{
	struct job_id id = job_stage_make(stage, request);

	json_decref(request);
	run->goes_at_once = true;
	stage_run_launch(run, stage, id);
	stage_run_until(run, stage_run_is_over);
}

/* ---- from outside ---- */

int stage_count_items(const struct job_stage *stage)
{
	AUTO(free) char *path = path_join(stage->world, "items");
	AUTO(closedir) DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	return count;
}

bool stage_world_has(const struct job_stage *stage, const char *name)
{
	AUTO(free) char *path = path_join(stage->world, name);

	return file_exists(path);
}

void stage_world_touch(const struct job_stage *stage, const char *name)
{
	AUTO(free) char *path = path_join(stage->world, name);
	AUTO(close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

char *stage_world_read(const struct job_stage *stage, const char *name)
{
	AUTO(free) char *path = path_join(stage->world, name);
	struct error ignored; /* not there is empty */
	char *content;

	return file_read(path, 1 << 20, &content, NULL, &ignored) ? content : xstrdup("");
}

int stage_count_processes(const struct job_stage *stage)
{
	AUTO(free) char *pids = stage_world_read(stage, "pids");
	struct process_identity identity;
	int count = 0;
	char *rest = pids;

	for (char *pid; (pid = strsep(&rest, "\n"));)
		count += process_identity_of(atoi(pid), &identity);
	return count;
}

static bool command_holds(const char *pid, const char *text)
{
	char path[300], command[4096];
	AUTO(close) int fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, command, sizeof(command));
	return length > 0 && memmem(command, (size_t)length, text, strlen(text));
}

int stage_count_commands(const char *text)
{
	AUTO(closedir) DIR *folder = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]))
			count += command_holds(entry->d_name, text);
	return count;
}
