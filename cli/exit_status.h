/*
 * exit_status.h - what envctl's exit statuses mean: Pulumi's published numbers, so that CI can tell
 * "infrastructure broke" (4) from "the product is bad" (7) and "try again" (10).
 *
 * This list is the only one: `envctl help exit-codes` and cli/README.md are printed from it.
 */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

#include "base/error.h"
#include "base/text.h"

// clang-format off
#define EXIT_STATUSES(X)                                                                           \
	X(EXIT_DONE,         0, "success, an empty list included")                                 \
	X(EXIT_OTHER,        1, "a failure that fits nothing below")                               \
	X(EXIT_USAGE,        2, "usage, template, plan or value is wrong and will stay wrong")     \
	X(EXIT_NOT_ALLOWED,  3, "not known to the server, or not allowed")                         \
	X(EXIT_BUILD_FAILED, 4, "the environment failed to build, or a check could not judge")     \
	X(EXIT_REFUSED,      5, "refused by a quota or a limit")                                   \
	X(EXIT_NOT_FOUND,    6, "no such environment, template or check run")                      \
	X(EXIT_CHECK_FAILED, 7, "a check's verdict is bad: the product, not the machinery")        \
	X(EXIT_CANCELLED,    8, "ended on the server by somebody or something else")               \
	X(EXIT_TIMED_OUT,    9, "--timeout ran out; what was asked may still happen")              \
	X(EXIT_UNREACHABLE, 10, "the server cannot be reached or is busy: safe to try again")      \
	X(EXIT_RUN_FAILED, 125, "run: envctl itself failed; every other status is CMD's")          \
	X(EXIT_NOT_EXECUTABLE, 126, "run: CMD cannot be executed")                                 \
	X(EXIT_NO_COMMAND, 127, "run: there is no such CMD")                                       \
	X(EXIT_INTERRUPTED, 130, "SIGINT, after cleaning up")                                      \
	X(EXIT_TERMINATED,  143, "SIGTERM, after cleaning up")                                     \
	X(EXIT_INTERNAL,    255, "a bug in envctl or in the server")
// clang-format on

#define SLUG_NO_COMMAND "no_such_command"
#define SLUG_NOT_EXECUTABLE "command_not_executable"

enum exit_status {
#define X(name, number, meaning) name = number,
	EXIT_STATUSES(X)
#undef X
};

/* Decided by the slug where one says more than the code. */
enum exit_status exit_status_for(const struct error *err);

/* One line a status, for the help. */
void exit_status_list(struct text *into);

/* The same as a Markdown table. */
void exit_status_markdown(struct text *into);

#endif
