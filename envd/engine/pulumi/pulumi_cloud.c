#include "engine/pulumi/pulumi_cloud.h"

#include <string.h>

#include "base/clock.h"
#include "engine/pulumi/pulumi_secret.h"
#include "engine/pulumi/tool_set.h"

enum { LISTING_LIMIT_MS = 240000 };

/* ---- what the template says, filled in ---- */

/* Released with question_release(). */
struct asking {
	struct cloud_secret secret;
	struct cloud_question question;
	char *endpoint;
	json_t *regions, *tags, *names, *clusters;
	char **region_words;
};

static void asking_release(struct asking *asking)
{
	cloud_secret_release(&asking->secret);
	free(asking->endpoint);
	json_decref(asking->regions);
	json_decref(asking->tags);
	json_decref(asking->names);
	json_decref(asking->clusters);
	free(asking->region_words);
}

static inline void auto_asking_release(struct asking *asking)
{
	asking_release(asking);
}

/* One that fits everything would claim an account. */
static bool check_word(const char *provider, const char *word, struct error *err)
{
	return word[strspn(word, "*?=")] ||
	       error_set_as(err, ERR_INVALID, "template_invalid",
			    "inventory \"%s\": \"%.60s\" would fit everything", provider, word);
}

static bool fill(const struct pulumi_place *place, const char *provider, char *const *words,
		 json_t **filled, struct error *err)
{
	*filled = json_array();
	for (char *const *word = words; word && *word; word++) {
		AUTO(free) char *text = NULL;

		if (!place_fill(place, *word, &text, err) || !check_word(provider, text, err))
			return false;
		json_array_append_new(*filled, json_string(text));
	}
	return true;
}

static bool fill_marks(const struct pulumi_place *place, const struct layer_inventory *inventory,
		       struct asking *asking, struct error *err)
{
	const char *provider = inventory->provider;
	struct cloud_marks *marks = &asking->question.marks;

	if (!fill(place, provider, inventory->regions, &asking->regions, err) ||
	    !fill(place, provider, inventory->tags, &asking->tags, err) ||
	    !fill(place, provider, inventory->names, &asking->names, err) ||
	    !fill(place, provider, inventory->clusters, &asking->clusters, err))
		return false;
	marks->tags = asking->tags;
	marks->names = asking->names;
	marks->clusters = asking->clusters;
	return true;
}

static void fill_regions(struct asking *asking)
{
	size_t i;
	json_t *region;

	asking->region_words =
	    xcalloc(json_array_size(asking->regions) + 1, sizeof(*asking->region_words));
	json_array_foreach(asking->regions, i, region)
		asking->region_words[i] = (char *)(uintptr_t)json_string_value(region);
	asking->question.regions = asking->region_words;
}

static bool find_adapter(const struct layer_inventory *inventory,
			 const struct cloud_adapter **adapter, struct error *err)
{
	AUTO(free) char *names = text_join(cloud_adapter_names, ", ");

	*adapter = cloud_adapter_find(inventory->adapter);
	if (!*adapter)
		return error_set_as(err, ERR_INVALID, "template_invalid",
				    "inventory \"%s\": there is no adapter \"%.40s\" (one of %s)",
				    inventory->provider, inventory->adapter, names);
	return !(*adapter)->needs_regions || inventory->regions ||
	       error_set_as(err, ERR_INVALID, "template_invalid",
			    "inventory \"%s\" needs \"regions\"", inventory->provider);
}

static bool read_keys(const struct pulumi_place *place, const struct layer_inventory *inventory,
		      const struct cloud_adapter *adapter, struct cloud_secret *secret,
		      struct error *err)
{
	char *text = NULL;
	bool is_good;

	if (!secret_read(place, &inventory->credentials, &text, err))
		return error_wrap(err, "inventory \"%s\"", inventory->provider);
	is_good = adapter->read_secret(text, secret, err) ||
		  error_wrap(err, "inventory \"%s\"", inventory->provider);
	explicit_bzero(text, strlen(text));
	free(text);
	return is_good;
}

