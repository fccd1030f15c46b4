/*
 * token.h - what a caller from another machine shows: envd_ID_SECRET, 256 random bits in all that
 * follows the id. Only the id and a digest are kept; the text exists where it was made, once.
 *
 * The digest needs no salt and no slow hash: there is nothing to guess in 256 random bits.
 */
#ifndef ENVD_MODEL_TOKEN_H
#define ENVD_MODEL_TOKEN_H

#include "base/files.h"

#define TOKEN_ID_SIZE 9    /* eight hexadecimal digits and NUL */
#define TOKEN_TEXT_SIZE 58 /* "envd_", the id, "_", 43 letters of base64url, NUL */

struct token {
	char id[TOKEN_ID_SIZE];
	char text[TOKEN_TEXT_SIZE];
	char digest[SHA256_TEXT_SIZE];
};

/* New and random. The caller wipes it. */
void token_make(struct token *token);
void token_wipe(struct token *token);

/* It has the form of a token; `id` gets its id. Says nothing about whether it is one of ours. */
NODISCARD bool token_parse(const char *text, char id[TOKEN_ID_SIZE]);

/* Whether `text` is what `digest` was made of; takes as long whatever the answer is, also for a
 * `digest` of NULL: an id that nobody knows. */
bool token_matches(const char *text, const char *digest);

#endif
