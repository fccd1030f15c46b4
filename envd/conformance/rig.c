#include "conformance/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/files.h"
#include "engine/external/external_engine.h"
#include "engine/external/external_program.h"
#include "worker/guard.h"

enum {
	SAID_BYTES_MAX = 64 << 20, /* as envd's */
	OUTCOME_BYTES_MAX = 8 << 20,
	COMPLAINTS_BYTES_MAX = 64 << 20,
	HARD_WALL_S = 3600,
};

/* Programs see variables that begin so, and put their credentials there. */
#define CANARY_VARIABLE "ENVD_EXTERNAL_CONFORMANCE_CANARY"

static const struct copy_limits template_limits = { 2000, (size_t)16 << 20 };

/* ---- opening, closing ---- */

bool rig_open(struct rig *rig, const struct conformance_spec *spec, struct error *err)
{
	const char *parent = getenv("TMPDIR");

	*rig = (struct rig){ .spec = spec, .leftovers = TEXT_EMPTY, .rule_break = TEXT_EMPTY };
	if (access(spec->program, X_OK) != 0)
		return error_set_as(err, ERR_NOT_FOUND, "program_not_found",
				    "\"%s\" cannot be run: %s", spec->program, strerror(errno));
	snprintf(rig->folder, sizeof(rig->folder), "%s/envd-engine-test-XXXXXX",
		 parent && strlen(parent) < 32 ? parent : "/tmp");
	if (!mkdtemp(rig->folder))
		return error_set_errno(err, errno, "cannot make \"%s\"", rig->folder);
	rig->complaints = path_join(rig->folder, "stderr");
	rig->outcomes[0] = path_join(rig->folder, "outcome-0");
	rig->outcomes[1] = path_join(rig->folder, "outcome-1");
	memcpy(rig->instance, env_id_new().text, sizeof(rig->instance));
	random_hex(rig->canary, 32);
	setenv(CANARY_VARIABLE, rig->canary, 1);
	rig->hard_wall_s = clock_wall_ms() / 1000 + HARD_WALL_S;
	return true;
}

void rig_close(struct rig *rig)
{
	struct error ignored; /* a temporary folder that stays costs nobody anything */

	for (size_t i = 0; i < rig->subject_count; i++) {
		free(rig->subjects[i].folder);
		free(rig->subjects[i].template_folder);
		json_decref(rig->subjects[i].lock);
	}
	if (!folder_remove(rig->folder, &ignored))
		fprintf(stderr, "%s\n", ignored.message);
	free(rig->complaints);
	free(rig->outcomes[0]);
	free(rig->outcomes[1]);
	text_release(&rig->leftovers);
	text_release(&rig->rule_break);
	unsetenv(CANARY_VARIABLE);
}

static bool make_folders(const struct rig *rig, const struct subject *subject, struct error *err)
{
	const char *template_folder = rig->spec->template_folder;

	if (!folder_make(subject->folder, 0700, err))
		return false;
	if (!template_folder)
		return folder_make(subject->template_folder, 0700, err);
	return folder_copy(template_folder, subject->template_folder, &template_limits, err);
}

struct subject *rig_subject(struct rig *rig, struct text *why)
{
	struct subject *subject = &rig->subjects[rig->subject_count];
	struct error err;

	if (rig->subject_count == SUBJECTS_MAX) {
		text_add(why, "too many environments in one test");
		return NULL;
	}
	*subject =
	    (struct subject){ .id = env_id_new(), .sequence = (int64_t)rig->subject_count + 1 };
	subject->folder = path_join(rig->folder, subject->id.text);
	subject->template_folder = path_join(subject->folder, "template");
	rig->subject_count++;
	if (make_folders(rig, subject, &err))
		return subject;
	text_add(why, err.message);
	return NULL;
}

/* ---- in the task's process ---- */

struct work {
	const struct rig *rig;
	const struct run *run;
};

static json_t *limits_of(const struct rig *rig)
{
	return json_pack("{s:I, s:I}", "deadline_ms", (json_int_t)rig->spec->time_limit_ms,
			 "stop_grace_ms", (json_int_t)rig->spec->grace_ms);
}

