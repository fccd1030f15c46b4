#include "engine/container/container_attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/duration.h"
#include "engine/container/container_names.h"
#include "engine/container/docker_pipe.h"
#include "engine/container/docker_stream.h"
#include "engine/container/exec_processes.h"
#include "wire/tunnel_frames.h"

enum {
	WAITING_BYTES_MAX = 131072, /* each way */
	BLOCK_BYTES = 32768,
	ALIVE_EVERY_MS = 15000,
	LOOK_EVERY_MS = 2000, /* while nothing is said */
	RESIZE_EVERY_MS = 50, /* until the terminal is there */
	RESIZE_TRIES = 40,
	END_GRACE_MS = 2000, /* between the polite signal and SIGKILL */
	END_LIMIT_MS = 6000,
	NOTED_WITHIN_MS = 5000, /* Podman may close the stream before it has noted the end */
	LAST_WORDS_MS = 30000,  /* for a slow reader, once the command has ended */
};

enum ending {
	GOES_ON,
	COMMAND_ENDED,
	CLIENT_LEFT,
	TOLD_TO_END,
	TOO_LONG,
};

struct attachment {
	const struct engine_attachment *asked;
	struct runtime *runtime;
	struct exec_mark mark;
	struct docker_pipe *pipe;
	int signals_fd;
	struct docker_stream stream;

	struct tunnel_reader said; /* by the client */
	struct tunnel_queue to_client;
	struct tunnel_queue to_command;
	bool is_input_over, is_input_told;
	bool is_pipe_over;
	bool has_said_something;
	bool was_refused; /* by Docker, which says so where the command's output would be */
	bool was_not_found;

	int rows, columns; /* that the terminal has not got yet; 0: none */
	int resize_tries;
	int64_t begun_mono_ms, heard_mono_ms, looked_mono_ms, alive_mono_ms;
	enum ending ending;
	struct exec_state state;
};

/* ---- making it ---- */

static json_t *exec_body(const struct attachment *attachment)
{
	const struct engine_attachment *asked = attachment->asked;
	AUTO(free) char *variable = xasprintf(EXEC_MARK "=%s", attachment->mark.value);
	json_t *argv = json_array();

	for (const char *const *at = asked->argv; *at; at++)
		json_array_append_new(argv, json_string(*at));
	return json_pack("{s:b, s:b, s:b, s:b, s:o, s:[s]}", "AttachStdin", 1, "AttachStdout", 1,
			 "AttachStderr", 1, "Tty", asked->has_terminal, "Cmd", argv, "Env",
			 variable);
}

static bool make_exec(struct attachment *attachment, struct error *err)
{
	AUTO(docker_call_free)
	struct docker_call *make =
	    docker_call_new("POST", "/containers/%s/exec", attachment->mark.container);
	AUTO(json_decref) json_t *answer = NULL;

	make->body = exec_body(attachment);
	if (!docker_run(attachment->runtime->docker, make, err))
		return false;
	if (make->status == 404)
		return error_set_as(err, ERR_NOT_FOUND, "service_not_found",
				    "there is no container of service \"%s\"",
				    attachment->asked->service);
	if (!docker_json(make, &answer, err)) {
		AUTO(free) char *why = docker_message(make);

		return error_set_as(err, ERR_CONFLICT, "service_not_running",
				    "no command can be run in service \"%s\": %s",
				    attachment->asked->service, why);
	}
	attachment->mark.id = xstrdup(json_get_string(answer, "Id", ""));
	return true;
}

static bool start_exec(struct attachment *attachment, struct error *err)
{
	AUTO(free) char *path = xasprintf("/exec/%s/start", attachment->mark.id);
	AUTO(json_decref)
	json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", attachment->asked->has_terminal);

	return docker_pipe_open(attachment->runtime->docker, path, body, &attachment->pipe, err);
}

/* ---- from the client ---- */

static void take_signal(struct attachment *attachment, const struct tunnel_frame *frame)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "INT", SIGINT },   { "TERM", SIGTERM }, { "HUP", SIGHUP },
		{ "QUIT", SIGQUIT }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (frame->length == strlen(known[i].name) &&
		    memcmp(frame->bytes, known[i].name, frame->length) == 0)
			exec_signal(attachment->runtime, &attachment->mark, known[i].number);
}

