#include "model/pins.h"

#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

static bool unknown_component(const struct template *template, const char *name, struct error *err)
{
	AUTO(free) const char **known = xcalloc(template->component_count + 1, sizeof(*known));
	char shown[64];

	for (size_t i = 0; i < template->component_count; i++)
		known[i] = template->components[i].name;
	error_set_as(err, ERR_INVALID, "unknown_component",
		     "template \"%s\" has no component \"%s\"", template->name,
		     text_printable(name, shown, sizeof(shown)));
	return known[0] ? error_hint_known(err, name, known)
			: error_hint(err, "nothing in it can be pinned");
}

static bool unknown_version(const struct template_component *component, const char *version,
			    struct error *err)
{
	const char *const *known = (const char *const *)component->versions;
	const char *nearest = text_nearest(version, known);
	AUTO(free) char *list = text_join(known, ", ");
	char shown[64];

	error_set_as(err, ERR_INVALID, "unknown_version", "component \"%s\" has no version \"%s\"",
		     component->name, text_printable(version, shown, sizeof(shown)));
	if (nearest && strlen(version) > 3)
		return error_hint(err, "did you mean \"%s\"? versions: %s", nearest, list);
	return error_hint(err, "versions: %s", list);
}

static bool no_pattern(const struct template_component *component, const char *pin,
		       struct error *err)
{
	bool by_branch = template_pin_kind(pin) == PIN_BRANCH;

	error_set_as(err, ERR_INVALID, "pin_invalid",
		     "component \"%s\" cannot be pinned to %s (asked \"%s\")", component->name,
		     by_branch ? "a branch" : "a pull request", pin);
	return error_hint(err, "its template gives no \"%s:\" pattern for it, such as \"%s\"",
			  by_branch ? "branch" : "pull_request",
			  by_branch ? "bank/frontend:{branch}" : "bank/frontend:pr-{number}");
}

/* A group takes a version of its list, and what its members take otherwise. */
static bool check_kind(const struct template *template, const struct template_component *component,
		       const char *pin, struct error *err)
{
	if (template_pin_kind(pin) == PIN_VERSION)
		return template_component_takes(component, pin) ||
		       unknown_version(component, pin, err);
	if (!template_component_is_group(component))
		return template_component_takes(component, pin) || no_pattern(component, pin, err);
	for (size_t i = 0; component->members[i]; i++)
		if (!check_kind(template, template_component_find(template, component->members[i]),
				pin, err))
			return false;
	return true;
}

static bool check_pin(const struct template *template, const char *name, const json_t *pin,
		      struct error *err)
{
	const struct template_component *component = template_component_find(template, name);
	const char *version = json_string_value(pin);
	char shown[64];

	if (!component)
		return unknown_component(template, name, err);
	if (!version) {
		error_set_as(err, ERR_INVALID, "pin_invalid", "pin of \"%s\" must be text", name);
		return error_hint(err, "write the version in quotes: 1.20 as a number is 1.2");
	}
	if (strlen(version) != json_string_length(pin) || !template_pin_is_valid(version)) {
		error_set_as(err, ERR_INVALID, "pin_invalid", "pin of \"%s\" cannot be \"%s\"",
			     name, text_printable(version, shown, sizeof(shown)));
		return error_hint(err,
				  "a pin is a version, a branch (@main) or a pull request (pr:12)");
	}
	return check_kind(template, component, version, err);
}

static bool check_each(const struct template *template, const json_t *pins, struct error *err)
{
	const char *name;
	json_t *pin;

	if (pins && !json_is_object(pins))
		return error_set_as(err, ERR_INVALID, "pin_invalid",
				    "pins must be an object of components and versions");
	json_object_foreach_const(pins, name, pin)
		if (!check_pin(template, name, pin, err))
			return false;
	return true;
}

static bool has_member(const struct template_component *group, const char *name)
{
	for (size_t i = 0; group->members[i]; i++)
		if (strcmp(group->members[i], name) == 0)
			return true;
	return false;
}

/* What the groups that are pinned say about a component; NULL: nothing. */
static bool group_version(const struct template *template, const json_t *pins, const char *name,
			  const char **version, struct error *err)
{
	const char *by = NULL;

	*version = NULL;
	for (size_t i = 0; i < template->component_count; i++) {
		const struct template_component *group = &template->components[i];
		const char *pin = json_get_string(pins, group->name, NULL);

		if (!pin || !has_member(group, name))
			continue;
		if (*version && strcmp(*version, pin) != 0)
			return error_set_as(err, ERR_INVALID, "pin_invalid",
					    "\"%s\" is pinned to %s by \"%s\" and to %s by \"%s\"",
					    name, *version, by, pin, group->name);
		*version = pin;
		by = group->name;
	}
	return true;
}

static bool resolve_one(const struct template *template, const json_t *pins,
			const struct template_component *component, const char **version,
			struct error *err)
{
	const char *grouped;

	*version = json_get_string(pins, component->name, NULL);
	if (*version)
		return true;
	if (!group_version(template, pins, component->name, &grouped, err))
		return false;
	*version = grouped ? grouped : component->default_version;
	return template_component_takes(component, *version) ||
	       unknown_version(component, *version, err);
}

bool pins_resolve(const struct template *template, const json_t *pins, json_t **versions,
		  struct error *err)
{
	AUTO(json_decref) json_t *resolved = json_object();

	if (!check_each(template, pins, err))
		return false;
	for (size_t i = 0; i < template->component_count; i++) {
		const struct template_component *component = &template->components[i];
		const char *version;

		if (template_component_is_group(component))
			continue;
		if (!resolve_one(template, pins, component, &version, err))
			return false;
		json_object_set_new(resolved, component->name, json_string(version));
	}
	*versions = TAKE(resolved);
	return true;
}

bool pins_check(const struct template *template, const json_t *pins, struct error *err)
{
	AUTO(json_decref) json_t *versions = NULL;

	return pins_resolve(template, pins, &versions, err);
}

json_t *pins_variables(const struct template *template, const json_t *versions,
		       const json_t *parameters)
{
	json_t *variables = json_object();

	for (size_t i = 0; i < template->component_count; i++) {
		const struct template_component *component = &template->components[i];
		const char *version = json_get_string(versions, component->name, NULL);
		AUTO(free) char *value = NULL;

		if (!version)
			continue;
		value = template_component_value(component, version);
		json_object_set_new(variables, component->variable, json_string(value));
	}
	for (size_t i = 0; i < template->parameter_count; i++) {
		const struct template_parameter *parameter = &template->parameters[i];
		const json_t *value = json_object_get(parameters, parameter->name);
		AUTO(free) char *text = NULL;

		if (!value)
			continue;
		text =
		    json_is_string(value) ? xstrdup(json_string_value(value)) : json_to_text(value);
		json_object_set_new(variables, parameter->variable, json_string(text));
	}
	return variables;
}
