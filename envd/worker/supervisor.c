#include "worker/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/spawn.h"
#include "wire/job_files.h"
#include "worker/descendants.h"
#include "worker/guard.h"
#include "worker/line_recorder.h"
#include "worker/log_recorder.h"

#define STOP_POLL_MS 1000
#define MEMORY_POLL_MS 250
#define LOCK_WAIT_MS 2000
#define RESULT_WAIT_MS 60000
/* For a guard that was told to end everything: then it is stopped or stuck itself. */
#define GUARD_WAIT_MS 2000
#define GIVE_WAY 5 /* nice */

struct limits {
	int64_t deadline_ms;
	int64_t silence_ms; /* 0: none */
	int64_t output_bytes_max;
	int64_t memory_bytes_max; /* 0: none */
	int64_t stop_grace_ms;
};

/* Why the task is being ended before its time. */
struct ending {
	bool is_decided;
	enum job_outcome outcome;
	char message[512];
	int64_t force_at_mono_ms;
	bool was_forced;
	int64_t guard_due_mono_ms;
};

struct supervisor {
	const char *folder;
	int (*task)(const json_t *request);
	json_t *request;
	struct limits limits;
	int lock_fd;
	int signals_fd;
	int inotify_fd;
	int out_fd, err_fd; /* from the task; -1 after end of file */
	struct guard guard;
	struct line_recorder lines;
	struct log_recorder log;
	struct ending ending;
	int64_t started_at_ms;
	int64_t started_mono_ms;
	int64_t heard_mono_ms;
	int64_t memory_due_mono_ms;
};

static char *file_in(const struct supervisor *supervisor, const char *name)
{
	return path_join(supervisor->folder, name);
}

/* ---- getting ready ---- */

