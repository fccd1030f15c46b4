#include "compose/compose_command.h"

#include <string.h>

#include "base/text.h"

static const char blanks[] = " \t\r\n";

/* Inside double quotes a backslash keeps its meaning only before these. */
static bool is_escapable(char c)
{
	return c && strchr("\"\\$`\n", c) != NULL;
}

/* One quoted part, `*at` on its opening quote; false if it is never closed. */
static bool take_quoted(const char **at, struct text *word)
{
	char quote = *(*at)++;

	for (; **at && **at != quote; (*at)++) {
		if (quote == '"' && **at == '\\' && is_escapable((*at)[1]))
			(*at)++;
		text_add_char(word, **at);
	}
	if (!**at)
		return false;
	(*at)++;
	return true;
}

/* One word as a POSIX shell would split it, without any expansion. */
static bool take_word(const char **at, struct text *word)
{
	while (**at && !strchr(blanks, **at)) {
		if (**at == '\'' || **at == '"') {
			if (!take_quoted(at, word))
				return false;
			continue;
		}
		if (**at == '\\' && (*at)[1])
			(*at)++;
		text_add_char(word, *(*at)++);
	}
	return true;
}

static bool split(const char *text, struct compose_strings *words)
{
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		struct text word = TEXT_EMPTY;
		bool is_closed = take_word(&text, &word);

		compose_strings_add(words, text_take(&word));
		if (!is_closed)
			return false;
	}
	return true;
}

bool compose_command_read(struct compose_reader *reader, const struct yaml_node *node,
			  const char *what, struct compose_command *command, struct error *err)
{
	AUTO(free) char *text = NULL;

	command->is_set = true;
	command->at = compose_place_of(node);
	if (node->kind == YAML_LIST)
		return compose_list(reader, node, what, false, &command->argv, err);
	if (!compose_text(reader, node, what, &text, err))
		return false;
	return split(text, &command->argv) ||
	       compose_wrong(reader, node, err, "\"%s\" has a quote that is never closed", what);
}
