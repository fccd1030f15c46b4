/*
 * Evidence of a failure, before anything of it is destroyed: what the services said, what the
 * runtime says, what was locked, the report. Everything that asks the engine runs in a process of
 * its own and is given up when its time is over: a runtime that hangs costs its own part, and the
 * rest is kept all the same.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/line_reader.h"
#include "engine/target_access.h"
#include "report/report.h"
#include "worker/bundle.h"
#include "worker/redact.h"
#include "worker/task.h"

enum {
	PARTS = 3,
	WRITE_MS = 3000, /* of the time given, for packing what there is */
	PART_MS_MIN = 1000,
	LOG_LINES_MAX = 20000,
	PART_LINE_BYTES_MAX = 8 << 20,
	SECRET_FILE_BYTES_MAX = 65536,
};

struct log_text {
	char *service;
	struct text text;
	bool was_cut;
};

struct part {
	const char *name;
	bool (*run)(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
	struct evidence_work *work;
	struct line_reader reader;
	pid_t pid;
	int fd; /* -1: over */
	json_t *data;
	char *trouble; /* NULL: it is whole */
	bool has_result;
};

struct evidence_work {
	const struct request *request;
	const json_t *wanted; /* "evidence" of the request */
	struct part parts[PARTS];
	struct log_text *logs;
	size_t log_count;
	size_t log_bytes_max; /* of one service */
	struct redactor *redactor;
};

/* ---- the parts ---- */

static bool run_logs(const struct request *request, struct worker_lines *lines, json_t **data,
		     struct error *err)
{
	(void)data;
	if (!request->engine->logs)
		return error_set(err, ERR_INVALID, "engine \"%s\" has no logs",
				 request->engine->name);
	return request->engine->logs(&request->engine_request, NULL, false, LOG_LINES_MAX, lines,
				     err);
}

static bool run_state(const struct request *request, struct worker_lines *lines, json_t **data,
		      struct error *err)
{
	if (!request->engine->state)
		return error_set(err, ERR_INVALID, "engine \"%s\" tells no more than its services",
				 request->engine->name);
	return request->engine->state(&request->engine_request, lines, data, err);
}

static bool run_services(const struct request *request, struct worker_lines *lines, json_t **data,
			 struct error *err)
{
	return request->engine->inspect(&request->engine_request, lines, data, err);
}

static const struct {
	const char *name;
	bool (*run)(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
} part_kinds[PARTS] = {
	{ "logs", run_logs },
	{ "runtime", run_state },
	{ "services", run_services },
};

/* ---- what they say ---- */

static struct log_text *log_of(struct evidence_work *work, const char *service)
{
	for (size_t i = 0; i < work->log_count; i++)
		if (strcmp(work->logs[i].service, service) == 0)
			return &work->logs[i];
	work->logs = xrealloc(work->logs, work->log_count + 1, sizeof(*work->logs));
	work->logs[work->log_count] =
	    (struct log_text){ .service = xstrdup(service), .text = TEXT_EMPTY };
	return &work->logs[work->log_count++];
}

/* The last `bytes` of it, from the beginning of a line on. */
static void keep_end(struct log_text *log, size_t bytes)
{
	struct text kept = TEXT_EMPTY;
	const char *from, *newline;

	if (log->text.length <= bytes)
		return;
	from = log->text.bytes + log->text.length - bytes;
	newline = strchr(from, '\n');
	text_add(&kept, newline ? newline + 1 : from);
	text_release(&log->text);
	log->text = kept;
	log->was_cut = true;
}

static void take_log_line(struct evidence_work *work, const json_t *object)
{
	struct log_text *log = log_of(work, json_get_string(object, "service", "unknown"));

	text_format(&log->text, "%s %s %s\n", json_get_string(object, "at", "-"),
		    json_get_string(object, "stream", "-"), json_get_string(object, "text", ""));
	/* Cut in large steps, so that a flood is not copied line by line. */
	if (log->text.length > 2 * work->log_bytes_max)
		keep_end(log, work->log_bytes_max);
}

static void take_result(struct part *part, const json_t *object)
{
	struct error failure;

	part->has_result = true;
	part->data = json_incref(json_object_get(object, "data"));
	if (worker_result_error(object, &failure))
		part->trouble = xstrdup(failure.message);
}

static void on_part_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct part *part = arg;
	AUTO(json_decref) json_t *object = NULL;
	struct error ignored; /* half of a line: what was cut is missing, and that is said */
	const char *type;

	if (was_cut || !json_parse(line, length, part->name, &object, &ignored))
		return;
	type = json_get_string(object, "type", "");
	if (strcmp(type, "line") == 0)
		take_log_line(part->work, object);
	else if (strcmp(type, "result") == 0 && !part->has_result)
		take_result(part, object);
}

/* ---- their processes ---- */

static void run_part(const struct part *part, int fd)
{
	AUTO(worker_lines_free) struct worker_lines *lines = worker_lines_new(fd);
	json_t *data = NULL;
	struct error failure;
	bool is_good;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	is_good = part->run(part->work->request, lines, &data, &failure);
	worker_say_result(lines, is_good ? NULL : &failure, data);
	_exit(0);
}

static void start_part(struct part *part)
{
	int fds[2];

	part->fd = -1;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		part->trouble = xstrdup("no pipe for it");
		return;
	}
	part->pid = fork();
	if (part->pid == 0)
		run_part(part, fds[1]);
	close(fds[1]);
	part->fd = fds[0];
	if (part->pid < 0)
		part->trouble = xstrdup("no process for it");
}

