#include "engine/pulumi/tool_set.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/spawn.h"

enum { TERMINATE_AFTER_MS = 60000, KILL_AFTER_MS = 75000, LINE_BYTES = 65536 };

struct stream {
	struct tool *tool;
	int number;
	int fd; /* -1: end of file */
	struct line_reader reader;
};

struct tool {
	pid_t pid;
	int pidfd;
	struct stream streams[2];
	int64_t started_mono_ms;
	int64_t limit_ms;
	int asked; /* how many signals for being over its limit */
	void (*on_line)(void *arg, int stream, const char *line, size_t length, bool was_cut);
	void *arg;
};

/* ---- being told to stop ---- */

static int signals_fd = -1;
static bool has_been_told;

static void listen_to_signals(void)
{
	sigset_t stop;

	if (signals_fd >= 0)
		return;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool take_signals(void)
{
	struct signalfd_siginfo info;
	bool has_come = false;

	while (read(signals_fd, &info, sizeof(info)) == sizeof(info))
		has_come = true;
	has_come = has_come && !has_been_told;
	has_been_told = has_been_told || has_come;
	return has_come;
}

static void pass_signal_on(struct tool_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		kill(-set->running[i]->pid, SIGTERM);
}

/* ---- starting ---- */

static void on_stream_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct stream *stream = arg;

	if (stream->tool->on_line)
		stream->tool->on_line(stream->tool->arg, stream->number, line, length, was_cut);
}

/* In memory: what goes in may be a secret. */
static bool make_input(const char *text, int *fd, struct error *err)
{
	AUTO(close) int input = -1;
	size_t length = text ? strlen(text) : 0;

	if (!text)
		return true;
	input = memfd_create("input", MFD_CLOEXEC);
	if (input < 0 || write(input, text, length) != (ssize_t)length ||
	    lseek(input, 0, SEEK_SET) != 0)
		return error_set_errno(err, errno, "cannot hand over input");
	*fd = TAKE_FD(input);
	return true;
}

static bool open_stream(struct tool *tool, int number, size_t line_bytes_max, int *their_end,
			struct error *err)
{
	struct stream *stream = &tool->streams[number - 1];
	int ends[2];

	*stream = (struct stream){
		.tool = tool,
		.number = number,
		.fd = -1,
		.reader = { .line_bytes_max = line_bytes_max ? line_bytes_max : LINE_BYTES,
			    .on_line = on_stream_line,
			    .arg = stream },
	};
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	stream->fd = ends[0];
	*their_end = ends[1];
	return true;
}

static bool begin(struct tool *tool, const struct tool_spec *spec, struct error *err)
{
	AUTO(close) int input = -1;
	AUTO(close) int output = -1;
	AUTO(close) int complaints = -1;

	if (!open_stream(tool, TOOL_OUT, spec->line_bytes_max, &output, err) ||
	    !open_stream(tool, TOOL_ERR, 0, &complaints, err) ||
	    !make_input(spec->input, &input, err) ||
	    !spawn(
		&(struct spawn_spec){ .argv = spec->argv,
				      .variables = (const char *const *)(uintptr_t)spec->variables,
				      .directory = spec->directory,
				      .fds = (const int[]){ input, output, complaints },
				      .fd_count = 3,
				      .dies_with_parent = true },
		&tool->pid, err))
		return false;
	tool->pidfd = pidfd_open(tool->pid, 0);
	if (tool->pidfd >= 0)
		return true;
	error_set_errno(err, errno, "cannot watch \"%s\"", spec->argv[0]);
	kill(-tool->pid, SIGKILL);
	waitpid(tool->pid, NULL, 0);
	return false;
}

bool tool_start(struct tool_set *set, const struct tool_spec *spec, struct tool **result,
		struct error *err)
{
	struct tool *tool = xcalloc(1, sizeof(*tool));

	listen_to_signals();
	*tool = (struct tool){
		.pidfd = -1,
		.streams = { { .fd = -1 }, { .fd = -1 } },
		.started_mono_ms = clock_mono_ms(),
		.limit_ms = spec->limit_ms,
		.on_line = spec->on_line,
		.arg = spec->arg,
	};
	if (!begin(tool, spec, err)) {
		tool_free(tool);
		return false;
	}
	set->running = xrealloc(set->running, set->count + 1, sizeof(*set->running));
	set->running[set->count++] = tool;
	*result = tool;
	return true;
}

void tool_free(struct tool *tool)
{
	if (!tool)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(tool->streams); i++) {
		if (tool->streams[i].fd >= 0)
			close(tool->streams[i].fd);
		line_reader_release(&tool->streams[i].reader);
	}
	if (tool->pidfd >= 0)
		close(tool->pidfd);
	free(tool);
}

/* ---- the set ---- */

bool tools_are_stopping(void)
{
	return has_been_told;
}

bool tools_may_start(struct error *err)
{
	listen_to_signals();
	take_signals();
	return !has_been_told ||
	       error_set_as(err, ERR_UNAVAILABLE, "job_stopped", "it was asked to stop");
}

void tool_set_close(struct tool_set *set)
{
	struct tool_end ignored; /* nobody asks any more */
	struct tool *tool;

	for (size_t i = 0; i < set->count; i++)
		kill(-set->running[i]->pid, SIGKILL);
	while ((tool = tool_set_wait(set, &ignored)))
		tool_free(tool);
	free(set->running);
	set->running = NULL;
}

