#include "engine/cloud/digitalocean.h"

#include <string.h>

#include "engine/cloud/cloud_rest.h"

static int64_t total_of(const json_t *answer)
{
	return json_get_int64(json_object_get(answer, "meta"), "total", -1);
}

static const char *words_of(const json_t *answer)
{
	return json_get_string(answer, "message", NULL);
}

static const struct cloud_rest rest = {
	.who = "DigitalOcean",
	.address = "https://api.digitalocean.com",
	.size = "per_page=200",
	.total = total_of,
	.words = words_of,
};

static const struct kind {
	const char *kind, *type, *path, *set, *created;
	enum cloud_cost cost;
} kinds[] = {
	// clang-format off
	{ "do:cluster", "digitalocean:index/kubernetesCluster:KubernetesCluster", "/v2/kubernetes/clusters",
	  "kubernetes_clusters", "created_at", CLOUD_COST_RUNNING },
	{ "do:load-balancer", "digitalocean:index/loadBalancer:LoadBalancer", "/v2/load_balancers",
	  "load_balancers", "created_at", CLOUD_COST_RUNNING },
	{ "do:volume", "digitalocean:index/volume:Volume", "/v2/volumes", "volumes", "created_at",
	  CLOUD_COST_STORAGE },
	{ "do:droplet", "digitalocean:index/droplet:Droplet", "/v2/droplets", "droplets", "created_at",
	  CLOUD_COST_RUNNING },
	{ "do:firewall", "digitalocean:index/firewall:Firewall", "/v2/firewalls", "firewalls", "created_at",
	  CLOUD_COST_NONE },
	{ "do:vpc", "digitalocean:index/vpc:Vpc", "/v2/vpcs", "vpcs", "created_at", CLOUD_COST_NONE },
	// clang-format on
};

static const char *region_of(const json_t *item)
{
	const json_t *region = json_object_get(item, "region");

	return json_is_object(region) ? json_get_string(region, "slug", NULL)
				      : json_string_value(region);
}

/* Volumes for claims say of which cluster they are since 2019, and not always. */
static bool is_stray(const char *name, const json_t *item)
{
	const json_t *tags = json_object_get(item, "tags");
	size_t i;
	json_t *tag;

	json_array_foreach((json_t *)(uintptr_t)tags, i, tag)
		if (text_starts_with(json_string_value(tag) ? json_string_value(tag) : "", "k8s:"))
			return false;
	return text_starts_with(name, "pvc-") &&
	       json_array_size(json_object_get(item, "droplet_ids")) == 0;
}

static void add(const struct cloud_question *question, const struct kind *kind, const json_t *item,
		json_t *items)
{
	char number[32];
	const char *id = cloud_rest_id(json_object_get(item, "id"), number);
	const char *name = json_get_string(item, "name", "");

	cloud_add(
	    &question->marks,
	    &(struct cloud_thing){
		.kind = kind->kind,
		.type = kind->type,
		.has_ids_by_type = true,
		.id = id ? id : "?",
		.name = name,
		.region = region_of(item),
		.cluster = strcmp(kind->kind, "do:cluster") == 0 ? id : NULL,
		.tags = json_object_get(item, "tags"),
		.created_at_s = cloud_rest_seconds(json_get_string(item, kind->created, NULL)),
		.cost = kind->cost,
		.is_stray = is_stray(name, item) },
	    items);
}

static bool list_kind(const struct cloud_question *question, const struct kind *kind, json_t *items,
		      struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *item;

	if (!cloud_rest_list(&rest, question, kind->path, kind->set, &found, err))
		return false;
	json_array_foreach(found, i, item)
		add(question, kind, item, items);
	return true;
}

/* An account has one, or answers 404. */
static bool list_registry(const struct cloud_question *question, json_t *items, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *registry;

	if (!cloud_rest_get(&rest, question, "/v2/registry", &answer, err))
		return err->code == ERR_NOT_FOUND;
	registry = json_object_get(answer, "registry");
	if (!json_is_object(registry))
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "DigitalOcean /v2/registry: the answer has no registry");
	cloud_add(
	    &question->marks,
	    &(struct cloud_thing){
		.kind = "do:registry",
		.type = "digitalocean:index/containerRegistry:ContainerRegistry",
		.has_ids_by_type = true,
		.id = json_get_string(registry, "name", "?"),
		.name = json_get_string(registry, "name", NULL),
		.region = json_get_string(registry, "region", NULL),
		.created_at_s = cloud_rest_seconds(json_get_string(registry, "created_at", NULL)),
		.cost = CLOUD_COST_RUNNING },
	    items);
	return true;
}

static bool list_records(const struct cloud_question *question, const char *domain, json_t *items,
			 struct error *err)
{
	AUTO(free) char *encoded = cloud_encode(domain);
	AUTO(free) char *path = xasprintf("/v2/domains/%s/records", encoded);
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *record;

	if (!cloud_rest_list(&rest, question, path, "domain_records", &found, err))
		return false;
	json_array_foreach(found, i, record) {
		char number[32];
		const char *id = cloud_rest_id(json_object_get(record, "id"), number);
		AUTO(free)
		char *name = xasprintf("%s.%s", json_get_string(record, "name", "?"), domain);

		cloud_add(&question->marks,
			  &(struct cloud_thing){ .kind = "do:dns-record",
						 .type = "digitalocean:index/dnsRecord:DnsRecord",
						 .has_ids_by_type = true,
						 .id = id ? id : "?",
						 .name = name },
			  items);
	}
	return true;
}

static bool list_domains(const struct cloud_question *question, json_t *items, struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;
	size_t i;
	json_t *domain;

	if (!cloud_rest_list(&rest, question, "/v2/domains", "domains", &found, err))
		return false;
	json_array_foreach(found, i, domain)
		if (!list_records(question, json_get_string(domain, "name", "?"), items, err))
			return false;
	return true;
}

static bool list(const struct cloud_question *question, json_t **items, struct error *err)
{
	AUTO(json_decref) json_t *found = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!list_kind(question, &kinds[i], found, err))
			return false;
	if (!list_registry(question, found, err) || !list_domains(question, found, err))
		return false;
	*items = TAKE(found);
	return true;
}

static bool ask_account(const struct cloud_question *question, char **account, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *whole, *team;
	const char *found;

	if (!cloud_rest_get(&rest, question, "/v2/account", &answer, err))
		return false;
	whole = json_object_get(answer, "account");
	team = json_object_get(whole, "team");
	found = json_get_string(team, "uuid", json_get_string(whole, "uuid", ""));
	if (!*found)
		return error_set_as(err, ERR_EXTERNAL, "cloud_invalid",
				    "DigitalOcean /v2/account: the answer has no account");
	*account = xstrdup(found);
	return true;
}

const struct cloud_adapter cloud_digitalocean = {
	.name = "digitalocean",
	.read_secret = cloud_read_token,
	.account = ask_account,
	.list = list,
};
