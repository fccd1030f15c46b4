#include "control/history_feed.h"

#include <string.h>

#include "base/log.h"

enum { BATCH = 200 };

struct history_subscription {
	struct history_feed *feed;
	struct history_subscription *next;
	struct env_id environment; /* "" for all */
	void (*on_row)(void *arg, const struct history_row *row);
	void *arg;
	bool is_over; /* unsubscribed; freed when no row is being told */
};

struct history_feed {
	struct store *store;
	struct history_subscription *subscriptions;
	int64_t told; /* the newest row that was given */
	bool is_telling;
};

struct history_feed *history_feed_new(struct store *store)
{
	struct history_feed *feed = xcalloc(1, sizeof(*feed));
	struct error err;

	feed->store = store;
	if (!store_history_newest(store, &feed->told, &err))
		log_error("history cannot be read: %s", err.message);
	return feed;
}

static void free_over(struct history_feed *feed)
{
	struct history_subscription **at = &feed->subscriptions;

	while (*at) {
		struct history_subscription *one = *at;

		if (!one->is_over) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		free(one);
	}
}

void history_feed_free(struct history_feed *feed)
{
	if (!feed)
		return;
	for (struct history_subscription *at = feed->subscriptions; at; at = at->next)
		at->is_over = true;
	free_over(feed);
	free(feed);
}

struct history_subscription *
history_feed_subscribe(struct history_feed *feed, const struct env_id *id,
		       void (*on_row)(void *arg, const struct history_row *row), void *arg)
{
	struct history_subscription *made = xcalloc(1, sizeof(*made));

	/* Rows that were committed and not told yet would come twice to who listed them already. */
	history_feed_pump(feed);
	made->feed = feed;
	made->on_row = on_row;
	made->arg = arg;
	if (id)
		made->environment = *id;
	made->next = feed->subscriptions;
	feed->subscriptions = made;
	return made;
}

void history_feed_unsubscribe(struct history_subscription *subscription)
{
	if (!subscription)
		return;
	subscription->is_over = true;
	if (!subscription->feed->is_telling)
		free_over(subscription->feed);
}

static void tell(struct history_feed *feed, const struct history_row *row)
{
	for (struct history_subscription *at = feed->subscriptions; at; at = at->next) {
		bool wanted = !at->environment.text[0] ||
			      strcmp(at->environment.text, row->environment.text) == 0;

		if (wanted && !at->is_over)
			at->on_row(at->arg, row);
	}
}

void history_feed_pump(void *arg)
{
	struct history_feed *feed = arg;
	size_t count = BATCH;
	struct error err;

	if (feed->is_telling)
		return;
	feed->is_telling = true;
	while (count == BATCH) {
		AUTO(history_list_release) struct history_list list = { NULL, 0 };

		if (!store_history_list(feed->store, NULL, feed->told, BATCH, &list, &err)) {
			log_error("history cannot be read, trying again after the next change: %s",
				  err.message);
			break;
		}
		count = list.count;
		for (size_t i = 0; i < count; i++) {
			feed->told = list.rows[i].n;
			tell(feed, &list.rows[i]);
		}
	}
	feed->is_telling = false;
	free_over(feed);
}
