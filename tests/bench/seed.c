/*
 * seed: a store with many ready environments in it, as a busy month would leave it, without
 * building any. Each has five services, outputs and a lock, like a small stack.
 *
 * Usage: seed DATA COUNT FIRST_END_S SPREAD_S TEMPLATES
 * Their leases end from FIRST_END_S seconds from now, evenly over SPREAD_S seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_jobs.h"

enum { BATCH = 1000, SERVICES = 5, LEASE_MAXIMUM_MS = 24 * 3600000 };

struct seeding {
	struct store *store;
	const char *templates;
	char digest[SHA256_TEXT_SIZE];
	json_t *data; /* as an engine's create leaves it */
};

static void must(bool done, const struct error *err)
{
	if (done)
		return;
	fprintf(stderr, "seed: %s\n", err->message);
	exit(1);
}

static json_t *service(int n)
{
	AUTO(free) char *name = xasprintf("service-%d", n);
	AUTO(free) char *container = xasprintf("envd-0123456789ab-service-%d", n);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[{s:i, s:s, s:i}], s:i, s:i}",
			 "name", name, "container", container, "image",
			 "registry.example.net/shop/service:1.4.2", "image_id",
			 "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
			 "version", "1.4.2", "state", "running", "health", "healthy", "addresses",
			 "port", 40000 + n, "host", "127.0.0.1", "container_port", 8080, "restarts",
			 0, "memory_bytes_max", 268435456);
}

static json_t *data_of_a_create(void)
{
	json_t *services = json_array(), *pinned = json_object();

	for (int i = 0; i < SERVICES; i++) {
		json_array_append_new(services, service(i));
		json_object_set_new(
		    pinned, json_string_value(json_object_get(json_array_get(services, i), "name")),
		    json_string(
			"registry.example.net/shop/service@sha256:"
			"4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1"));
	}
	return json_pack("{s:{s:s}, s:[], s:o, s:{s:o}}", "outputs", "url",
			 "http://127.0.0.1:40000/", "addresses", "services", services, "lock",
			 "services", pinned);
}

static struct environment *describe(const struct seeding *seeding, long n)
{
	struct environment *env = environment_new();

	env->id = env_id_new();
	env->name = xasprintf("seed-%ld", n);
	env->owner = xstrdup("ci");
	env->project = xstrdup("default");
	env->template_name = xstrdup("idle");
	env->template_folder = path_join(seeding->templates, "idle");
	env->template_digest = xstrdup(seeding->digest);
	env->is_trusted = true;
	env->engine = xstrdup("external");
	env->target = xstrdup("idle");
	env->currency = xstrdup("USD");
	env->created_at_ms = clock_wall_ms();
	env->queue_limit_ms = 1800000;
	env->provision_limit_ms = 600000;
	env->lease_ms = 7200000;
	env->lease_maximum_ms = LEASE_MAXIMUM_MS;
	env->hard_wall_at_ms = env->created_at_ms + LEASE_MAXIMUM_MS + 2400000;
	env->attempts_max = 2;
	json_object_set_new(env->labels, "ci", json_string("nightly"));
	return env;
}

static void history(const struct seeding *seeding, struct store_tx *tx, struct env_id id,
		    enum env_state state)
{
	struct history_entry entry = { .kind = HISTORY_STATE,
				       .state = env_state_name(state),
				       .message = "as it went" };
	struct error err;

	(void)seeding;
	must(store_history_append(tx, &id, clock_wall_ms(), &entry, &err), &err);
}

/* The create that built it; without one nothing would have to be destroyed. */
static void add_job(struct store_tx *tx, const struct environment *env)
{
	struct job_row row = { .id = job_id_new(),
			       .environment = env->id,
			       .generation = 1,
			       .kind = "create",
			       .owner = "envd",
			       .intent_at_ms = env->created_at_ms };
	struct error err;
	bool done;

	must(store_job_insert(tx, &row, &err) &&
		 store_job_end(tx, row.id, "completed", NULL, env->created_at_ms, &done, &err),
	     &err);
}

static void add(const struct seeding *seeding, struct store_tx *tx, long n, int64_t end_ms)
{
	static const enum env_state way[] = { ENV_QUEUED, ENV_PROVISIONING, ENV_CHECKING,
					      ENV_READY };
	AUTO(environment_free) struct environment *env = describe(seeding, n);
	struct lease_change lease = { .expires_at_ms = end_ms, .boot_id = clock_boot_id() };
	struct error err;

	lease.expires_boot_ms = clock_boot_ms() + (end_ms - clock_wall_ms());
	must(store_environment_insert(tx, env, &err), &err);
	history(seeding, tx, env->id, ENV_QUEUED);
	for (size_t i = 1; i < ARRAY_SIZE(way); i++) {
		must(store_environment_move(tx, env->id, way[i - 1], way[i], clock_wall_ms(), &err),
		     &err);
		history(seeding, tx, env->id, way[i]);
	}
	add_job(tx, env);
	must(store_environment_set_created(tx, env->id, seeding->data, &err) &&
		 store_environment_set_lease(tx, env->id, &lease, &err),
	     &err);
}

int main(int argc, char **argv)
{
	AUTO(json_decref) json_t *data = data_of_a_create();
	struct seeding seeding = { .data = data };
	AUTO(free) char *folder = NULL;
	int64_t first_ms, spread_ms;
	struct error err;
	long count;

	if (argc != 6) {
		fprintf(stderr, "usage: seed DATA COUNT FIRST_END_S SPREAD_S TEMPLATES\n");
		return 2;
	}
	count = strtol(argv[2], NULL, 10);
	first_ms = clock_wall_ms() + strtol(argv[3], NULL, 10) * 1000;
	spread_ms = strtol(argv[4], NULL, 10) * 1000;
	seeding.templates = argv[5];
	folder = path_join(seeding.templates, "idle");
	must(folder_digest(folder, &(struct copy_limits){ 100, 1 << 20 }, seeding.digest, &err) &&
		 store_open(argv[1], true, &seeding.store, &err),
	     &err);
	for (long n = 0; n < count;) {
		struct store_tx *tx;

		must(store_begin(seeding.store, &tx, &err), &err);
		for (int i = 0; i < BATCH && n < count; i++, n++)
			add(&seeding, tx, n, first_ms + spread_ms * n / count);
		must(store_commit(tx, &err), &err);
	}
	store_close(seeding.store);
	return 0;
}
