/*
 * sim_seams.c - the small seams: clocks, ids, templates, the other program, and commits that may
 * fail or be a program's last.
 */
#include "tests/simulation/sim.h"

#include <string.h>

#include "base/clock.h"
#include "control/instance_record.h"
#include "control/job_runner.h"
#include "control/lock_watch.h"
#include "control/peer.h"
#include "store/store_environments.h"

/* ---- clocks ---- */

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_boot_ms(void);
const char *__wrap_clock_boot_id(void);

int64_t __wrap_clock_wall_ms(void)
{
	return sim_wall_ms();
}

int64_t __wrap_clock_mono_ms(void)
{
	return sim->now_ms;
}

int64_t __wrap_clock_boot_ms(void)
{
	return sim->now_ms - sim->boot_at_ms;
}

const char *__wrap_clock_boot_id(void)
{
	return sim->boot_id;
}

/* ---- ids: as the seed wants them ---- */

struct env_id __wrap_env_id_new(void);
struct job_id __wrap_job_id_new(void);

static void make_id(char text[ID_TEXT_SIZE])
{
	snprintf(text, ID_TEXT_SIZE, "00000000-0000-4000-8000-%012llx",
		 (unsigned long long)++sim->ids);
}

struct env_id __wrap_env_id_new(void)
{
	struct env_id id;

	make_id(id.text);
	return id;
}

struct job_id __wrap_job_id_new(void)
{
	struct job_id id;

	make_id(id.text);
	return id;
}

/* ---- templates ---- */

bool __wrap_template_registry_find(struct template_registry *registry, const char *name,
				   struct template_entry *entry, struct error *err);

bool __wrap_template_registry_find(struct template_registry *registry, const char *name,
				   struct template_entry *entry, struct error *err)
{
	static char plain_name[] = "plain", checked_name[] = "checked", engine[] = "container",
		    source[] = "compose.yaml", checks[] = "checks.yaml", currency[] = "USD";
	static const struct template_limits limits = { .provision_ms = 60000,
						       .lease_default_ms = 30000,
						       .lease_min_ms = 10000,
						       .lease_max_ms = 120000,
						       .attempts = 2 };
	static const struct template plain = { .name = plain_name,
					       .engine = engine,
					       .source = source,
					       .limits = limits,
					       .price = { .currency = currency } };
	static const struct template checked = { .name = checked_name,
						 .engine = engine,
						 .source = source,
						 .checks = checks,
						 .limits = limits,
						 .price = { .currency = currency } };

	(void)registry;
	(void)err;
	*entry = (struct template_entry){ strcmp(name, plain_name) == 0 ? &plain : &checked,
					  "/nowhere", "digest", true, NULL };
	return true;
}

/* ---- things of the machine that a simulation leaves alone ---- */

void __wrap_instance_record_keep(const struct control *control);
void __wrap_lock_watch_busy(struct lock_watch *watch, const char *data);
void __wrap_store_reserve_ensure(struct store *store);

void __wrap_instance_record_keep(const struct control *control)
{
	(void)control;
}

void __wrap_lock_watch_busy(struct lock_watch *watch, const char *data)
{
	(void)watch;
	(void)data;
}

void __wrap_store_reserve_ensure(struct store *store)
{
	(void)store;
}

/* ---- the other program ---- */

struct peer {
	enum sim_role role;
};

bool __wrap_peer_take(struct loop *loop, const char *data, const char *name,
		      void (*on_wake)(void *arg), void *arg, struct peer **self, struct error *err);
struct peer *__wrap_peer_see(const char *data, const char *name);
void __wrap_peer_free(struct peer *peer);
bool __wrap_peer_is_running(const struct peer *other);
bool __wrap_peer_is_responsive(struct peer *other);
void __wrap_peer_end(struct peer *other);
void __wrap_peer_wake(struct peer *other);

static struct peer *peer_named(const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->role = strcmp(name, "envd") == 0 ? SIM_BUILDER : SIM_DESTROYER;
	return peer;
}

bool __wrap_peer_take(struct loop *loop, const char *data, const char *name,
		      void (*on_wake)(void *arg), void *arg, struct peer **self, struct error *err)
{
	(void)loop;
	(void)data;
	(void)err;
	*self = peer_named(name);
	sim->programs[(*self)->role].on_wake = on_wake;
	sim->programs[(*self)->role].wake_arg = arg;
	return true;
}