static void end_part(struct part *part, bool is_late)
{
	if (part->fd < 0)
		return;
	close(part->fd);
	part->fd = -1;
	line_reader_finish(&part->reader);
	if (part->pid > 0) {
		kill(part->pid, SIGKILL);
		waitpid(part->pid, NULL, 0);
	}
	if (!part->has_result && !part->trouble)
		part->trouble = xstrdup(is_late ? "it took too long and was given up"
						: "it ended without an answer");
}

static void read_part(struct part *part)
{
	char bytes[65536];
	ssize_t got = read(part->fd, bytes, sizeof(bytes));

	if (got > 0)
		line_reader_feed(&part->reader, bytes, (size_t)got);
	else
		end_part(part, false);
}

static bool wait_for_parts(struct evidence_work *work, int64_t until_mono_ms)
{
	struct pollfd fds[PARTS];
	int64_t left_ms = until_mono_ms - clock_mono_ms();
	bool is_one_left = false;

	for (size_t i = 0; i < PARTS; i++) {
		fds[i] = (struct pollfd){ .fd = work->parts[i].fd, .events = POLLIN };
		is_one_left = is_one_left || work->parts[i].fd >= 0;
	}
	if (!is_one_left || left_ms <= 0)
		return false;
	if (poll(fds, PARTS, (int)left_ms) > 0)
		for (size_t i = 0; i < PARTS; i++)
			if (fds[i].revents)
				read_part(&work->parts[i]);
	return true;
}

static void run_parts(struct evidence_work *work, int64_t limit_ms)
{
	int64_t until_mono_ms = clock_mono_ms() + limit_ms;

	for (size_t i = 0; i < PARTS; i++) {
		struct part *part = &work->parts[i];

		part->name = part_kinds[i].name;
		part->run = part_kinds[i].run;
		part->work = work;
		part->reader = (struct line_reader){ .line_bytes_max = PART_LINE_BYTES_MAX,
						     .on_line = on_part_line,
						     .arg = part };
		start_part(part);
	}
	while (wait_for_parts(work, until_mono_ms))
		;
	for (size_t i = 0; i < PARTS; i++)
		end_part(&work->parts[i], true);
}

/* ---- secrets ---- */

