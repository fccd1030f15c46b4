/*
 * sim.c - one schedule: start both programs, let time pass, do what the schedule says, then let
 * everything come to rest and judge.
 */
#include "tests/simulation/sim.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"

#define WALL_AT_START_MS INT64_C(1800000000000)

struct sim *sim;

int64_t sim_wall_ms(void)
{
	return WALL_AT_START_MS + sim->now_ms + sim->wall_offset_ms;
}

void sim_fail(const char *format, ...)
{
	va_list args;

	if (*sim->failure)
		return;
	va_start(args, format);
	vsnprintf(sim->failure, sizeof(sim->failure), format, args);
	va_end(args);
	sim_tell("FAILED: %s", sim->failure);
}

void sim_tell(const char *format, ...)
{
	va_list args;

	if (!sim->tells)
		return;
	printf("%8lld ms    ", (long long)sim->now_ms);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* ---- a store to begin with, made once ---- */

static struct {
	char *bytes;
	size_t length;
} first_store, first_log;

static void make_first_store(const char *folder)
{
	AUTO(free) char *database = path_join(folder, "store.db");
	AUTO(free) char *log = path_join(folder, "store.db-wal");
	struct store *store;
	struct error err;

	if (!store_open(folder, true, &store, &err)) {
		fprintf(stderr, "simulation: %s\n", err.message);
		abort();
	}
	store_close(store);
	if (!file_read(database, 64 << 20, &first_store.bytes, &first_store.length, &err) ||
	    !file_read(log, 64 << 20, &first_log.bytes, &first_log.length, &err)) {
		fprintf(stderr, "simulation: %s\n", err.message);
		abort();
	}
}

static void write_out(const char *folder, const char *name, const char *bytes, size_t length)
{
	AUTO(free) char *path = path_join(folder, name);
	AUTO(close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
		perror(path);
		abort();
	}
}

/* In memory where there is such a place: a commit is then a copy, and there are millions. */
static void make_folder(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(sim->folder, sizeof(sim->folder), "%s/envd-simulation-XXXXXX", base);
	if (!mkdtemp(sim->folder)) {
		perror(sim->folder);
		abort();
	}
	if (!first_store.bytes)
		make_first_store(sim->folder);
	write_out(sim->folder, "store.db", first_store.bytes, first_store.length);
	write_out(sim->folder, "store.db-wal", first_log.bytes, first_log.length);
}

/* ---- the two programs ---- */

static void start(struct sim_program *program)
{
	enum control_role role = program->role == SIM_BUILDER ? CONTROL_BUILDER : CONTROL_DESTROYER;
	struct error err;

	if (!control_open(&program->control, role, &sim->settings, &err)) {
		sim_fail("a program cannot be started: %s", err.message);
		return;
	}
	program->is_up = true;
	program->hung_since_ms = program->hung_until_ms = 0;
	program->well_since_ms = sim->now_ms;
	sim_tell("%s runs", program->role == SIM_BUILDER ? "envd" : "envd-reaper");
}

void sim_crash(struct sim_program *program, int64_t down_ms)
{
	sim_tell("%s dies", program->role == SIM_BUILDER ? "envd" : "envd-reaper");
	program->is_dying = true;
	program->is_up = false;
	program->armed = CRASH_BETWEEN_TURNS;
	program->busy_until_ms = 0;
	control_close(&program->control);
	program->is_dying = false;
	program->starts_at_ms = sim->now_ms + down_ms;
	sim_judge_forget_touched();
	sim->counts.crashes++;
}

void sim_crash_point(enum sim_moment moment)
{
	struct sim_program *program = sim->running;

	if (program && program->armed == moment && moment != CRASH_BETWEEN_TURNS)
		longjmp(program->out, 1);
}

void sim_not_well(struct sim_program *program, int64_t until_ms)
{
	if (program->well_since_ms < until_ms)
		program->well_since_ms = until_ms;
}

/* A program that has nothing to do and does it all the time costs a core and a disk. */
static void count_turn(struct sim_program *program)
{
	sim->counts.turns++;
	if (program->second != sim->now_ms / 1000) {
		program->second = sim->now_ms / 1000;
		program->turns_in_second = 0;
	}
	if (++program->turns_in_second > SIM_TURNS_IN_SECOND_MAX)
		sim_fail("L0 %s spins: more than %d turns within a second",
			 program->role == SIM_BUILDER ? "envd" : "envd-reaper",
			 SIM_TURNS_IN_SECOND_MAX);
}

/* Committed, and nobody was woken: the other one sees it when it scans. */
static void lose_wakes(const struct sim_program *dead)
{
	if (dead->armed != CRASH_BEFORE_COMMIT)
		sim_not_well(&sim->programs[SIM_DESTROYER], sim->now_ms + SIM_SCAN_MS);
}

static void turn(struct sim_program *program)
{
	count_turn(program);
	sim->running = program;
	if (setjmp(program->out) == 0) {
		control_turn(&program->control);
	} else {
		lose_wakes(sim->running);
		sim_crash(sim->running, sim->running->down_ms);
	}
	sim->running = NULL;
}

static bool is_hung(const struct sim_program *program)
{
	return program->hung_until_ms > sim->now_ms;
}

/* ---- what the schedule says ---- */

static void jump(int64_t ms)
{
	sim->wall_offset_ms += ms;
	sim->has_jumped = true;
}

static void reboot(void)
{
	for (size_t i = 0; i < SIM_ROLES; i++) {
		if (sim->programs[i].is_up)
			sim_crash(&sim->programs[i], 0);
		sim->programs[i].starts_at_ms = sim->now_ms + 3000;
	}
	sim_workers_kill();
	sim->boots++;
	sim->boot_at_ms = sim->now_ms;
	snprintf(sim->boot_id, sizeof(sim->boot_id), "boot-%d", sim->boots);
}

static void crash(struct sim_program *program, const struct sim_op *op)
{
	if (!program->is_up)
		return;
	program->armed = (enum sim_moment)op->how;
	program->down_ms = op->ms;
	if (op->how == CRASH_BETWEEN_TURNS)
		sim_crash(program, op->ms);
}

static void hang(struct sim_program *program, int64_t ms)
{
	if (!program->is_up || program->hung_since_ms)
		return;
	program->hung_since_ms = sim->now_ms;
	program->hung_until_ms = sim->now_ms + ms;
	sim_not_well(program, program->hung_until_ms);
}

static void be_busy(struct sim_program *program, int64_t ms)
{
	program->busy_until_ms = sim->now_ms + ms % 4000;
	sim_not_well(program, program->busy_until_ms + 1000);
}

static void do_fault(const struct sim_op *op)
{
	struct sim_program *program = &sim->programs[op->which % SIM_ROLES];

	switch (op->kind) {
	case OP_CRASH:
		crash(program, op);
		break;
	case OP_REBOOT:
		reboot();
		break;
	case OP_HANG:
		hang(program, op->ms);
		break;
	case OP_JUMP:
		jump(op->ms);
		break;
	case OP_WORKER_FAULT:
		sim->next_fault[op->which] = (enum sim_fault)op->how;
		break;
	case OP_KILL_WORKERS:
		sim_workers_kill();
		break;
	case OP_BUSY:
		be_busy(program, op->ms);
		break;
	case OP_COMMIT_FAILS:
		program->commit_fails = true;
		break;
	case OP_PASS_FAILS:
		program->pass_fails = true;
		break;
	case OP_ORPHAN:
		sim_sweep_orphan(op);
		break;
	default:
		program->folder_fails = true;
	}
}

static void do_op(const struct sim_op *op)
{
	if (op->is_left_out)
		return;
	sim_tell("-- %s", op->kind < OP_CRASH ? "a client asks" : "a fault");
	if (op->kind < OP_CRASH)
		sim_clients_do(op);
	else
		do_fault(op);
}

static void faults_off(void)
{
	for (size_t i = 0; i < SIM_ROLES; i++) {
		struct sim_program *program = &sim->programs[i];

		program->armed = CRASH_BETWEEN_TURNS;
		program->commit_fails = program->folder_fails = program->pass_fails = false;
		program->busy_until_ms = 0;
	}
	memset(sim->next_fault, 0, sizeof(sim->next_fault));
}

/* ---- time ---- */

static int64_t program_next_ms(const struct sim_program *program)
{
	int64_t next;

	if (!program->is_up)
		return program->starts_at_ms;
	next = sim_loop_next_ms(program->control.loop);
	return program->hung_until_ms > next ? program->hung_until_ms : next;
}

static int64_t op_next_ms(void)
{
	return sim->next_op < sim->op_count ? sim->ops[sim->next_op].at_ms : INT64_MAX;
}

/* Of those that are due now, the seed says who is first. */
enum actor { ACTOR_BUILDER, ACTOR_DESTROYER, ACTOR_WORKER, ACTOR_OP, ACTOR_SWEEP, ACTORS };

static void act(enum actor actor)
{
	struct sim_program *program;

	if (actor == ACTOR_WORKER) {
		sim_workers_step();
	} else if (actor == ACTOR_OP) {
		do_op(&sim->ops[sim->next_op++]);
	} else if (actor == ACTOR_SWEEP) {
		sim_sweep_step();
	} else {
		program = &sim->programs[actor];
		if (program->hung_since_ms && !is_hung(program))
			program->hung_since_ms = 0;
		if (program->is_up)
			turn(program);
		else
			start(program);
	}
}

static bool advance(int64_t until_ms)
{
	int64_t due[ACTORS] = { program_next_ms(&sim->programs[SIM_BUILDER]),
				program_next_ms(&sim->programs[SIM_DESTROYER]),
				sim_workers_next_ms(), op_next_ms(), sim->sweep.due_ms };
	int64_t first = INT64_MAX;
	enum actor ready[ACTORS];
	size_t count = 0;

	for (size_t i = 0; i < ACTORS; i++)
		if (due[i] < first)
			first = due[i];
	if (first > until_ms)
		return false;
	if (first > sim->now_ms)
		sim->now_ms = first;
	for (size_t i = 0; i < ACTORS; i++)
		if (due[i] <= sim->now_ms)
			ready[count++] = (enum actor)i;
	act(ready[sim_random(4711, sim->steps, (int64_t)count)]);
	return true;
}

static void pass_time(int64_t until_ms, bool stop_when_settled)
{
	uint64_t most = sim->steps + SIM_STEPS_MAX;

	while (!*sim->failure && advance(until_ms)) {
		if (++sim->steps > most)
			sim_fail("it spins: %d steps and no end", SIM_STEPS_MAX);
		if (stop_when_settled && sim->steps % 8 == 0 && sim_judge_is_settled())
			break;
	}
}

static void set_up(void)
{
	static char name[] = "local", engine[] = "container", address[] = "127.0.0.1";

	sim->now_ms = 1;
	reboot();
	sim->counts = (struct sim_counts){ 0 };
	sim->target = (struct target){
		.name = name, .engine = engine, .publish_address = address, .environments_max = 3
	};
	sim->settings = (struct settings){ .data = sim->folder,
					   .queue_limit_ms = SIM_QUEUE_LIMIT_MS,
					   .lease_grace_ms = SIM_GRACE_MS,
					   .check_limit_ms = 20000,
					   .destroy_limit_ms = 20000,
					   .create_slots = 2,
					   .check_slots = 2,
					   .destroy_slots = 2,
					   .environments_max = 3,
					   .open_max = 100,
					   .retry_first_ms = 1000,
					   .sweep_interval_ms = 20000,
					   .targets = &sim->target,
					   .target_count = 1 };
	sim->sweep.due_ms = sim->settings.sweep_interval_ms;
	for (size_t i = 0; i < SIM_ROLES; i++) {
		sim->programs[i].role = (enum sim_role)i;
		start(&sim->programs[i]);
	}
}

static void tear_down(void)
{
	struct error ignored; /* a folder that stays is only untidy */

	for (size_t i = 0; i < SIM_ROLES; i++)
		if (sim->programs[i].is_up)
			sim_crash(&sim->programs[i], 0);
	sim_workers_free();
	sim_things_free();
	sim_sweep_free();
	if (!folder_remove(sim->folder, &ignored))
		fprintf(stderr, "%s\n", ignored.message);
}

bool sim_run(struct sim *made)
{
	sim = made;
	make_folder();
	sim->ids = 0; /* also after the first store was made: the same seed, the same ids */
	set_up();
	pass_time(SIM_FAULTS_END_MS, false);
	faults_off();
	pass_time(SIM_SETTLE_MS, true);
	if (!*sim->failure && sim->programs[SIM_DESTROYER].is_up)
		sim_judge_end();
	tear_down();
	sim = NULL;
	return !*made->failure;
}
