#include "model/git_address.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { ADDRESS_BYTES_MAX = 512, REF_BYTES_MAX = 200 };

static bool refuse(const char *text, const char *why, struct error *err)
{
	char shown[128];

	/* An address that holds a password must not be shown. */
	if (strchr(text, '@') && strchr(text, ':'))
		error_set_as(err, ERR_INVALID, "address_invalid", "repository address: %s", why);
	else
		error_set_as(err, ERR_INVALID, "address_invalid", "repository \"%s\": %s",
			     text_printable(text, shown, sizeof(shown)), why);
	return error_hint(err, "https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or "
			       "file:///PATH");
}

static bool is_made_of(const char *text, size_t length, const char *allowed)
{
	return length > 0 && strspn(text, allowed) >= length;
}

/* A remote shell and a remote git see it: nothing that either could take for something else. */
static bool path_is_plain(const char *path)
{
	return is_made_of(path, strlen(path), LETTERS_AND_DIGITS "._~/+-") && *path != '-' &&
	       !strstr(path, "/-") && !strstr(path, "..");
}

static bool read_port(const char *text, size_t length, int *port)
{
	AUTO(free) char *digits = xstrndup(text, length);
	int64_t value;

	if (!text_to_int64(digits, &value) || value < 1 || value > 65535)
		return false;
	*port = (int)value;
	return true;
}

/* "[USER@]HOST[:PORT]", `length` bytes of it. */
static bool read_authority(const char *text, size_t length, struct git_address *address)
{
	const char *at = memchr(text, '@', length), *colon;
	const char *host = at ? at + 1 : text;
	size_t host_length = length - (size_t)(host - text);

	if (at && (address->scheme != GIT_SCHEME_SSH || *text == '-' ||
		   !is_made_of(text, (size_t)(at - text), LETTERS_AND_DIGITS "._-")))
		return false;
	colon = memchr(host, ':', host_length);
	if (colon &&
	    !read_port(colon + 1, host_length - (size_t)(colon + 1 - host), &address->port))
		return false;
	host_length = colon ? (size_t)(colon - host) : host_length;
	if (!is_made_of(host, host_length, LETTERS_AND_DIGITS ".-") || *host == '-')
		return false;
	address->host = xstrndup(host, host_length);
	for (char *c = address->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (at)
		address->user = xstrndup(text, (size_t)(at - text));
	return true;
}

static bool read_url(const char *text, const char *rest, struct git_address *address,
		     struct error *err)
{
	size_t length = strcspn(rest, "/");

	if (address->scheme == GIT_SCHEME_FILE) {
		address->host = xstrdup("");
		return (*rest == '/' && path_is_plain(rest)) ||
		       refuse(text, "a file's address is file:// and an absolute plain path", err);
	}
	if (memchr(rest, '@', length) && address->scheme == GIT_SCHEME_HTTPS)
		return refuse(text, "no user, password or token may be in it (token_file)", err);
	if (!read_authority(rest, length, address))
		return refuse(text, "its host is not one", err);
	return (rest[length] && rest[length + 1] && path_is_plain(rest + length)) ||
	       refuse(text, "its path must be letters, digits and ._~/+- without \"..\"", err);
}

static bool read_short(const char *text, struct git_address *address, struct error *err)
{
	const char *colon = strchr(text, ':');

	address->scheme = GIT_SCHEME_SSH;
	address->port = 22;
	if (!colon || !memchr(text, '@', (size_t)(colon - text)) ||
	    !read_authority(text, (size_t)(colon - text), address))
		return refuse(text, "it has no scheme that is allowed", err);
	return path_is_plain(colon + 1) ||
	       refuse(text, "its path must be letters, digits and ._~/+- without \"..\"", err);
}

static bool read_address(const char *text, struct git_address *address, struct error *err)
{
	static const struct {
		const char *prefix;
		enum git_scheme scheme;
		int port;
	} schemes[] = {
		{ "https://", GIT_SCHEME_HTTPS, 443 },
		{ "ssh://", GIT_SCHEME_SSH, 22 },
		{ "file://", GIT_SCHEME_FILE, 0 },
	};

	if (!*text || strlen(text) > ADDRESS_BYTES_MAX)
		return refuse("", "it must have 1 to 512 bytes", err);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (!text_starts_with(text, schemes[i].prefix))
			continue;
		address->scheme = schemes[i].scheme;
		address->port = schemes[i].port;
		return read_url(text, text + strlen(schemes[i].prefix), address, err);
	}
	return strstr(text, "://") ? refuse(text, "it has no scheme that is allowed", err)
				   : read_short(text, address, err);
}

