/*
 * What DigitalOcean and Linode have of an environment, asked of stand-ins: every page, through what
 * goes wrong on the way, and never "nothing" when something was not seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/cloud/cloud.h"
#include "tests/support/cloud_server.h"

#define TOKEN "dop_v1_0123456789"
#define CLUSTER "bd5f5959-5e1e-4205-a714-a914373942af"

struct stage {
	struct cloud_secret secret;
	struct cloud_question question;
	json_t *tags, *names, *clusters, *known;
};

static struct cloud_server *server;

static int open_server(void **state)
{
	(void)state;
	server = cloud_server_start_fake();
	return 0;
}

static int close_server(void **state)
{
	(void)state;
	cloud_server_stop(server);
	return 0;
}

static void tell(json_t *command)
{
	json_decref(cloud_server_tell(server, command));
}

static void hold(const char *path, json_t *items)
{
	tell(json_pack("{s:s, s:s, s:o}", "do", "hold", "path", path, "items", items));
}

static void fail_at(const char *path, int page, json_t *how, int times)
{
	tell(json_pack("{s:s, s:s, s:i, s:o, s:i}", "do", "fail", "path", path, "page", page, "how",
		       how, "times", times));
}

static int open_stage(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	tell(json_pack("{s:s}", "do", "reset"));
	tell(json_pack("{s:s, s:s}", "do", "token", "is", TOKEN));
	stage->secret.token = xstrdup(TOKEN);
	stage->tags = json_pack("[s]", "envd-aaaa");
	stage->names = json_pack("[s]", "*envd-aaaa*");
	stage->clusters = json_pack("[s, s]", CLUSTER, "4711");
	stage->known = json_object();
	stage->question = (struct cloud_question){
		.session = { .secret = &stage->secret, .wait_ms = 1 },
		.endpoint = server->endpoint,
		.marks = { .tags = stage->tags,
			   .names = stage->names,
			   .clusters = stage->clusters,
			   .known = stage->known,
			   .since_s = 1767323045 }, /* 2026-01-02T03:04:05Z */
	};
	*state = stage;
	return 0;
}

static int close_stage(void **state)
{
	struct stage *stage = *state;

	cloud_secret_release(&stage->secret);
	json_decref(stage->tags);
	json_decref(stage->names);
	json_decref(stage->clusters);
	json_decref(stage->known);
	free(stage);
	return 0;
}

static json_t *list(const struct stage *stage, const char *name)
{
	json_t *items = NULL;
	struct error err;

	if (!cloud_adapter_find(name)->list(&stage->question, &items, &err))
		fail_msg("%s", err.message);
	return items;
}

static void fails(const struct stage *stage, const char *name, const char *slug, const char *words)
{
	json_t *items = NULL;
	struct error err;

	assert_false(cloud_adapter_find(name)->list(&stage->question, &items, &err));
	assert_null(items);
	assert_string_equal(err.slug, slug);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" is not in: %s", words, err.message);
	assert_null(strstr(err.message, TOKEN));
}

static char *ids_of(const json_t *items)
{
	struct text text = TEXT_EMPTY;
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item)
		text_format(&text, "%s%s %s", i ? ", " : "", json_get_string(item, "kind", "?"),
			    json_get_string(item, "id", "?"));
	return text_take(&text);
}

static json_t *of_do(const char *id, const char *name, const char *tag, const char *created)
{
	return json_pack("{s:s, s:s, s:[s], s:{s:s}, s:s, s:[]}", "id", id, "name", name, "tags",
			 tag, "region", "slug", "sfo3", "created_at", created, "droplet_ids");
}

static json_t *of_linode(int id, const char *label, const char *created)
{
	return json_pack("{s:i, s:s, s:[], s:s, s:s}", "id", id, "label", label, "tags", "region",
			 "us-central", "created", created);
}

/* ---- stories ---- */

