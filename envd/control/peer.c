#include "control/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/spawn.h"
#include "loop/timer.h"

enum { HEARTBEAT_MS = 2000, STALE_MS = 10000 };

struct peer {
	char *name;
	int lock_fd;
	int folder_fd; /* of the data folder: its path may be too long for a socket address */
	int wake_fd;
	struct loop_watch *watch;
	struct timer *heart;
	void (*on_wake)(void *arg);
	void *arg;
	int64_t stale_since_mono_ms;
};

static struct sockaddr_un address_of(const struct peer *peer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s.wake",
		 peer->folder_fd, peer->name);
	return address;
}

static struct peer *peer_new(const char *data, const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	AUTO(free) char *path = xasprintf("%s/%s.lock", data, name);

	peer->name = xstrdup(name);
	peer->folder_fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	peer->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	peer->wake_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return peer;
}

static bool read_holder(const struct peer *peer, struct process_identity *holder)
{
	char line[128];
	ssize_t length = pread(peer->lock_fd, line, sizeof(line) - 1, 0);
	long long ticks;
	int pid;

	memset(holder, 0, sizeof(*holder));
	line[length > 0 ? length : 0] = '\0';
	if (sscanf(line, "%d %lld %39s", &pid, &ticks, holder->boot_id) != 3)
		return false;
	holder->pid = pid;
	holder->start_ticks = ticks;
	return true;
}

static bool take_lock(struct peer *peer, const char *data, struct error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct process_identity holder, self;
	char line[128];
	int length;

	if (peer->lock_fd < 0)
		return error_set_errno(err, errno, "cannot open the lock of %s in \"%s\"",
				       peer->name, data);
	if (fcntl(peer->lock_fd, F_OFD_SETLK, &lock) != 0) {
		bool is_known = read_holder(peer, &holder);

		return error_set_as(err, ERR_CONFLICT, "already_running",
				    "another %s is running on \"%s\" (pid %d)", peer->name, data,
				    is_known ? (int)holder.pid : 0);
	}
	if (!process_identity_of(getpid(), &self))
		return error_set(err, ERR_INTERNAL, "cannot read our own identity from /proc");
	length = snprintf(line, sizeof(line), "%d %lld %s\n", (int)self.pid, self.start_ticks,
			  self.boot_id);
	if (pwrite(peer->lock_fd, line, (size_t)length, 0) != length)
		return error_set_errno(err, errno, "cannot write the lock of %s in \"%s\"",
				       peer->name, data);
	return true;
}

static void on_readable(void *arg)
{
	struct peer *peer = arg;
	char drained[64];

	while (recv(peer->wake_fd, drained, sizeof(drained), 0) >= 0)
		continue;
	peer->on_wake(peer->arg);
}

static void beat(void *arg)
{
	struct peer *peer = arg;

	futimens(peer->lock_fd, NULL);
	timer_set_ms(peer->heart, fault_scaled_ms(HEARTBEAT_MS));
}

static bool listen_for_wakes(struct peer *peer, struct loop *loop, struct error *err)
{
	struct sockaddr_un address = address_of(peer);

	unlink(address.sun_path); /* ours: we hold the lock */
	if (bind(peer->wake_fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return error_set_errno(err, errno, "cannot make the wake-up socket of %s",
				       peer->name);
	peer->watch = loop_watch_fd(loop, peer->wake_fd, on_readable, peer);
	peer->heart = timer_new(loop, beat, peer);
	beat(peer);
	return true;
}

DEFINE_AUTO(struct peer *, peer_free)

bool peer_take(struct loop *loop, const char *data, const char *name, void (*on_wake)(void *arg),
	       void *arg, struct peer **self, struct error *err)
{
	AUTO(peer_free) struct peer *peer = peer_new(data, name);

	peer->on_wake = on_wake;
	peer->arg = arg;
	if (!take_lock(peer, data, err) || !listen_for_wakes(peer, loop, err))
		return false;
	*self = TAKE(peer);
	return true;
}

struct peer *peer_see(const char *data, const char *name)
{
	return peer_new(data, name);
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	loop_unwatch(peer->watch);
	timer_free(peer->heart);
	if (peer->wake_fd >= 0)
		close(peer->wake_fd);
	if (peer->folder_fd >= 0)
		close(peer->folder_fd);
	if (peer->lock_fd >= 0)
		close(peer->lock_fd);
	free(peer->name);
	free(peer);
}

bool peer_is_running(const struct peer *other)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* What cannot be looked at counts as running: taking over from the living is worse. */
	return fcntl(other->lock_fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool peer_is_responsive(struct peer *other)
{
	struct stat status;
	int64_t age;

	if (!peer_is_running(other))
		return false;
	if (fstat(other->lock_fd, &status) != 0)
		return true;
	age = clock_wall_ms() -
	      ((int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000);
	if (age < fault_scaled_ms(STALE_MS)) {
		other->stale_since_mono_ms = 0;
		return true;
	}
	/* A machine that slept wakes with an old heartbeat: only what stays old is one. */
	if (!other->stale_since_mono_ms)
		other->stale_since_mono_ms = clock_mono_ms();
	return clock_mono_ms() - other->stale_since_mono_ms < fault_scaled_ms(STALE_MS) / 2;
}

void peer_end(struct peer *other)
{
	struct process_identity holder;

	if (!peer_is_running(other) || !read_holder(other, &holder))
		return;
	log_error("%s (pid %d) does not answer and stands in the way: ending it", other->name,
		  (int)holder.pid);
	process_signal(&holder, SIGKILL);
}

void peer_wake(struct peer *other)
{
	struct sockaddr_un address = address_of(other);

	/* Nobody there, or its queue is full, which wakes it too: the scan is behind this. */
	sendto(other->wake_fd, "w", 1, MSG_NOSIGNAL, (const struct sockaddr *)&address,
	       sizeof(address));
}