/* Those that were given to the environment as files lie in its folder. */
static void learn_files(struct evidence_work *work)
{
	AUTO(free) char *folder = path_join(work->request->engine_request.folder, "secrets");
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);
		AUTO(free) char *bytes = NULL;
		struct error ignored; /* no file, or none of a secret's size */

		if (entry->d_name[0] == '.' ||
		    !file_read(path, SECRET_FILE_BYTES_MAX, &bytes, NULL, &ignored))
			continue;
		bytes[strcspn(bytes, "\r\n")] = '\0';
		redactor_learn(work->redactor, bytes);
	}
	if (dir)
		closedir(dir);
}

/* Programs get these as variables, and may have printed them. */
static void learn_credentials(struct evidence_work *work)
{
	AUTO(variable_list_release) struct variable_list list = { NULL, 0 };
	struct error ignored; /* what cannot be looked up was not handed out, either */

	(void)!target_variables(&work->request->engine_request.target, &list, &ignored);
	for (size_t i = 0; i < list.count; i++) {
		const char *value = strchr(list.items[i], '=');

		if (value && strncmp(list.items[i], "ENVD_", 5) != 0)
			redactor_learn(work->redactor, value + 1);
	}
}

static void learn_secrets(struct evidence_work *work)
{
	work->redactor = redactor_new();
	redactor_learn_json(work->redactor, work->request->json);
	for (size_t i = 0; i < PARTS; i++)
		redactor_learn_json(work->redactor, work->parts[i].data);
	learn_files(work);
	learn_credentials(work);
}

/* ---- the files ---- */

static void add_text(struct evidence_work *work, struct bundle *bundle, const char *name,
		     const char *text, bool keeps_end)
{
	AUTO(text_release) struct text clean = TEXT_EMPTY;

	redactor_add(work->redactor, text, strlen(text), &clean);
	bundle_add(bundle, name, text_get(&clean), clean.length, keeps_end);
}

static void add_json(struct evidence_work *work, struct bundle *bundle, const char *name,
		     const json_t *json)
{
	AUTO(json_decref) json_t *clean = NULL;
	AUTO(free) char *text = NULL;

	if (!json || json_is_null(json))
		return;
	clean = redactor_json(work->redactor, json);
	text = json_dumps(clean, JSON_INDENT(2));
	bundle_add(bundle, name, text, strlen(text), false);
}

static void add_reports(struct evidence_work *work, struct bundle *bundle)
{
	static const struct {
		const char *format, *file;
	} files[] = { { "json", "report.json" },
		      { "markdown", "report.md" },
		      { "junit", "junit.xml" } };
	const json_t *report = json_object_get(work->wanted, "report");
	AUTO(json_decref) json_t *clean = redactor_json(work->redactor, report);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO(free) char *text = NULL;
		const char *content_type;
		struct error ignored; /* the formats are ours */

		if (report_render(files[i].format, clean, &text, &content_type, &ignored))
			add_text(work, bundle, files[i].file, text, false);
	}
}

static void add_history(struct evidence_work *work, struct bundle *bundle)
{
	const json_t *rows = json_object_get(json_object_get(work->wanted, "report"), "history");
	AUTO(text_release) struct text lines = TEXT_EMPTY;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		AUTO(json_decref)
		json_t *clean = redactor_json(work->redactor, json_array_get(rows, i));
		AUTO(free) char *line = json_to_text(clean);

		text_add(&lines, line);
		text_add_char(&lines, '\n');
	}
	bundle_add(bundle, "history.jsonl", text_get(&lines), lines.length, true);
}

static char *log_name(const char *service)
{
	char *name = xasprintf("logs/%.90s.log", service);

	for (char *at = name + 5; *at; at++)
		if (*at == '/')
			*at = '_';
	return name;
}

/* Each gets the same share of the room, so that one that floods leaves the others theirs. */
static void add_logs(struct evidence_work *work, struct bundle *bundle)
{
	size_t share = work->log_count ? bundle_room(bundle) / work->log_count : 0;

	share = share > 4096 ? share - 2048 : share;
	for (size_t i = 0; i < work->log_count; i++) {
		struct log_text *log = &work->logs[i];
		AUTO(free) char *name = log_name(log->service);
		AUTO(text_release) struct text whole = TEXT_EMPTY;

		keep_end(log, share < work->log_bytes_max ? share : work->log_bytes_max);
		if (log->was_cut)
			text_add(&whole, "(earlier lines were left out)\n");
		text_add(&whole, text_get(&log->text));
		add_text(work, bundle, name, text_get(&whole), true);
	}
}