static void what_digitalocean_has_is_found_by_tag_name_cluster_and_memory(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = NULL;
	AUTO(free) char *ids = NULL;

	hold("/v2/kubernetes/clusters",
	     json_pack("[o, o]",
		       of_do(CLUSTER, "do-envd-aaaa-cluster", "x", "2026-01-02T04:00:00Z"),
		       of_do("other", "do-envd-bbbb-cluster", "x", "2026-01-02T04:00:00Z")));
	hold("/v2/load_balancers",
	     json_pack("[o, o]", of_do("lb-1", "a1", "k8s:" CLUSTER, "2026-01-02T04:00:00Z"),
		       of_do("lb-2", "a2", "k8s:other", "2026-01-02T04:00:00Z")));
	/* Old, young and claimed by another cluster. */
	hold("/v2/volumes", json_pack("[o, o, o, o]",
				      of_do("v-1", "pvc-1", "k8s:" CLUSTER, "2026-01-02T04:00:00Z"),
				      of_do("v-2", "pvc-2", "", "2026-01-02T04:00:00Z"),
				      of_do("v-3", "pvc-3", "", "2025-01-02T04:00:00Z"),
				      of_do("v-4", "pvc-4", "k8s:other", "2026-01-02T04:00:00Z")));
	hold("/v2/registry", json_pack("[{s:s, s:s, s:s}]", "name", "shared", "region", "sfo3",
				       "created_at", "2026-01-02T04:00:00Z"));
	hold("/v2/domains", json_pack("[{s:s}]", "name", "example.com"));
	hold("/v2/domains/example.com/records", json_pack("[{s:i, s:s}, {s:i, s:s}]", "id", 7,
							  "name", "mara", "id", 8, "name", "www"));
	/* A number is of a type: another thing may have the same. */
	json_object_set_new(stage->known, "7",
			    json_pack("{s:b}", "digitalocean:index/dnsRecord:DnsRecord", 1));
	json_object_set_new(stage->known, "8",
			    json_pack("{s:b}", "digitalocean:index/droplet:Droplet", 1));
	items = list(stage, "digitalocean");
	ids = ids_of(items);
	assert_string_equal(ids, "do:cluster " CLUSTER ", do:load-balancer lb-1, do:volume v-1, "
				 "do:volume v-2, do:dns-record 7");
	assert_string_equal(json_get_string(json_array_get(items, 3), "reason", ""),
			    "still there in sfo3, ours because of its age, and no cluster that "
			    "claims it");
}

static void what_linode_has_is_found_by_the_cluster_that_it_names(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = NULL;
	AUTO(json_decref) json_t *machine = of_linode(11, "lke4711-1-a", "2026-01-02T04:00:00");
	AUTO(json_decref) json_t *other = of_linode(12, "lke4712-1-a", "2026-01-02T04:00:00");
	AUTO(json_decref) json_t *balancer = of_linode(21, "ccm-1", "2026-01-02T04:00:00");
	AUTO(json_decref) json_t *used = of_linode(31, "pvc1", "2026-01-02T04:00:00");
	AUTO(json_decref) json_t *of_other = of_linode(32, "pvc2", "2026-01-02T04:00:00");
	AUTO(free) char *ids = NULL;

	json_object_set_new(machine, "lke_cluster_id", json_integer(4711));
	json_object_set_new(other, "lke_cluster_id", json_integer(4712));
	json_object_set_new(balancer, "lke_cluster", json_pack("{s:i}", "id", 4711));
	json_object_set_new(used, "linode_id", json_integer(11));
	json_object_set_new(of_other, "linode_id", json_integer(12));
	hold("/v4/lke/clusters",
	     json_pack("[o, o]", of_linode(4711, "MARA [envd-aaaa]", "2026-01-02T04:00:00"),
		       of_linode(4712, "MARA [envd-bbbb]", "2026-01-02T04:00:00")));
	hold("/v4/linode/instances", json_pack("[O, O]", machine, other));
	hold("/v4/nodebalancers", json_pack("[O]", balancer));
	/* Of our machine, of another's, of nobody's and young, of nobody's and old. */
	hold("/v4/volumes",
	     json_pack("[O, O, o, o]", used, of_other, of_linode(33, "pvc3", "2026-01-02T04:00:00"),
		       of_linode(34, "pvc4", "2025-01-02T04:00:00")));
	items = list(stage, "linode");
	ids = ids_of(items);
	assert_string_equal(ids, "linode:cluster 4711, linode:machine 11, linode:node-balancer 21, "
				 "linode:volume 31, linode:volume 33");
}

