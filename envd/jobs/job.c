#include "jobs/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/files.h"
#include "jobs/job_follow.h"
#include "loop/timer.h"

#define READY_LIMIT_MS 10000
/* How soon to look again when the process is gone and the lock is still held: its guard is at work.
 */
#define LOCK_RETRY_MS 20
/* The lock cannot be looked at, most likely for want of descriptors. */
#define UNKNOWN_RETRY_MS 1000

struct job {
	struct jobs *jobs;
	struct job *next;
	struct job_id id;
	char *folder;
	struct job_callbacks callbacks;
	bool is_child; /* ours to reap */
	bool is_over;  /* no callback comes any more */
	bool was_ready;
	pid_t pid;
	int pidfd; /* -1: gone */
	struct loop_watch *exit_watch;
	int ready_fd, go_fd; /* -1 when not used (any more) */
	struct loop_watch *ready_watch;
	char said[512];      /* on ready_fd */
	struct timer *timer; /* the limit for getting ready, then for the lock */
	struct job_follow *follow;
};

struct jobs {
	struct loop *loop;
	struct folder_watches *watches;
	char *folder;
	char *program;
	struct job *first;
};

struct jobs *jobs_new(struct loop *loop, const char *jobs_folder, const char *program)
{
	AUTO(free) char *folder = path_of_program_folder();
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));

	jobs->loop = loop;
	jobs->watches = folder_watches_new(loop);
	jobs->folder = xstrdup(jobs_folder);
	jobs->program = program ? xstrdup(program) : path_join(folder, "envd-worker");
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first)
		job_forget(jobs->first);
	folder_watches_free(jobs->watches);
	free(jobs->folder);
	free(jobs->program);
	free(jobs);
}

static char *job_folder_path(const char *jobs_folder, struct job_id id)
{
	return path_join(jobs_folder, id.text);
}

static char *file_of(const char *jobs_folder, struct job_id id, const char *name)
{
	return xasprintf("%s/%s/%s", jobs_folder, id.text, name);
}

bool job_folder_make(const char *jobs_folder, struct job_id id, const json_t *request,
		     struct error *err)
{
	AUTO(free) char *folder = job_folder_path(jobs_folder, id);
	AUTO(free) char *path = file_of(jobs_folder, id, JOB_REQUEST_FILE);
	AUTO(free) char *text = json_to_text(request);

	/* Not for the disk: after a loss of power there is no process left that could read it, and
	 * the job's end is unknown with it or without. An fsync here would hold up the whole loop.
	 */
	return folder_make(folder, 0700, err) && file_replace(path, text, strlen(text), 0600, err);
}

/* ---- the end of following ---- */

static void close_ready(struct job *job)
{
	loop_unwatch(job->ready_watch);
	job->ready_watch = NULL;
	if (job->ready_fd >= 0)
		close(TAKE_FD(job->ready_fd));
}

static void close_process(struct job *job)
{
	loop_unwatch(job->exit_watch);
	job->exit_watch = NULL;
	if (job->pidfd >= 0)
		close(TAKE_FD(job->pidfd));
}

static void free_job(void *arg)
{
	struct job *job = arg;

	free(job->folder);
	free(job);
}

/* From here on no callback comes; the memory stays until the end of the turn. */
static void finish(struct job *job)
{
	struct job **at = &job->jobs->first;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->is_over = true;
	close_ready(job);
	close_process(job);
	if (job->go_fd >= 0)
		close(TAKE_FD(job->go_fd));
	timer_free(job->timer);
	job_follow_free(job->follow);
	loop_defer(job->jobs->loop, free_job, job);
}

static void tell_end(struct job *job)
{
	struct job_sight sight;
	struct job_end end;

	job_look(job->jobs->folder, job->id, &sight);
	job_end_from_sight(&sight, &end);
	job->callbacks.on_end(job->callbacks.arg, &end);
	job_sight_release(&sight);
	if (!job->is_over)
		finish(job);
}

/* The process is gone; while the lock is held its guard is still ending things. */
static void end_if_free(struct job *job)
{
	struct job_sight sight;

	job_look(job->jobs->folder, job->id, &sight);
	job_sight_release(&sight);
	if (sight.lock != JOB_LOCK_FREE) {
		timer_set_ms(job->timer,
			     sight.lock == JOB_LOCK_HELD ? LOCK_RETRY_MS : UNKNOWN_RETRY_MS);
		return;
	}
	job_follow_read_to_end(job->follow);
	if (!job->is_over)
		tell_end(job);
}

static void fail_start(struct job *job, const char *why)
{
	struct error failure;

	error_set_as(&failure, ERR_EXTERNAL, "worker_not_started", "the worker did not start: %s",
		     why);
	job->callbacks.on_start_failed(job->callbacks.arg, &failure);
	if (!job->is_over)
		finish(job);
}