static bool ask_with(const struct pulumi_place *place, const struct layer_inventory *inventory,
		     struct asking *asking, const struct cloud_adapter **adapter, struct error *err)
{
	struct cloud_session *session = &asking->question.session;

	if (!find_adapter(inventory, adapter, err) || !fill_marks(place, inventory, asking, err))
		return false;
	fill_regions(asking);
	if (inventory->endpoint &&
	    (!place_fill(place, inventory->endpoint, &asking->endpoint, err) ||
	     !cloud_endpoint_check(asking->endpoint, err)))
		return false;
	asking->question.endpoint = asking->endpoint;
	session->secret = &asking->secret;
	session->ends_mono_ms = clock_mono_ms() + LISTING_LIMIT_MS;
	session->is_stopping = tools_are_stopping;
	return true;
}

/* A command may cost something: it is run when its word is needed. */
static bool may_run_command(const struct layer_secret *secret)
{
	for (; secret; secret = secret->otherwise)
		if (secret->kind == LAYER_SECRET_COMMAND)
			return true;
	return false;
}

bool cloud_check(const struct pulumi_place *place, struct error *err)
{
	for (size_t i = 0; i < place->list->inventory_count; i++) {
		const struct layer_inventory *inventory = &place->list->inventories[i];
		AUTO(asking_release) struct asking asking = { .endpoint = NULL };
		const struct cloud_adapter *adapter;

		if (!inventory->adapter)
			continue;
		if (!ask_with(place, inventory, &asking, &adapter, err))
			return false;
		if (!may_run_command(&inventory->credentials) &&
		    !read_keys(place, inventory, adapter, &asking.secret, err))
			return false;
	}
	return true;
}

/* ---- the account ---- */

static bool check_account(const struct layer_inventory *inventory, struct pulumi_record *record,
			  const char *account, struct error *err)
{
	AUTO(free) char *fact = xasprintf("account:%s", inventory->provider);
	const char *noted = record_fact(record, fact);

	if (noted && strcmp(noted, account) != 0)
		return error_set_as(err, ERR_EXTERNAL, "cloud_account",
				    "the credentials are those of account \"%.60s\", it was built "
				    "in \"%.60s\"",
				    account, noted);
	return noted || record_set_fact(record, fact, account, err);
}

static bool ask_account(const struct cloud_adapter *adapter, const struct asking *asking,
			const struct layer_inventory *inventory, struct pulumi_record *record,
			struct error *err)
{
	AUTO(free) char *account = NULL;

	return adapter->account(&asking->question, &account, err) &&
	       check_account(inventory, record, account, err);
}

/* Those that end before the teardown can would leave everything. A command makes new ones. */
static bool lasts(const struct pulumi_place *place, const struct layer_inventory *inventory,
		  const struct cloud_secret *secret, struct error *err)
{
	char end[CLOCK_TEXT_SIZE];

	return !secret->ends_at_ms || inventory->credentials.kind == LAYER_SECRET_COMMAND ||
	       !place->request->hard_wall_s ||
	       secret->ends_at_ms >= place->request->hard_wall_s * 1000 ||
	       error_set_as(err, ERR_INVALID, "credentials_short",
			    "the credentials of inventory \"%s\" end at %s, before the "
			    "environment must",
			    inventory->provider, clock_format_seconds(secret->ends_at_ms, end));
}

static bool begin_one(const struct pulumi_place *place, struct pulumi_record *record,
		      const struct layer_inventory *inventory, struct error *err)
{
	AUTO(asking_release) struct asking asking = { .endpoint = NULL };
	const struct cloud_adapter *adapter;

	return ask_with(place, inventory, &asking, &adapter, err) &&
	       read_keys(place, inventory, adapter, &asking.secret, err) &&
	       lasts(place, inventory, &asking.secret, err) &&
	       (ask_account(adapter, &asking, inventory, record, err) ||
		error_wrap(err, "inventory \"%s\"", inventory->provider));
}

