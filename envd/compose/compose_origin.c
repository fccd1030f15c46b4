#include "compose/compose_origin.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "compose/compose_trust.h"

void compose_origins_free(struct compose_origins *origins)
{
	if (!origins)
		return;
	for (size_t i = 0; i < origins->count; i++) {
		free(origins->items[i].file);
		free(origins->items[i].folder);
		json_decref(origins->items[i].variables);
	}
	free(origins);
}

const struct compose_origin *compose_origin_of(const struct compose_reader *reader,
					       const struct yaml_node *node)
{
	const struct compose_origins *origins = reader->file->origins;
	size_t i = 0;

	while (i + 1 < origins->count && origins->items[i].file != node->file)
		i++;
	return &origins->items[i];
}

char *compose_path(const struct compose_reader *reader, const struct yaml_node *node,
		   const char *path)
{
	const struct compose_origin *origin = compose_origin_of(reader, node);

	if (*path == '/' || *path == '~' || !*origin->folder)
		return xstrdup(path);
	return path_join(origin->folder, text_starts_with(path, "./") ? path + 2 : path);
}

static bool check_reading(const struct compose_reader *reader, const struct yaml_node *at,
			  const char *key, const char *path, struct error *err)
{
	const char *why;

	if (!reader->folder)
		return compose_unsupported(reader, at, err,
					   "\"%s\": another file cannot be read from here", key);
	why = compose_path_outside(reader->folder, path);
	if (!why || reader->is_trusted)
		return true;
	return compose_deny(reader->file, compose_place_of(at), err,
			    "%s%s%s\"%s\" of \"%.100s\", which %s, needs a trusted template",
			    reader->service ? "service \"" : "",
			    reader->service ? reader->service : "", reader->service ? "\": " : "",
			    key, path, why);
}

bool compose_read_bytes(const struct compose_reader *reader, const struct yaml_node *at,
			const char *key, const char *path, char **bytes, size_t *length,
			struct error *err)
{
	AUTO(free) char *whole = NULL;
	struct error wrong;

	if (!check_reading(reader, at, key, path, err))
		return false;
	whole = *path == '/' ? xstrdup(path) : path_join(reader->folder, path);
	if (file_read(whole, COMPOSE_BYTES_MAX, bytes, length, &wrong))
		return true;
	if (wrong.code == ERR_NOT_FOUND)
		compose_wrong(reader, at, err, "\"%s\": \"%.150s\" is not there", key, path);
	else
		compose_wrong(reader, at, err, "\"%s\": \"%.150s\" cannot be read", key, path);
	err->code = wrong.code;
	return false;
}
