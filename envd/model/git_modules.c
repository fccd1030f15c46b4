#include "model/git_modules.h"

#include <string.h>

#include "base/text.h"

struct git_module {
	char *path;
	char *url;
};

struct git_modules {
	struct git_module items[GIT_MODULES_MAX];
	size_t count;
};

/* In place. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static bool refuse(const char *line, struct error *err)
{
	char shown[64];

	return error_set_as(err, ERR_INVALID, "submodules_invalid",
			    ".gitmodules: \"%s\" is not understood",
			    text_printable(line, shown, sizeof(shown)));
}

static void keep(char **slot, const char *value)
{
	free(*slot);
	*slot = xstrdup(value);
}

static bool read_value(struct git_modules *modules, char *line, struct error *err)
{
	char *equals = strchr(line, '='), *key, *value;
	struct git_module *module;

	if (!equals || !modules->count)
		return refuse(line, err);
	*equals = '\0';
	key = trim(line);
	value = trim(equals + 1);
	module = &modules->items[modules->count - 1];
	/* Nothing of what git allows to quote belongs into a path or an address of ours. */
	if (strpbrk(value, "\"\\;#"))
		return refuse(value, err);
	if (strcasecmp(key, "path") == 0)
		keep(&module->path, value);
	else if (strcasecmp(key, "url") == 0)
		keep(&module->url, value);
	return true;
}

static bool read_line(struct git_modules *modules, char *line, struct error *err)
{
	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return true;
	if (*line != '[')
		return read_value(modules, line, err);
	if (!text_starts_with(line, "[submodule \"") || !text_ends_with(line, "\"]"))
		return refuse(line, err);
	if (modules->count == GIT_MODULES_MAX)
		return error_set_as(err, ERR_INVALID, "submodules_invalid",
				    ".gitmodules has more than %d submodules", GIT_MODULES_MAX);
	modules->count++;
	return true;
}

bool git_modules_parse(const char *bytes, size_t length, struct git_modules **modules,
		       struct error *err)
{
	AUTO(git_modules_free) struct git_modules *made = xcalloc(1, sizeof(*made));
	AUTO(free) char *text = xstrndup(bytes, length);
	char *rest = text;

	if (strlen(text) != length)
		return refuse("NUL", err);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (!read_line(made, line, err))
			return false;
	*modules = TAKE(made);
	return true;
}

void git_modules_free(struct git_modules *modules)
{
	if (!modules)
		return;
	for (size_t i = 0; i < modules->count; i++) {
		free(modules->items[i].path);
		free(modules->items[i].url);
	}
	free(modules);
}

const char *git_modules_url(const struct git_modules *modules, const char *path)
{
	for (size_t i = 0; modules && i < modules->count; i++)
		if (text_equal(modules->items[i].path, path))
			return modules->items[i].url;
	return NULL;
}
