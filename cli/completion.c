#include "cli/completion.h"

#include <string.h>

#include "base/json_read.h"
#include "cli/config.h"

enum { SERVER_LIMIT_MS = 300 };

struct completing {
	struct cli *cli;
	const struct command *command; /* NULL: not yet known */
	char *typed;                   /* words of the command's name so far, "template " */
	const struct option *awaited;  /* the option whose value is being typed */
	const char *prefix;            /* what is there of the current word */
	size_t kept;                   /* bytes of the word that stay: "--progress=" */
	bool is_behind_dashes;
	bool is_lost; /* no command begins like this */
	struct text *into;
};

static void offer_word(const struct completing *c, const char *word, const char *what)
{
	const char *typed = c->prefix + c->kept;

	if (text_starts_with(word, typed))
		text_format(c->into, "%.*s%s\t%s\n", (int)c->kept, c->prefix, word,
			    what ? what : "");
}

/* ---- what stands on the line so far ---- */

static const struct option *find_option(const struct completing *c, const char *word, size_t length)
{
	const struct option *groups[] = { c->command ? c->command->rows : NULL,
					  commands_common_rows() };

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct option *row = groups[g]; row && row->name; row++)
			if ((length == 1 && row->letter == *word) ||
			    (strlen(row->name) == length && strncmp(row->name, word, length) == 0))
				return row;
	return NULL;
}

static bool takes_value(const struct option *row)
{
	return row && row->kind != OPTION_FLAG && row->kind != OPTION_ENDING;
}

/* Which server is asked for names. */
static void note_value(struct completing *c, const struct option *row, const char *value)
{
	struct option_origins *origins = &c->cli->origins;

	if (row == common_option("server"))
		c->cli->options.server = value;
	else if (row == common_option("context"))
		c->cli->options.context = value;
	else
		return;
	if (origins->count < ARRAY_SIZE(origins->items)) {
		origins->items[origins->count].row = row;
		origins->items[origins->count++].origin = OPTION_BY_LINE;
	}
}

static void note_option(struct completing *c, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1), *equals = strchr(name, '=');
	const struct option *row =
	    find_option(c, name, equals ? (size_t)(equals - name) : strlen(name));

	if (equals)
		note_value(c, row, equals + 1);
	else if (takes_value(row))
		c->awaited = row;
}

/* A word of the command's name, if there is a command that goes on with it. */
static void note_word(struct completing *c, const char *word)
{
	AUTO(free) char *longer = xasprintf("%s%s", c->typed, word);
	AUTO(free) char *below = xasprintf("%s ", longer);
	size_t count;
	const struct command *const *commands = commands_all(&count);
	bool goes_on = false;

	for (size_t i = 0; i < count; i++) {
		if (text_equal(commands[i]->name, longer))
			c->command = commands[i];
		goes_on |= text_starts_with(commands[i]->name, below);
	}
	c->is_lost = !c->command && !goes_on;
	free(c->typed);
	c->typed = goes_on ? TAKE(below) : xstrdup("");
}

static void note(struct completing *c, const char *word)
{
	if (c->awaited) {
		note_value(c, c->awaited, word);
		c->awaited = NULL;
	} else if (text_equal(word, "--")) {
		c->is_behind_dashes = true;
	} else if (word[0] == '-' && word[1]) {
		note_option(c, word);
	} else if (!c->command || *c->typed) {
		note_word(c, word);
	}
}

/* ---- names ---- */

static void offer_names_of(const struct completing *c, const char *path)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .path = path,
				       .timeout_ms = SERVER_LIMIT_MS,
				       .is_single = true };
	struct error ignored; /* nobody wants an error while typing */
	struct api_client *client;
	size_t i;
	json_t *item;

	if (!cli_client(c->cli, &client, &ignored) ||
	    !api_call(client, &request, &answer, &ignored))
		return;
	json_array_foreach(json_object_get(answer.json, "items"), i, item) {
		offer_word(
		    c, json_get_string(item, "name", ""),
		    json_get_string(item, "state", json_get_string(item, "description", "")));
	}
}

static void offer_contexts(const struct completing *c)
{
	AUTO(json_decref) json_t *contexts = NULL;
	struct error ignored; /* as above */
	const char *name;
	json_t *context;

	if (!config_contexts(c->cli->config, &contexts, &ignored))
		return;
	json_object_foreach(contexts, name, context) {
		offer_word(c, name, json_get_string(context, "server", ""));
	}
}

static void offer_all(const struct completing *c, const char *const *words)
{
	for (; words && *words; words++)
		offer_word(c, *words, NULL);
}

/* The next word of every command that begins as typed, each once. */
static void offer_commands(const struct completing *c)
{
	size_t count, length = strlen(c->typed);
	const struct command *const *commands = commands_all(&count);
	AUTO(free) char *last = xstrdup("");

	for (size_t i = 0; i < count; i++) {
		const char *rest = commands[i]->name + length;
		AUTO(free) char *word = NULL;

		if (!text_starts_with(commands[i]->name, c->typed) || !commands[i]->summary)
			continue;
		word = xstrndup(rest, strcspn(rest, " "));
		if (!text_equal(word, last))
			offer_word(c, word, rest[strlen(word)] ? "" : commands[i]->summary);
		free(last);
		last = TAKE(word);
	}
}