/* Somebody who looks whether the lock is free holds it for a moment, so once is not enough. */
static bool take_lock(struct supervisor *supervisor, struct error *err)
{
	AUTO(free) char *path = file_in(supervisor, JOB_LOCK_FILE);
	int64_t give_up_mono_ms = clock_mono_ms() + LOCK_WAIT_MS;

	supervisor->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (supervisor->lock_fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	while (flock(supervisor->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(err, errno, "cannot lock \"%s\"", path);
		if (clock_mono_ms() > give_up_mono_ms)
			return error_set(err, ERR_CONFLICT, "another worker has the lock \"%s\"",
					 path);
		poll(NULL, 0, 5);
	}
	return true;
}

static bool refuse_second_life(const struct supervisor *supervisor, struct error *err)
{
	AUTO(free) char *path = file_in(supervisor, JOB_RESULT_FILE);

	if (file_exists(path))
		return error_set(err, ERR_CONFLICT, "this job has ended already: \"%s\" is there",
				 path);
	return true;
}

static bool read_request(struct supervisor *supervisor, struct error *err)
{
	AUTO(free) char *path = file_in(supervisor, JOB_REQUEST_FILE);
	const json_t *limits;

	if (!json_read_file(path, JOB_REQUEST_BYTES_MAX, &supervisor->request, err))
		return false;
	limits = json_object_get(supervisor->request, "limits");
	supervisor->limits = (struct limits){
		.deadline_ms = json_get_int64(limits, "deadline_ms", 30 * 60 * 1000),
		.silence_ms = json_get_int64(limits, "silence_ms", 0),
		.output_bytes_max = json_get_int64(limits, "output_bytes_max", 16 * 1024 * 1024),
		.memory_bytes_max = json_get_int64(limits, "memory_bytes_max", 0),
		.stop_grace_ms = json_get_int64(limits, "stop_grace_ms", 10 * 1000),
	};
	return true;
}

static bool write_identity(const struct supervisor *supervisor, struct error *err)
{
	AUTO(free) char *path = file_in(supervisor, JOB_IDENTITY_FILE);
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;
	struct process_identity identity;

	if (!process_identity_of(getpid(), &identity))
		return error_set(err, ERR_INTERNAL, "cannot find out who this process is");
	json = process_identity_to_json(&identity);
	text = json_to_text(json);
	/* It names a process of this boot: of no use after a loss of power. */
	return file_replace(path, text, strlen(text), 0600, err);
}

static bool listen_to_signals(struct supervisor *supervisor, struct error *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	supervisor->signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	sigaddset(&signals, SIGPIPE);
	if (supervisor->signals_fd < 0 || sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		return error_set_errno(err, errno, "cannot listen to signals");
	return true;
}

/* Without inotify (its instances are limited per user) the poll alone finds the file. */
static void watch_folder(struct supervisor *supervisor)
{
	supervisor->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (supervisor->inotify_fd >= 0)
		inotify_add_watch(supervisor->inotify_fd, supervisor->folder,
				  IN_CREATE | IN_MOVED_TO);
}

static bool get_ready(struct supervisor *supervisor, struct error *err)
{
	fault_point(POINT_WORKER_BEGUN);
	if (!take_lock(supervisor, err) || fault_fails(POINT_WORKER_LOCKED, err) ||
	    !refuse_second_life(supervisor, err) || !read_request(supervisor, err) ||
	    !listen_to_signals(supervisor, err))
		return false;
	watch_folder(supervisor);
	return !fault_fails(POINT_WORKER_IDENTITY, err) && write_identity(supervisor, err);
}

/* ---- ending the task before its time ---- */

static void end_task(struct supervisor *supervisor, enum job_outcome outcome, const char *format,
		     ...) PRINTF_LIKE(3, 4);

/* The first reason counts. */
static void end_task(struct supervisor *supervisor, enum job_outcome outcome, const char *format,
		     ...)
{
	struct ending *ending = &supervisor->ending;
	va_list args;

	if (ending->is_decided)
		return;
	ending->is_decided = true;
	ending->outcome = outcome;
	va_start(args, format);
	vsnprintf(ending->message, sizeof(ending->message), format, args);
	va_end(args);
	ending->force_at_mono_ms = clock_mono_ms() + supervisor->limits.stop_grace_ms;
	if (supervisor->guard.pid)
		guard_ask_task_to_end(&supervisor->guard);
}

static void use_force(struct supervisor *supervisor)
{
	supervisor->ending.was_forced = true;
	supervisor->ending.guard_due_mono_ms = clock_mono_ms() + GUARD_WAIT_MS;
	guard_end_everything(&supervisor->guard);
}

static void look_for_stop(struct supervisor *supervisor)
{
	AUTO(free) char *path = file_in(supervisor, JOB_STOP_FILE);
	AUTO(free) char *reason = NULL;
	char printable[200];
	struct error ignored; /* a stop without a readable reason is a stop */
	char events[4096];

	while (supervisor->inotify_fd >= 0 &&
	       read(supervisor->inotify_fd, events, sizeof(events)) > 0)
		;
	if (supervisor->ending.is_decided || !file_exists(path))
		return;
	if (!file_read(path, 4096, &reason, NULL, &ignored))
		reason = xstrdup("");
	end_task(supervisor, JOB_STOPPED, "was stopped: %s",
		 *reason ? text_printable(reason, printable, sizeof(printable)) : "asked to");
}

static void take_signals(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	while (read(supervisor->signals_fd, &info, sizeof(info)) == sizeof(info))
		end_task(supervisor, JOB_STOPPED, "was stopped: its supervisor got signal %u (%s)",
			 info.ssi_signo, strsignal((int)info.ssi_signo));
}

static void check_memory(struct supervisor *supervisor, int64_t now_mono_ms)
{
	int64_t bytes;

	if (!supervisor->limits.memory_bytes_max || now_mono_ms < supervisor->memory_due_mono_ms)
		return;
	supervisor->memory_due_mono_ms = now_mono_ms + MEMORY_POLL_MS;
	bytes = descendants_memory_bytes(supervisor->guard.pid);
	if (bytes <= supervisor->limits.memory_bytes_max || supervisor->ending.was_forced)
		return;
	end_task(supervisor, JOB_OUT_OF_MEMORY, "took %lld MiB of memory, %lld MiB are allowed",
		 (long long)(bytes >> 20), (long long)(supervisor->limits.memory_bytes_max >> 20));
	/* No grace: every second of it is taken from somebody else. */
	use_force(supervisor);
}

static void check_limits(struct supervisor *supervisor)
{
	const struct limits *limits = &supervisor->limits;
	struct ending *ending = &supervisor->ending;
	int64_t now_mono_ms = clock_mono_ms();
	char text[DURATION_TEXT_SIZE];

	if (supervisor->lines.broken != JOB_COMPLETED)
		end_task(supervisor, supervisor->lines.broken, "%s", supervisor->lines.message);
	if (limits->deadline_ms && now_mono_ms - supervisor->started_mono_ms >= limits->deadline_ms)
		end_task(supervisor, JOB_TIMED_OUT, "was not done after %s",
			 duration_format(limits->deadline_ms, text));
	if (limits->silence_ms && now_mono_ms - supervisor->heard_mono_ms >= limits->silence_ms)
		end_task(supervisor, JOB_SILENT, "said nothing for %s",
			 duration_format(limits->silence_ms, text));
	check_memory(supervisor, now_mono_ms);
	if (ending->is_decided && !ending->was_forced && now_mono_ms >= ending->force_at_mono_ms)
		use_force(supervisor);
	/* It is our child and not reaped, so the number is its own. */
	if (ending->was_forced && now_mono_ms >= ending->guard_due_mono_ms)
		kill(supervisor->guard.pid, SIGKILL);
}

static void earlier(int64_t *due_mono_ms, int64_t candidate_mono_ms)
{
	if (candidate_mono_ms < *due_mono_ms)
		*due_mono_ms = candidate_mono_ms;
}

static int wait_ms(const struct supervisor *supervisor)
{
	const struct limits *limits = &supervisor->limits;
	const struct ending *ending = &supervisor->ending;
	int64_t now_mono_ms = clock_mono_ms();
	int64_t due_mono_ms = now_mono_ms + STOP_POLL_MS;

	if (limits->memory_bytes_max)
		earlier(&due_mono_ms, supervisor->memory_due_mono_ms);
	if (!ending->is_decided && limits->deadline_ms)
		earlier(&due_mono_ms, supervisor->started_mono_ms + limits->deadline_ms);
	if (!ending->is_decided && limits->silence_ms)
		earlier(&due_mono_ms, supervisor->heard_mono_ms + limits->silence_ms);
	if (ending->is_decided && !ending->was_forced)
		earlier(&due_mono_ms, ending->force_at_mono_ms);
	return due_mono_ms > now_mono_ms ? (int)(due_mono_ms - now_mono_ms) : 0;
}

/* ---- watching it ---- */

/* False at end of file, and when nothing more is there. */
static bool take_output(struct supervisor *supervisor, int *fd)
{
	char block[65536];
	ssize_t got = read(*fd, block, sizeof(block));

	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		close(TAKE_FD(*fd));
		return false;
	}
	if (fd == &supervisor->err_fd) {
		log_recorder_feed(&supervisor->log, block, (size_t)got);
	} else {
		supervisor->heard_mono_ms = clock_mono_ms();
		line_recorder_feed(&supervisor->lines, block, (size_t)got);
	}
	return true;
}

static void watch_task(struct supervisor *supervisor)
{
	bool is_over = false;

	while (!is_over) {
		struct pollfd fds[] = {
			{ .fd = supervisor->out_fd, .events = POLLIN },
			{ .fd = supervisor->err_fd, .events = POLLIN },
			{ .fd = supervisor->signals_fd, .events = POLLIN },
			{ .fd = supervisor->inotify_fd, .events = POLLIN },
			{ .fd = supervisor->guard.report_fd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), wait_ms(supervisor)) < 0)
			continue;
		if (fds[0].revents)
			take_output(supervisor, &supervisor->out_fd);
		if (fds[1].revents)
			take_output(supervisor, &supervisor->err_fd);
		if (fds[2].revents)
			take_signals(supervisor);
		look_for_stop(supervisor);
		check_limits(supervisor);
		is_over = fds[4].revents != 0;
	}
}

/* Whoever wrote is gone, so what is in the pipes is all that there will be. */
static void drain_output(struct supervisor *supervisor)
{
	while (supervisor->out_fd >= 0 && take_output(supervisor, &supervisor->out_fd))
		;
	while (supervisor->err_fd >= 0 && take_output(supervisor, &supervisor->err_fd))
		;
	line_recorder_finish(&supervisor->lines);
	log_recorder_finish(&supervisor->log);
}

/* ---- the result ---- */

static void tell_crash(const struct supervisor *supervisor, const struct guard_report *report,
		       char *message, size_t size)
{
	const char *said = supervisor->lines.result ? "said ok, then" : "without a result";
	const char *last_words = supervisor->log.last_line;
	int length;

	if (!report->has_status)
		length = snprintf(message, size, "ended %s: it was killed from outside", said);
	else if (WIFEXITED(report->wait_status))
		length = snprintf(message, size, "ended %s: exit status %d", said,
				  WEXITSTATUS(report->wait_status));
	else
		length = snprintf(message, size, "ended %s: signal %d (%s)", said,
				  WTERMSIG(report->wait_status),
				  strsignal(WTERMSIG(report->wait_status)));
	if (*last_words && length > 0 && (size_t)length < size)
		snprintf(message + length, size - (size_t)length, "; its last words: %s",
			 last_words);
}

static enum job_outcome judge(const struct supervisor *supervisor,
			      const struct guard_report *report, char *message, size_t size)
{
	const json_t *result = supervisor->lines.result;
	bool exited_well = report->has_status && WIFEXITED(report->wait_status) &&
			   WEXITSTATUS(report->wait_status) == 0;
	struct error failure;

	if (supervisor->lines.broken != JOB_COMPLETED) {
		snprintf(message, size, "%s", supervisor->lines.message);
		return supervisor->lines.broken;
	}
	/* What was done in time is done, also if somebody had just asked it to stop. */
	if (json_get_bool(result, "ok", false) && exited_well)
		return JOB_COMPLETED;
	if (supervisor->ending.is_decided) {
		snprintf(message, size, "%s", supervisor->ending.message);
		return supervisor->ending.outcome;
	}
	if (result && worker_result_error(result, &failure)) {
		snprintf(message, size, "%s", failure.message);
		return JOB_FAILED;
	}
	tell_crash(supervisor, report, message, size);
	return JOB_CRASHED;
}

static json_t *exit_to_json(const struct guard_report *report)
{
	if (!report->has_status)
		return json_null();
	if (WIFEXITED(report->wait_status))
		return json_pack("{s:i}", "status", WEXITSTATUS(report->wait_status));
	return json_pack("{s:i}", "signal", WTERMSIG(report->wait_status));
}

static json_t *result_to_json(const struct supervisor *supervisor, enum job_outcome outcome,
			      const char *message, const struct guard_report *report)
{
	json_t *json = json_object();

	json_object_set_new(json, "outcome", json_string(job_outcome_name(outcome)));
	json_object_set_new(json, "ok", json_boolean(outcome == JOB_COMPLETED));
	json_object_set_new(json, "result",
			    supervisor->lines.result ? json_incref(supervisor->lines.result)
						     : json_null());
	json_object_set_new(json, "message", json_string(message));
	json_object_set_new(json, "exit", exit_to_json(report));
	json_object_set_new(json, "started_at_ms", json_integer(supervisor->started_at_ms));
	json_object_set_new(json, "ended_at_ms", json_integer(clock_wall_ms()));
	json_object_set_new(json, "leftover_processes", json_integer(report->leftover_processes));
	if (supervisor->lines.lines_lost)
		json_object_set_new(json, "lines_lost", json_integer(supervisor->lines.lines_lost));
	return json;
}

/* The disk may be full just now, and somebody may be making room: without a result the engine would
 * have to be asked what happened. */
static bool write_result(const struct supervisor *supervisor, const json_t *result)
{
	AUTO(free) char *path = file_in(supervisor, JOB_RESULT_FILE);
	AUTO(free) char *text = json_to_text(result);
	int64_t give_up_mono_ms = clock_mono_ms() + RESULT_WAIT_MS;
	struct error err;

	while (fault_fails(POINT_WORKER_RESULT, &err) ||
	       !file_write_atomically(path, text, strlen(text), 0600, &err)) {
		if (clock_mono_ms() > give_up_mono_ms) {
			dprintf(2, "%s\n", err.message);
			return false;
		}
		poll(NULL, 0, 500);
	}
	return true;
}

/* ---- one life ---- */

static bool open_streams(struct supervisor *supervisor, int *out_write, int *err_write,
			 struct error *err)
{
	AUTO(free) char *lines_path = file_in(supervisor, JOB_LINES_FILE);
	AUTO(free) char *log_path = file_in(supervisor, JOB_LOG_FILE);
	int lines_fd = open(lines_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int out[2], error[2];

	if (lines_fd < 0 || log_fd < 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    pipe2(error, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot open the streams of a task");
	line_recorder_init(&supervisor->lines, lines_fd, supervisor->limits.output_bytes_max);
	log_recorder_init(&supervisor->log, log_fd);
	supervisor->out_fd = out[0];
	supervisor->err_fd = error[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(error[0], F_SETFL, O_NONBLOCK);
	*out_write = out[1];
	*err_write = error[1];
	return true;
}

static int run_task(void *arg)
{
	struct supervisor *supervisor = arg;

	fault_point(POINT_WORKER_TASK);
	return supervisor->task(supervisor->request);
}

static bool start_task(struct supervisor *supervisor, struct error *err)
{
	AUTO(close) int out_write = -1;
	AUTO(close) int err_write = -1;

	supervisor->started_mono_ms = supervisor->heard_mono_ms = clock_mono_ms();
	return open_streams(supervisor, &out_write, &err_write, err) &&
	       guard_start(&supervisor->guard,
			   &(struct guard_spec){ .task = run_task,
						 .arg = supervisor,
						 .stdout_fd = out_write,
						 .stderr_fd = err_write,
						 .keep_fd = supervisor->lock_fd },
			   err);
}

/* "go", or why not. */
static bool wait_for_go(struct supervisor *supervisor)
{
	char answer[8];
	ssize_t got;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = JOB_GO_FD, .events = POLLIN },
			{ .fd = supervisor->signals_fd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			take_signals(supervisor);
		if (supervisor->ending.is_decided)
			return false;
		if (fds[0].revents)
			break;
	}
	got = read(JOB_GO_FD, answer, sizeof(answer));
	close(JOB_GO_FD);
	look_for_stop(supervisor);
	return got >= 2 && memcmp(answer, "go", 2) == 0 && !supervisor->ending.is_decided;
}

static bool end_never_started(const struct supervisor *supervisor, const char *message)
{
	AUTO(json_decref)
	json_t *result =
	    result_to_json(supervisor, JOB_NEVER_STARTED, message, &(struct guard_report){ 0 });

	return write_result(supervisor, result);
}

static bool end_with_result(struct supervisor *supervisor)
{
	AUTO(json_decref) json_t *result = NULL;
	struct guard_report report;
	enum job_outcome outcome;
	char message[sizeof(supervisor->ending.message)] = "";

	watch_task(supervisor);
	fault_point(POINT_WORKER_TASK_OVER);
	guard_finish(&supervisor->guard, &report);
	drain_output(supervisor);
	outcome = judge(supervisor, &report, message, sizeof(message));
	result = result_to_json(supervisor, outcome, message, &report);
	return write_result(supervisor, result);
}

static bool live(struct supervisor *supervisor)
{
	struct error err;

	supervisor->started_at_ms = clock_wall_ms();
	if (!wait_for_go(supervisor))
		return end_never_started(supervisor, supervisor->ending.is_decided
							 ? supervisor->ending.message
							 : "was not told to go");
	fault_point(POINT_WORKER_GO);
	supervisor->started_at_ms = clock_wall_ms();
	if (!start_task(supervisor, &err))
		return end_never_started(supervisor, err.message);
	fault_point(POINT_WORKER_STARTED);
	return end_with_result(supervisor);
}

/* A hundred jobs at once must not keep the programs that decide from deciding: a lease that ends is
 * noticed first. Kernels that share out by session (sched_autogroup) look at the second one only.
 * Best effort. Not for checks: a load check that is late itself judges nothing. */
static void give_way(const json_t *request)
{
	AUTO(close) int fd = -1;

	if (strcmp(json_get_string(request, "task", ""), "check") == 0)
		return;
	fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	errno = 0;
	if (nice(GIVE_WAY) < 0 && errno)
		return;
	if (fd >= 0 && dprintf(fd, "%d", GIVE_WAY) < 0)
		return;
}

int supervisor_run(const char *folder, int (*task)(const json_t *request))
{
	struct supervisor supervisor = {
		.folder = folder,
		.task = task,
		.lock_fd = -1,
		.signals_fd = -1,
		.inotify_fd = -1,
		.out_fd = -1,
		.err_fd = -1,
	};
	struct error err;
	bool has_result;

	/* Until it listens, a polite stop of a supervisor that has done nothing yet may just end
	 * it. */
	signal(SIGPIPE, SIG_IGN);
	if (!get_ready(&supervisor, &err)) {
		dprintf(JOB_READY_FD, "%s\n", err.message);
		return 1;
	}
	give_way(supervisor.request);
	/* If nobody reads this, nobody will say go. */
	dprintf(JOB_READY_FD, "ready\n");
	close(JOB_READY_FD);
	fault_point(POINT_WORKER_READY);
	has_result = live(&supervisor);
	fault_point(POINT_WORKER_END);
	line_recorder_release(&supervisor.lines);
	log_recorder_release(&supervisor.log);
	json_decref(supervisor.request);
	/* The lock goes with the process, and everything else has gone before. */
	return has_result ? 0 : 1;
}
