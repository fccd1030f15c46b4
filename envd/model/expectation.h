/*
 * expectation.h - one sentence about what a check saw: "status == 302", "body !contains '$---'".
 *
 *	SUBJECT [OPERATOR VALUE]      a subject alone means "== true"
 *	OPERATOR  == != < <= > >= ~ !~ contains !contains exists !exists
 *	VALUE     12  1,234.50  30ms  3h  'text'  true  false  now  ${name}  captured.name
 *	          a number, a time or a name may be followed by "+ 25.00" or "- 1h"
 *
 * Text is compared byte by byte, numbers as exact decimals (money such as $1,234.50 is a number),
 *and
 * "~" takes a POSIX extended regular expression. Which subjects there are depends on the kind of
 * step, and each has a type, so "duration < 300" (300 what?) and "status contains 'x'" are refused
 * while reading, not while running.
 *
 * Judging looks subjects up through a function, so the same sentences serve smoke steps, load steps
 * and tests. What was seen is always told; secrets are told by their length.
 */
#ifndef ENVD_MODEL_EXPECTATION_H
#define ENVD_MODEL_EXPECTATION_H

#include <stdint.h>

#include "base/error.h"
#include "model/observed.h"

#define EXPECTATION_TEXT_MAX 500
#define EXPECTATION_SAW_MAX 200

/* What a step does; the names are the keys in a plan. */
#define CHECK_KINDS(X)                                                                             \
	X(CHECK_HTTP, "http")                                                                      \
	X(CHECK_TLS, "tls")                                                                        \
	X(CHECK_TCP, "tcp")                                                                        \
	X(CHECK_DNS, "dns")                                                                        \
	X(CHECK_PROMETHEUS, "prometheus")                                                          \
	X(CHECK_EXEC, "exec")                                                                      \
	X(CHECK_KUBE, "kube")

enum check_kind {
#define X(kind, name) kind,
	CHECK_KINDS(X)
#undef X
};

const char *check_kind_name(enum check_kind kind);

/* How a sentence finds things. */
struct observer {
	struct observed (*look)(void *arg, const char *subject);
	/* The text behind ${name}; the caller frees; NULL if there is none. */
	char *(*name_value)(void *arg, const char *name);
	/* Overwrite secrets in what is going to be told, without changing its length. May be NULL.
	 */
	void (*hide_secrets)(void *arg, char *text);
	void *arg;
	int64_t now_ms;             /* wall clock */
	bool tells_only_what_fails; /* `saw` stays empty for what is met: for many a second */
};

struct expectation; /* one sentence, read and checked */

/* ERR_INVALID; the message has the sentence and the position of what is wrong in it. */
NODISCARD bool expectation_parse(const char *text, enum check_kind kind,
				 struct expectation **expectation, struct error *err);
void expectation_free(struct expectation *expectation);
DEFINE_AUTO(struct expectation *, expectation_free)

const char *expectation_text(const struct expectation *expectation);
const char *expectation_subject(const struct expectation *expectation);

/* What it refers to, one after the other, NULL after the last: "url" for ${url}, "captured.token"
 * for captured.token. */
const char *expectation_reference(const struct expectation *expectation, size_t index);

struct judgement {
	bool is_met;
	char saw[EXPECTATION_SAW_MAX];
};

/* A subject that is not there is a sentence not met (but for "!exists"), never an error. */
void expectation_judge(const struct expectation *expectation, const struct observer *observer,
		       struct judgement *judgement);

/* ERR_INVALID when `subject` is none of this kind of step ("did you mean"): for captures. */
NODISCARD bool expectation_check_subject(const char *subject, enum check_kind kind,
					 struct error *err);

#endif