/* ---- watching ---- */

/* False when nothing more is there, now or for ever. */
static bool take_output(struct stream *stream)
{
	char block[65536];
	ssize_t got = read(stream->fd, block, sizeof(block));

	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		close(TAKE_FD(stream->fd));
		return false;
	}
	line_reader_feed(&stream->reader, block, (size_t)got);
	return true;
}

static void enforce_limit(struct tool *tool, int64_t now_mono_ms)
{
	int64_t over = now_mono_ms - tool->started_mono_ms - tool->limit_ms;

	if (!tool->limit_ms || over < 0)
		return;
	if (tool->asked == 0 || (tool->asked == 1 && over >= TERMINATE_AFTER_MS)) {
		kill(-tool->pid, SIGTERM);
		tool->asked++;
	} else if (over >= KILL_AFTER_MS) {
		kill(-tool->pid, SIGKILL);
	}
}

static struct tool *take_out(struct tool_set *set, size_t index)
{
	struct tool *tool = set->running[index];

	memmove(&set->running[index], &set->running[index + 1],
		(set->count - index - 1) * sizeof(*set->running));
	set->count--;
	return tool;
}

static struct tool *end_tool(struct tool_set *set, size_t index, struct tool_end *end)
{
	struct tool *tool = take_out(set, index);

	*end = (struct tool_end){ .was_over_limit = tool->asked > 0,
				  .ran_ms = clock_mono_ms() - tool->started_mono_ms };
	while (waitpid(tool->pid, &end->wait_status, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < ARRAY_SIZE(tool->streams); i++) {
		/* What it started may hold the other end: only what is there now is taken. */
		while (tool->streams[i].fd >= 0 && take_output(&tool->streams[i]))
			;
		line_reader_finish(&tool->streams[i].reader);
	}
	return tool;
}

static size_t fill_poll(const struct tool_set *set, struct pollfd *fds)
{
	size_t count = 0;

	fds[count++] = (struct pollfd){ .fd = signals_fd, .events = POLLIN };
	for (size_t i = 0; i < set->count; i++) {
		const struct tool *tool = set->running[i];

		fds[count++] = (struct pollfd){ .fd = tool->pidfd, .events = POLLIN };
		fds[count++] = (struct pollfd){ .fd = tool->streams[0].fd, .events = POLLIN };
		fds[count++] = (struct pollfd){ .fd = tool->streams[1].fd, .events = POLLIN };
	}
	return count;
}

/* One look at everything; the tool that has ended, or NULL. */
static struct tool *look(struct tool_set *set, struct tool_end *end)
{
	AUTO(free) struct pollfd *fds = xcalloc(1 + 3 * set->count, sizeof(*fds));
	size_t count = fill_poll(set, fds), ended = set->count;
	int64_t now_mono_ms;

	if (poll(fds, count, 500) < 0)
		return NULL;
	if (fds[0].revents && take_signals())
		pass_signal_on(set);
	now_mono_ms = clock_mono_ms();
	for (size_t i = 0; i < set->count; i++) {
		for (size_t s = 0; s < 2; s++)
			if (fds[2 + 3 * i + s].revents)
				take_output(&set->running[i]->streams[s]);
		enforce_limit(set->running[i], now_mono_ms);
		if (fds[1 + 3 * i].revents && ended == set->count)
			ended = i;
	}
	return ended < set->count ? end_tool(set, ended, end) : NULL;
}

struct tool *tool_set_wait(struct tool_set *set, struct tool_end *end)
{
	struct tool *ended = NULL;

	while (set->count && !ended)
		ended = look(set, end);
	return ended;
}

/* ---- one alone ---- */

struct capture {
	struct text text;
	size_t most;
	const struct tool_spec *spec;
};

static void on_captured_line(void *arg, int stream, const char *line, size_t length, bool was_cut)
{
	struct capture *capture = arg;

	if (stream == TOOL_OUT && capture->text.length + length < capture->most)
		text_format(&capture->text, "%s\n", line);
	if (capture->spec->on_line)
		capture->spec->on_line(capture->spec->arg, stream, line, length, was_cut);
}

bool tool_run(const struct tool_spec *spec, size_t output_max, char **output, struct tool_end *end,
	      struct error *err)
{
	AUTO(tool_set_close) struct tool_set set = { NULL, 0 };
	struct capture capture = { TEXT_EMPTY, output_max, spec };
	struct tool_spec own = *spec;
	struct tool *tool;

	own.on_line = on_captured_line;
	own.arg = &capture;
	if (!own.line_bytes_max)
		own.line_bytes_max = output_max;
	if (!tool_start(&set, &own, &tool, err))
		return false;
	tool_free(tool_set_wait(&set, end));
	if (output)
		*output = text_take(&capture.text);
	text_release(&capture.text);
	return true;
}

char *tool_end_words(const struct tool_end *end)
{
	if (WIFSIGNALED(end->wait_status))
		return xasprintf("signal %d (%s)", WTERMSIG(end->wait_status),
				 strsignal(WTERMSIG(end->wait_status)));
	return xasprintf("exit status %d", WEXITSTATUS(end->wait_status));
}

bool tool_ended_well(const struct tool_end *end)
{
	return WIFEXITED(end->wait_status) && WEXITSTATUS(end->wait_status) == 0;
}
