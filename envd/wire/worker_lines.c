#include "wire/worker_lines.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "wire/job_files.h"

struct worker_lines {
	int fd;
};

/* ---- writing ---- */

struct worker_lines *worker_lines_new(int fd)
{
	struct worker_lines *lines = xcalloc(1, sizeof(*lines));

	lines->fd = fd;
	return lines;
}

void worker_lines_free(struct worker_lines *lines)
{
	free(lines);
}

/* What an engine or a runtime said may be anything; a line is UTF-8. */
static json_t *text_to_json(const char *text)
{
	AUTO(free) char *clean = NULL;

	if (text_is_utf8(text, strlen(text)))
		return json_string(text);
	clean = xstrdup(text);
	for (char *at = clean; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return json_string(clean);
}

static void write_line(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
			continue;
		}
		if (wrote < 0 && errno == EINTR)
			continue;
		/* Nobody listens (SIGPIPE was blocked or ignored) or nothing can be said: there is
		 * no use in working on, and no way to tell. */
		if (wrote < 0)
			_exit(1);
		bytes += wrote;
		length -= (size_t)wrote;
	}
}

void worker_say(struct worker_lines *lines, const json_t *object)
{
	AUTO(free) char *text = json_to_text(object);
	AUTO(text_release) struct text line = TEXT_EMPTY;

	text_add(&line, text);
	text_add_char(&line, '\n');
	write_line(lines->fd, line.bytes, line.length);
}

static json_t *line_of(const char *type)
{
	json_t *object = json_object();

	json_object_set_new(object, "type", json_string(type));
	return object;
}

static void add_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, text_to_json(text));
}

void worker_say_hello(struct worker_lines *lines, const char *task)
{
	AUTO(json_decref) json_t *object = line_of("hello");

	json_object_set_new(object, "protocol", json_integer(WORKER_PROTOCOL));
	add_text(object, "task", task);
	add_text(object, "program", "envd " ENVD_VERSION);
	worker_say(lines, object);
}

void worker_say_progress(struct worker_lines *lines, const char *format, ...)
{
	AUTO(json_decref) json_t *object = line_of("progress");
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	add_text(object, "message", message);
	worker_say(lines, object);
}

void worker_say_layer(struct worker_lines *lines, const char *name, const char *state,
		      int64_t elapsed_ms, const char *message)
{
	AUTO(json_decref) json_t *object = line_of("layer");

	add_text(object, "name", name);
	add_text(object, "state", state);
	json_object_set_new(object, "elapsed_ms", json_integer(elapsed_ms));
	add_text(object, "message", message);
	worker_say(lines, object);
}

void worker_say_resource(struct worker_lines *lines, const char *kind, const char *id,
			 const char *name, const char *service)
{
	AUTO(json_decref) json_t *object = line_of("resource");

	add_text(object, "kind", kind);
	add_text(object, "id", id);
	add_text(object, "name", name);
	add_text(object, "service", service);
	worker_say(lines, object);
}