static void hold_many(int count)
{
	json_t *volumes = json_array(), *machines = json_array();

	for (int i = 0; i < count; i++) {
		AUTO(free) char *name = xasprintf("envd-aaaa-%d", i);

		json_array_append_new(volumes, of_do(name, name, "", "2026-01-02T04:00:00Z"));
		json_array_append_new(machines, of_linode(i + 1, name, "2026-01-02T04:00:00"));
	}
	hold("/v2/volumes", volumes);
	hold("/v4/linode/instances", machines);
}

static void every_page_is_read_whatever_its_size(void **state)
{
	struct stage *stage = *state;

	for (int size = 1; size <= 4; size++) {
		AUTO(json_decref) json_t *of_digitalocean = NULL;
		AUTO(json_decref) json_t *of_other = NULL;

		hold_many(7);
		tell(json_pack("{s:s, s:i}", "do", "pages", "size", size));
		of_digitalocean = list(stage, "digitalocean");
		of_other = list(stage, "linode");
		assert_int_equal(json_array_size(of_digitalocean), 7);
		assert_int_equal(json_array_size(of_other), 7);
	}
}

static void what_goes_wrong_on_the_way_is_tried_again(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *items = NULL;
	AUTO(json_decref) json_t *others = NULL;

	hold_many(7);
	tell(json_pack("{s:s, s:i}", "do", "pages", "size", 3));
	fail_at("/v2/volumes", 2, json_integer(429), 2);
	fail_at("/v2/volumes", 3, json_integer(500), 1);
	fail_at("/v4/linode/instances", 1, json_string("cut"), 2);
	items = list(stage, "digitalocean");
	others = list(stage, "linode");
	assert_int_equal(json_array_size(items), 7);
	assert_int_equal(json_array_size(others), 7);
}

static void what_was_not_seen_is_no_answer(void **state)
{
	struct stage *stage = *state;

	hold_many(7);
	tell(json_pack("{s:s, s:i}", "do", "pages", "size", 3));
	fail_at("/v2/volumes", 2, json_integer(503), 100);
	fails(stage, "digitalocean", "cloud_busy", "DigitalOcean: \"http://127.0.0.1:");
	fail_at("/v4/linode/instances", 2, json_string("cut"), 100);
	fails(stage, "linode", "cloud_unreachable", "Linode: \"http://127.0.0.1:");
}

static void a_list_that_is_shorter_than_it_says_is_no_answer(void **state)
{
	struct stage *stage = *state;

	hold_many(7);
	tell(json_pack("{s:s, s:i}", "do", "pages", "size", 3));
	fail_at("/v2/volumes", 3, json_string("short"), 100);
	fails(stage, "digitalocean", "cloud_invalid",
	      "/v2/volumes: 6 things came and it says that there are 7");
	fail_at("/v4/linode/instances", 1, json_string("odd"), 1);
	fails(stage, "linode", "cloud_invalid", "answered no JSON");
}

static void a_refusal_says_who_what_and_why(void **state)
{
	struct stage *stage = *state;

	fail_at("/v2/load_balancers", 1, json_integer(403), 1);
	fails(stage, "digitalocean", "cloud_denied",
	      "DigitalOcean /v2/load_balancers?page=1&per_page=200: 403 You may not do that");
	tell(json_pack("{s:s, s:s}", "do", "token", "is", "another"));
	fails(stage, "linode", "cloud_denied", "401 Unable to authenticate you");
}

static void an_account_has_a_name(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *one = NULL;
	AUTO(free) char *other = NULL;
	struct error err;

	assert_true(cloud_adapter_find("digitalocean")->account(&stage->question, &one, &err));
	assert_true(cloud_adapter_find("linode")->account(&stage->question, &other, &err));
	assert_string_equal(one, "team-1");
	assert_string_equal(other, "E-1");
}

#define ON_STAGE(story) cmocka_unit_test_setup_teardown(story, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(what_digitalocean_has_is_found_by_tag_name_cluster_and_memory),
		ON_STAGE(what_linode_has_is_found_by_the_cluster_that_it_names),
		ON_STAGE(every_page_is_read_whatever_its_size),
		ON_STAGE(what_goes_wrong_on_the_way_is_tried_again),
		ON_STAGE(what_was_not_seen_is_no_answer),
		ON_STAGE(a_list_that_is_shorter_than_it_says_is_no_answer),
		ON_STAGE(a_refusal_says_who_what_and_why),
		ON_STAGE(an_account_has_a_name),
	};

	return cmocka_run_group_tests(tests, open_server, close_server);
}