bool cloud_begin(const struct pulumi_place *place, struct pulumi_record *record, struct error *err)
{
	AUTO(free) char *now = xasprintf("%lld", (long long)(clock_wall_ms() / 1000));

	if (!record_fact(record, "since") && !record_set_fact(record, "since", now, err))
		return false;
	for (size_t i = 0; i < place->list->inventory_count; i++)
		if (place->list->inventories[i].adapter &&
		    !begin_one(place, record, &place->list->inventories[i], err))
			return false;
	return true;
}

/* ---- listing ---- */

static bool is_cluster(const json_t *types)
{
	const char *type;
	const json_t *value;

	json_object_foreach_const(types, type, value)
		if (strstr(type, "luster:") || text_ends_with(type, ":cluster"))
			return true;
	return false;
}

/* Those of the states: what they made by themselves bears their names alone. */
static void add_clusters(const json_t *known, json_t *clusters)
{
	const char *id;
	const json_t *types;

	json_object_foreach_const(known, id, types)
		if (is_cluster(types))
			json_array_append_new(clusters, json_string(id));
}

static int64_t since_of(const struct pulumi_record *record)
{
	const char *text = record_fact(record, "since");
	int64_t since_s;

	return text && text_to_int64(text, &since_s) ? since_s : 0;
}

/* What was ours once stays ours until it is gone: a volume forgets who used it. */
static bool note_items(struct pulumi_record *record, const char *provider, const json_t *items,
		       struct error *err)
{
	AUTO(json_decref) json_t *found = json_object();
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item)
		json_object_set_new(found, json_get_string(item, "id", "?"),
				    json_pack("{s:b}", json_get_string(item, "kind", "?"), 1));
	return record_add_known(record, provider, found, err);
}

bool cloud_listing(const struct pulumi_place *place, struct pulumi_record *record,
		   const struct layer_inventory *inventory, const json_t *suspects, json_t **items,
		   struct error *err)
{
	AUTO(asking_release) struct asking asking = { .endpoint = NULL };
	AUTO(json_decref) json_t *found = NULL;
	const struct cloud_adapter *adapter;
	const json_t *known = record_known(record, inventory->provider);

	if (!ask_with(place, inventory, &asking, &adapter, err) ||
	    !read_keys(place, inventory, adapter, &asking.secret, err))
		return false;
	add_clusters(known, asking.clusters);
	asking.question.marks.known = known;
	asking.question.marks.since_s = since_of(record);
	asking.question.marks.suspects = suspects;
	if (!ask_account(adapter, &asking, inventory, record, err) ||
	    !adapter->list(&asking.question, &found, err))
		return error_wrap(err, "inventory of \"%s\"", inventory->provider);
	/* A suspect is nobody's until somebody says so. */
	if (!suspects && !note_items(record, inventory->provider, found, err))
		return false;
	*items = TAKE(found);
	return true;
}

/* True when it needs no other look. */
static bool look_before(const struct pulumi_place *place, struct pulumi_record *record,
			const char *provider)
{
	const struct layer_inventory *inventory = layer_list_inventory(place->list, provider);
	AUTO(json_decref) json_t *items = NULL;
	struct error ignored; /* the proof will say it */

	return !inventory || !inventory->adapter ||
	       cloud_listing(place, record, inventory, NULL, &items, &ignored);
}

void cloud_look_before(const struct pulumi_place *place, struct pulumi_record *record)
{
	const char *provider;
	json_t *value;
	void *next;
	bool is_whole = true;
	struct error ignored; /* then it looks once more */

	if (record_fact(record, "looked"))
		return;
	json_object_foreach_safe((json_t *)(uintptr_t)record_providers(record), next, provider,
				 value)
		is_whole = look_before(place, record, provider) && is_whole;
	if (is_whole)
		(void)!record_set_fact(record, "looked", "true", &ignored);
}

int64_t cloud_settle_ms(const struct pulumi_place *place, const struct pulumi_record *record)
{
	const char *provider;
	const json_t *value;
	int64_t longest_ms = 0;

	json_object_foreach_const(record_providers(record), provider, value) {
		const struct layer_inventory *inventory =
		    layer_list_inventory(place->list, provider);

		if (inventory && inventory->settle_ms > longest_ms)
			longest_ms = inventory->settle_ms;
	}
	return longest_ms;
}
