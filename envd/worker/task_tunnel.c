#include "worker/task.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/tunnel_frames.h"

enum { ARGUMENTS_MAX = 256, WAITING_BYTES_MAX = 131072, BLOCK_BYTES = 32768, ALIVE_MS = 15000 };

/* ---- exec ---- */

static bool read_attachment(const json_t *exec, struct engine_attachment *attachment,
			    const char **argv, struct error *err)
{
	const json_t *command = json_object_get(exec, "command");
	const json_t *terminal = json_object_get(exec, "terminal");
	const json_t *argument;
	size_t i, count = json_array_size(command);

	if (count == 0 || count > ARGUMENTS_MAX)
		return error_set(err, ERR_INVALID, "a command has 1 to %d words", ARGUMENTS_MAX);
	json_array_foreach(command, i, argument)
		argv[i] = json_string_value(argument);
	argv[count] = NULL;
	*attachment = (struct engine_attachment){
		.service = json_get_string(exec, "service", ""),
		.argv = argv,
		.has_terminal = json_is_object(terminal),
		.rows = (int)json_get_int64(terminal, "rows", 24),
		.columns = (int)json_get_int64(terminal, "columns", 80),
		.fd = TUNNEL_FD,
		.time_limit_ms = json_get_int64(exec, "limit_ms", 0),
	};
	return true;
}

bool task_exec(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err)
{
	const char *argv[ARGUMENTS_MAX + 1];
	struct engine_attachment attachment;

	(void)data;
	if (!request->engine->attach)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" cannot run commands in its environments",
				    request->engine->name);
	return read_attachment(json_object_get(request->json, "exec"), &attachment, argv, err) &&
	       request->engine->attach(&request->engine_request, &attachment, lines, err);
}

/* ---- forward ---- */

struct forwarding {
	int fd; /* of the connection to the service */
	struct tunnel_reader said;
	struct tunnel_queue to_client;
	struct tunnel_queue to_service;
	bool is_client_done, is_service_told; /* of its half */
	bool is_service_done;
	bool is_broken;
};

static void take_frames(struct forwarding *forwarding)
{
	struct tunnel_frame frame;
	struct error ignored; /* one that breaks the rules is as one that left */

	do {
		if (!tunnel_reader_next(&forwarding->said, &frame, &ignored)) {
			forwarding->is_broken = true;
			return;
		}
		if (frame.type == TUNNEL_INPUT && !frame.length)
			forwarding->is_client_done = true;
		else if (frame.type == TUNNEL_INPUT)
			text_add_bytes(&forwarding->to_service.bytes, frame.bytes, frame.length);
	} while (frame.type != TUNNEL_NONE);
}

static void read_client(struct forwarding *forwarding)
{
	char block[BLOCK_BYTES];
	ssize_t got = recv(TUNNEL_FD, block, sizeof(block), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		forwarding->is_broken = true;
		return;
	}
	tunnel_reader_feed(&forwarding->said, block, (size_t)got);
	take_frames(forwarding);
}

static void read_service(struct forwarding *forwarding)
{
	char block[BLOCK_BYTES];
	ssize_t got = recv(forwarding->fd, block, sizeof(block), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Empty: it has said all, or broke off. */
	forwarding->is_service_done = got <= 0;
	tunnel_frame_add(&forwarding->to_client.bytes, TUNNEL_OUTPUT, block,
			 got > 0 ? (size_t)got : 0);
}

static void write_all(struct forwarding *forwarding)
{
	forwarding->is_broken = forwarding->is_broken ||
				!tunnel_queue_write(&forwarding->to_client, TUNNEL_FD) ||
				!tunnel_queue_write(&forwarding->to_service, forwarding->fd);
	if (forwarding->is_client_done && !forwarding->is_service_told &&
	    !tunnel_queue_length(&forwarding->to_service)) {
		forwarding->is_service_told = true;
		shutdown(forwarding->fd, SHUT_WR);
	}
}

static void turn(struct forwarding *forwarding)
{
	size_t for_client = tunnel_queue_length(&forwarding->to_client);
	size_t for_service = tunnel_queue_length(&forwarding->to_service);
	bool reads_client = !forwarding->is_client_done && for_service < WAITING_BYTES_MAX;
	bool reads_service = !forwarding->is_service_done && for_client < WAITING_BYTES_MAX;
	struct pollfd fds[] = {
		{ .fd = TUNNEL_FD,
		  .events = (short)((reads_client ? POLLIN : 0) | (for_client ? POLLOUT : 0) |
				    POLLRDHUP) },
		/* A side that nobody waits for would report its hang-up for ever. */
		{ .fd = reads_service || for_service ? forwarding->fd : -1,
		  .events = (short)((reads_service ? POLLIN : 0) | (for_service ? POLLOUT : 0)) },
	};
	int ready = poll(fds, ARRAY_SIZE(fds), ALIVE_MS);

	if (ready == 0 && !for_client)
		tunnel_frame_add(&forwarding->to_client.bytes, TUNNEL_ALIVE, NULL, 0);
	if (ready > 0 && (fds[0].revents & POLLIN))
		read_client(forwarding);
	else if (ready > 0 && (fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR)))
		forwarding->is_broken = true;
	if (ready > 0 && fds[1].revents && reads_service)
		read_service(forwarding);
	write_all(forwarding);
}

static bool is_over(const struct forwarding *forwarding)
{
	return forwarding->is_broken ||
	       (forwarding->is_service_done && forwarding->is_service_told &&
		!tunnel_queue_length(&forwarding->to_client));
}

bool task_forward(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	const json_t *asked = json_object_get(request->json, "forward");
	AUTO(json_decref) json_t *begun = json_pack("{s:s}", "type", "begun");
	struct forwarding forwarding = { .fd = -1 };

	(void)data;
	if (!request->engine->dial)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" cannot reach ports that are not published",
				    request->engine->name);
	if (!request->engine->dial(&request->engine_request, json_get_string(asked, "service", ""),
				   (int)json_get_int64(asked, "port", 0), &forwarding.fd, err))
		return false;
	worker_say(lines, begun);
	while (!is_over(&forwarding))
		turn(&forwarding);
	tunnel_reader_release(&forwarding.said);
	tunnel_queue_release(&forwarding.to_client);
	tunnel_queue_release(&forwarding.to_service);
	close(forwarding.fd);
	return true;
}
