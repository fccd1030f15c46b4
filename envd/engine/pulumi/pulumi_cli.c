#include "engine/pulumi/pulumi_cli.h"

#include <dirent.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/cli_version.h"
#include "engine/pulumi/pulumi_backend.h"

enum { CALL_LIMIT_MS = 120000, HOOK_LIMIT_MS = 300000, HOOK_OUTPUT_MAX = 16 << 20 };

/* ---- words ---- */

static char **append(char **words, size_t *count, char *word)
{
	words = xrealloc(words, *count + 2, sizeof(*words));
	words[(*count)++] = word;
	words[*count] = NULL;
	return words;
}

void cli_words_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

char **cli_words(const struct cli_call *call)
{
	const char *const more[] = { "--non-interactive", "--color", "never", "--stack",
				     backend_stack(call->place) };
	size_t count = 0;
	char **words = append(NULL, &count, xstrdup(call->place->program));

	for (const char *const *word = call->words; *word; word++)
		words = append(words, &count, xstrdup(*word));
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		words = append(words, &count, xstrdup(more[i]));
	return words;
}

/* ---- short calls ---- */

/* The last line of stderr, and the first that says "error: ". */
struct complaint {
	char *error;
	char *last;
};

static void on_complaint(void *arg, int stream, const char *line, size_t length, bool was_cut)
{
	struct complaint *complaint = arg;
	char shown[400];

	(void)was_cut;
	if (stream != TOOL_ERR || !length)
		return;
	text_printable(line, shown, sizeof(shown));
	free(complaint->last);
	complaint->last = xstrdup(shown);
	if (!complaint->error && text_starts_with(shown, "error: "))
		complaint->error = xstrdup(shown + strlen("error: "));
}

static void complaint_release(struct complaint *complaint)
{
	free(complaint->error);
	free(complaint->last);
}

static const char *complaint_words(const struct complaint *complaint, const char *end)
{
	if (complaint->error)
		return complaint->error;
	return complaint->last ? complaint->last : end;
}

static bool run(const struct cli_call *call, size_t output_max, char **output, int *status,
		struct error *err)
{
	char **words = cli_words(call);
	struct complaint complaint = { NULL, NULL };
	struct tool_end end;
	bool is_good =
	    tools_may_start(err) &&
	    tool_run(&(struct tool_spec){ .argv = (const char *const *)words,
					  .variables = call->place->variables,
					  .directory = call->place->projects[call->layer].folder,
					  .input = call->input,
					  .limit_ms = CALL_LIMIT_MS,
					  .on_line = on_complaint,
					  .arg = &complaint },
		     output_max, output, &end, err);

	*status = is_good && WIFEXITED(end.wait_status) ? WEXITSTATUS(end.wait_status) : -1;
	if (is_good && !tool_ended_well(&end)) {
		AUTO(free) char *ending = tool_end_words(&end);

		is_good = error_set_as(err, ERR_EXTERNAL, "pulumi_failed", "pulumi %s: %s",
				       call->words[0], complaint_words(&complaint, ending));
	}
	complaint_release(&complaint);
	cli_words_free(words);
	return is_good;
}

bool cli_run(const struct cli_call *call, struct error *err)
{
	int status; /* the error says it */
	bool is_good = run(call, 0, NULL, &status, err);

	backend_forget(call->place, call->layer);
	return is_good;
}

/* ---- several at once ---- */

struct call_run {
	const struct cli_call *call;
	struct tool *tool;
	struct complaint complaint;
};

static bool start_call(struct tool_set *set, struct call_run *run, struct error *err)
{
	const struct cli_call *call = run->call;
	AUTO(cli_words_free) char **words = cli_words(call);

	return tools_may_start(err) &&
	       tool_start(
		   set,
		   &(struct tool_spec){ .argv = (const char *const *)words,
					.variables = call->place->variables,
					.directory = call->place->projects[call->layer].folder,
					.input = call->input,
					.limit_ms = CALL_LIMIT_MS,
					.on_line = on_complaint,
					.arg = &run->complaint },
		   &run->tool, err);
}

static struct call_run *run_of(struct call_run *runs, size_t count, const struct tool *tool)
{
	for (size_t i = 0; i < count; i++)
		if (runs[i].tool == tool)
			return &runs[i];
	return NULL;
}

static bool take_call_end(struct tool_set *set, struct call_run *runs, size_t count,
			  struct error *err)
{
	struct tool_end end;
	struct tool *tool = tool_set_wait(set, &end);
	struct call_run *run = tool ? run_of(runs, count, tool) : NULL;
	AUTO(free) char *ending = NULL;

	tool_free(tool);
	if (!run)
		return true;
	run->tool = NULL;
	backend_forget(run->call->place, run->call->layer);
	if (tool_ended_well(&end))
		return true;
	ending = tool_end_words(&end);
	return error_set_as(err, ERR_EXTERNAL, "pulumi_failed", "layer \"%s\": pulumi %s: %s",
			    run->call->place->list->layers[run->call->layer].name,
			    run->call->words[0], complaint_words(&run->complaint, ending));
}

bool cli_run_all(const struct cli_call *calls, size_t count, struct error *err)
{
	size_t most = count ? (size_t)calls[0].place->list->parallel : 0, begun = 0;
	AUTO(free) struct call_run *runs = xcalloc(count + 1, sizeof(*runs));
	AUTO(tool_set_close) struct tool_set set = { NULL, 0 };
	bool is_good = true;

	while ((is_good && begun < count) || set.count) {
		struct error why;

		if (is_good && begun < count && set.count < most) {
			runs[begun].call = &calls[begun];
			is_good = start_call(&set, &runs[begun++], err);
		} else if (!take_call_end(&set, runs, begun, &why) && is_good) {
			*err = why; /* the first; what runs comes to its end */
			is_good = false;
		}
	}
	for (size_t i = 0; i < begun; i++)
		complaint_release(&runs[i].complaint);
	return is_good;
}