/* What is missing, and why: who opens it a week later cannot ask any more. */
static json_t *missing(const struct evidence_work *work)
{
	json_t *list = json_array();

	for (size_t i = 0; i < PARTS; i++)
		if (work->parts[i].trouble)
			json_array_append_new(list,
					      json_pack("{s:s, s:s}", "part", work->parts[i].name,
							"why", work->parts[i].trouble));
	return list;
}

static void add_about(struct evidence_work *work, struct bundle *bundle, const json_t *gaps)
{
	const struct engine_request *request = &work->request->engine_request;
	char at[CLOCK_TEXT_SIZE];
	AUTO(json_decref)
	json_t *about = json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:s}", "apiVersion", "envd/v1", "kind", "Evidence",
	    "environment", request->environment.text, "name", request->environment_name, "instance",
	    request->instance, "taken_at", clock_format(clock_wall_ms(), at), "missing", gaps,
	    "note", "what looked like a secret was replaced by ***");

	add_json(work, bundle, "EVIDENCE.json", about);
}

static bool write_bundle(struct evidence_work *work, json_t **data, struct error *err)
{
	const struct engine_request *request = &work->request->engine_request;
	const char *folder = json_get_string(work->wanted, "folder", "");
	AUTO(free)
	char *inside = xasprintf("%s-%.8s", request->environment_name, request->environment.text);
	AUTO(free) char *path = xasprintf("%s/%s.tar.gz", folder, request->environment.text);
	AUTO(bundle_free)
	struct bundle *bundle =
	    bundle_new(inside, (size_t)json_get_int64(work->wanted, "bytes_max", 1 << 20));
	AUTO(json_decref) json_t *gaps = missing(work);
	int64_t bytes;

	add_about(work, bundle, gaps);
	add_reports(work, bundle);
	add_history(work, bundle);
	add_json(work, bundle, "lock.json", work->request->lock);
	add_json(work, bundle, "services.json", work->parts[2].data);
	add_json(work, bundle, "runtime.json", work->parts[1].data);
	add_logs(work, bundle);
	if (!folder_make(folder, 0700, err) || !bundle_write(bundle, path, &bytes, err))
		return false;
	bundle_prune(folder, path, json_get_int64(work->wanted, "total_bytes_max", 1 << 30));
	*data = json_pack("{s:I, s:I, s:O}", "bytes", (json_int_t)bytes, "files",
			  (json_int_t)json_array_size(bundle_files(bundle)), "missing", gaps);
	return true;
}

static void release(struct evidence_work *work)
{
	for (size_t i = 0; i < PARTS; i++) {
		json_decref(work->parts[i].data);
		free(work->parts[i].trouble);
		line_reader_release(&work->parts[i].reader);
	}
	for (size_t i = 0; i < work->log_count; i++) {
		free(work->logs[i].service);
		text_release(&work->logs[i].text);
	}
	free(work->logs);
	redactor_free(work->redactor);
}

bool task_evidence(const struct request *request, struct worker_lines *lines, json_t **data,
		   struct error *err)
{
	struct evidence_work work = { .request = request };
	int64_t left_ms = request->engine_request.deadline_at_ms - clock_wall_ms() - WRITE_MS;
	bool is_written;

	(void)lines;
	if (!json_read_object(request->json, "evidence", &work.wanted, err))
		return false;
	work.log_bytes_max = (size_t)json_get_int64(work.wanted, "bytes_max", 1 << 20);
	run_parts(&work, left_ms > PART_MS_MIN ? left_ms : PART_MS_MIN);
	learn_secrets(&work);
	is_written = write_bundle(&work, data, err);
	release(&work);
	return is_written;
}
