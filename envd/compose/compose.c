#include "compose/compose.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "compose/compose_configs.h"
#include "compose/compose_origin.h"
#include "compose/compose_service.h"

static void release_names(struct compose_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i].name);
	free(names->items);
}

void compose_free(struct compose_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->service_count; i++)
		compose_service_release(&file->services[i]);
	compose_configs_release(&file->configs);
	compose_configs_release(&file->secrets);
	release_names(&file->networks);
	release_names(&file->volumes);
	compose_strings_release(&file->variables_used);
	compose_origins_free(file->origins);
	free(file->services);
	free(file->name);
	free(file->path);
	free(file);
}

const struct compose_service *compose_service_find(const struct compose_file *file,
						   const char *name)
{
	for (size_t i = 0; i < file->service_count; i++)
		if (strcmp(file->services[i].name, name) == 0)
			return &file->services[i];
	return NULL;
}

const struct compose_config *compose_config_find(const struct compose_configs *configs,
						 const char *name)
{
	for (size_t i = 0; i < configs->count; i++)
		if (strcmp(configs->items[i].name, name) == 0)
			return &configs->items[i];
	return NULL;
}

bool compose_error(const struct compose_file *file, struct compose_place at, const char *slug,
		   struct error *err, const char *format, ...)
{
	char what[440], shown[440];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set_as(err, ERR_INVALID, slug, "%s:%d:%d: %s", at.file ? at.file : file->path,
			    at.line, at.column, text_printable(what, shown, sizeof(shown)));
}
