/*
 * completion.h - what may stand next on a line, from the tables that the line is read with.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/command.h"

/* `words`: those behind "envctl"; the last one is being typed and may be "". A line for each that
 * could stand there: word, tab, what it is. Nothing: a file, perhaps. Names of environments and
 * templates are the server's, if it answers within 300 ms. */
void completion_list(struct cli *cli, const char *const *words, size_t count, struct text *into);

/* "bash", "zsh", "fish"; ends with NULL. */
extern const char *const completion_shells[];

/* The script that such a shell reads. */
const char *completion_script(const char *shell);

#endif
