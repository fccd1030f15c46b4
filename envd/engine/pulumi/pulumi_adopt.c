#include "engine/pulumi/pulumi_adopt.h"

#include <string.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_cli.h"

#define STATE_BYTES_MAX ((size_t)256 << 20)

static const json_t *find_create(const json_t *deployment, const char *urn)
{
	const json_t *pending = json_object_get(deployment, "pending_operations");
	size_t i;
	json_t *operation;

	json_array_foreach((json_t *)(uintptr_t)pending, i, operation) {
		const json_t *resource = json_object_get(operation, "resource");

		if (strcmp(json_get_string(operation, "type", ""), "creating") == 0 &&
		    strcmp(json_get_string(resource, "urn", ""), urn) == 0)
			return resource;
	}
	return NULL;
}

bool adopt_into(const json_t *whole, const json_t *ids, json_t **changed, struct error *err)
{
	AUTO(json_decref) json_t *copy = json_deep_copy(whole);
	json_t *deployment = json_object_get(copy, "deployment");
	json_t *resources = json_object_get(deployment, "resources");
	const char *urn;
	json_t *id;

	json_object_foreach_const(ids, urn, id) {
		const json_t *resource = find_create(deployment, urn);
		json_t *adopted;

		if (!resource || !json_is_array(resources))
			return error_set(err, ERR_INTERNAL, "\"%.200s\" is no create under way",
					 urn);
		adopted = json_deep_copy(resource);
		json_object_set(adopted, "id", id);
		/* A dynamic provider finds itself in them; any other reads more than it is given.
		 */
		if (!json_object_get(adopted, "outputs"))
			json_object_set(adopted, "outputs", json_object_get(adopted, "inputs"));
		json_array_append_new(resources, adopted);
	}
	json_object_del(deployment, "pending_operations");
	*changed = TAKE(copy);
	return true;
}

bool adopt(const struct pulumi_place *place, size_t layer, const json_t *ids, struct error *err)
{
	static const char *const export[] = { "stack", "export", NULL };
	static const char *const import[] = { "stack", "import", NULL };
	AUTO(free) char *output = NULL;
	AUTO(free) char *text = NULL;
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(json_decref) json_t *changed = NULL;
	int status; /* the error says it */

	if (!cli_ask(&(struct cli_call){ place, layer, export, NULL }, STATE_BYTES_MAX, &output,
		     &status, err))
		return false;
	whole = json_loads(output, 0, NULL);
	if (!adopt_into(whole, ids, &changed, err))
		return false;
	text = json_dumps(changed, JSON_INDENT(4));
	return cli_run(&(struct cli_call){ place, layer, import, text }, err);
}