bool git_address_parse(const char *text, struct git_address *address, struct error *err)
{
	struct git_address made = { .url = xstrdup(text) };

	if (!read_address(text, &made, err)) {
		git_address_release(&made);
		return false;
	}
	*address = made;
	return true;
}

void git_address_release(struct git_address *address)
{
	free(address->url);
	free(address->host);
	free(address->user);
	*address = (struct git_address){ .url = NULL };
}

/* Where the path begins: what stands before it may not be climbed out of. */
static size_t start_of_path(const struct git_address *base)
{
	const char *scheme = strstr(base->url, "://");
	const char *from = scheme ? strchr(scheme + 3, '/') : strchr(base->url, ':');

	return from ? (size_t)(from - base->url) + 1 : strlen(base->url);
}

bool git_address_join(const struct git_address *base, const char *relative, char **url,
		      struct error *err)
{
	AUTO(free) char *folder = NULL;
	size_t start = start_of_path(base);

	if (!text_starts_with(relative, "./") && !text_starts_with(relative, "../")) {
		*url = xstrdup(relative);
		return true;
	}
	folder = xstrdup(base->url);
	while (text_ends_with(folder, "/"))
		folder[strlen(folder) - 1] = '\0';
	for (;;) {
		char *slash;

		if (text_starts_with(relative, "./")) {
			relative += 2;
			continue;
		}
		if (!text_starts_with(relative, "../"))
			break;
		slash = strrchr(folder, '/');
		if (!folder[start] || strlen(folder) <= start)
			return error_set_as(err, ERR_INVALID, "address_invalid",
					    "\"%.100s\" climbs out of its host", relative);
		folder[slash && (size_t)(slash - folder) >= start ? (size_t)(slash - folder)
								  : start] = '\0';
		relative += 3;
	}
	*url = xasprintf("%s%s%s", folder, text_ends_with(folder, "/") || !folder[start] ? "" : "/",
			 relative);
	return true;
}

static bool has_forbidden_byte(const char *ref)
{
	for (const char *c = ref; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("~^:?*[\\", *c))
			return true;
	return !text_is_utf8(ref, strlen(ref));
}

bool git_ref_check(const char *ref, struct error *err)
{
	size_t length = strlen(ref);
	char shown[64];

	if (length >= 1 && length <= REF_BYTES_MAX && !strchr("-/.", ref[0]) &&
	    !strchr("/.", ref[length - 1]) && !strstr(ref, "..") && !strstr(ref, "//") &&
	    !strstr(ref, "/.") && !strstr(ref, "@{") && strcmp(ref, "@") != 0 &&
	    !text_ends_with(ref, ".lock") && !strstr(ref, ".lock/") && !has_forbidden_byte(ref))
		return true;
	error_set_as(err, ERR_INVALID, "ref_invalid", "\"%s\" cannot be a ref",
		     text_printable(ref, shown, sizeof(shown)));
	return error_hint(err, "a branch, a tag, a commit or a full name such as refs/heads/main");
}

bool git_ref_is_commit(const char *ref)
{
	size_t length = strlen(ref);

	return length >= 4 && length <= 40 && strspn(ref, "0123456789abcdef") == length;
}
