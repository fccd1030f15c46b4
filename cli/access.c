#include "cli/access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { TOKEN_BYTES_MAX = 4096 };

/* A file or a pipe; what is read is the first line without the blanks around it. */
static bool read_line(int fd, const char *what, char line[TOKEN_BYTES_MAX], struct error *err)
{
	size_t length = 0, start;
	ssize_t got = 1;

	while (got > 0 && length < TOKEN_BYTES_MAX - 1) {
		got = read(fd, line + length, TOKEN_BYTES_MAX - 1 - length);
		if (got < 0)
			return error_set_as(err, ERR_INVALID, "token_unreadable",
					    "cannot read the token from %s: %s", what,
					    strerror(errno));
		length += (size_t)got;
	}
	line[length] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	start = strspn(line, " \t");
	memmove(line, line + start, strlen(line + start) + 1);
	for (length = strlen(line); length && strchr(" \t", line[length - 1]);)
		line[--length] = '\0';
	return true;
}

static bool check_owner(int fd, const char *path, struct error *err)
{
	struct stat file;

	if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || !(file.st_mode & 077))
		return true;
	error_set_as(err, ERR_DENIED, "token_exposed",
		     "the token file \"%s\" may be read by others (mode %03o)", path,
		     (unsigned)file.st_mode & 0777);
	return error_hint(err, "chmod 600 %s", path);
}

static bool read_file(const char *path, char line[TOKEN_BYTES_MAX], struct error *err)
{
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(free) char *what = xasprintf("\"%s\"", path);

	if (fd < 0)
		return error_set_as(err, ERR_INVALID, "token_unreadable",
				    "cannot read the token from %s: %s", what, strerror(errno));
	return check_owner(fd, path, err) && read_line(fd, what, line, err);
}

static bool read_token(const struct access_options *options, char line[TOKEN_BYTES_MAX],
		       struct error *err)
{
	const char *variable = getenv("ENVCTL_TOKEN"), *path = getenv("ENVCTL_TOKEN_FILE");

	*line = '\0';
	if (options->has_token_on_stdin)
		return read_line(STDIN_FILENO, "stdin", line, err);
	if (variable && *variable) {
		snprintf(line, TOKEN_BYTES_MAX, "%s", variable);
		return true;
	}
	return !path || !*path || read_file(path, line, err);
}

/* Whether it is a token at all is known here, and needs no server. */
static bool check_form(const char *line, struct error *err)
{
	if (text_starts_with(line, "envd_") &&
	    strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		strlen(line))
		return true;
	error_set_as(err, ERR_INVALID, "token_malformed", "the token is not one of envd's");
	return error_hint(err, "it begins with envd_ and is one word");
}

bool access_give(const struct access_options *options, struct api_client *client, struct error *err)
{
	struct api_access access = { .ca = options->ca,
				     .certificate = options->certificate,
				     .key = options->key,
				     .project = options->project };
	char token[TOKEN_BYTES_MAX];
	bool done = read_token(options, token, err) && (!*token || check_form(token, err));

	if (done && *token)
		access.token = token;
	done = done && api_client_set_access(client, &access, err);
	explicit_bzero(token, sizeof(token));
	return done;
}