static void take_frame(struct attachment *attachment, const struct tunnel_frame *frame)
{
	switch (frame->type) {
	case TUNNEL_INPUT:
		if (!frame->length)
			attachment->is_input_over = true;
		else if (!attachment->is_input_over)
			text_add_bytes(&attachment->to_command.bytes, frame->bytes, frame->length);
		break;
	case TUNNEL_WINDOW:
		if (attachment->asked->has_terminal &&
		    tunnel_window_read(frame, &attachment->rows, &attachment->columns))
			attachment->resize_tries = 0;
		break;
	case TUNNEL_SIGNAL:
		take_signal(attachment, frame);
		break;
	default:
		break; /* of a newer client: no harm */
	}
}

static void take_frames(struct attachment *attachment)
{
	struct tunnel_frame frame;
	struct error ignored; /* one that breaks the rules is as one that left */

	do {
		if (!tunnel_reader_next(&attachment->said, &frame, &ignored)) {
			attachment->ending = CLIENT_LEFT;
			return;
		}
		take_frame(attachment, &frame);
	} while (frame.type != TUNNEL_NONE);
}

static void read_client(struct attachment *attachment)
{
	char block[BLOCK_BYTES];
	ssize_t got = recv(attachment->asked->fd, block, sizeof(block), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		attachment->ending = CLIENT_LEFT;
		return;
	}
	tunnel_reader_feed(&attachment->said, block, (size_t)got);
	take_frames(attachment);
}

/* ---- from and to the command ---- */

/* A command that could not be executed; Docker ends with 126 whatever the reason. */
static void look_for_refusal(struct attachment *attachment, const char *bytes, size_t length)
{
	AUTO(free) char *words = NULL;

	if (attachment->has_said_something || attachment->runtime->is_podman)
		return;
	words = xstrndup(bytes, length);
	attachment->was_refused = text_starts_with(words, "OCI runtime exec failed:");
	attachment->was_not_found =
	    attachment->was_refused && (strstr(words, "executable file not found") ||
					strstr(words, "no such file or directory"));
}

static void on_output(void *arg, int stream, const char *bytes, size_t length)
{
	struct attachment *attachment = arg;

	if (length)
		look_for_refusal(attachment, bytes, length);
	attachment->has_said_something = attachment->has_said_something || length;
	if (attachment->was_refused)
		stream = DOCKER_STDERR;
	if (length)
		tunnel_frame_add(&attachment->to_client.bytes,
				 stream == DOCKER_STDERR ? TUNNEL_ERROUT : TUNNEL_OUTPUT, bytes,
				 length);
}

static void read_command(struct attachment *attachment)
{
	char block[BLOCK_BYTES];

	while (!attachment->is_pipe_over &&
	       tunnel_queue_length(&attachment->to_client) < WAITING_BYTES_MAX) {
		ssize_t got = docker_pipe_read(attachment->pipe, block, sizeof(block));

		if (got < 0)
			return;
		attachment->heard_mono_ms = clock_mono_ms();
		if (got == 0)
			attachment->is_pipe_over = true;
		else if (attachment->asked->has_terminal)
			on_output(attachment, DOCKER_STDOUT, block, (size_t)got);
		else
			docker_stream_feed(&attachment->stream, block, (size_t)got);
	}
}

static void write_command(struct attachment *attachment)
{
	struct tunnel_queue *queue = &attachment->to_command;

	while (!attachment->is_pipe_over && tunnel_queue_length(queue)) {
		ssize_t sent = docker_pipe_write(attachment->pipe, queue->bytes.bytes + queue->sent,
						 tunnel_queue_length(queue));

		if (sent == 0)
			return;
		/* One that reads no more may go on without its input. */
		tunnel_queue_sent(queue, sent < 0 ? tunnel_queue_length(queue) : (size_t)sent);
	}
	if (attachment->is_input_over && !attachment->is_input_told) {
		attachment->is_input_told = true;
		docker_pipe_end_input(attachment->pipe);
	}
}

/* A runtime refuses until the terminal is there. */
static void resize(struct attachment *attachment)
{
	AUTO(docker_call_free)
	struct docker_call *call =
	    docker_call_new("POST", "/exec/%s/resize?h=%d&w=%d", attachment->mark.id,
			    attachment->rows, attachment->columns);
	struct error ignored; /* a wrong size is no reason to end it */

	if (docker_run(attachment->runtime->docker, call, &ignored) && docker_succeeded(call))
		attachment->rows = 0;
	else if (++attachment->resize_tries >= RESIZE_TRIES)
		attachment->rows = 0;
}