void worker_say_log(struct worker_lines *lines, const char *level, const char *format, ...)
{
	AUTO(json_decref) json_t *object = line_of("log");
	char message[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	add_text(object, "level", level);
	add_text(object, "message", message);
	worker_say(lines, object);
}

void worker_say_check(struct worker_lines *lines, const char *name, const char *stage,
		      const char *status, const char *message)
{
	AUTO(json_decref) json_t *object = line_of("check");

	add_text(object, "name", name);
	add_text(object, "stage", stage);
	add_text(object, "status", status);
	add_text(object, "message", message);
	worker_say(lines, object);
}

void worker_say_result(struct worker_lines *lines, const struct error *failure, const json_t *data)
{
	AUTO(json_decref) json_t *object = line_of("result");

	json_object_set_new(object, "ok", json_boolean(!failure));
	if (failure)
		json_object_set_new(object, "error", error_to_json(failure));
	if (data)
		json_object_set_new(object, "data", json_deep_copy(data));
	worker_say(lines, object);
}

/* ---- reading ---- */

/* What each type must carry besides its type: these fields, strings. */
static const struct {
	const char *name;
	enum worker_line_type type;
	const char *strings[3];
} types[] = {
	// clang-format off
	{ "hello",    WORKER_HELLO,    { NULL } },
	{ "progress", WORKER_PROGRESS, { "message", NULL } },
	{ "layer",    WORKER_LAYER,    { "name", "state", NULL } },
	{ "resource", WORKER_RESOURCE, { "kind", "id", NULL } },
	{ "log",      WORKER_LOG,      { "level", "message", NULL } },
	{ "check",    WORKER_CHECK,    { "name", "status", NULL } },
	{ "result",   WORKER_RESULT,   { NULL } },
	// clang-format on
};

static bool check_fields(const json_t *object, enum worker_line_type type,
			 const char *const *strings, struct error *err)
{
	const char *text;
	int64_t protocol;
	bool is_ok;

	for (; *strings; strings++)
		if (!json_read_string(object, *strings, &text, err))
			return false;
	if (type == WORKER_HELLO) {
		if (!json_read_int64(object, "protocol", &protocol, err))
			return false;
		if (protocol != WORKER_PROTOCOL)
			return error_set(err, ERR_EXTERNAL, "speaks protocol %lld, expected %d",
					 (long long)protocol, WORKER_PROTOCOL);
	}
	return type != WORKER_RESULT || json_read_bool(object, "ok", &is_ok, err);
}

static bool parse(const char *line, size_t length, enum worker_line_type *type, json_t **object,
		  struct error *err)
{
	AUTO(json_decref) json_t *json = NULL;
	const char *name;

	if (length > WORKER_LINE_BYTES_MAX)
		return error_set(err, ERR_EXTERNAL, "line is longer than %d bytes",
				 WORKER_LINE_BYTES_MAX);
	if (!json_parse(line, length, "line", &json, err))
		return false;
	if (!json_is_object(json))
		return error_set(err, ERR_EXTERNAL, "line is not a JSON object");
	if (!json_read_string(json, "type", &name, err))
		return false;
	*type = WORKER_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, name) != 0)
			continue;
		if (!check_fields(json, types[i].type, types[i].strings, err))
			return error_wrap(err, "\"%s\" line", name);
		*type = types[i].type;
	}
	*object = TAKE(json);
	return true;
}

bool worker_line_parse(const char *line, size_t length, enum worker_line_type *type,
		       json_t **object, struct error *err)
{
	struct error why;

	if (parse(line, length, type, object, &why))
		return true;
	return error_set_as(err, ERR_EXTERNAL, "worker_protocol", "%s", why.message);
}

bool worker_dialogue_accept(struct worker_dialogue *dialogue, enum worker_line_type type,
			    struct error *err)
{
	const char *wrong = NULL;

	if (dialogue->gave_result)
		wrong = type == WORKER_RESULT ? "gave two results" : "went on after its result";
	else if (!dialogue->said_hello && type != WORKER_HELLO)
		wrong = "did not say hello first";
	else if (dialogue->said_hello && type == WORKER_HELLO)
		wrong = "said hello twice";
	if (wrong)
		return error_set_as(err, ERR_EXTERNAL, "worker_protocol", "%s", wrong);
	dialogue->said_hello = true;
	dialogue->gave_result = type == WORKER_RESULT;
	return true;
}

/* Slugs are literals that live for ever; one that came in a line is kept here. They are few,
 * because programs choose them and not data; past the bound the code's name must do. */
static const char *slug_keep(const char *slug, enum error_code code)
{
	static char *kept[256];

	if (strlen(slug) > 64)
		return error_code_name(code);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (!kept[i])
			return kept[i] = xstrdup(slug);
		if (strcmp(kept[i], slug) == 0)
			return kept[i];
	}
	return error_code_name(code);
}

void error_from_json(const json_t *json, struct error *err)
{
	enum error_code code = error_code_from_name(json_get_string(json, "code", "external"));

	if (code == ERR_NONE)
		code = ERR_EXTERNAL;
	error_set_as(err, code,
		     slug_keep(json_get_string(json, "slug", error_code_name(code)), code), "%s",
		     json_get_string(json, "message", "failed without saying why"));
	error_hint(err, "%s", json_get_string(json, "hint", ""));
}

bool worker_result_error(const json_t *result, struct error *failure)
{
	const char *outcome = json_get_string(result, "outcome", NULL);
	const json_t *line = outcome ? json_object_get(result, "result") : result;

	if (json_get_bool(result, "ok", false))
		return false;
	if (outcome && strcmp(outcome, job_outcome_name(JOB_FAILED)) != 0)
		job_outcome_error(job_outcome_from_name(outcome),
				  json_get_string(result, "message", "ended without a result"),
				  failure);
	else
		error_from_json(json_object_get(line, "error"), failure);
	return true;
}

json_t *error_to_json(const struct error *err)
{
	json_t *json = json_object();

	add_text(json, "code", error_code_name(err->code));
	add_text(json, "slug", err->slug);
	add_text(json, "message", err->message);
	add_text(json, "hint", err->hint);
	return json;
}