static json_t *request_json(const struct rig *rig, const struct subject *subject)
{
	json_t *json = json_pack("{s:s, s:n, s:n, s:{}, s:O, s:s, s:{s:s, s:s}, s:o}", "instance",
				 rig->instance, "environment", "folder", "pins", "parameters",
				 rig->spec->parameters, "engine", "external", "target", "name",
				 "local", "program", rig->spec->program, "limits", limits_of(rig));

	if (!subject)
		return json;
	json_object_set_new(json, "environment",
			    json_pack("{s:s, s:s+, s:I, s:I}", "id", subject->id.text, "name",
				      "test-", subject->id.text, "sequence",
				      (json_int_t)subject->sequence, "hard_wall_s",
				      (json_int_t)rig->hard_wall_s));
	json_object_set_new(json, "folder", json_string(subject->folder));
	return json;
}

static struct engine_request request_of(const struct rig *rig, const struct subject *subject,
					const char *verb, const json_t *whole)
{
	struct engine_request request = {
		.task = verb,
		.instance = rig->instance,
		.hard_wall_s = rig->hard_wall_s,
		.is_trusted = true,
		.whole = whole,
		.target = { .name = "local", .engine = "external", .program = rig->spec->program },
	};

	if (subject) {
		request.environment = subject->id;
		request.folder = subject->folder;
		request.template_folder = subject->template_folder;
		request.lock = subject->lock;
	}
	return request;
}

/* What envd's engine has no verb for is asked as it would ask. */
static bool ask_unknown(const struct engine_request *request, struct worker_lines *lines,
			json_t **data, struct error *err)
{
	AUTO(json_decref) json_t *whole = json_copy((json_t *)(uintptr_t)request->whole);

	json_object_set_new(whole, "protocol", json_integer(WORKER_PROTOCOL));
	json_object_set_new(whole, "task", json_string(request->task));
	return external_program_run(&(struct external_run){ .program = request->target.program,
							    .directory = "/",
							    .request = whole,
							    .lines = lines },
				    data, err);
}

static bool ask(const struct engine_request *request, bool is_about_one, struct worker_lines *lines,
		json_t **data, struct error *err)
{
	const struct engine *engine = &engine_external;
	const struct {
		const char *name;
		bool (*run)(const struct engine_request *, struct worker_lines *, json_t **,
			    struct error *);
	} verbs[] = {
		{ "plan", engine->plan },       { "create", engine->create },
		{ "inspect", engine->inspect }, { "recover", engine->recover },
		{ "destroy", engine->destroy },
	};

	if (strcmp(request->task, "inventory") == 0)
		return engine->inventory(request, is_about_one ? &request->environment : NULL,
					 lines, data, err);
	if (strcmp(request->task, "probe") == 0)
		return engine->probe(request, data, err);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(request->task, verbs[i].name) == 0)
			return verbs[i].run(request, lines, data, err);
	return ask_unknown(request, lines, data, err);
}

static int run_one(const struct rig *rig, const struct run *run, size_t which)
{
	AUTO(worker_lines_free) struct worker_lines *lines = worker_lines_new(STDOUT_FILENO);
	AUTO(json_decref) json_t *whole = request_json(rig, run->subjects[which]);
	AUTO(json_decref) json_t *outcome = json_object(), *data = NULL;
	struct engine_request request = request_of(rig, run->subjects[which], run->verb, whole);
	struct error err;
	bool is_ok = ask(&request, run->subjects[which], lines, &data, &err);
	AUTO(free) char *text = NULL;

	json_object_set_new(outcome, "ok", json_boolean(is_ok));
	if (!is_ok)
		json_object_set_new(outcome, "error", error_to_json(&err));
	if (data)
		json_object_set(outcome, "data", data);
	text = json_to_text(outcome);
	return file_write_atomically(rig->outcomes[which], text, strlen(text), 0600, &err) ? 0 : 1;
}

