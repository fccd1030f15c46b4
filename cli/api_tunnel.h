/*
 * api_tunnel.h - a call whose connection goes on as frames (wire/tunnel_frames.h).
 */
#ifndef CLI_API_TUNNEL_H
#define CLI_API_TUNNEL_H

#include "cli/api_client.h"
#include "wire/tunnel_frames.h"

struct api_tunnel;

/* POST. Waits for the server's answer, and is not repeated. Errors as of api_call(). */
NODISCARD bool api_tunnel_open(struct api_client *client, const char *path, const json_t *body,
			       struct api_tunnel **tunnel, struct error *err);
void api_tunnel_close(struct api_tunnel *tunnel);
DEFINE_AUTO(struct api_tunnel *, api_tunnel_close)

/* What is to be sent: frames are added here, and api_tunnel_write() sends them. */
struct tunnel_queue *api_tunnel_queue(struct api_tunnel *tunnel);

/* To be waited for: POLLIN, and POLLOUT while the queue has something. */
int api_tunnel_fd(const struct api_tunnel *tunnel);

/* As much as goes now. False: the server is gone. */
NODISCARD bool api_tunnel_write(struct api_tunnel *tunnel);

/* Take in what has come, without waiting. False: the server is gone, and nothing more will come. */
NODISCARD bool api_tunnel_read(struct api_tunnel *tunnel);

/* The next frame of what came; TUNNEL_NONE when there is none. */
NODISCARD bool api_tunnel_next(struct api_tunnel *tunnel, struct tunnel_frame *frame,
			       struct error *err);

/* Of a frame TUNNEL_PROBLEM; always false. */
bool api_tunnel_problem(const struct tunnel_frame *frame, struct error *err);

/* ERR_UNAVAILABLE "server_lost"; always false. */
bool api_tunnel_lost(struct error *err);

#endif
