#include "control/lock_watch.h"

#include <signal.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

enum { HUNG_LIMIT_MS = 10000 };

void lock_watch_free(struct lock_watch *watch)
{
	watch->seen_mono_ms = 0;
}

static bool is_same(const struct store_holder *a, const struct store_holder *b)
{
	return a->turn == b->turn && a->process.pid == b->process.pid;
}

void lock_watch_busy(struct lock_watch *watch, const char *data)
{
	struct store_holder now;
	int64_t at = clock_mono_ms();
	char identity[40];

	if (!store_lock_holder(data, &now))
		return;
	if (!watch->seen_mono_ms || !is_same(&now, &watch->holder)) {
		watch->holder = now;
		watch->seen_mono_ms = at;
		return;
	}
	if (at - watch->seen_mono_ms < fault_scaled_ms(HUNG_LIMIT_MS))
		return;
	snprintf(identity, sizeof(identity), "pid=%d", (int)now.process.pid);
	log_line(LOG_ERROR, identity, "has held the store's lock for %lld ms: hung, ending it",
		 (long long)(at - watch->seen_mono_ms));
	process_signal(&now.process, SIGKILL);
	watch->seen_mono_ms = 0;
}
