/*
 * command.h - the commands of envctl, one row each, from which the line is read and the help is
 * printed. A command lives in command_<verb>.c and is listed in command.c.
 *
 * Data goes to stdout, everything else to stderr.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/option_table.h"
#include "cli/access.h"
#include "cli/api_client.h"
#include "cli/terminal.h"

/* What every command understands. */
struct common_options {
	const char *server;
	struct access_options access;
	const char *context; /* see context.h */
	const char *output;  /* NULL: the command's first format */
	const char *color;
	bool has_no_headers;
	bool is_help;
	bool is_version;
};

struct config;

struct cli {
	struct common_options options;
	struct option_origins origins; /* of all options of this command */
	struct config *config;
	const char *format;        /* one of the command's formats, or "jsonpath" */
	const char *jsonpath;      /* its expression, which can be read */
	struct api_client *client; /* see cli_client() */
	struct terminal out;
	struct terminal err;
	struct text cause;  /* for the error's "cause:" line; may be empty */
	int status;         /* what a command that succeeded ends with */
	int failure_status; /* of the command; 0: by the error's kind */
};

/* What its arguments name, for shells. */
enum completes {
	COMPLETES_NOTHING,
	COMPLETES_ENVIRONMENTS,
	COMPLETES_TEMPLATES,
	COMPLETES_CONTEXTS,
	COMPLETES_COMMANDS,
	COMPLETES_SHELLS,
};

struct command {
	const char *name;     /* "create", "template list" */
	const char *synopsis; /* "TEMPLATE" */
	const char *summary;  /* one line of `envctl help`; NULL: not in it */
	const char *about;
	const struct option *rows;  /* NULL: none of its own */
	size_t values_size;         /* of what the rows fill; zeroed first */
	const void *defaults;       /* copied into it; NULL: zeroes */
	const char *const *formats; /* of -o; first is the default; NULL: text only */
	size_t arguments_min;
	size_t arguments_max;
	enum completes completes;
	int failure_status; /* whatever goes wrong, so that it is not taken for a program's own */
	bool (*run)(struct cli *cli, const void *values, const struct option_list *arguments,
		    struct error *err);
};

enum { ARGUMENTS_ANY = 1000 };

/* The whole program: reads the line, runs the command, prints its error; returns the status. */
int command_main(int argc, char **argv);

/* Of `envctl help` and `envctl help COMMAND`. */
void commands_help(struct cli *cli, struct text *into);
NODISCARD bool command_help(struct cli *cli, const char *name, struct text *into,
			    struct error *err);

/* The table, in the order of the help. */
const struct command *const *commands_all(size_t *count);
const struct option *commands_common_rows(void); /* what every command understands */

/* NULL: none of this name. */
const struct option *common_option(const char *name);

/* An option of some command that has a variable; so it may stand in a file too. */
bool option_is_configurable(const char *name);

/* Connected lazily, so that help and lint need no server. */
NODISCARD bool cli_client(struct cli *cli, struct api_client **client, struct error *err);

/* What envctl ends with after this error. */
int cli_failure_status(const struct cli *cli, const struct error *err);

/* True if -o asks for `format`. */
bool cli_prints(const struct cli *cli, const char *format);

/* "env/demo" and "demo" are the same: `list -o name` prints the former. */
const char *environment_argument(const char *argument);

extern const struct command command_create;
extern const struct command command_run;
extern const struct command command_list;
extern const struct command command_top;
extern const struct command command_get;
extern const struct command command_wait;
extern const struct command command_logs;
extern const struct command command_history;
extern const struct command command_graph;
extern const struct command command_resources;
extern const struct command command_updates;
extern const struct command command_outputs;
extern const struct command command_kubeconfig;
extern const struct command command_env;
extern const struct command command_exec;
extern const struct command command_forward;
extern const struct command command_lock;
extern const struct command command_diff;
extern const struct command command_evidence;
extern const struct command command_check_lint;
extern const struct command command_check;
extern const struct command command_report;
extern const struct command command_extend;
extern const struct command command_destroy;
extern const struct command command_template_list;
extern const struct command command_template_show;
extern const struct command command_template_lint;
extern const struct command command_engine_test;
extern const struct command command_targets;
extern const struct command command_target_dirty;
extern const struct command command_target_clean;
extern const struct command command_token_create;
extern const struct command command_token_list;
extern const struct command command_token_revoke;
extern const struct command command_audit;
extern const struct command command_cost_settle;
extern const struct command command_cost_prices;
extern const struct command command_cost;
extern const struct command command_context_list;
extern const struct command command_context_use;
extern const struct command command_context_add;
extern const struct command command_context_remove;
extern const struct command command_config_view;
extern const struct command command_completion;
extern const struct command command_complete;
extern const struct command command_doctor;
extern const struct command command_version;
extern const struct command command_help_row;

#endif
