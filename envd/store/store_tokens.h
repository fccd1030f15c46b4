/*
 * store_tokens.h - rows of tokens: what tells whether a text is one, never the text.
 */
#ifndef ENVD_STORE_STORE_TOKENS_H
#define ENVD_STORE_STORE_TOKENS_H

#include "model/permission.h"
#include "model/token.h"
#include "store/store.h"

enum { TOKENS_MAX = 1000 };

struct token_row {
	int64_t n; /* in the order of their making */
	char id[TOKEN_ID_SIZE];
	char digest[SHA256_TEXT_SIZE];
	char name[NAME_LENGTH_MAX + 1];
	char project[NAME_LENGTH_MAX + 1];
	enum role role;
	char created_by[2 * NAME_LENGTH_MAX + 2];
	int64_t created_at_ms;
	int64_t expires_at_ms;
	int64_t last_used_at_ms; /* to about five minutes; 0: never */
	int64_t revoked_at_ms;   /* 0: not */
};

/* Makes room by forgetting what has been over for 90 days. ERR_LIMIT "token_limit"; ERR_CONFLICT
 * "token_exists" when the id is taken. */
NODISCARD bool store_token_insert(struct store_tx *tx, const struct token_row *row,
				  struct error *err);

/* `*found` false: nobody knows it. */
NODISCARD bool store_token_find(struct store *store, const char *id, struct token_row *row,
				bool *found, struct error *err);

/* Newest first, `after` 0 from the start. `rows` has room for `limit`. */
NODISCARD bool store_token_list(struct store *store, int64_t after, int64_t limit,
				struct token_row *rows, size_t *count, struct error *err);

/* For good; a second time changes nothing. */
NODISCARD bool store_token_revoke(struct store_tx *tx, const char *id, int64_t now_ms,
				  struct error *err);
NODISCARD bool store_token_set_used(struct store_tx *tx, const char *id, int64_t now_ms,
				    struct error *err);

#endif
