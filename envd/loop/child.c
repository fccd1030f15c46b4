#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/line_reader.h"
#include "base/spawn.h"
#include "loop/timer.h"

#define LINE_BYTES_DEFAULT 65536
#define INPUT_BYTES_MAX 65536

struct stream {
	struct child *child;
	int number;
	int fd;
	struct loop_watch *watch; /* NULL while paused */
	struct line_reader reader;
};

struct child {
	struct loop *loop;
	struct stream streams[2];
	pid_t pid;
	int pidfd; /* -1 once reaped */
	struct loop_watch *exit_watch;
	struct timer *timer; /* the time limit, then the grace */
	struct loop_ending
	    *ending; /* the loop may go before the child does; NULL when it has gone */
	int64_t started_mono_ms;
	int64_t grace_ms;
	int wait_status;
	bool is_stopping, is_dropped, is_ending;
	void (*on_line)(void *arg, int stream, const char *line, size_t length);
	void (*on_end)(void *arg, const struct child_end *end);
	void *arg;
};

static void close_stream(struct stream *stream)
{
	loop_unwatch(stream->watch);
	stream->watch = NULL;
	if (stream->fd >= 0)
		close(TAKE_FD(stream->fd));
}

static void child_free(void *arg)
{
	struct child *child = arg;

	for (size_t i = 0; i < ARRAY_SIZE(child->streams); i++) {
		close_stream(&child->streams[i]);
		line_reader_release(&child->streams[i].reader);
	}
	loop_unwatch(child->exit_watch);
	timer_free(child->timer);
	if (child->pidfd >= 0)
		close(child->pidfd);
	free(child);
}

/* The loop goes: the child too, and nobody is told. */
static void end_with_loop(void *arg)
{
	struct child *child = arg;

	child->ending = NULL;
	if (child->pidfd >= 0)
		kill(-child->pid, SIGKILL);
	child_free(child);
}

static void tell_end(void *arg)
{
	struct child *child = arg;
	struct child_end end = { .ran_ms = loop_now_mono_ms(child->loop) - child->started_mono_ms };

	if (WIFEXITED(child->wait_status)) {
		end.ending = CHILD_EXITED;
		end.status = WEXITSTATUS(child->wait_status);
	} else {
		end.ending = CHILD_SIGNALLED;
		end.status = WTERMSIG(child->wait_status);
	}
	if (child->is_stopping)
		end.ending = CHILD_STOPPED;
	if (!child->is_dropped)
		child->on_end(child->arg, &end);
	child_free(child);
}

static void end_if_over(struct child *child)
{
	if (child->pidfd >= 0 || child->streams[0].fd >= 0 || child->streams[1].fd >= 0 ||
	    child->is_ending)
		return;
	child->is_ending = true;
	loop_not_on_free(TAKE(child->ending));
	loop_defer(child->loop, tell_end, child);
}

static void on_stream_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct stream *stream = arg;

	(void)was_cut;
	if (!stream->child->is_dropped)
		stream->child->on_line(stream->child->arg, stream->number, line, length);
}

static void on_stream(void *arg)
{
	struct stream *stream = arg;
	char block[65536];
	ssize_t got = read(stream->fd, block, sizeof(block));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		line_reader_feed(&stream->reader, block, (size_t)got);
		return;
	}
	line_reader_finish(&stream->reader);
	close_stream(stream);
	end_if_over(stream->child);
}

/* The group outlives its leader when the leader's children do. */
static void signal_group(struct child *child, int signal_number)
{
	if (child->pidfd >= 0)
		kill(-child->pid, signal_number);
}

static void on_exit_of(void *arg)
{
	struct child *child = arg;

	/* Before it is reaped, its number and so its group cannot be anybody else's. */
	signal_group(child, SIGKILL);
	if (waitpid(child->pid, &child->wait_status, WNOHANG) != child->pid)
		return;
	loop_unwatch(TAKE(child->exit_watch));
	close(TAKE_FD(child->pidfd));
	timer_stop(child->timer);
	child_resume(child);
	end_if_over(child);
}

static void on_timer(void *arg)
{
	struct child *child = arg;

	if (child->is_stopping)
		signal_group(child, SIGKILL);
	else
		child_stop(child);
}

