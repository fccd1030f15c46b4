#include "engine/cloud/cloud_marks.h"

#include <fnmatch.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

/* Clocks of two machines. */
enum { CLOCK_SLACK_S = 300 };

static const char *cost_name(enum cloud_cost cost)
{
	static const char *const names[] = {
		[CLOUD_COST_NONE] = "none",
		[CLOUD_COST_STORAGE] = "storage",
		[CLOUD_COST_RUNNING] = "running",
	};

	return names[cost];
}

static bool holds(const json_t *list, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
		if (text && text_equal(json_string_value(item), text))
			return true;
	return false;
}

static bool has_tag(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	size_t i;
	json_t *tag;

	json_array_foreach((json_t *)(uintptr_t)thing->tags, i, tag)
		if (holds(marks->tags, json_string_value(tag)))
			return true;
	return false;
}

/* How clusters mark what is theirs: the name in the key, or as the value. "shared" is somebody
 * else's network that a cluster may use. */
static bool is_of_cluster(const char *tag, const char *cluster)
{
	static const char *const forms[] = {
		"kubernetes.io/cluster/%s=owned",
		"elbv2.k8s.aws/cluster=%s",
		"eks:cluster-name=%s",
		"aws:eks:cluster-name=%s",
		"KubernetesCluster=%s",
		"cluster.k8s.amazonaws.com/name=%s",
		"k8s:%s",
		"lke%s",
	};
	char wanted[256];

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *slot = strstr(forms[i], "%s");

		snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int)(slot - forms[i]), forms[i],
			 cluster, slot + 2);
		if (strcmp(tag, wanted) == 0)
			return true;
	}
	return false;
}

static bool has_cluster(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	size_t i, t;
	json_t *cluster, *tag;

	if (holds(marks->clusters, thing->cluster))
		return true;
	json_array_foreach((json_t *)(uintptr_t)marks->clusters, i, cluster)
		json_array_foreach((json_t *)(uintptr_t)thing->tags, t, tag)
			if (is_of_cluster(json_string_value(tag), json_string_value(cluster)))
				return true;
	return false;
}

static bool has_name(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	size_t i;
	json_t *pattern;

	json_array_foreach((json_t *)(uintptr_t)marks->names, i, pattern)
		if (thing->name &&
		    fnmatch(json_string_value(pattern), thing->name, FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static bool knows(const struct cloud_marks *marks, const struct cloud_thing *thing, const char *id)
{
	const json_t *types = id ? json_object_get(marks->known, id) : NULL;

	return types && (!thing->has_ids_by_type || json_object_get(types, thing->type) ||
			 json_object_get(types, thing->kind));
}

static bool is_known(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	return knows(marks, thing, thing->id) || knows(marks, thing, thing->also);
}

static bool is_young(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	return !thing->created_at_s || thing->created_at_s + CLOCK_SLACK_S >= marks->since_s;
}

/* "Stack=other" where ours would be "Stack=envd-1234". */
static bool is_claimed(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	size_t i, t;
	json_t *own, *tag;

	json_array_foreach((json_t *)(uintptr_t)marks->tags, i, own) {
		const char *key = json_string_value(own), *equals = strchr(key, '=');

		json_array_foreach((json_t *)(uintptr_t)thing->tags, t, tag)
			if (equals &&
			    strncmp(json_string_value(tag), key, (size_t)(equals - key) + 1) == 0)
				return true;
	}
	return false;
}

static bool is_suspect(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)(uintptr_t)marks->suspects, i, name)
		if (thing->name && text_starts_with(thing->name, json_string_value(name)))
			return true;
	return false;
}

/* What the thing itself says, or what was noted of it. */
static const char *sure_bond(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	if (has_tag(marks, thing))
		return "its tag";
	if (has_cluster(marks, thing))
		return "the cluster that it belongs to";
	if (has_name(marks, thing))
		return "its name";
	if (is_known(marks, thing))
		return "what Pulumi or an earlier look noted";
	return NULL;
}

static const char *likely_bond(const struct cloud_marks *marks, const struct cloud_thing *thing)
{
	if (thing->within && json_object_get(marks->known, thing->within))
		return "the network that it lies in";
	if (!is_young(marks, thing) || is_claimed(marks, thing))
		return NULL;
	if (is_suspect(marks, thing))
		return "the name of a create that was interrupted";
	return thing->is_stray ? "its age, and no cluster that claims it" : NULL;
}

const char *cloud_bond(const struct cloud_marks *marks, const struct cloud_thing *thing,
		       bool *is_certain)
{
	const char *bond = sure_bond(marks, thing);

	if (is_certain)
		*is_certain = bond;
	return bond ? bond : likely_bond(marks, thing);
}

void cloud_add(const struct cloud_marks *marks, const struct cloud_thing *thing, json_t *items)
{
	bool is_certain;
	const char *bond = cloud_bond(marks, thing, &is_certain);
	const char *region = thing->region ? thing->region : "";

	if (!bond)
		return;
	json_array_append_new(
	    items,
	    json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s, s:b, s:o}", "kind", thing->kind, "id",
		      thing->id, "name", thing->name && *thing->name ? thing->name : thing->id,
		      "type", thing->type, "region", *region ? region : NULL, "cost",
		      cost_name(thing->cost), "is_certain", is_certain, "reason",
		      json_sprintf("still there%s%s, ours because of %s", *region ? " in " : "",
				   region, bond)));
}
