#include <string.h>

#include "base/spawn.h"
#include "base/text.h"
#include "engine/pulumi/tool_set.h"
#include "engine/target_access.h"
#include "worker/task.h"

enum { OUTPUT_MAX = 16 << 20, WORDS_MAX = 32, ITEMS_SHOWN_MAX = 20 };

/* What the program says on stderr, last words first to be lost. */
struct last_words {
	char *text;
};

static void on_line(void *arg, int stream, const char *line, size_t length, bool was_cut)
{
	struct last_words *last = arg;

	(void)was_cut;
	if (stream != TOOL_ERR || !length)
		return;
	free(last->text);
	last->text = xstrndup(line, length < 300 ? length : 300);
}

/* Nothing of the server's own but what finds programs, and the target's. */
static bool make_variables(const struct request *request, struct variable_list *list,
			   struct error *err)
{
	const struct engine_target *target = &request->engine_request.target;
	AUTO(free) char **ours = variables_pick(variables_of_programs());

	for (char **variable = ours; *variable; variable++)
		variable_list_add(list, xstrdup(*variable));
	variable_list_add(list, xasprintf("ENVD_INSTANCE=%s", request->engine_request.instance));
	if (target->kubeconfig)
		variable_list_add(list, xasprintf("KUBECONFIG=%s", target->kubeconfig));
	return target_variables(target, list, err);
}

/* `output` NULL: nobody wants to know what it prints. */
static bool run_command(const struct request *request, const char *key, char **output,
			struct error *err)
{
	const json_t *target = json_object_get(request->json, "target");
	const json_t *command = json_object_get(target, key);
	const char *argv[WORDS_MAX + 1] = { NULL };
	AUTO(variable_list_release) struct variable_list variables = { NULL, 0 };
	struct last_words last = { NULL };
	struct tool_end end;
	bool is_good;

	for (size_t i = 0; i < json_array_size(command) && i < WORDS_MAX; i++)
		argv[i] = json_string_value(json_array_get(command, i));
	if (!argv[0])
		return error_set_as(err, ERR_INVALID, "target_mute",
				    "target \"%s\" has no \"%s\" command",
				    request->engine_request.target.name, key);
	if (!make_variables(request, &variables, err))
		return false;
	is_good = tool_run(
	    &(struct tool_spec){ .argv = argv,
				 .variables = variables.items,
				 .directory = "/",
				 .limit_ms = json_get_int64(
				     json_object_get(request->json, "limits"), "deadline_ms", 0),
				 .on_line = on_line,
				 .arg = &last },
	    output ? OUTPUT_MAX : 0, output, &end, err);
	if (is_good && !tool_ended_well(&end)) {
		AUTO(free) char *ending = tool_end_words(&end);

		is_good = error_set_as(err, ERR_EXTERNAL, "target_command_failed",
				       "\"%s\" of target \"%s\": %s%s%s", key,
				       request->engine_request.target.name, ending,
				       last.text ? ": " : "", last.text ? last.text : "");
	}
	free(last.text);
	return is_good;
}

/* "namespace bos, volume v-17" */
static char *words_of(const json_t *items)
{
	struct text text = TEXT_EMPTY;
	size_t count = json_array_size(items);

	for (size_t i = 0; i < count && i < ITEMS_SHOWN_MAX; i++) {
		const json_t *item = json_array_get(items, i);

		text_format(&text, "%s%.60s %.120s", i ? ", " : "",
			    json_get_string(item, "kind", "?"), json_get_string(item, "id", "?"));
	}
	if (count > ITEMS_SHOWN_MAX)
		text_format(&text, " and %zu more", count - ITEMS_SHOWN_MAX);
	return text_take(&text);
}

static bool check_items(const json_t *items, const char *target, struct error *err)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (!json_get_string(item, "kind", NULL) || !json_get_string(item, "id", NULL))
			return error_set_as(err, ERR_EXTERNAL, "inventory_invalid",
					    "item %zu of the inventory of target \"%s\" has no "
					    "\"kind\" and \"id\"",
					    i, target);
	}
	return true;
}

bool task_target_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
			   struct error *err)
{
	const char *name = request->engine_request.target.name;
	AUTO(free) char *output = NULL, *words = NULL;
	AUTO(json_decref) json_t *items = NULL;
	json_error_t wrong;

	(void)lines;
	if (!run_command(request, "inventory", &output, err))
		return false;
	items = json_loads(output, 0, &wrong);
	if (!json_is_array(items))
		return error_set_as(err, ERR_EXTERNAL, "inventory_invalid",
				    "the inventory of target \"%s\" did not print a JSON list",
				    name);
	if (!check_items(items, name, err))
		return false;
	words = words_of(items);
	*data =
	    json_pack("{s:I, s:s}", "count", (json_int_t)json_array_size(items), "words", words);
	return true;
}

bool task_target_clean(const struct request *request, struct worker_lines *lines, json_t **data,
		       struct error *err)
{
	(void)lines;
	if (!run_command(request, "clean", NULL, err))
		return false;
	*data = json_object();
	return true;
}
