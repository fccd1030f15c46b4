#include "cli/tunnel_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK_BYTES = 32768, WAITING_BYTES_MAX = 131072 };

/* ---- one connection, in its process ---- */

struct link {
	int near;
	struct api_tunnel *tunnel;
	struct tunnel_queue to_near;
	bool is_near_done; /* it has said all, and that was passed on */
	bool is_far_done;  /* likewise */
	bool is_near_told;
};

static bool read_near(struct link *link)
{
	char block[BLOCK_BYTES];
	ssize_t got = recv(link->near, block, sizeof(block), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	link->is_near_done = got == 0;
	tunnel_frame_add(&api_tunnel_queue(link->tunnel)->bytes, TUNNEL_INPUT, block, (size_t)got);
	return true;
}

static bool take_frames(struct link *link, struct error *err)
{
	struct tunnel_frame frame;

	do {
		if (!api_tunnel_next(link->tunnel, &frame, err))
			return false;
		if (frame.type == TUNNEL_PROBLEM)
			return api_tunnel_problem(&frame, err);
		if (frame.type == TUNNEL_OUTPUT && frame.length)
			text_add_bytes(&link->to_near.bytes, frame.bytes, frame.length);
		else if (frame.type == TUNNEL_OUTPUT)
			link->is_far_done = true;
	} while (frame.type != TUNNEL_NONE);
	return true;
}

static bool read_far(struct link *link, struct error *err)
{
	bool is_there = api_tunnel_read(link->tunnel);

	return take_frames(link, err) && (is_there || link->is_far_done || api_tunnel_lost(err));
}

static void tell_near(struct link *link)
{
	if (!link->is_far_done || link->is_near_told || tunnel_queue_length(&link->to_near))
		return;
	link->is_near_told = true;
	shutdown(link->near, SHUT_WR);
}

/* False: it is over; `err` says so unless it is as it should be. */
static bool turn(struct link *link, struct error *err)
{
	size_t for_far = tunnel_queue_length(api_tunnel_queue(link->tunnel));
	size_t for_near = tunnel_queue_length(&link->to_near);
	bool reads_near = !link->is_near_done && for_far < WAITING_BYTES_MAX;
	bool reads_far = !link->is_far_done && for_near < WAITING_BYTES_MAX;
	struct pollfd fds[] = {
		/* A side that nobody waits for would report its hang-up for ever. */
		{ .fd = reads_near || for_near ? link->near : -1,
		  .events = (short)((reads_near ? POLLIN : 0) | (for_near ? POLLOUT : 0)) },
		{ .fd = reads_far || for_far ? api_tunnel_fd(link->tunnel) : -1,
		  .events = (short)((reads_far ? POLLIN : 0) | (for_far ? POLLOUT : 0)) },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return true;
	if (fds[0].revents && reads_near && !read_near(link))
		return false;
	if (!api_tunnel_write(link->tunnel))
		return link->is_far_done || api_tunnel_lost(err);
	if (reads_far && !read_far(link, err))
		return false;
	if (!tunnel_queue_write(&link->to_near, link->near))
		return false;
	tell_near(link);
	return !(link->is_near_told && link->is_near_done);
}

static void serve(const struct tunnel_links *links, int near)
{
	struct link link = { .near = near };
	struct error err = { .code = ERR_NONE };

	if (api_tunnel_open(links->client, links->path, links->body, &link.tunnel, &err))
		while (turn(&link, &err))
			;
	if (err.code != ERR_NONE && !text_equal(err.slug, SLUG_INTERRUPTED))
		links->on_failure(links->arg, &err);
	tunnel_queue_release(&link.to_near);
	api_tunnel_close(link.tunnel);
}

/* ---- all of them ---- */

static size_t reap(size_t count)
{
	while (count && waitpid(-1, NULL, WNOHANG) > 0)
		count--;
	return count;
}

static size_t accept_one(const struct tunnel_links *links)
{
	int near = accept4(links->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid, self = getpid();

	if (near < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_IGN); /* the terminal's; our parent ends us */
		close(links->listen_fd);
		if (getppid() == self)
			serve(links, near);
		fflush(NULL);
		_exit(0);
	}
	close(near);
	return pid > 0;
}

bool tunnel_links_run(const struct tunnel_links *links, struct error *err)
{
	size_t count = 0;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = links->wake_fd, .events = POLLIN },
			{ .fd = count < TUNNEL_LINKS_MAX ? links->listen_fd : -1,
			  .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), count ? 1000 : -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		count = reap(count);
		if (fds[1].revents)
			count += accept_one(links);
	}
	return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
}
