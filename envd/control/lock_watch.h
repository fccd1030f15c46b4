/*
 * lock_watch.h - whoever keeps the store's lock through one and the same transaction for 10 s is
 * hung and is ended, identity checked: a crash is safe and a stuck bill is not.
 */
#ifndef ENVD_CONTROL_LOCK_WATCH_H
#define ENVD_CONTROL_LOCK_WATCH_H

#include "store/store.h"

/* Zero it to begin with. */
struct lock_watch {
	struct store_holder holder;
	int64_t seen_mono_ms; /* 0: nobody is being watched */
};

/* The lock was found taken: call again and again while it is. */
void lock_watch_busy(struct lock_watch *watch, const char *data);
/* The lock was free. */
void lock_watch_free(struct lock_watch *watch);

#endif
