#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/exit_status.h"

/* Of the text; set by hand, so that the same source makes the same page. */
#define MANUAL_DATE "2026-11-28"

/* ---- roff ---- */

/* A line never begins a request, and every "-" is one that can be copied into a shell. */
static void add_escaped(struct text *page, const char *words, size_t length)
{
	if (length && (words[0] == '.' || words[0] == '\''))
		text_add(page, "\\&");
	for (size_t i = 0; i < length; i++) {
		if (words[i] == '\\')
			text_add(page, "\\e");
		else if (words[i] == '-')
			text_add(page, "\\-");
		else if (words[i] == '\n')
			text_add_char(page, ' ');
		else
			text_add_char(page, words[i]);
	}
}

static void add_words(struct text *page, const char *words)
{
	add_escaped(page, words, strlen(words));
}

static void add_section(struct text *page, const char *title)
{
	text_format(page, ".SH %s\n", title);
}

/* "envctl-template-list" */
static char *page_name(const char *command)
{
	char *name = xasprintf("envctl%s%s", command ? "-" : "", command ? command : "");

	for (char *at = name; *at; at++)
		if (*at == ' ')
			*at = '-';
	return name;
}

static void add_head(struct text *page, const char *command, const char *summary)
{
	AUTO(free) char *name = page_name(command);
	AUTO(free) char *title = xstrdup(name);

	for (char *at = title; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	text_format(page, ".TH %s 1 %s \"envctl %s\" envd\n.nh\n", title, MANUAL_DATE,
		    ENVD_VERSION);
	add_section(page, "NAME");
	add_words(page, name);
	text_add(page, " \\- ");
	add_words(page, summary);
	text_add_char(page, '\n');
}

/* Paragraphs; lines that begin with blanks are to be typed. */
static void add_about(struct text *page, const char *about)
{
	const char *begin = about;
	bool is_example = false;

	while (*about) {
		size_t length = strcspn(about, "\n");
		bool was_example = is_example;

		is_example = length && about[0] == ' ';
		if (is_example != was_example)
			text_format(page, "%s%s", is_example && about > begin ? ".PP\n" : "",
				    is_example ? ".EX\n" : ".EE\n");
		if (!length && about[1] && about[1] != ' ' && !was_example)
			text_add(page, ".PP\n");
		if (length) {
			add_escaped(page, about, length);
			text_add_char(page, '\n');
		}
		about += length + (about[length] == '\n');
	}
	if (is_example)
		text_add(page, ".EE\n");
}

/* ---- parts ---- */

static void add_option(struct text *page, const struct option *row)
{
	text_add(page, ".TP\n");
	if (row->letter)
		text_format(page, "\\fB\\-%c\\fR, ", row->letter);
	text_add(page, "\\fB\\-\\-");
	add_words(page, row->name);
	text_add(page, "\\fR");
	if (row->value_name) {
		text_add(page, " \\fI");
		add_words(page, row->value_name);
		text_add(page, "\\fR");
	}
	text_add_char(page, '\n');
	add_words(page, row->help);
	if (row->kind == OPTION_CHOICE) {
		AUTO(free) char *known = text_join(row->choices, ", ");

		text_add(page, ": ");
		add_words(page, known);
	}
	if (row->kind == OPTION_LIST)
		text_add(page, " (may be repeated)");
	text_add(page, ".\n");
	if (row->variable)
		text_format(page, "Variable: \\fB%s\\fR.\n", row->variable);
}

static void add_options(struct text *page, const char *title, const struct option *rows)
{
	if (!rows || !rows->name)
		return;
	add_section(page, title);
	for (; rows->name; rows++)
		if (rows->help)
			add_option(page, rows);
}

static void add_statuses(struct text *page)
{
	AUTO(text_release) struct text list = TEXT_EMPTY;
	char *rest = NULL;

	exit_status_list(&list);
	add_section(page, "EXIT STATUS");
	for (char *line = strtok_r(list.bytes, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *number = line + strspn(line, " ");
		size_t digits = strcspn(number, " ");

		text_format(page, ".TP\n.B %.*s\n", (int)digits, number);
		add_words(page, number + digits + strspn(number + digits, " "));
		text_add_char(page, '\n');
	}
}

static void add_commands(struct text *page)
{
	size_t count;
	const struct command *const *commands = commands_all(&count);

	add_section(page, "COMMANDS");
	for (size_t i = 0; i < count; i++) {
		AUTO(free) char *name = page_name(commands[i]->name);

		if (!commands[i]->summary)
			continue;
		text_add(page, ".TP\n.BR ");
		add_words(page, name);
		text_add(page, " (1)\n");
		add_words(page, commands[i]->summary);
		text_add(page, ".\n");
	}
}

/* ---- pages ---- */

static void add_formats(struct text *page, const struct command *command)
{
	AUTO(free) char *known = command->formats ? text_join(command->formats, ", ") : NULL;

	if (!known)
		return;
	add_section(page, "OUTPUT");
	text_add(page, "Formats of\n.BR \\-o :\n");
	add_words(page, known);
	text_add(page, ".\nThe first one is printed unless another is asked for.\n");
}

static void make_command_page(const struct command *command, struct text *page)
{
	add_head(page, command->name, command->summary);
	add_section(page, "SYNOPSIS");
	text_add(page, ".B envctl ");
	add_words(page, command->name);
	text_add(page, "\n");
	add_words(page, command->synopsis);
	text_add(page, strstr(command->synopsis, "[OPTIONS]") ? "\n" : " [OPTIONS]\n");
	if (*command->about) {
		add_section(page, "DESCRIPTION");
		add_about(page, command->about);
	}
	add_options(page, "OPTIONS", command->rows);
	add_options(page, "COMMON OPTIONS", commands_common_rows());
	add_formats(page, command);
	add_statuses(page);
	add_section(page, "SEE ALSO");
	text_add(page, ".BR envctl (1)\n");
}

static void make_main_page(struct text *page)
{
	add_head(page, NULL, "environments that are built, checked and proved gone");
	add_section(page, "SYNOPSIS");
	text_add(page, ".B envctl\nCOMMAND [ARGUMENTS] [OPTIONS]\n");
	add_section(page, "DESCRIPTION");
	text_add(page, "The command line of envd, which lends environments to CI runs and people.\n"
		       "Data goes to stdout, everything else to stderr.\n");
	add_commands(page);
	add_options(page, "COMMON OPTIONS", commands_common_rows());
	add_statuses(page);
	add_section(page, "FILES");
	text_add(page, "The nearer one counts first.\n"
		       ".TP\n.I ./.envctl.json\nof a project, up to the root of its repository.\n"
		       ".TP\n.I $XDG_CONFIG_HOME/envctl/config.json\nyours; else under ~/.config.\n"
		       ".TP\n.I /etc/envctl/config.json\nof the machine.\n");
}

static bool write_page(const char *folder, const char *command, const struct text *page,
		       struct error *err)
{
	AUTO(free) char *name = page_name(command);
	AUTO(free) char *path = xasprintf("%s/%s.1", folder, name);

	return file_write_atomically(path, text_get(page), page->length, 0644, err);
}

bool manual_write(const char *folder, struct error *err)
{
	AUTO(text_release) struct text page = TEXT_EMPTY;
	size_t count;
	const struct command *const *commands = commands_all(&count);

	make_main_page(&page);
	if (!folder_make(folder, 0755, err) || !write_page(folder, NULL, &page, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!commands[i]->summary)
			continue;
		text_clear(&page);
		make_command_page(commands[i], &page);
		if (!write_page(folder, commands[i]->name, &page, err))
			return false;
	}
	return true;
}
