/*
 * creation.h - one environment asked for, from the request to its end: what `create` and `run`
 * share.
 *
 * The key under which it is asked for is announced before the request is sent, so that it leads to
 * what was made even when the answer is lost. Only what this command made is its own to end.
 */
#ifndef CLI_CREATION_H
#define CLI_CREATION_H

#include "base/ids.h"
#include "base/option_table.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "model/environment.h"

/* The server may fetch the template from a git source first: at most 2 min, and some for its queue.
 */
enum { CREATE_CALL_MS = 180000 };

struct creation_options {
	const char *template_ref;
	const char *name;
	int64_t ttl_ms; /* -1: the template's default */
	struct option_list pins;
	struct option_list parameters;
	struct option_list labels;
	const char *target; /* its name, or labels; NULL: any that the template can use */
	const char *keep;   /* "on-failure[=DURATION]"; NULL: not */
	const char *key;
	int64_t timeout_ms; /* 0: the server's own limits end the wait */
	const char *on_timeout;
	const char *progress;
};

#define CREATION_DEFAULTS { .ttl_ms = -1, .on_timeout = "keep", .progress = "auto" }

extern const char *const creation_on_timeouts[];

// clang-format off
/* Rows of a command whose values, a `struct type`, hold creation_options as `member`. */
#define CREATION_ROWS(type, member) \
	{ "template-ref",      0,   OPTION_TEXT,     offsetof(struct type, member.template_ref), "REF",    "ENVCTL_TEMPLATE_REF",    "tag, branch or commit of a template of a git source; the source's own", NULL }, \
	{ "name",              'n', OPTION_TEXT,     offsetof(struct type, member.name),       "NAME",     "ENVCTL_NAME",            "what to call it; made from CI variables, or by the server", NULL }, \
	{ "ttl",               't', OPTION_DURATION, offsetof(struct type, member.ttl_ms),     "DURATION", "ENVCTL_TTL",             "how long it lives once it is ready; the template's default", NULL }, \
	{ "pin",               'p', OPTION_LIST,     offsetof(struct type, member.pins),       "COMPONENT=VERSION", NULL,            "which version of a component to build with; @BRANCH or pr:NUMBER where its template allows", NULL }, \
	{ "param",             0,   OPTION_LIST,     offsetof(struct type, member.parameters), "NAME=VALUE", NULL,                   "a parameter of the template", NULL }, \
	{ "label",             'l', OPTION_LIST,     offsetof(struct type, member.labels),     "KEY=VALUE", NULL,                    "to find it again: list -l KEY=VALUE", NULL }, \
	{ "target",            0,   OPTION_TEXT,     offsetof(struct type, member.target),     "NAME|LABEL=VALUE", "ENVCTL_TARGET",  "what to build it on: see envctl targets; several labels with commas", NULL }, \
	{ "keep",              0,   OPTION_TEXT,     offsetof(struct type, member.keep),       "on-failure[=DURATION]", "ENVCTL_KEEP", "if it fails, keep it for a time to look at it (server's default 20m)", NULL }, \
	{ "idempotency-key",   0,   OPTION_TEXT,     offsetof(struct type, member.key),        "KEY",      "ENVCTL_IDEMPOTENCY_KEY", "the same key and request is the same environment; made from CI variables, else random", NULL }, \
	{ "timeout",           0,   OPTION_DURATION, offsetof(struct type, member.timeout_ms), "DURATION", "ENVCTL_TIMEOUT",         "how long to wait; without it the server's own limits end the wait", NULL }, \
	{ "on-timeout",        0,   OPTION_CHOICE,   offsetof(struct type, member.on_timeout), "WHAT",     "ENVCTL_ON_TIMEOUT",      "what becomes of it then", creation_on_timeouts }, \
	{ "progress",          0,   OPTION_CHOICE,   offsetof(struct type, member.progress),   "MODE",     "ENVCTL_PROGRESS",        "what to show meanwhile", progress_modes }
// clang-format on

struct creation {
	struct cli *cli;
	struct api_client *client;
	const struct creation_options *options;
	const json_t *like; /* a lock (cli/lock_document.h) to build the same from; NULL: none */
	json_t *request;
	char key[128];
	char id[ID_TEXT_SIZE]; /* "" until the server answered */
	char name[NAME_LENGTH_MAX + 1];
	bool is_key_random; /* nobody else can have used it */
	bool is_foreign;    /* the key was used before this command began: not ours to end */
	bool was_sent;
	bool is_kept_on_interrupt; /* clean_up leaves it */
	int64_t began_ms;          /* monotonic */
};

void creation_release(struct creation *creation);

static inline void auto_creation_release(struct creation *creation)
{
	creation_release(creation);
}

/* The request, its key and its name. */
NODISCARD bool creation_prepare(struct creation *creation, const char *template, struct error *err);

/* Before the request: after a crash of ours the key still leads to what it made. */
void creation_announce(const struct creation *creation, const char *template);

NODISCARD bool creation_send(struct creation *creation, json_t **environment, struct error *err);

/* Until it is ready; replaces `*environment`. What failed is an error by its reason. */
NODISCARD bool creation_wait(struct creation *creation, json_t **environment, struct error *err);

/* It was used and is not needed any more: as creation_clean_up(), with the patience of every call.
 */
void creation_end(struct creation *creation);

/* What this command made is asked to be destroyed, and said so; the command is over in any case. At
 * most two calls of 2.2 s. */
void creation_clean_up(struct creation *creation);

#endif