struct peer *__wrap_peer_see(const char *data, const char *name)
{
	(void)data;
	return peer_named(name);
}

void __wrap_peer_free(struct peer *peer)
{
	free(peer);
}

bool __wrap_peer_is_running(const struct peer *other)
{
	return sim->programs[other->role].is_up;
}

/* Its heart beats every 2 s, and is given 10 s, and 5 more for a machine that slept. */
bool __wrap_peer_is_responsive(struct peer *other)
{
	const struct sim_program *program = &sim->programs[other->role];

	return program->is_up &&
	       (!program->hung_since_ms || sim->now_ms - program->hung_since_ms < 15000);
}

void __wrap_peer_end(struct peer *other)
{
	struct sim_program *program = &sim->programs[other->role];

	if (program->is_up && program != sim->running)
		sim_crash(program, 2000);
}

void __wrap_peer_wake(struct peer *other)
{
	struct sim_program *program = &sim->programs[other->role];

	if (program->is_up && !program->is_dying)
		sim_loop_post(program->control.loop, program->on_wake, program->wake_arg);
}

/* ---- the store: busy, full, or left behind ---- */

bool __real_store_begin(struct store *store, struct store_tx **tx, struct error *err);
bool __wrap_store_begin(struct store *store, struct store_tx **tx, struct error *err);
bool __real_store_commit(struct store_tx *tx, struct error *err);
bool __wrap_store_commit(struct store_tx *tx, struct error *err);

bool __wrap_store_begin(struct store *store, struct store_tx **tx, struct error *err)
{
	struct sim_program *program = sim ? sim->running : NULL;

	if (program && program->busy_until_ms > sim->now_ms)
		return error_set_as(err, ERR_UNAVAILABLE, "store_busy",
				    "another program is writing the store");
	return __real_store_begin(store, tx, err);
}

bool __wrap_store_commit(struct store_tx *tx, struct error *err)
{
	struct sim_program *program = sim ? sim->running : NULL;

	if (!program)
		return __real_store_commit(tx, err);
	if (program->commit_fails) {
		program->commit_fails = false;
		sim_not_well(program, sim->now_ms + 1000);
		sim_judge_forget_touched();
		store_rollback(tx);
		return error_set_as(err, ERR_UNAVAILABLE, "disk_full", "the disk is full");
	}
	sim_crash_point(CRASH_BEFORE_COMMIT);
	if (!__real_store_commit(tx, err))
		return false;
	sim->counts.commits++;
	sim_judge_commit(program);
	sim_crash_point(CRASH_AFTER_COMMIT);
	return true;
}

/* ---- the scheduler's pass, which reads before it decides ---- */

bool __real_job_runner_attend(struct job_runner *runner, struct store_tx *tx, struct error *err);
bool __wrap_job_runner_attend(struct job_runner *runner, struct store_tx *tx, struct error *err);

bool __wrap_job_runner_attend(struct job_runner *runner, struct store_tx *tx, struct error *err)
{
	struct sim_program *program = sim->running;

	if (!program || !program->pass_fails)
		return __real_job_runner_attend(runner, tx, err);
	program->pass_fails = false;
	sim_not_well(program, sim->now_ms + 1000);
	return error_set_as(err, ERR_UNAVAILABLE, "store_busy", "it cannot be read just now");
}

/* ---- what the judge looks at after the commit ---- */

bool __real_store_environment_insert(struct store_tx *tx, struct environment *environment,
				     struct error *err);
bool __wrap_store_environment_insert(struct store_tx *tx, struct environment *environment,
				     struct error *err);
bool __real_store_environment_move(struct store_tx *tx, struct env_id id, enum env_state from,
				   enum env_state to, int64_t now_ms, struct error *err);
bool __wrap_store_environment_move(struct store_tx *tx, struct env_id id, enum env_state from,
				   enum env_state to, int64_t now_ms, struct error *err);

bool __wrap_store_environment_insert(struct store_tx *tx, struct environment *environment,
				     struct error *err)
{
	sim_judge_touch(environment->id);
	return __real_store_environment_insert(tx, environment, err);
}

bool __wrap_store_environment_move(struct store_tx *tx, struct env_id id, enum env_state from,
				   enum env_state to, int64_t now_ms, struct error *err)
{
	sim_judge_touch(id);
	return __real_store_environment_move(tx, id, from, to, now_ms, err);
}
