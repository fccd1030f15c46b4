/*
 * option_table.h - command lines as tables: one row per option, from which the line is read and the
 * help is printed, so that the two cannot disagree.
 *
 *	struct serve_options { const char *data; bool dry_run; int64_t grace_ms; };
 *
 *	static const struct option rows[] = {
 *		{ "data", 'd', OPTION_TEXT, offsetof(struct serve_options, data), "DIR",
 *		  "ENVD_DATA", "where everything is kept", NULL },
 *		{ "dry-run", 0, OPTION_FLAG, offsetof(struct serve_options, dry_run), NULL, NULL,
 *		  "change nothing", NULL },
 *		OPTIONS_END,
 *	};
 *
 * Understood: --name value, --name=value, -n value, -nvalue, -n=value, -ab for two flags, and "--"
 * after which everything is an argument. Options and arguments may be mixed. A value may start with
 * '-' only in the --name=value form, so that a forgotten value is noticed.
 *
 * Precedence: command line, then the row's variable, then the fallback, then what `values` held
 *before.
 */
#ifndef ENVD_BASE_OPTION_TABLE_H
#define ENVD_BASE_OPTION_TABLE_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum option_kind {
	OPTION_FLAG,     /* bool; variable: 1/true/yes/on or 0/false/no/off */
	OPTION_ENDING,   /* bool; nothing after it is looked at, nothing is missing: --help */
	OPTION_TEXT,     /* const char * */
	OPTION_CHOICE,   /* const char *, one of the row's choices */
	OPTION_LIST,     /* struct option_list; may be given again and again */
	OPTION_DURATION, /* int64_t, milliseconds (base/duration.h) */
	OPTION_INTEGER,  /* int64_t, decimal digits */
};

/* Strings are those of argv or of the process's variables and are not freed. */
struct option_list {
	const char **items; /* NULL while empty; no NULL at the end */
	size_t count;
	size_t behind_dashes; /* the last so many stood behind "--" */
};

#define OPTION_LIST_EMPTY { NULL, 0, 0 }

void option_list_add(struct option_list *list, const char *item);
void option_list_release(struct option_list *list);

static inline void auto_option_list_release(struct option_list *list)
{
	option_list_release(list);
}

struct option {
	const char *name; /* without the dashes */
	char letter;      /* 0: none */
	enum option_kind kind;
	size_t offset;              /* of the field in the group's values */
	const char *value_name;     /* for the help: "DURATION"; NULL for flags */
	const char *variable;       /* read when the option is not given; may be NULL */
	const char *help;           /* one sentence without full stop; NULL hides the row */
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
};

#define OPTIONS_END { NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL, NULL }

struct option_group {
	const char *title; /* in the help: "Options" */
	const struct option *rows;
	void *values;
};

enum option_origin { OPTION_BY_DEFAULT, OPTION_BY_LINE, OPTION_BY_VARIABLE, OPTION_BY_FALLBACK };

/* Where values came from; a row that is not in it kept its default. */
struct option_origins {
	struct {
		const struct option *row;
		enum option_origin origin;
		const char *where; /* of a fallback: a file */
	} items[96];
	size_t count;
};

enum option_origin option_origin(const struct option_origins *origins, const struct option *row,
				 const char **where);

/* Configuration files and the like: asked for a row that neither the line nor its variable gave.
 * `*value` stays NULL when there is none; it must outlive the values. `*where` names it in errors.
 */
struct option_fallback {
	bool (*find)(void *arg, const struct option *row, const char **value, const char **where,
		     struct error *err);
	void *arg;
};

struct option_spec {
	const char *program;  /* "envctl create"; named in hints */
	const char *synopsis; /* as in the help: "TEMPLATE [NAME...]"; may be "". [OPTIONS] come
				 last unless it says where */
	const char *about;    /* paragraphs of the help; may hold line breaks */
	const struct option_group *groups;
	size_t group_count;
	size_t arguments_min;
	size_t arguments_max;
	const struct option_fallback *fallback; /* NULL: none */
	struct option_origins *origins;         /* filled in; NULL: not wanted */
	bool stops_at_argument; /* the first argument ends the options: "envctl [options] COMMAND
				   ..." */
};

/*
 * `argv[0]` is skipped. Arguments that are no options are added to `arguments`. ERR_INVALID with
 * slug unknown_option, option_value, argument_missing or argument_unexpected, and a hint that names
 * the nearest option or the help.
 */
NODISCARD bool options_parse(const struct option_spec *spec, int argc, char *const *argv,
			     struct option_list *arguments, struct error *err);

/* The help, wrapped to `width` columns (0: not at all). */
void options_help(const struct option_spec *spec, size_t width, struct text *into);

/* "NAME=VALUE" cut at the first '='; `name` is copied into `into` (`size` bytes). ERR_INVALID that
 * names `what` ("--pin") when there is no '=' or nothing before it. */
NODISCARD bool option_pair(const char *text, const char *what, char *into, size_t size,
			   const char **value, struct error *err);

#endif
