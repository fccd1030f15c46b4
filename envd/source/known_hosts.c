#include "source/known_hosts.h"

#include <fnmatch.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

enum { KEY_BYTES_MAX = 8192, DIGEST_BYTES = 20 };

/* What the lines so far say about the host. */
struct verdict {
	bool is_known;
	bool is_revoked;
	bool has_other; /* the host is there, with another key of this type */
};

/* The caller frees. */
static char *base64_of(const void *bytes, size_t length)
{
	char *encoded = xcalloc(4 * ((length + 2) / 3) + 1, 1);

	EVP_EncodeBlock((unsigned char *)encoded, bytes, (int)length);
	return encoded;
}

/* "SHA256:..." as ssh prints it; the caller frees. */
static char *fingerprint_of(const struct host_key *key)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	AUTO(free) char *encoded = NULL;
	unsigned int length = 0;

	EVP_Digest(key->bytes, key->length, digest, &length, EVP_sha256(), NULL);
	encoded = base64_of(digest, length);
	encoded[strcspn(encoded, "=")] = '\0';
	return xasprintf("SHA256:%s", encoded);
}

/* The key begins with its type: four bytes of length, then the name. The caller frees. */
static char *type_of(const struct host_key *key)
{
	const unsigned char *bytes = key->bytes;
	size_t length = key->length >= 4 ? (size_t)bytes[2] << 8 | bytes[3] : 0;

	return length && length <= 64 && key->length >= 4 + length
		   ? xstrndup((const char *)bytes + 4, length)
		   : xstrdup("unknown");
}

/* "|1|SALT|HASH" */
static bool matches_hashed(const char *pattern, const char *name)
{
	unsigned char salt[64], stored[64], digest[EVP_MAX_MD_SIZE];
	AUTO(free) char *copy = xstrdup(pattern + 3);
	char *bar = strchr(copy, '|');
	unsigned int length = 0;

	if (!bar || strlen(copy) > 80 || bar - copy != 28 || strlen(bar + 1) != 28)
		return false;
	*bar = '\0';
	if (EVP_DecodeBlock(salt, (const unsigned char *)copy, 28) < DIGEST_BYTES ||
	    EVP_DecodeBlock(stored, (const unsigned char *)bar + 1, 28) < DIGEST_BYTES)
		return false;
	HMAC(EVP_sha1(), salt, DIGEST_BYTES, (const unsigned char *)name, strlen(name), digest,
	     &length);
	return length == DIGEST_BYTES && memcmp(digest, stored, DIGEST_BYTES) == 0;
}

/* "a,b,!c" against "host" or "[host]:port"; one that is refused wins. */
static bool matches_names(char *names, const char *name)
{
	bool is_named = false;

	for (char *pattern; (pattern = strsep(&names, ","));) {
		bool is_refusal = *pattern == '!';

		if (text_starts_with(pattern, "|1|"))
			is_named |= matches_hashed(pattern, name);
		else if (strcmp(pattern + is_refusal, name) == 0 ||
			 /* A bracket is no set of characters here. */
			 (!strchr(pattern, '[') && fnmatch(pattern + is_refusal, name, 0) == 0)) {
			if (is_refusal)
				return false;
			is_named = true;
		}
	}
	return is_named;
}

static char *next_word(char **rest)
{
	char *word;

	*rest += strspn(*rest, " \t");
	word = strsep(rest, " \t\r");
	if (!*rest)
		*rest = word + strlen(word);
	return word;
}

static void judge_line(char *line, const char *name, const char *type, const char *encoded,
		       struct verdict *verdict)
{
	char *word = next_word(&line);
	bool is_revoked = strcmp(word, "@revoked") == 0;
	const char *line_type;

	if (!*word || *word == '#' || strcmp(word, "@cert-authority") == 0)
		return;
	if (is_revoked)
		word = next_word(&line);
	if (!matches_names(word, name))
		return;
	line_type = next_word(&line);
	if (strcmp(next_word(&line), encoded) != 0)
		verdict->has_other |= !is_revoked && strcmp(line_type, type) == 0;
	else if (is_revoked)
		verdict->is_revoked = true;
	else
		verdict->is_known = true;
}

static bool refuse(const struct verdict *verdict, const char *path, const char *name,
		   const char *type, const struct host_key *key, struct error *err)
{
	AUTO(free) char *fingerprint = fingerprint_of(key);

	if (verdict->is_revoked)
		return error_set_as(err, ERR_EXTERNAL, "host_key_revoked",
				    "the %s key of \"%s\" (%s) is revoked in \"%s\"", type, name,
				    fingerprint, path);
	if (verdict->has_other) {
		error_set_as(err, ERR_EXTERNAL, "host_key_changed",
			     "the %s key of \"%s\" is %s, which is not the one in \"%s\"", type,
			     name, fingerprint, path);
		return error_hint(err, "either its key was replaced, or somebody else answers: ask "
				       "who runs it before you change the line");
	}
	error_set_as(err, ERR_EXTERNAL, "host_key_unknown",
		     "the host key of \"%s\" is not known: %s, fingerprint %s", name, type,
		     fingerprint);
	return error_hint(err,
			  "compare the fingerprint with what its owner publishes, then: "
			  "ssh-keyscan -p %d -t %s %s >> %s",
			  key->port, strncmp(type, "ssh-", 4) == 0 ? type + 4 : "ecdsa", key->host,
			  path);
}

bool known_hosts_check(const char *text, const char *path, const struct host_key *key,
		       struct error *err)
{
	AUTO(free)
	char *name =
	    key->port == 22 ? xstrdup(key->host) : xasprintf("[%s]:%d", key->host, key->port);
	AUTO(free) char *type = type_of(key);
	AUTO(free) char *encoded = NULL;
	AUTO(free) char *copy = xstrdup(text);
	struct verdict verdict = { false, false, false };
	char *rest = copy;

	if (key->length < 4 || key->length > KEY_BYTES_MAX)
		return error_set_as(err, ERR_EXTERNAL, "host_key_unknown",
				    "the host key of \"%s\" is not one", name);
	encoded = base64_of(key->bytes, key->length);
	for (char *line; (line = strsep(&rest, "\n"));)
		judge_line(line, name, type, encoded, &verdict);
	return (verdict.is_known && !verdict.is_revoked) ||
	       refuse(&verdict, path, name, type, key, err);
}
