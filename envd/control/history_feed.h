/*
 * history_feed.h - tells the world from history rows alone, so that what the reaper did is seen
 * like everything else. Rows are read after commits (ours, or the other program's) and given in
 * order.
 */
#ifndef ENVD_CONTROL_HISTORY_FEED_H
#define ENVD_CONTROL_HISTORY_FEED_H

#include "store/store_history.h"

struct history_feed;
struct history_subscription;

struct history_feed *history_feed_new(struct store *store);
void history_feed_free(struct history_feed *feed);

/* `on_row` is called for every row committed from now on (n > the newest at this moment; to resume
 * from an older one, list the rows in between with store_history_list() first: both happen in the
 * same turn, so none is missed or doubled). `id` NULL: rows of all environments. Never called from
 * inside subscribe(). */
struct history_subscription *
history_feed_subscribe(struct history_feed *feed, const struct env_id *id,
		       void (*on_row)(void *arg, const struct history_row *row), void *arg);
void history_feed_unsubscribe(struct history_subscription *subscription);

/* Wired to turn_on_commit(). */
void history_feed_pump(void *feed);

#endif
