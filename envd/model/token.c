#include "model/token.h"

#include <string.h>

#include "base/ids.h"

#define PREFIX "envd_"

enum { SECRET_BYTES = 32, SECRET_LENGTH = 43, ID_LENGTH = TOKEN_ID_SIZE - 1 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* RFC 4648 section 5, without padding. */
static void encode(const unsigned char bytes[SECRET_BYTES], char *into)
{
	unsigned bits = 0, waiting = 0;
	size_t length = 0;

	for (size_t i = 0; i < SECRET_BYTES; i++) {
		bits = bits << 8 | bytes[i];
		for (waiting += 8; waiting >= 6; waiting -= 6)
			into[length++] = letters[bits >> (waiting - 6) & 63];
	}
	into[length++] = letters[bits << (6 - waiting) & 63];
	into[length] = '\0';
}

void token_make(struct token *token)
{
	unsigned char secret[SECRET_BYTES];
	char encoded[SECRET_LENGTH + 1];

	random_hex(token->id, ID_LENGTH);
	random_bytes(secret, sizeof(secret));
	encode(secret, encoded);
	snprintf(token->text, sizeof(token->text), PREFIX "%s_%s", token->id, encoded);
	sha256_text(token->text, strlen(token->text), token->digest);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(encoded, sizeof(encoded));
}

void token_wipe(struct token *token)
{
	explicit_bzero(token, sizeof(*token));
}

bool token_parse(const char *text, char id[TOKEN_ID_SIZE])
{
	const char *at = text + strlen(PREFIX);

	if (strlen(text) != TOKEN_TEXT_SIZE - 1 || strncmp(text, PREFIX, strlen(PREFIX)) != 0 ||
	    strspn(at, "0123456789abcdef") != ID_LENGTH || at[ID_LENGTH] != '_' ||
	    strspn(at + ID_LENGTH + 1, letters) != SECRET_LENGTH)
		return false;
	memcpy(id, at, ID_LENGTH);
	id[ID_LENGTH] = '\0';
	return true;
}

bool token_matches(const char *text, const char *digest)
{
	bool is_known = digest && strlen(digest) == SHA256_TEXT_SIZE - 1;
	volatile unsigned char differences = !is_known;
	char seen[SHA256_TEXT_SIZE];

	sha256_text(text, strlen(text), seen);
	if (!is_known)
		digest = seen;
	for (size_t i = 0; i < SHA256_TEXT_SIZE - 1; i++)
		differences |= (unsigned char)(seen[i] ^ digest[i]);
	return !differences;
}