bool cli_ask(const struct cli_call *call, size_t output_max, char **output, int *status,
	     struct error *err)
{
	return run(call, output_max, output, status, err);
}

/* What it says, without the "v" of earlier ones. */
static bool ask_version(const struct pulumi_place *place, char **version, struct error *err)
{
	const char *const words[] = { place->program, "version", NULL };
	AUTO(free) char *output = NULL;
	struct tool_end end;

	if (!tool_run(&(struct tool_spec){ .argv = words,
					   .variables = place->variables,
					   .directory = "/",
					   .limit_ms = CALL_LIMIT_MS },
		      4096, &output, &end, err)) {
		err->slug = "pulumi_missing";
		return false;
	}
	output[strcspn(output, "\n")] = '\0';
	*version = xstrdup(tool_ended_well(&end) ? output + (*output == 'v') : "unknown");
	return true;
}

bool cli_check_version(const struct pulumi_place *place, const char *wanted, struct error *err)
{
	/* The environment's is DATA/environments/ID. */
	AUTO(free) char *data = xasprintf("%s/../..", place->request->folder);
	AUTO(free) char *found = NULL;

	if (!place->program) {
		error_set_as(err, ERR_INVALID, "pulumi_missing",
			     "there is no pulumi on the server's PATH (version %s is wanted)",
			     wanted);
		return error_hint(err, "or name it as \"program\" of a target with engine pulumi");
	}
	found = cli_version_known(data, place->program);
	if (!found) {
		int64_t asked_ms = clock_wall_ms();

		if (!ask_version(place, &found, err))
			return false;
		cli_version_note(data, place->program, found, asked_ms);
	}
	if (strcmp(found, wanted) == 0)
		return true;
	error_set_as(err, ERR_INVALID, "pulumi_version",
		     "\"%s\" is version %.40s, version %s is wanted", place->program, found,
		     wanted);
	return error_hint(err, "install that one, and name it as \"program\" of a target");
}

/* In the folder in which Pulumi keeps those that it acquired: resource-NAME-vVERSION. */
static bool is_kept(const char *plugin)
{
	const char *home = getenv("HOME");
	AUTO(free) char *folder = xasprintf("%s/.pulumi/plugins", home ? home : "/root");
	AUTO(free) char *begin = xasprintf("resource-%s-v", plugin);
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (text_starts_with(entry->d_name, begin) &&
		    !text_ends_with(entry->d_name, ".lock") &&
		    !text_ends_with(entry->d_name, ".partial"))
			return true;
	return false;
}

bool cli_check_plugins(const struct pulumi_place *place, struct error *err)
{
	char **plugins = place->list->acquires_plugins ? NULL : place->list->plugins;

	for (char **plugin = plugins; plugin && *plugin; plugin++) {
		AUTO(free) char *program = xasprintf("pulumi-resource-%s", *plugin);
		AUTO(free) char *path = find_on_path(program);
		AUTO(free) char *beside = xasprintf("%s-resource-%s", place->program, *plugin);

		if (path || access(beside, X_OK) == 0 || is_kept(*plugin))
			continue;
		error_set_as(err, ERR_INVALID, "plugin_missing",
			     "there is no %s on the server's PATH, beside the CLI or in "
			     "~/.pulumi/plugins",
			     program);
		return error_hint(err,
				  "pulumi plugin install resource %s VERSION, as the server's "
				  "user",
				  *plugin);
	}
	return true;
}

/* ---- commands of the template ---- */

static bool find_program(const struct pulumi_place *place, const char *word, char **path,
			 struct error *err)
{
	if (strchr(word, '/')) {
		*path =
		    *word == '/' ? xstrdup(word) : path_join(place->request->template_folder, word);
		return true;
	}
	*path = find_on_path(word);
	return *path || error_set_as(err, ERR_INVALID, "program_not_found",
				     "there is no program \"%s\"", word);
}

bool hook_words(const struct pulumi_place *place, char *const *command, const char *more,
		char ***result, struct error *err)
{
	size_t count = 0;
	char *program, **words;

	if (!find_program(place, command[0], &program, err))
		return false;
	words = append(NULL, &count, program);
	for (char *const *word = command + 1; *word; word++) {
		char *filled;

		if (!place_fill(place, *word, &filled, err)) {
			cli_words_free(words);
			return false;
		}
		words = append(words, &count, filled);
	}
	if (more)
		words = append(words, &count, xstrdup(more));
	*result = words;
	return true;
}

bool hook_run(const struct pulumi_place *place, char *const *command, const char *more,
	      char **output, struct error *err)
{
	AUTO(free) char *printed = NULL;
	struct complaint complaint = { NULL, NULL };
	struct tool_end end;
	char **words;
	bool is_good;

	if (!hook_words(place, command, more, &words, err))
		return false;
	is_good = tool_run(&(struct tool_spec){ .argv = (const char *const *)words,
						.variables = place->variables,
						.directory = place->request->template_folder,
						.limit_ms = HOOK_LIMIT_MS,
						.on_line = on_complaint,
						.arg = &complaint },
			   HOOK_OUTPUT_MAX, &printed, &end, err);
	if (is_good && !tool_ended_well(&end)) {
		AUTO(free) char *ending = tool_end_words(&end);

		is_good = error_set_as(err, ERR_EXTERNAL, "hook_failed", "\"%s\": %s", command[0],
				       complaint_words(&complaint, ending));
	}
	complaint_release(&complaint);
	cli_words_free(words);
	if (is_good && output)
		*output = TAKE(printed);
	return is_good;
}
