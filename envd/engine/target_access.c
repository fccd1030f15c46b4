#include "engine/target_access.h"

#include <string.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/text.h"
#include "engine/pulumi/tool_set.h"

enum { CREDENTIAL_BYTES_MAX = 64 << 10, WORDS_MAX = 32, COMMAND_LIMIT_MS = 30000 };

void variable_list_add(struct variable_list *list, char *variable)
{
	list->items = xrealloc(list->items, list->count + 2, sizeof(*list->items));
	list->items[list->count++] = variable;
	list->items[list->count] = NULL;
}

void variable_list_release(struct variable_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		explicit_bzero(list->items[i], strlen(list->items[i]));
		free(list->items[i]);
	}
	free(list->items);
	*list = (struct variable_list){ NULL, 0 };
}

/* ---- credentials ----------------------------------------------------------------------------- */

/* Its own words are not repeated: they may hold what it was to print. */
static bool ask_command(const json_t *command, char **value, struct error *err)
{
	const char *argv[WORDS_MAX + 1] = { NULL };
	AUTO(free) char **variables = variables_pick(variables_of_programs());
	struct tool_end end;

	for (size_t i = 0; i < json_array_size(command) && i < WORDS_MAX; i++)
		argv[i] = json_string_value(json_array_get(command, i));
	if (!argv[0])
		return error_set(err, ERR_INVALID, "its command has no words");
	if (!tool_run(&(struct tool_spec){ .argv = argv,
					   .variables = variables,
					   .directory = "/",
					   .limit_ms = COMMAND_LIMIT_MS },
		      CREDENTIAL_BYTES_MAX, value, &end, err))
		return false;
	if (tool_ended_well(&end))
		return true;

	AUTO(free) char *ending = tool_end_words(&end);

	free(*value);
	*value = NULL;
	return error_set(err, ERR_EXTERNAL, "\"%s\": %s", argv[0], ending);
}

static bool look_up(const json_t *reference, char **value, struct error *err)
{
	const char *file = json_get_string(reference, "file", NULL);
	const char *variable = json_get_string(reference, "variable", NULL);
	const char *found = variable ? getenv(variable) : NULL;

	if (file)
		return file_read(file, CREDENTIAL_BYTES_MAX, value, NULL, err);
	if (!variable)
		return ask_command(json_object_get(reference, "command"), value, err);
	if (!found)
		return error_set(err, ERR_INVALID, "the server has no variable %s", variable);
	*value = xstrdup(found);
	return true;
}

static void trim_end(char *text)
{
	size_t length = strlen(text);

	while (length && strchr("\r\n", text[length - 1]))
		text[--length] = '\0';
}

static bool add_credential(const struct engine_target *target, const char *name,
			   const json_t *reference, struct variable_list *list, struct error *err)
{
	char *value = NULL;
	bool is_good = look_up(reference, &value, err);

	if (is_good)
		trim_end(value);
	if (is_good && !*value)
		is_good = error_set(err, ERR_INVALID, "it is empty");
	if (is_good)
		variable_list_add(list, xasprintf("%s=%s", name, value));
	if (value)
		explicit_bzero(value, strlen(value));
	free(value);
	if (is_good)
		return true;
	err->code = err->code == ERR_EXTERNAL ? ERR_EXTERNAL : ERR_INVALID;
	err->slug = "credential_missing";
	return error_wrap(err, "credential %s of target \"%s\"", name, target->name);
}

bool target_variables(const struct engine_target *target, struct variable_list *list,
		      struct error *err)
{
	const char *name;
	json_t *reference;

	variable_list_add(list, xasprintf("ENVD_TARGET=%s", target->name));
	if (target->claim_number)
		variable_list_add(list,
				  xasprintf("ENVD_CLAIM=%lld", (long long)target->claim_number));
	json_object_foreach_const(target->credentials, name, reference) {
		if (!add_credential(target, name, reference, list, err))
			return false;
	}
	return true;
}
