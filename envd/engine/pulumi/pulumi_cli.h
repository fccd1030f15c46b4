/*
 * pulumi_cli.h - the Pulumi CLI, and the template's own commands, run inside an environment's
 * place.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CLI_H
#define ENVD_ENGINE_PULUMI_PULUMI_CLI_H

#include "engine/pulumi/tool_set.h"
#include "engine/pulumi/pulumi_place.h"

/* One command of the CLI about one layer's stack. `words` end with NULL: {"up", "--yes", NULL}. */
struct cli_call {
	const struct pulumi_place *place;
	size_t layer;
	const char *const *words;
	const char *input; /* NULL: none */
};

/* argv of it: the program, its words, and which stack; the caller frees with cli_words_free(). */
char **cli_words(const struct cli_call *call);
void cli_words_free(char **words);
DEFINE_AUTO(char **, cli_words_free)

/* Runs it to its end. ERR_EXTERNAL "pulumi_failed" with its own words when it failed. */
NODISCARD bool cli_run(const struct cli_call *call, struct error *err);

/* As many of them at once as the list's layers may be. Once one has failed no other begins; the
 * first failure names its layer. */
NODISCARD bool cli_run_all(const struct cli_call *calls, size_t count, struct error *err);

/* As cli_run(), and what it printed, up to `output_max`; the caller frees. `status` is its exit
 * status in either case, -1 when it has none. What it asks for changes nothing of a stack. */
NODISCARD bool cli_ask(const struct cli_call *call, size_t output_max, char **output, int *status,
		       struct error *err);

/* The version of the CLI is this one. ERR_INVALID "pulumi_missing", "pulumi_version". */
NODISCARD bool cli_check_version(const struct pulumi_place *place, const char *wanted,
				 struct error *err);

/* The plugins that the list says are needed are there. ERR_INVALID "plugin_missing". */
NODISCARD bool cli_check_plugins(const struct pulumi_place *place, struct error *err);

/* A command of the template: the first word is a file of it ("hooks/list") or a program on PATH.
 * `more` (may be NULL) is one more argument. The caller frees with cli_words_free(). */
NODISCARD bool hook_words(const struct pulumi_place *place, char *const *command, const char *more,
			  char ***words, struct error *err);

/* Runs it in the template's folder; `output` (may be NULL) gets what it printed, up to 16 MiB; the
 * caller frees. ERR_EXTERNAL "hook_failed" with its last words. */
NODISCARD bool hook_run(const struct pulumi_place *place, char *const *command, const char *more,
			char **output, struct error *err);

#endif
