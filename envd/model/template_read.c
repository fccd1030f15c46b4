#include "model/template_read.h"

#include <ctype.h>
#include <string.h>

#include "base/ids.h"
#include "base/text.h"

bool template_check_key(const struct yaml_document *document, const struct yaml_node *key,
			const char *what, struct error *err)
{
	const char *text = key->kind == YAML_SCALAR ? key->text : "";
	size_t length = strlen(text);
	char shown[NAME_LENGTH_MAX + 8];

	if (length >= 1 && length <= NAME_LENGTH_MAX && text[0] >= 'a' && text[0] <= 'z' &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length)
		return true;
	return yaml_error(
	    document, key, err,
	    "%s \"%s\" must be 1 to %d of a-z, 0-9, \"_\" and \"-\" and start with a letter", what,
	    text_printable(text, shown, sizeof(shown)), NAME_LENGTH_MAX);
}

bool template_check_map(const struct template_item *item, const char *what, struct error *err)
{
	return item->map->kind == YAML_MAP ||
	       yaml_error(item->document, item->map, err, "%s \"%s\" must be a map (got %s)", what,
			  item->name->text, yaml_kind_name(item->map));
}

static char *variable_from_name(const char *name, const char *suffix)
{
	char *variable = xasprintf("%s%s", name, suffix);

	for (char *at = variable; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	return variable;
}

static bool is_variable(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= 64 && !isdigit((unsigned char)name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
		   length;
}

bool template_read_variable(const struct template_item *item, const char *suffix, char **variable,
			    struct error *err)
{
	const struct yaml_node *given = yaml_get(item->map, "variable");
	AUTO(free) char *implied = variable_from_name(item->name->text, suffix);
	AUTO(free) char *name = NULL;

	if (!yaml_copy_string(item->document, item->map, "variable", implied, &name, err))
		return false;
	if (!is_variable(name) || text_starts_with(name, "ENVD_"))
		return yaml_error(
		    item->document, given ? given : item->name, err,
		    "\"%.64s\" cannot be a variable: 1 to 64 of A-Z, a-z, 0-9 and \"_\", no digit "
		    "first, and not ENVD_...",
		    name);
	*variable = TAKE(name);
	return true;
}
