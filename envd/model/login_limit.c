#include "model/login_limit.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	WINDOW_MS = 60000,
	FIRST_BLOCK_MS = 10000,
	LONGEST_BLOCK_MS = 15 * 60000,
	FORGET_MS = 15 * 60000,
};

struct entry {
	char address[LOGIN_ADDRESS_SIZE]; /* "": free */
	int64_t window_mono_ms;           /* when this minute began */
	int failures;                     /* in it */
	int64_t blocked_until_mono_ms;
	int64_t block_ms; /* the last one's length; 0: none yet */
	int64_t last_mono_ms;
	int64_t untold; /* failures that no summary had yet */
};

struct login_limit {
	struct entry entries[LOGIN_ADDRESSES_MAX];
	size_t next_told;
};

struct login_limit *login_limit_new(void)
{
	return xcalloc(1, sizeof(struct login_limit));
}

void login_limit_free(struct login_limit *limit)
{
	free(limit);
}

/* Whoever has one IPv6 address usually has 2^64 of them. */
static void normalise(const char *address, char into[LOGIN_ADDRESS_SIZE])
{
	struct in6_addr six;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, address, &six) != 1) {
		snprintf(into, LOGIN_ADDRESS_SIZE, "%s", address);
		return;
	}
	memset(&six.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &six, text, sizeof(text));
	snprintf(into, LOGIN_ADDRESS_SIZE, "%.43s/64", text);
}

static struct entry *find(struct login_limit *limit, const char *address)
{
	struct entry *quietest = &limit->entries[0];

	for (size_t i = 0; i < LOGIN_ADDRESSES_MAX; i++) {
		struct entry *entry = &limit->entries[i];

		if (strcmp(entry->address, address) == 0)
			return entry;
		if (!*quietest->address)
			continue;
		if (!*entry->address || entry->last_mono_ms < quietest->last_mono_ms)
			quietest = entry;
	}
	*quietest = (struct entry){ .failures = 0 };
	snprintf(quietest->address, sizeof(quietest->address), "%s", address);
	return quietest;
}

static int64_t block(struct entry *entry, int64_t now_mono_ms)
{
	entry->block_ms = entry->block_ms ? 2 * entry->block_ms : FIRST_BLOCK_MS;
	if (entry->block_ms > LONGEST_BLOCK_MS)
		entry->block_ms = LONGEST_BLOCK_MS;
	entry->blocked_until_mono_ms = now_mono_ms + entry->block_ms;
	return entry->block_ms;
}

int64_t login_limit_fail(struct login_limit *limit, const char *address, int64_t now_mono_ms)
{
	char whole[LOGIN_ADDRESS_SIZE];
	struct entry *entry;

	normalise(address, whole);
	entry = find(limit, whole);
	if (entry->last_mono_ms && now_mono_ms - entry->last_mono_ms > FORGET_MS)
		entry->block_ms = 0;
	entry->last_mono_ms = now_mono_ms;
	entry->untold++;
	if (now_mono_ms < entry->blocked_until_mono_ms)
		return entry->blocked_until_mono_ms - now_mono_ms;
	if (!entry->failures || now_mono_ms - entry->window_mono_ms >= WINDOW_MS) {
		entry->window_mono_ms = now_mono_ms;
		entry->failures = 0;
	}
	if (entry->failures < LOGIN_FAILURES_A_MINUTE) {
		entry->failures++;
		return 0;
	}
	return block(entry, now_mono_ms);
}

bool login_limit_take(struct login_limit *limit, int64_t now_mono_ms,
		      struct login_failures *failures)
{
	for (; limit->next_told < LOGIN_ADDRESSES_MAX; limit->next_told++) {
		struct entry *entry = &limit->entries[limit->next_told];

		if (!entry->untold)
			continue;
		memcpy(failures->address, entry->address, sizeof(failures->address));
		failures->count = entry->untold;
		failures->is_blocked = now_mono_ms < entry->blocked_until_mono_ms;
		entry->untold = 0;
		return true;
	}
	limit->next_told = 0;
	return false;
}
