#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "cli/api_tunnel.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"

enum {
	BLOCK_BYTES = 32768,
	WAITING_BYTES_MAX = 131072,
	/* What a program ends with whose reader has gone. */
	READER_GONE = 128 + SIGPIPE,
};

struct exec_options {
	bool is_terminal;
	bool is_plain;
};

// clang-format off
static const struct option rows[] = {
	{ "terminal",    't', OPTION_FLAG, offsetof(struct exec_options, is_terminal), NULL, NULL, "give CMD a terminal; so it is done when stdin and stdout are one", NULL },
	{ "no-terminal", 'T', OPTION_FLAG, offsetof(struct exec_options, is_plain),    NULL, NULL, "give it none", NULL },
	OPTIONS_END,
};
// clang-format on

struct sitting {
	struct api_tunnel *tunnel;
	bool has_terminal;
	struct termios modes; /* as they were */
	int window_fd;        /* tells that the terminal has another size; -1: none */
	bool is_input_over;
	bool is_signal_sent;
	bool is_over;
	int status;
};

/* ---- the terminal ---- */

static bool window_size(int *window_rows, int *columns)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return false;
	*window_rows = size.ws_row;
	*columns = size.ws_col;
	return true;
}

/* Every key is CMD's, Ctrl-C too. */
static bool take_terminal(struct sitting *sitting, struct error *err)
{
	struct termios raw;
	sigset_t window;

	if (tcgetattr(STDIN_FILENO, &sitting->modes) < 0)
		return error_set_errno(err, errno, "cannot read the terminal's modes");
	raw = sitting->modes;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return error_set_errno(err, errno, "cannot set the terminal's modes");
	sigemptyset(&window);
	sigaddset(&window, SIGWINCH);
	sigprocmask(SIG_BLOCK, &window, NULL);
	sitting->window_fd = signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK);
	return true;
}

static void give_terminal_back(const struct sitting *sitting)
{
	if (!sitting->has_terminal)
		return;
	/* A terminal that hung up needs nothing any more. */
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &sitting->modes) == 0 && sitting->window_fd >= 0)
		close(sitting->window_fd);
}

static void tell_window(struct sitting *sitting)
{
	struct signalfd_siginfo info;
	int window_rows, columns;

	while (read(sitting->window_fd, &info, sizeof(info)) == sizeof(info))
		;
	if (window_size(&window_rows, &columns))
		tunnel_window_add(&api_tunnel_queue(sitting->tunnel)->bytes, window_rows, columns);
}

/* ---- what goes there ---- */

static void read_input(struct sitting *sitting)
{
	char block[BLOCK_BYTES];
	ssize_t got = read(STDIN_FILENO, block, sizeof(block));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* A stdin that is closed has nothing to say either. */
	sitting->is_input_over = got <= 0;
	tunnel_frame_add(&api_tunnel_queue(sitting->tunnel)->bytes, TUNNEL_INPUT, block,
			 got > 0 ? (size_t)got : 0);
}

/* With a terminal none comes from a key: somebody wants us to end. Else it is CMD's. */
static bool pass_signal_on(struct sitting *sitting, struct error *err)
{
	const char *name = interrupt_signal() == SIGINT    ? "INT"
			   : interrupt_signal() == SIGTERM ? "TERM"
							   : "HUP";

	if (sitting->has_terminal)
		return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
	sitting->is_signal_sent = true;
	tunnel_frame_add(&api_tunnel_queue(sitting->tunnel)->bytes, TUNNEL_SIGNAL, name,
			 strlen(name));
	return true;
}

/* ---- what comes from there ---- */

static bool write_out(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = write(fd, bytes, length);

		if (sent < 0 && errno == EAGAIN) {
			struct pollfd full = { .fd = fd, .events = POLLOUT };

			poll(&full, 1, -1);
		} else if (sent < 0 && errno != EINTR) {
			return false;
		} else if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return true;
}

static void end(struct sitting *sitting, int status)
{
	sitting->is_over = true;
	sitting->status = status;
}

static int status_of(const struct tunnel_frame *frame)
{
	AUTO(free) char *digits = xstrndup(frame->bytes, frame->length);
	int64_t status;

	return text_to_int64(digits, &status) && status < 256 ? (int)status : EXIT_OTHER;
}

static bool take_frame(struct sitting *sitting, const struct tunnel_frame *frame, struct error *err)
{
	switch (frame->type) {
	case TUNNEL_OUTPUT:
	case TUNNEL_ERROUT:
		if (!write_out(frame->type == TUNNEL_OUTPUT ? STDOUT_FILENO : STDERR_FILENO,
			       frame->bytes, frame->length))
			end(sitting, READER_GONE);
		return true;
	case TUNNEL_EXIT:
		end(sitting, status_of(frame));
		return true;
	case TUNNEL_PROBLEM:
		return api_tunnel_problem(frame, err);
	default:
		return true;
	}
}