/* ---- turns ---- */

static void keep_alive(struct attachment *attachment, int64_t now)
{
	if (now - attachment->alive_mono_ms < ALIVE_EVERY_MS)
		return;
	attachment->alive_mono_ms = now;
	if (!tunnel_queue_length(&attachment->to_client))
		tunnel_frame_add(&attachment->to_client.bytes, TUNNEL_ALIVE, NULL, 0);
}

/* Whatever it left in the background may hold the stream open for ever. */
static void look_whether_it_ended(struct attachment *attachment, int64_t now)
{
	struct error ignored; /* asked again later */

	if (now - attachment->heard_mono_ms < LOOK_EVERY_MS ||
	    now - attachment->looked_mono_ms < LOOK_EVERY_MS)
		return;
	attachment->looked_mono_ms = now;
	if (exec_look(attachment->runtime->docker, &attachment->mark, &attachment->state,
		      &ignored) &&
	    !attachment->state.is_running)
		attachment->ending = COMMAND_ENDED;
}

static void look_at_clocks(struct attachment *attachment)
{
	int64_t now = clock_mono_ms(), limit_ms = attachment->asked->time_limit_ms;

	keep_alive(attachment, now);
	if (limit_ms > 0 && now - attachment->begun_mono_ms >= limit_ms)
		attachment->ending = TOO_LONG;
	else
		look_whether_it_ended(attachment, now);
}

static void wait_for_something(struct attachment *attachment, struct pollfd fds[3])
{
	bool has_room = tunnel_queue_length(&attachment->to_client) < WAITING_BYTES_MAX;
	bool takes_input = tunnel_queue_length(&attachment->to_command) < WAITING_BYTES_MAX;
	bool has_input = tunnel_queue_length(&attachment->to_command) > 0;

	fds[0] = (struct pollfd){
		.fd = attachment->asked->fd,
		.events = (short)((takes_input ? POLLIN : 0) | POLLRDHUP |
				  (tunnel_queue_length(&attachment->to_client) ? POLLOUT : 0)),
	};
	fds[1] = (struct pollfd){
		.fd = has_room || has_input ? docker_pipe_fd(attachment->pipe) : -1,
		.events = (short)((has_room ? POLLIN : 0) | (has_input ? POLLOUT : 0)),
	};
	fds[2] = (struct pollfd){ .fd = attachment->signals_fd, .events = POLLIN };
	if (poll(fds, 3, attachment->rows ? RESIZE_EVERY_MS : 1000) < 0)
		fds[0].revents = fds[1].revents = fds[2].revents = 0;
}

static void turn(struct attachment *attachment)
{
	struct pollfd fds[3];

	wait_for_something(attachment, fds);
	if (fds[2].revents)
		attachment->ending = TOLD_TO_END;
	if (attachment->rows)
		resize(attachment);
	if (fds[0].revents & POLLIN)
		read_client(attachment);
	else if (fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR))
		attachment->ending = CLIENT_LEFT;
	write_command(attachment);
	read_command(attachment);
	if (!tunnel_queue_write(&attachment->to_client, attachment->asked->fd))
		attachment->ending = CLIENT_LEFT;
	if (attachment->ending == GOES_ON && attachment->is_pipe_over)
		attachment->ending = COMMAND_ENDED;
	if (attachment->ending == GOES_ON)
		look_at_clocks(attachment);
}

/* ---- the end ---- */

static bool has_ended(struct attachment *attachment)
{
	struct error ignored; /* not known to have ended */

	return exec_look(attachment->runtime->docker, &attachment->mark, &attachment->state,
			 &ignored) &&
	       !attachment->state.is_running;
}

static bool wait_for_end(struct attachment *attachment, int64_t limit_ms)
{
	int64_t until = clock_mono_ms() + limit_ms;

	while (!has_ended(attachment)) {
		if (clock_mono_ms() >= until)
			return false;
		poll(NULL, 0, 20);
	}
	return true;
}

