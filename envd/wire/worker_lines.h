/*
 * worker_lines.h - what a worker says: one JSON object a line (JSON Lines, UTF-8).
 *
 * The first line is `hello` with the protocol, then any number of progress, layer, resource, log
 *and check lines, then exactly one `result`. The same code writes them (worker, engine, check) and
 *reads them (jobs). External engines speak the same lines: templates/engines.md is their manual.
 *
 *	{"type":"hello","protocol":1,"task":"create","program":"envd 0.1.0"}
 *	{"type":"progress","message":"images resolved"}
 *	{"type":"layer","name":"ingress","state":"started|ready|failed|removed","elapsed_ms":1200,"message":"..."}
 *	{"type":"resource","kind":"container","id":"...","name":"...","service":"ingress"}
 *	{"type":"log","level":"info|warn|error","message":"..."}
 *	{"type":"check","name":"login","stage":"app","status":"passed|failed|warned|skipped|error","message":"..."}
 *	{"type":"result","ok":true,"data":{...}}
 *	{"type":"result","ok":false,"error":{"code":"external","slug":"image_missing","message":"...","hint":"..."},"data":{...}}
 */
#ifndef ENVD_WIRE_WORKER_LINES_H
#define ENVD_WIRE_WORKER_LINES_H

#include "base/json_read.h"

#define WORKER_PROTOCOL 1
#define WORKER_LINE_BYTES_MAX 1048576

/* ---- writing: blocking, whole lines; a reader that is gone ends the process (SIGPIPE) ---- */

struct worker_lines; /* bound to one descriptor */

struct worker_lines *worker_lines_new(int fd);
void worker_lines_free(struct worker_lines *lines);
DEFINE_AUTO(struct worker_lines *, worker_lines_free)

void worker_say_hello(struct worker_lines *lines, const char *task);
void worker_say_progress(struct worker_lines *lines, const char *format, ...) PRINTF_LIKE(2, 3);
/* `message` may be NULL. */
void worker_say_layer(struct worker_lines *lines, const char *name, const char *state,
		      int64_t elapsed_ms, const char *message);
void worker_say_resource(struct worker_lines *lines, const char *kind, const char *id,
			 const char *name, const char *service);
/* `level`: "info", "warn" or "error". A warning is shown to the person who asked. */
void worker_say_log(struct worker_lines *lines, const char *level, const char *format, ...)
    PRINTF_LIKE(3, 4);
void worker_say_check(struct worker_lines *lines, const char *name, const char *stage,
		      const char *status, const char *message);
/* Any other object, e.g. {"type":"line",...} of a log stream. */
void worker_say(struct worker_lines *lines, const json_t *object);

/* Exactly once, last. `data` is borrowed and may be NULL; `failure` NULL means ok. */
void worker_say_result(struct worker_lines *lines, const struct error *failure, const json_t *data);

/* ---- reading ---- */

enum worker_line_type {
	WORKER_HELLO,
	WORKER_PROGRESS,
	WORKER_LAYER,
	WORKER_RESOURCE,
	WORKER_LOG,
	WORKER_CHECK,
	WORKER_RESULT,
	WORKER_OTHER, /* a type we do not know: kept out of the way, never an error */
};

/* One line without its newline. Error: ERR_EXTERNAL, slug "worker_protocol". New reference. */
NODISCARD bool worker_line_parse(const char *line, size_t length, enum worker_line_type *type,
				 json_t **object, struct error *err);

/* The order of what one program says. Start with `{ false, false }`. False with ERR_EXTERNAL
 * "worker_protocol" for the line that breaks it. */
struct worker_dialogue {
	bool said_hello;
	bool gave_result;
};
NODISCARD bool worker_dialogue_accept(struct worker_dialogue *dialogue, enum worker_line_type type,
				      struct error *err);

/* The error of a failed result line (or of result.json); false when the line says ok. */
bool worker_result_error(const json_t *result, struct error *failure);

/* {"code","slug","message","hint"}: also used in results, reports and problems. New reference. */
json_t *error_to_json(const struct error *err);

/* What error_to_json() made, of whatever is missing the general word. */
void error_from_json(const json_t *json, struct error *err);

#endif