static bool read_tunnel(struct sitting *sitting, struct error *err)
{
	bool is_there = api_tunnel_read(sitting->tunnel);
	struct tunnel_frame frame;

	do {
		if (!api_tunnel_next(sitting->tunnel, &frame, err) ||
		    !take_frame(sitting, &frame, err))
			return false;
	} while (frame.type != TUNNEL_NONE && !sitting->is_over);
	return is_there || sitting->is_over || api_tunnel_lost(err);
}

/* ---- turns ---- */

static bool turn(struct sitting *sitting, struct error *err)
{
	size_t waiting = tunnel_queue_length(api_tunnel_queue(sitting->tunnel));
	bool has_room = !sitting->is_input_over && waiting < WAITING_BYTES_MAX;
	struct pollfd fds[] = {
		{ .fd = api_tunnel_fd(sitting->tunnel),
		  .events = (short)(POLLIN | (waiting ? POLLOUT : 0)) },
		{ .fd = has_room ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = sitting->is_signal_sent ? -1 : interrupt_fd(), .events = POLLIN },
		{ .fd = sitting->window_fd, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return true;
	if (fds[2].revents && !pass_signal_on(sitting, err))
		return false;
	if (fds[3].revents)
		tell_window(sitting);
	if (fds[1].revents)
		read_input(sitting);
	/* One that cannot be written to may still have something to say. */
	if (!api_tunnel_write(sitting->tunnel))
		tunnel_queue_release(api_tunnel_queue(sitting->tunnel));
	return read_tunnel(sitting, err);
}

static bool sit(struct sitting *sitting, struct error *err)
{
	bool is_good = true;

	if (sitting->has_terminal && !take_terminal(sitting, err))
		return false;
	while (is_good && !sitting->is_over)
		is_good = turn(sitting, err);
	give_terminal_back(sitting);
	return is_good;
}

/* ---- the command ---- */

static bool choose_terminal(const struct exec_options *options, bool *has_terminal,
			    struct error *err)
{
	if (options->is_terminal && options->is_plain)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--terminal and --no-terminal contradict each other");
	if (options->is_terminal && !isatty(STDIN_FILENO))
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--terminal needs one: stdin is none");
	*has_terminal = options->is_terminal ||
			(!options->is_plain && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
	return true;
}

static json_t *request_body(const struct option_list *arguments, bool has_terminal)
{
	json_t *command = json_array(), *body;
	int window_rows = 24, columns = 80;

	for (size_t i = 2; i < arguments->count; i++)
		json_array_append_new(command, json_string(arguments->items[i]));
	body = json_pack("{s:s, s:o}", "service", arguments->items[1], "command", command);
	if (has_terminal) {
		window_size(&window_rows, &columns);
		json_object_set_new(
		    body, "terminal",
		    json_pack("{s:i, s:i}", "rows", window_rows, "columns", columns));
	}
	return body;
}

/* NAME and SERVICE, then CMD behind the dashes: its options must not be taken for ours. */
static bool check_arguments(const struct option_list *arguments, struct error *err)
{
	if (arguments->behind_dashes == arguments->count - 2)
		return true;
	error_set_as(err, ERR_INVALID, "argument_missing",
		     "envctl exec needs NAME and SERVICE, then \"--\", then the command");
	return error_hint(err, "envctl exec NAME SERVICE -- sh");
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/exec", environment_argument(arguments->items[0]));
	AUTO(api_tunnel_close) struct api_tunnel *tunnel = NULL;
	AUTO(json_decref) json_t *body = NULL;
	struct sitting sitting = { .window_fd = -1 };
	struct api_client *client;

	if (!check_arguments(arguments, err) ||
	    !choose_terminal(values, &sitting.has_terminal, err) || !cli_client(cli, &client, err))
		return false;
	body = request_body(arguments, sitting.has_terminal);
	if (!body)
		return error_set(err, ERR_INVALID, "the command must be UTF-8");
	if (!api_tunnel_open(client, path, body, &tunnel, err))
		return false;
	sitting.tunnel = tunnel;
	if (!sit(&sitting, err))
		return false;
	cli->status = sitting.status;
	return true;
}

const struct command command_exec = {
	.name = "exec",
	.synopsis = "NAME SERVICE [OPTIONS] -- CMD [ARGUMENT...]",
	.summary = "run a command in a service",
	.about =
	    "Run CMD in SERVICE of an environment, with our stdin, stdout and stderr, and end as "
	    "it did.\n"
	    "CMD is no shell's: `-- sh -c '...'` asks for one.\n\n"
	    "When stdin and stdout are a terminal, CMD gets one of the same size, and every key is "
	    "its own,\n"
	    "Ctrl-C too. Else a SIGINT, SIGTERM or SIGHUP of ours is passed on to what CMD "
	    "started; the\n"
	    "second one ends us. CMD does not outlive us: when we are gone it is ended, politely, "
	    "then by\n"
	    "force.\n\n"
	    "The exit status is CMD's, 128+N if signal N ended it, 126 when it cannot be executed, "
	    "127 when\n"
	    "it is not found. When it could not even be tried, it is as of `envctl help "
	    "exit-codes`.",
	.rows = rows,
	.values_size = sizeof(struct exec_options),
	.arguments_min = 3,
	.arguments_max = ARGUMENTS_ANY,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
