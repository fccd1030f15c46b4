#include "engine/cloud/linode.h"

#include <string.h>

#include "engine/cloud/cloud_rest.h"

static int64_t total_of(const json_t *answer)
{
	return json_get_int64(answer, "results", -1);
}

static const char *words_of(const json_t *answer)
{
	return json_get_string(json_array_get(json_object_get(answer, "errors"), 0), "reason",
			       NULL);
}

static const struct cloud_rest rest = {
	.who = "Linode",
	.address = "https://api.linode.com",
	.size = "page_size=500",
	.set = "data",
	.total = total_of,
	.words = words_of,
};

/* Which cluster a machine is of: volumes name their machine alone. */
struct listing {
	const struct cloud_question *question;
	json_t *machines; /* {id: cluster} */
	json_t *items;
};

struct kind {
	const char *kind, *type, *path;
	enum cloud_cost cost;
	const char *stray; /* how names of what some cluster made begin; NULL: it tells which */
	/* The cluster that it says it is of, or NULL. `into` holds 32 bytes. */
	const char *(*cluster)(const struct listing *listing, const json_t *item, char into[32]);
};

static const char *itself(const struct listing *listing, const json_t *item, char into[32])
{
	(void)listing;
	return cloud_rest_id(json_object_get(item, "id"), into);
}

static const char *of_machine(const struct listing *listing, const json_t *item, char into[32])
{
	const char *cluster = cloud_rest_id(json_object_get(item, "lke_cluster_id"), into);
	char id[32];

	if (cluster && cloud_rest_id(json_object_get(item, "id"), id))
		json_object_set_new(listing->machines, id, json_string(cluster));
	return cluster;
}

static const char *of_balancer(const struct listing *listing, const json_t *item, char into[32])
{
	(void)listing;
	return cloud_rest_id(json_object_get(json_object_get(item, "lke_cluster"), "id"), into);
}

static const char *of_volume(const struct listing *listing, const json_t *item, char into[32])
{
	const char *machine = cloud_rest_id(json_object_get(item, "linode_id"), into);

	return machine ? json_get_string(listing->machines, machine, NULL) : NULL;
}

/* Machines before volumes. */
static const struct kind kinds[] = {
	// clang-format off
	{ "linode:cluster", "linode:index/lkeCluster:LkeCluster", "/v4/lke/clusters", CLOUD_COST_RUNNING, NULL, itself },
	{ "linode:machine", "linode:index/instance:Instance", "/v4/linode/instances", CLOUD_COST_RUNNING, NULL, of_machine },
	{ "linode:node-balancer", "linode:index/nodeBalancer:NodeBalancer", "/v4/nodebalancers", CLOUD_COST_RUNNING,
	  "ccm-", of_balancer },
	{ "linode:volume", "linode:index/volume:Volume", "/v4/volumes", CLOUD_COST_STORAGE, "pvc", of_volume },
	{ "linode:firewall", "linode:index/firewall:Firewall", "/v4/networking/firewalls", CLOUD_COST_NONE, NULL, NULL },
	// clang-format on
};

static void add(const struct listing *listing, const struct kind *kind, const json_t *item)
{
	char number[32], other[32];
	const char *id = cloud_rest_id(json_object_get(item, "id"), number);
	const char *name = json_get_string(item, "label", "");
	const char *cluster = kind->cluster ? kind->cluster(listing, item, other) : NULL;
	bool is_used =
	    !json_is_null(json_object_get(item, "linode_id")) && json_object_get(item, "linode_id");

	cloud_add(&listing->question->marks,
		  &(struct cloud_thing){
		      .kind = kind->kind,
		      .type = kind->type,
		      .has_ids_by_type = true,
		      .id = id ? id : "?",
		      .name = name,
		      .region = json_get_string(item, "region", NULL),
		      .cluster = cluster,
		      .tags = json_object_get(item, "tags"),
		      .created_at_s = cloud_rest_seconds(json_get_string(item, "created", NULL)),
		      .cost = kind->cost,
		      .is_stray = kind->stray && !cluster && !is_used &&
				  text_starts_with(name, kind->stray) },
		  listing->items);
}

static bool list_kind(const struct listing *listing, const struct kind *kind, struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *item;

	if (!cloud_rest_list(&rest, listing->question, kind->path, NULL, &found, err))
		return false;
	json_array_foreach(found, i, item)
		add(listing, kind, item);
	return true;
}

static bool list(const struct cloud_question *question, json_t **items, struct error *err)
{
	AUTO(json_decref) json_t *machines = json_object();
	AUTO(json_decref) json_t *found = json_array();
	struct listing listing = { question, machines, found };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!list_kind(&listing, &kinds[i], err))
			return false;
	*items = TAKE(found);
	return true;
}

static bool ask_account(const struct cloud_question *question, char **account, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	const char *found;

	if (!cloud_rest_get(&rest, question, "/v4/account", &answer, err))
		return false;
	found = json_get_string(answer, "euuid", "");
	if (!*found)
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "Linode /v4/account: the answer has no \"euuid\"");
	*account = xstrdup(found);
	return true;
}

const struct cloud_adapter cloud_linode = {
	.name = "linode",
	.read_secret = cloud_read_token,
	.account = ask_account,
	.list = list,
};