static void offer_arguments(const struct completing *c)
{
	switch (c->command->completes) {
	case COMPLETES_NOTHING:
		return;
	case COMPLETES_ENVIRONMENTS:
		offer_names_of(c, "/v1/environments?limit=200");
		return;
	case COMPLETES_TEMPLATES:
		offer_names_of(c, "/v1/templates");
		return;
	case COMPLETES_CONTEXTS:
		offer_contexts(c);
		return;
	case COMPLETES_COMMANDS:
		offer_commands(c);
		return;
	case COMPLETES_SHELLS:
		offer_all(c, completion_shells);
		return;
	}
}

/* ---- options ---- */

static void offer_options(const struct completing *c, const struct option *rows)
{
	for (; rows && rows->name; rows++) {
		AUTO(free) char *word = xasprintf("--%s", rows->name);

		if (rows->help)
			offer_word(c, word, rows->help);
	}
}

static void offer_values(const struct completing *c, const struct option *row)
{
	if (row == common_option("output") && c->command)
		offer_all(c, c->command->formats);
	else if (row == common_option("context"))
		offer_contexts(c);
	else if (text_equal(row->name, "like"))
		offer_names_of(c, "/v1/environments?limit=200");
	else if (text_equal(row->name, "template"))
		offer_names_of(c, "/v1/templates");
	else
		offer_all(c, row->choices);
}

/* "--progress=pl" */
static bool offer_value_behind_equals(struct completing *c)
{
	const char *equals = strchr(c->prefix, '=');
	const struct option *row;

	if (!text_starts_with(c->prefix, "--") || !equals)
		return false;
	row = find_option(c, c->prefix + 2, (size_t)(equals - c->prefix - 2));
	c->kept = (size_t)(equals + 1 - c->prefix);
	if (takes_value(row))
		offer_values(c, row);
	return true;
}

void completion_list(struct cli *cli, const char *const *words, size_t count, struct text *into)
{
	struct completing c = { .cli = cli, .typed = xstrdup(""), .prefix = "", .into = into };

	for (size_t i = 0; i + 1 < count; i++)
		note(&c, words[i]);
	if (count)
		c.prefix = words[count - 1];
	if (c.awaited) {
		offer_values(&c, c.awaited);
	} else if (!c.is_lost && !c.is_behind_dashes && !offer_value_behind_equals(&c)) {
		if (c.prefix[0] == '-') {
			offer_options(&c, c.command ? c.command->rows : NULL);
			offer_options(&c, commands_common_rows());
		} else {
			if (!c.command || *c.typed)
				offer_commands(&c);
			if (c.command)
				offer_arguments(&c);
		}
	}
	free(c.typed);
}

/* ---- what shells read: they ask for everything, so nothing here has to follow the tables ---- */

const char *const completion_shells[] = { "bash", "zsh", "fish", NULL };

/* Bash cuts words at "=", and puts back only what stands behind it. */
static const char bash_script[] =
    "# envctl, for bash: source <(envctl completion bash)\n"
    "_envctl() {\n"
    "\tlocal words=() i line\n"
    "\tfor ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "\t\tif ((i > 1)) && [[ ${COMP_WORDS[i]} == \"=\" || ${COMP_WORDS[i - 1]} == \"=\" ]]; then\n"
    "\t\t\twords[${#words[@]} - 1]+=${COMP_WORDS[i]}\n"
    "\t\telse\n"
    "\t\t\twords+=(\"${COMP_WORDS[i]}\")\n"
    "\t\tfi\n"
    "\tdone\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS=$'\\t' read -r line _; do\n"
    "\t\tif [[ ${words[${#words[@]} - 1]} == --*=* ]]; then line=${line#*=}; fi\n"
    "\t\tCOMPREPLY+=(\"$line\")\n"
    "\tdone < <(\"$1\" __complete -- \"${words[@]}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -F _envctl envctl\n";

static const char zsh_script[] =
    "#compdef envctl\n"
    "# envctl, for zsh: a file _envctl in $fpath, or source <(envctl completion zsh)\n"
    "_envctl() {\n"
    "\tlocal -a lines described\n"
    "\tlocal line\n"
    "\tlines=(\"${(@f)$(${words[1]} __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "\tfor line in $lines; do\n"
    "\t\t[[ -n $line ]] || continue\n"
    "\t\tdescribed+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "\tdone\n"
    "\tif (( $#described )); then\n"
    "\t\t_describe -t envctl envctl described\n"
    "\telse\n"
    "\t\t_files\n"
    "\tfi\n"
    "}\n"
    "if [ \"$funcstack[1]\" = \"_envctl\" ]; then\n"
    "\t_envctl \"$@\"\n"
    "else\n"
    "\tcompdef _envctl envctl\n"
    "fi\n";

static const char fish_script[] = "# envctl, for fish: envctl completion fish | source\n"
				  "function __envctl_complete\n"
				  "\tset -l words (commandline -opc) (commandline -ct)\n"
				  "\t$words[1] __complete -- $words[2..-1] 2>/dev/null\n"
				  "end\n"
				  "complete -c envctl -f -a '(__envctl_complete)'\n"
				  "complete -c envctl -n 'test -z \"$(__envctl_complete)\"' -F\n";

const char *completion_script(const char *shell)
{
	if (text_equal(shell, "bash"))
		return bash_script;
	return text_equal(shell, "zsh") ? zsh_script : fish_script;
}
