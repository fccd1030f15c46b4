#include "engine/external/external_program.h"

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
#include "base/line_reader.h"
#include "base/spawn.h"

/* From SIGTERM to SIGKILL for a program that broke the rules. */
#define GRACE_MS 5000

struct conversation {
	const struct external_run *run;
	pid_t pid;
	int pidfd;
	int out_fd;
	int signals_fd;
	struct worker_dialogue dialogue;
	struct line_reader reader;
	json_t *result;
	bool is_broken; /* nothing more is believed */
	struct error failure;
	int64_t force_at_mono_ms;
};

static void break_off(struct conversation *conversation)
{
	error_wrap(&conversation->failure, "engine program \"%s\"", conversation->run->program);
	conversation->is_broken = true;
	conversation->force_at_mono_ms = clock_mono_ms() + GRACE_MS;
	kill(-conversation->pid, SIGTERM);
}

static bool take_line(struct conversation *conversation, const char *line, size_t length,
		      bool was_cut, struct error *err)
{
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;

	if (was_cut)
		return error_set_as(err, ERR_EXTERNAL, "worker_protocol",
				    "said a line of more than %d bytes", WORKER_LINE_BYTES_MAX);
	if (!worker_line_parse(line, length, &type, &object, err))
		return error_wrap(err, "said something that is not a line of an engine");
	if (!worker_dialogue_accept(&conversation->dialogue, type, err))
		return false;
	if (type == WORKER_RESULT)
		conversation->result = TAKE(object);
	else if (type != WORKER_HELLO && conversation->run->lines)
		worker_say(conversation->run->lines, object);
	return true;
}

static void on_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct conversation *conversation = arg;

	if (!conversation->is_broken &&
	    !take_line(conversation, line, length, was_cut, &conversation->failure))
		break_off(conversation);
}

/* False when nothing more is there, now or for ever. */
static bool take_output(struct conversation *conversation)
{
	char block[65536];
	ssize_t got = read(conversation->out_fd, block, sizeof(block));

	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		close(TAKE_FD(conversation->out_fd));
		return false;
	}
	line_reader_feed(&conversation->reader, block, (size_t)got);
	if (conversation->reader.was_cut && !conversation->is_broken)
		on_line(conversation, "", 0, true);
	return true;
}

static void pass_signal_on(struct conversation *conversation)
{
	struct signalfd_siginfo info;

	while (read(conversation->signals_fd, &info, sizeof(info)) == sizeof(info))
		kill(-conversation->pid, SIGTERM);
}

/* Until the program has ended; what it started may still hold its stdout and is not waited for. */
static void converse(struct conversation *conversation)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = conversation->out_fd, .events = POLLIN },
			{ .fd = conversation->signals_fd, .events = POLLIN },
			{ .fd = conversation->pidfd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), conversation->is_broken ? 100 : -1) < 0)
			continue;
		if (fds[0].revents)
			take_output(conversation);
		if (fds[1].revents)
			pass_signal_on(conversation);
		if (fds[2].revents)
			return;
		if (conversation->is_broken && clock_mono_ms() >= conversation->force_at_mono_ms)
			kill(-conversation->pid, SIGKILL);
	}
}

static void drain(struct conversation *conversation)
{
	while (conversation->out_fd >= 0 && take_output(conversation))
		;
	if (!conversation->is_broken)
		line_reader_finish(&conversation->reader);
}

static bool judge(struct conversation *conversation, int status, json_t **data, struct error *err)
{
	const char *program = conversation->run->program;
	const char *after =
	    conversation->result ? "after a result that said ok" : "without a result";

	if (conversation->is_broken) {
		*err = conversation->failure;
		return false;
	}
	*data = json_incref(json_object_get(conversation->result, "data"));
	if (conversation->result && worker_result_error(conversation->result, err))
		return false;
	if (WIFSIGNALED(status))
		return error_set_as(err, ERR_EXTERNAL, "no_result",
				    "engine program \"%s\" ended %s: signal %d (%s)", program,
				    after, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (!conversation->result || WEXITSTATUS(status) != 0)
		return error_set_as(err, ERR_EXTERNAL, "no_result",
				    "engine program \"%s\" ended %s: exit status %d", program,
				    after, WEXITSTATUS(status));
	return true;
}

/* A file in memory, so that a program that never reads its request keeps nobody waiting. */
static bool make_input(const json_t *request, int *fd, struct error *err)
{
	AUTO(free) char *text = json_to_text(request);
	AUTO(close) int input = memfd_create("request", MFD_CLOEXEC);
	size_t length = strlen(text);

	if (input < 0 || write(input, text, length) != (ssize_t)length ||
	    lseek(input, 0, SEEK_SET) != 0)
		return error_set_errno(err, errno, "cannot hand over the request");
	*fd = TAKE_FD(input);
	return true;
}

static bool start(struct conversation *conversation, struct error *err)
{
	AUTO(close) int input = -1;
	AUTO(close) int output = -1;
	AUTO(free) char **variables = variables_pick(variables_of_programs());
	const char *const argv[] = { conversation->run->program, NULL };
	int ends[2];

	if (!make_input(conversation->run->request, &input, err))
		return false;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	conversation->out_fd = ends[0];
	output = ends[1];
	fcntl(conversation->out_fd, F_SETFL, O_NONBLOCK);
	if (!spawn(&(struct spawn_spec){ .argv = argv,
					 .variables = (const char *const *)variables,
					 .directory = conversation->run->directory,
					 .fds = (const int[]){ input, output, STDERR_FILENO },
					 .fd_count = 3,
					 .dies_with_parent = true },
		   &conversation->pid, err))
		return false;
	conversation->pidfd = pidfd_open(conversation->pid, 0);
	return conversation->pidfd >= 0 ||
	       error_set_errno(err, errno, "cannot watch engine program \"%s\"", argv[0]);
}

static void close_all(struct conversation *conversation)
{
	const int fds[] = { conversation->out_fd, conversation->pidfd, conversation->signals_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	line_reader_release(&conversation->reader);
	json_decref(conversation->result);
}

bool external_program_run(const struct external_run *run, json_t **data, struct error *err)
{
	struct conversation conversation = { .run = run, .pidfd = -1, .out_fd = -1 };
	sigset_t stop, before;
	int status = 0;
	bool is_good;

	conversation.reader = (struct line_reader){ .line_bytes_max = WORKER_LINE_BYTES_MAX,
						    .on_line = on_line,
						    .arg = &conversation };
	*data = NULL;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	conversation.signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	is_good = start(&conversation, err);
	if (is_good) {
		converse(&conversation);
		drain(&conversation);
		while (waitpid(conversation.pid, &status, 0) < 0 && errno == EINTR)
			;
		is_good = judge(&conversation, status, data, err);
	}
	close_all(&conversation);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return is_good;
}
