/*
 * sim_schedule.c - a schedule from a seed, and in words.
 */
#include "tests/simulation/sim.h"

#include "base/text.h"

static const char *const op_names[] = {
#define X(kind, name) [kind] = name,
	SIM_OPS(X)
#undef X
};

static const char *const moment_names[] = {
#define X(moment, name) [moment] = name,
	SIM_MOMENTS(X)
#undef X
};

static const char *const fault_names[] = {
#define X(fault, name) [fault] = name,
	SIM_FAULTS(X)
#undef X
};

static const char *const orphan_names[] = {
#define X(kind, name) [kind] = name,
	SIM_ORPHANS(X)
#undef X
};

static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

int64_t sim_random(uint64_t stream, uint64_t n, int64_t below)
{
	uint64_t value = mix(mix(sim->seed ^ mix(stream)) + n);

	return below > 0 ? (int64_t)(value % (uint64_t)below) : 0;
}

struct dice {
	uint64_t state;
};

static int64_t throw(struct dice * dice, int64_t below)
{
	dice->state += 0x9e3779b97f4a7c15u;
	return (int64_t)(mix(dice->state) % (uint64_t)below);
}

static void add(struct sim *made, const struct sim_op *op)
{
	size_t at = made->op_count;

	if (at == SIM_OPS_MAX)
		return;
	made->op_count++;
	for (; at > 0 && made->ops[at - 1].at_ms > op->at_ms; at--)
		made->ops[at] = made->ops[at - 1];
	made->ops[at] = *op;
}

static void add_creates(struct sim *made, struct dice *dice)
{
	int64_t count = 1 + throw(dice, 4);

	for (int64_t i = 0; i < count; i++)
		add(made, &(struct sim_op){ .at_ms = throw(dice, 400) * 100,
					    .kind = OP_CREATE,
					    .how = throw(dice, 2),
					    .ms = 10000 + throw(dice, 40) * 1000 });
}

static void add_requests(struct sim *made, struct dice *dice)
{
	static const enum sim_op_kind kinds[] = { OP_RETRY,  OP_EXTEND,  OP_EXTEND,
						  OP_EXTEND, OP_DESTROY, OP_CHECK };
	int64_t count = throw(dice, 9);

	for (int64_t i = 0; i < count; i++)
		add(made, &(struct sim_op){ .at_ms = throw(dice, 9000) * 10,
					    .kind = kinds[throw(dice, ARRAY_SIZE(kinds))],
					    .which = throw(dice, 4),
					    .how = throw(dice, 2),
					    .ms = 1000 + throw(dice, 30) * 1000 });
}

static int64_t jump_ms(struct dice *dice)
{
	static const int64_t jumps[] = { 500, 4000, 20000, 90000, 3600000 };
	int64_t ms = jumps[throw(dice, ARRAY_SIZE(jumps))];

	return throw(dice, 2) ? ms : -ms;
}

static void add_fault(struct sim *made, struct dice *dice)
{
	static const enum sim_op_kind kinds[] = {
		OP_CRASH,        OP_CRASH, OP_CRASH,        OP_CRASH,        OP_REBOOT,
		OP_HANG,         OP_JUMP,  OP_WORKER_FAULT, OP_WORKER_FAULT, OP_WORKER_FAULT,
		OP_KILL_WORKERS, OP_BUSY,  OP_COMMIT_FAILS, OP_FOLDER_FAILS, OP_PASS_FAILS,
	};
	struct sim_op op = { .at_ms = throw(dice, 10000) * 10,
			     .kind = kinds[throw(dice, ARRAY_SIZE(kinds))],
			     .which = throw(dice, SIM_ROLES),
			     .ms = 200 + throw(dice, 100) * 100 };

	if (op.kind == OP_CRASH)
		op.how = throw(dice, CRASH_MOMENTS);
	else if (op.kind == OP_WORKER_FAULT)
		op.how = 1 + throw(dice, FAULT_COUNT - 1);
	else if (op.kind == OP_JUMP)
		op.ms = jump_ms(dice);
	else if (op.kind == OP_HANG)
		op.ms *= 3;
	if (op.kind == OP_WORKER_FAULT)
		op.which = throw(dice, KIND_COUNT);
	/* Most faults while something is being built or removed. */
	if (throw(dice, 3) > 0)
		op.at_ms /= 3;
	add(made, &op);
}

/* Half of them are overdue when they appear, or soon after. */
static void add_orphans(struct sim *made, struct dice *dice)
{
	int64_t count = throw(dice, 3) == 0 ? 1 + throw(dice, SIM_ORPHANS_MAX) : 0;

	for (int64_t i = 0; i < count; i++) {
		int64_t how = throw(dice, 12);

		add(made,
		    &(struct sim_op){ .at_ms = throw(dice, 11000) * 10,
				      .kind = OP_ORPHAN,
				      .which = throw(dice, 4),
				      .how = how < ORPHAN_KINDS ? how : how % ORPHAN_FUTURE,
				      .ms = throw(dice, 2) ? 3600000 : throw(dice, 60) * 1000 });
	}
}

void sim_schedule_make(struct sim *made, uint64_t seed)
{
	struct dice dice = { mix(seed) };
	int64_t faults;

	*made = (struct sim){ .seed = seed };
	add_creates(made, &dice);
	add_requests(made, &dice);
	faults = throw(&dice, 6) == 0 ? 0 : throw(&dice, 9);
	for (int64_t i = 0; i < faults; i++)
		add_fault(made, &dice);
	add_orphans(made, &dice);
}

static void describe(const struct sim_op *op, struct text *text)
{
	static const char *const roles[] = { "envd", "envd-reaper" };
	static const char *const kinds[] = { "create", "recover", "check", "destroy" };

	text_format(text, "%8lld ms  ", (long long)op->at_ms);
	switch (op->kind) {
	case OP_CREATE:
		text_format(text, "create, lease %lld ms%s", (long long)op->ms,
			    op->how ? ", with checks" : "");
		break;
	case OP_RETRY:
	case OP_DESTROY:
	case OP_CHECK:
		text_format(text, "%s: environment %lld", op_names[op->kind], (long long)op->which);
		break;
	case OP_EXTEND:
		text_format(text, "extend environment %lld %s %lld ms", (long long)op->which,
			    op->how ? "to at least" : "by", (long long)op->ms);
		break;
	case OP_CRASH:
		text_format(text, "%s dies %s, for %lld ms", roles[op->which],
			    moment_names[op->how], (long long)op->ms);
		break;
	case OP_WORKER_FAULT:
		text_format(text, "the next %s worker %s", kinds[op->which], fault_names[op->how]);
		break;
	case OP_JUMP:
		text_format(text, "the clock jumps by %lld ms", (long long)op->ms);
		break;
	case OP_ORPHAN:
		text_format(text, "an orphan appears, %s, hard wall in %lld ms",
			    orphan_names[op->how], (long long)op->ms);
		break;
	case OP_REBOOT:
	case OP_KILL_WORKERS:
		text_add(text, op_names[op->kind]);
		break;
	default:
		text_format(text, "%s: %s, %lld ms", roles[op->which], op_names[op->kind],
			    (long long)op->ms);
	}
}

void sim_schedule_print(const struct sim *made)
{
	for (size_t i = 0; i < made->op_count; i++) {
		struct text text = TEXT_EMPTY;

		if (made->ops[i].is_left_out)
			continue;
		describe(&made->ops[i], &text);
		printf("%s\n", text.bytes);
		text_release(&text);
	}
}