/* What has come on ready_fd, added to `said`: as read(). */
static ssize_t read_said(struct job *job)
{
	size_t length = strlen(job->said);
	ssize_t got = read(job->ready_fd, job->said + length, sizeof(job->said) - 1 - length);

	if (got > 0)
		job->said[length + (size_t)got] = '\0';
	return got;
}

/* Its end may be heard of before its words: then they are in the pipe. */
static const char *last_words(struct job *job)
{
	while (job->ready_fd >= 0 && read_said(job) > 0)
		;
	job->said[strcspn(job->said, "\n")] = '\0';
	return *job->said && strcmp(job->said, "ready") != 0 ? job->said
							     : "it ended before it was ready";
}

static void on_exit_of(void *arg)
{
	struct job *job = arg;

	if (job->is_child && waitpid(job->pid, NULL, WNOHANG) == 0)
		return;
	close_process(job);
	if (job->was_ready)
		end_if_free(job);
	else
		fail_start(job, last_words(job));
}

static void on_timer(void *arg)
{
	struct job *job = arg;

	if (job->was_ready) {
		end_if_free(job);
		return;
	}
	/* Without "go" it does nothing, and end of file is not "go". */
	fail_start(job, *job->said ? job->said : "it was not ready in time");
}

/* ---- getting ready ---- */

static bool read_identity(const struct job *job, struct process_identity *identity,
			  struct error *err)
{
	AUTO(free) char *path = path_join(job->folder, JOB_IDENTITY_FILE);
	AUTO(json_decref) json_t *json = NULL;

	return json_read_file(path, 4096, &json, err) &&
	       process_identity_from_json(json, identity, err);
}

static void on_line_of(void *arg, enum worker_line_type type, const json_t *object,
		       int64_t offset_after)
{
	struct job *job = arg;

	if (!job->is_over)
		job->callbacks.on_line(job->callbacks.arg, type, object, offset_after);
}

static void follow_lines(struct job *job, int64_t offset)
{
	job->follow = job_follow_new(job->jobs->loop, job->jobs->watches, job->folder, offset,
				     on_line_of, job);
}

static void hear_ready(struct job *job)
{
	struct process_identity identity;
	struct error err;

	close_ready(job);
	if (!read_identity(job, &identity, &err)) {
		fail_start(job, err.message);
		return;
	}
	job->was_ready = true;
	timer_stop(job->timer);
	follow_lines(job, 0);
	job->callbacks.on_ready(job->callbacks.arg, &identity);
}

static void on_said(void *arg)
{
	struct job *job = arg;
	ssize_t got = read_said(job);
	char *newline;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		/* Why, the exit will tell. */
		close_ready(job);
		return;
	}
	newline = strchr(job->said, '\n');
	if (!newline)
		return;
	*newline = '\0';
	if (strcmp(job->said, "ready") == 0)
		hear_ready(job);
}

/* ---- launching ---- */

static struct job *job_new(struct jobs *jobs, struct job_id id,
			   const struct job_callbacks *callbacks)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->jobs = jobs;
	job->id = id;
	job->folder = job_folder_path(jobs->folder, id);
	job->callbacks = *callbacks;
	job->pidfd = job->ready_fd = job->go_fd = -1;
	job->timer = timer_new(jobs->loop, on_timer, job);
	job->next = jobs->first;
	jobs->first = job;
	return job;
}

