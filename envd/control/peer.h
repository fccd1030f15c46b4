/*
 * peer.h - envd and envd-reaper about each other: who runs on this data folder, whether it still
 * answers, and a nudge.
 *
 * DATA/NAME.lock is held for the life of a program (an open-file-description lock: it ends with the
 * process, whatever killed it) and carries the holder's identity; its time of change is the
 * holder's heartbeat. DATA/NAME.wake is a datagram socket: any datagram means "look again".
 */
#ifndef ENVD_CONTROL_PEER_H
#define ENVD_CONTROL_PEER_H

#include "loop/loop.h"
#include "base/error.h"

struct peer;

/* Our own place. ERR_CONFLICT "already_running", naming the pid. `on_wake` is called from a turn.
 */
NODISCARD bool peer_take(struct loop *loop, const char *data, const char *name,
			 void (*on_wake)(void *arg), void *arg, struct peer **self,
			 struct error *err);

/* A view of the other one. */
struct peer *peer_see(const char *data, const char *name);

void peer_free(struct peer *peer);

bool peer_is_running(const struct peer *other);
/* Running, and its heart has beaten within the last 10 s (or we have not watched it for so long).
 */
bool peer_is_responsive(struct peer *other);
/* SIGKILL, identity checked. */
void peer_end(struct peer *other);
/* Best effort: the scan is behind it. */
void peer_wake(struct peer *other);

#endif