static void open_stream(struct child *child, size_t index, int fd, size_t line_bytes_max)
{
	struct stream *stream = &child->streams[index];

	stream->child = child;
	stream->number = (int)index + 1;
	stream->fd = fd;
	stream->reader = (struct line_reader){
		.line_bytes_max = line_bytes_max ? line_bytes_max : LINE_BYTES_DEFAULT,
		.on_line = on_stream_line,
		.arg = stream,
	};
	fcntl(fd, F_SETFL, O_NONBLOCK);
	stream->watch = loop_watch_fd(child->loop, fd, on_stream, stream);
}

static bool make_pipe(int *read_end, int *write_end, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	*read_end = ends[0];
	*write_end = ends[1];
	return true;
}

/* A pipe that already holds all of the input, so that nobody has to wait for the child to read. */
static bool make_input(const char *input, int *read_end, struct error *err)
{
	AUTO(close) int from = -1;
	AUTO(close) int to = -1;
	size_t length = input ? strlen(input) : 0;

	if (!input)
		return true;
	if (length > INPUT_BYTES_MAX)
		return error_set(err, ERR_LIMIT, "input of a child may not pass %d bytes",
				 INPUT_BYTES_MAX);
	if (!make_pipe(&from, &to, err))
		return false;
	if (write(to, input, length) != (ssize_t)length)
		return error_set_errno(err, errno, "cannot write the input of a child");
	*read_end = TAKE_FD(from);
	return true;
}

bool child_start(struct loop *loop, const struct child_spec *spec, struct child **child,
		 struct error *err)
{
	AUTO(close) int input = -1;
	AUTO(close) int out_read = -1;
	AUTO(close) int out_write = -1;
	AUTO(close) int err_read = -1;
	AUTO(close) int err_write = -1;
	struct child *started;
	pid_t pid;

	if (!make_input(spec->input, &input, err) || !make_pipe(&out_read, &out_write, err) ||
	    !make_pipe(&err_read, &err_write, err) ||
	    !spawn(&(struct spawn_spec){ .argv = spec->argv,
					 .variables = spec->variables,
					 .directory = spec->directory,
					 .fds = (const int[]){ input, out_write, err_write,
							       spec->extra_fd },
					 .fd_count = spec->extra_fd ? 4 : 3,
					 .dies_with_parent = true },
		   &pid, err))
		return false;

	started = xcalloc(1, sizeof(*started));
	started->loop = loop;
	started->pid = pid;
	/* Our child that nobody reaped: the number is its own, so this cannot open a stranger. */
	started->pidfd = pidfd_open(pid, 0);
	started->started_mono_ms = loop_now_mono_ms(loop);
	started->grace_ms = spec->grace_ms;
	started->on_line = spec->on_line;
	started->on_end = spec->on_end;
	started->arg = spec->arg;
	started->exit_watch = loop_watch_fd(loop, started->pidfd, on_exit_of, started);
	started->timer = timer_new(loop, on_timer, started);
	started->ending = loop_on_free(loop, end_with_loop, started);
	if (spec->time_limit_ms > 0)
		timer_set_ms(started->timer, spec->time_limit_ms);
	open_stream(started, 0, TAKE_FD(out_read), spec->line_bytes_max);
	open_stream(started, 1, TAKE_FD(err_read), spec->line_bytes_max);
	*child = started;
	return true;
}

void child_stop(struct child *child)
{
	if (child->is_stopping || child->pidfd < 0)
		return;
	child->is_stopping = true;
	signal_group(child, SIGTERM);
	timer_set_ms(child->timer, child->grace_ms);
	/* A paused reader would keep it from writing what it still has to say. */
	child_resume(child);
}

void child_pause(struct child *child)
{
	for (size_t i = 0; i < ARRAY_SIZE(child->streams); i++) {
		loop_unwatch(child->streams[i].watch);
		child->streams[i].watch = NULL;
	}
}

void child_resume(struct child *child)
{
	for (size_t i = 0; i < ARRAY_SIZE(child->streams); i++) {
		struct stream *stream = &child->streams[i];

		if (stream->fd >= 0 && !stream->watch)
			stream->watch = loop_watch_fd(child->loop, stream->fd, on_stream, stream);
	}
}

void child_drop(struct child *child)
{
	child->is_dropped = true;
	child->is_stopping = true;
	signal_group(child, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(child->streams); i++)
		close_stream(&child->streams[i]);
	end_if_over(child);
}