static bool spawn_supervisor(struct job *job, int ready_write, int go_read, struct error *err)
{
	AUTO(free) char **variables = variables_pick(variables_of_workers());
	AUTO(free) char *log_path = path_join(job->folder, JOB_LOG_FILE);
	AUTO(close) int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	const char *const argv[] = { job->jobs->program, job->folder, NULL };

	if (log < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", log_path);
	return spawn(
	    &(struct spawn_spec){ .argv = argv,
				  .variables = (const char *const *)variables,
				  .directory = "/",
				  .fds = (const int[]){ -1, log, log, ready_write, go_read },
				  .fd_count = JOB_GO_FD + 1,
				  .new_session = true },
	    &job->pid, err);
}

static bool start(struct job *job, struct error *err)
{
	AUTO(close) int ready_write = -1;
	AUTO(close) int go_read = -1;
	int ready[2], go[2];

	if (pipe2(ready, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	job->ready_fd = ready[0];
	ready_write = ready[1];
	if (pipe2(go, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	go_read = go[0];
	job->go_fd = go[1];
	fcntl(job->ready_fd, F_SETFL, O_NONBLOCK);
	if (!spawn_supervisor(job, ready_write, go_read, err))
		return false;
	job->is_child = true;
	job->pidfd = pidfd_open(job->pid, 0);
	return job->pidfd >= 0 || error_set_errno(err, errno, "cannot watch the worker");
}

struct job *job_launch(struct jobs *jobs, struct job_id id, const struct job_callbacks *callbacks)
{
	struct job *job = job_new(jobs, id, callbacks);
	struct error err;

	if (!start(job, &err)) {
		snprintf(job->said, sizeof(job->said), "%s", err.message);
		timer_set_ms(job->timer, 0);
		return job;
	}
	job->exit_watch = loop_watch_fd(jobs->loop, job->pidfd, on_exit_of, job);
	job->ready_watch = loop_watch_fd(jobs->loop, job->ready_fd, on_said, job);
	timer_set_ms(job->timer, READY_LIMIT_MS);
	return job;
}

struct job *job_adopt(struct jobs *jobs, struct job_id id, const struct process_identity *identity,
		      int64_t lines_offset, const struct job_callbacks *callbacks)
{
	struct job *job = job_new(jobs, id, callbacks);

	job->was_ready = true;
	job->pid = identity->pid;
	job->pidfd = process_open(identity);
	follow_lines(job, lines_offset);
	if (job->pidfd >= 0)
		job->exit_watch = loop_watch_fd(jobs->loop, job->pidfd, on_exit_of, job);
	else
		timer_set_ms(job->timer, 0);
	return job;
}

void job_go(struct job *job)
{
	/* A supervisor that died meanwhile will be seen to have ended. */
	if (job->go_fd < 0 || write(job->go_fd, "go\n", 3) < 0)
		return;
	close(TAKE_FD(job->go_fd));
}

void job_cancel(struct job *job)
{
	if (job->go_fd >= 0)
		close(TAKE_FD(job->go_fd));
}

void job_forget(struct job *job)
{
	finish(job);
}

bool job_ask_stop(const char *jobs_folder, struct job_id id, const char *reason, struct error *err)
{
	AUTO(free) char *path = file_of(jobs_folder, id, JOB_STOP_FILE);

	return file_replace(path, reason, strlen(reason), 0600, err);
}

/* ---- recovery ---- */

static enum job_lock look_at_lock(const char *path)
{
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* Made by the supervisor as the first thing that it does. */
	if (fd < 0)
		return errno == ENOENT ? JOB_LOCK_FREE : JOB_LOCK_UNKNOWN;
	/* Shared, so that two who look do not see each other; closing gives it back. */
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return JOB_LOCK_FREE;
	return errno == EWOULDBLOCK ? JOB_LOCK_HELD : JOB_LOCK_UNKNOWN;
}

void job_look(const char *jobs_folder, struct job_id id, struct job_sight *sight)
{
	AUTO(free) char *lock_path = file_of(jobs_folder, id, JOB_LOCK_FILE);
	AUTO(free) char *identity_path = file_of(jobs_folder, id, JOB_IDENTITY_FILE);
	AUTO(free) char *result_path = file_of(jobs_folder, id, JOB_RESULT_FILE);
	AUTO(json_decref) json_t *identity = NULL;
	struct error ignored; /* what cannot be read is not there, and lock says the rest */

	*sight = (struct job_sight){ .lock = look_at_lock(lock_path) };
	sight->has_identity = json_read_file(identity_path, 4096, &identity, &ignored) &&
			      process_identity_from_json(identity, &sight->identity, &ignored);
	/* After the lock: a result that is complete before the lock is free cannot be missed. */
	if (!json_read_file(result_path, JOB_RESULT_BYTES_MAX, &sight->result, &ignored))
		sight->result = NULL;
}

void job_sight_release(struct job_sight *sight)
{
	json_decref(sight->result);
	sight->result = NULL;
}

void job_end_from_sight(const struct job_sight *sight, struct job_end *end)
{
	const json_t *line = json_object_get(sight->result, "result");

	*end = (struct job_end){ .outcome = JOB_UNKNOWN };
	if (!sight->result) {
		job_outcome_error(JOB_UNKNOWN, "the worker ended without leaving a result",
				  &end->failure);
		return;
	}
	end->outcome = job_outcome_from_name(json_get_string(sight->result, "outcome", ""));
	end->data = json_is_object(line) ? json_object_get(line, "data") : NULL;
	end->started_at_ms = json_get_int64(sight->result, "started_at_ms", 0);
	end->ended_at_ms = json_get_int64(sight->result, "ended_at_ms", 0);
	end->leftover_processes = (int)json_get_int64(sight->result, "leftover_processes", 0);
	if (worker_result_error(sight->result, &end->failure) && end->outcome == JOB_COMPLETED)
		end->outcome = JOB_UNKNOWN;
}