static int task_main(void *arg)
{
	const struct work *work = arg;
	int status = 0;
	pid_t other;

	if (!work->run->subjects[1])
		return run_one(work->rig, work->run, 0);
	other = fork();
	if (other == 0)
		_exit(run_one(work->rig, work->run, 1));
	status = run_one(work->rig, work->run, 0);
	while (waitpid(other, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* ---- watching it ---- */

struct watch {
	struct rig *rig;
	struct run *run;
	struct guard guard;
	int out_fd;
	int64_t started_mono_ms;
	int64_t force_at_mono_ms; /* 0: it was not asked to end */
	int64_t said_bytes;
	bool is_over;
	const char *ended_because; /* by us and not for the trial; NULL: it was not */
	struct text tail;          /* of what it said, as long as a canary may be cut in two */
};

static void end_now(struct watch *watch)
{
	guard_end_everything(&watch->guard);
	watch->is_over = true;
}

static void ask_to_end(struct watch *watch)
{
	if (watch->force_at_mono_ms)
		return;
	guard_ask_task_to_end(&watch->guard);
	watch->force_at_mono_ms = clock_mono_ms() + watch->rig->spec->grace_ms;
}

/* In the middle, as the trial wants it. */
static void stop(struct watch *watch)
{
	if (watch->run->stop == STOP_NOT || watch->run->was_stopped)
		return;
	watch->run->was_stopped = true;
	if (watch->run->stop == STOP_BY_FORCE)
		end_now(watch);
	else
		ask_to_end(watch);
}

static void listen_for_canary(struct watch *watch, const char *bytes, size_t length)
{
	size_t keep = sizeof(watch->rig->canary);

	text_add_bytes(&watch->tail, bytes, length);
	if (strstr(text_get(&watch->tail), watch->rig->canary))
		watch->rig->has_said_canary = true;
	if (watch->tail.length > keep) {
		AUTO(free) char *end = xstrdup(text_get(&watch->tail) + watch->tail.length - keep);

		text_clear(&watch->tail);
		text_add(&watch->tail, end);
	}
}

static void take_output(struct watch *watch)
{
	char block[65536];
	ssize_t got = read(watch->out_fd, block, sizeof(block));

	if (got < 0)
		return;
	if (got == 0) {
		close(TAKE_FD(watch->out_fd));
		return;
	}
	listen_for_canary(watch, block, (size_t)got);
	watch->said_bytes += got;
	if (watch->said_bytes > SAID_BYTES_MAX && !watch->is_over) {
		watch->ended_because = "said more than 64 MiB";
		end_now(watch);
	}
	if (watch->run->stop_at_first_line)
		stop(watch);
}

static int64_t left_ms(const struct watch *watch)
{
	const struct run *run = watch->run;
	int64_t until = watch->started_mono_ms + watch->rig->spec->time_limit_ms;

	if (run->stop != STOP_NOT && !run->was_stopped)
		until = watch->started_mono_ms + run->stop_after_ms;
	if (watch->force_at_mono_ms)
		until = watch->force_at_mono_ms;
	return until - clock_mono_ms();
}

static void on_time(struct watch *watch)
{
	if (watch->force_at_mono_ms) {
		watch->run->was_killed = true;
		end_now(watch);
	} else if (watch->run->stop != STOP_NOT && !watch->run->was_stopped) {
		stop(watch);
	} else {
		watch->ended_because = "did not end within the time limit of one run";
		watch->rig->has_hung = true;
		ask_to_end(watch);
	}
}

static void watch_run(struct watch *watch)
{
	int stop_fd = watch->rig->is_interrupted ? -1 : watch->rig->spec->stop_fd;

	while (!watch->is_over) {
		struct pollfd fds[] = {
			{ .fd = watch->out_fd, .events = POLLIN },
			{ .fd = watch->guard.report_fd, .events = POLLIN },
			{ .fd = stop_fd, .events = POLLIN },
		};
		int64_t left = left_ms(watch);

		if (left <= 0)
			on_time(watch);
		if (watch->is_over || poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0) < 0)
			continue;
		if (fds[2].revents) {
			watch->rig->is_interrupted = true;
			watch->ended_because = "was interrupted";
			stop_fd = -1;
			ask_to_end(watch);
		}
		if (fds[0].revents)
			take_output(watch);
		if (fds[1].revents)
			watch->is_over = true;
	}
	while (watch->out_fd >= 0)
		take_output(watch);
}

/* ---- what came of it ---- */

static bool breaks_lines(const struct error *err)
{
	return text_equal(err->slug, "worker_protocol") || text_equal(err->slug, "no_result");
}

/* What it said last on stderr, as envd quotes it. */
static void quote_complaint(const struct rig *rig, struct error *err)
{
	AUTO(free) char *text = NULL;
	struct error ignored; /* nothing can be quoted then */
	struct error before = *err;
	char shown[200], *end, *line;

	if (!file_read(rig->complaints, COMPLAINTS_BYTES_MAX, &text, NULL, &ignored))
		return;
	for (end = text + strlen(text); end > text && end[-1] == '\n'; end--)
		end[-1] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (*line && !strstr(line, rig->canary))
		error_set_as(err, err->code, err->slug, "%s: %s", before.message,
			     text_printable(line, shown, sizeof(shown)));
}

static void read_outcome(struct watch *watch, size_t which)
{
	struct rig *rig = watch->rig;
	struct run *run = watch->run;
	struct error *err = &run->err[which];
	AUTO(json_decref) json_t *outcome = NULL;
	AUTO(free) char *text = NULL;
	size_t length;

	*err = (struct error){ .code = ERR_NONE };
	if (watch->ended_because) {
		error_set_as(err, ERR_TIMEOUT, "run_ended", "\"%s\" %s", run->verb,
			     watch->ended_because);
		return;
	}
	if (!file_read(rig->outcomes[which], OUTCOME_BYTES_MAX, &text, &length, err) ||
	    !json_parse(text, length, "outcome", &outcome, err)) {
		error_set_as(err, ERR_EXTERNAL, "run_ended", "\"%s\" ended without an outcome",
			     run->verb);
		return;
	}
	if (strstr(text, rig->canary))
		rig->has_said_canary = true;
	run->data[which] = json_incref(json_object_get(outcome, "data"));
	if (!worker_result_error(outcome, err))
		return;
	if (breaks_lines(err))
		quote_complaint(rig, err);
	if (breaks_lines(err) && !run->was_stopped && !rig->rule_break.length)
		text_format(&rig->rule_break, "\"%s\": %s", run->verb, err->message);
}

static void note_complaints(struct rig *rig)
{
	AUTO(free) char *text = NULL;
	struct error ignored; /* nothing was written yet, or too much to look at */

	if (file_read(rig->complaints, COMPLAINTS_BYTES_MAX, &text, NULL, &ignored) &&
	    strstr(text, rig->canary))
		rig->has_said_canary = true;
}

static void note_leftovers(struct watch *watch, const struct guard_report *report)
{
	struct text *into = &watch->rig->leftovers;

	/* Of a run that we ended ourselves, everything was still there. */
	if (!report->leftover_processes || watch->run->was_stopped || watch->ended_because)
		return;
	text_format(into, "%s%s left %d", into->length ? ", " : "", watch->run->verb,
		    report->leftover_processes);
}

static bool start(struct watch *watch, struct work *work, struct error *err)
{
	AUTO(close) int out = -1;
	AUTO(close)
	int complaints =
	    open(watch->rig->complaints, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ends[2];

	if (complaints < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot start a run");
	watch->out_fd = ends[0];
	out = ends[1];
	unlink(watch->rig->outcomes[0]);
	unlink(watch->rig->outcomes[1]);
	fflush(NULL);
	return guard_start(&watch->guard,
			   &(struct guard_spec){ .task = task_main,
						 .arg = work,
						 .stdout_fd = out,
						 .stderr_fd = complaints,
						 .keep_fd = -1 },
			   err);
}

void rig_run(struct rig *rig, struct run *run)
{
	struct work work = { rig, run };
	struct watch watch = { .rig = rig, .run = run, .out_fd = -1, .tail = TEXT_EMPTY };
	struct guard_report report;

	watch.started_mono_ms = clock_mono_ms();
	if (!start(&watch, &work, &run->err[0])) {
		run->err[1] = run->err[0];
	} else {
		watch_run(&watch);
		guard_finish(&watch.guard, &report);
		note_leftovers(&watch, &report);
		note_complaints(rig);
		read_outcome(&watch, 0);
		if (run->subjects[1])
			read_outcome(&watch, 1);
	}
	run->took_ms = clock_mono_ms() - watch.started_mono_ms;
	if (watch.out_fd >= 0)
		close(watch.out_fd);
	text_release(&watch.tail);
}

void run_release(struct run *run)
{
	json_decref(run->data[0]);
	json_decref(run->data[1]);
}