/* A shell at a terminal does not mind SIGTERM; that its terminal is gone, it does. */
static void end_command(struct attachment *attachment)
{
	exec_signal(attachment->runtime, &attachment->mark,
		    attachment->asked->has_terminal ? SIGHUP : SIGTERM);
	wait_for_end(attachment, END_GRACE_MS);
	/* Its first process may have ended and others not. */
	exec_signal(attachment->runtime, &attachment->mark, SIGKILL);
	wait_for_end(attachment, END_LIMIT_MS - END_GRACE_MS);
}

static void say_problem(struct attachment *attachment, const struct error *problem)
{
	AUTO(json_decref) json_t *json = error_to_json(problem);
	AUTO(free) char *text = json_to_text(json);

	tunnel_frame_add(&attachment->to_client.bytes, TUNNEL_PROBLEM, text, strlen(text));
}

static void say_how_it_ended(struct attachment *attachment)
{
	struct error problem;
	char shown[DURATION_TEXT_SIZE], status[16];

	if (attachment->ending == TOLD_TO_END) {
		error_set_as(&problem, ERR_GONE, "exec_ended",
			     "the server ended the command: it is shutting down, or the token that "
			     "it was asked with has ended");
	} else if (attachment->ending == TOO_LONG) {
		error_set_as(&problem, ERR_TIMEOUT, "exec_timeout",
			     "the command did not end within %s",
			     duration_format(attachment->asked->time_limit_ms, shown));
	} else if (!wait_for_end(attachment, NOTED_WITHIN_MS)) {
		error_set_as(&problem, ERR_GONE, "exec_lost",
			     "the end of the command was not seen: its container is gone, or the "
			     "runtime");
	} else {
		snprintf(status, sizeof(status), "%d",
			 attachment->was_not_found ? 127 : attachment->state.status);
		tunnel_frame_add(&attachment->to_client.bytes, TUNNEL_EXIT, status, strlen(status));
		return;
	}
	say_problem(attachment, &problem);
}

static void say_last_words(struct attachment *attachment)
{
	int64_t until = clock_mono_ms() + LAST_WORDS_MS;
	struct pollfd fd = { .fd = attachment->asked->fd, .events = POLLOUT };

	while (tunnel_queue_write(&attachment->to_client, fd.fd) &&
	       tunnel_queue_length(&attachment->to_client) && clock_mono_ms() < until)
		poll(&fd, 1, 1000);
}

static void sit(struct attachment *attachment)
{
	while (attachment->ending == GOES_ON)
		turn(attachment);
	if (attachment->ending != COMMAND_ENDED)
		end_command(attachment);
	if (attachment->ending == CLIENT_LEFT)
		return;
	say_how_it_ended(attachment);
	say_last_words(attachment);
}

static void watch_signals(struct attachment *attachment)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	attachment->signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void attachment_release(struct attachment *attachment)
{
	docker_pipe_free(attachment->pipe);
	tunnel_reader_release(&attachment->said);
	tunnel_queue_release(&attachment->to_client);
	tunnel_queue_release(&attachment->to_command);
	if (attachment->signals_fd >= 0)
		close(attachment->signals_fd);
	free(attachment->mark.container);
	free(attachment->mark.id);
}

static inline void auto_attachment_release(struct attachment *attachment)
{
	attachment_release(attachment);
}

bool container_attach(const struct engine_request *request, const struct engine_attachment *asked,
		      struct worker_lines *lines, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(attachment_release)
	struct attachment attachment = { .asked = asked,
					 .runtime = &runtime,
					 .signals_fd = -1,
					 .rows = asked->has_terminal ? asked->rows : 0,
					 .columns = asked->columns };
	AUTO(json_decref) json_t *begun = json_pack("{s:s}", "type", "begun");

	if (!runtime_open(request, &runtime, err))
		return false;
	random_hex(attachment.mark.value, sizeof(attachment.mark.value) - 1);
	attachment.mark.container = container_name(request->environment, asked->service);
	attachment.stream = (struct docker_stream){ .on_bytes = on_output, .arg = &attachment };
	watch_signals(&attachment);
	if (!make_exec(&attachment, err) || !start_exec(&attachment, err))
		return false;
	attachment.begun_mono_ms = attachment.heard_mono_ms = attachment.looked_mono_ms =
	    attachment.alive_mono_ms = clock_mono_ms();
	worker_say(lines, begun);
	sit(&attachment);
	return true;
}
