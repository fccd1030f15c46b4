/*
 * sim_clients.c - who asks. A request goes the way of the API: noted in the builder's turn,
 * answered when the turn settles it; and it is lost when the builder dies before that.
 */
#include "tests/simulation/sim.h"

#include <string.h>

#include "control/lifecycle.h"

static const struct caller caller = { .name = "tester",
				      .role = ROLE_ADMIN,
				      .project = PROJECT_DEFAULT };

struct request {
	struct sim_create *create;
	enum sim_op_kind kind;
	struct env_id id;
	int64_t ms;
	bool is_at_least;
	char key[24];
	char digest[65];
};

static bool apply_create(struct request *request, struct store_tx *tx, struct error *err)
{
	struct sim_program *builder = &sim->programs[SIM_BUILDER];
	struct create_request wanted = {
		.template_name = request->create->with_checks ? "checked" : "plain",
		.lease_ms = request->create->lease_ms,
		.idempotency_key = request->key,
		.body_digest = request->digest,
	};
	bool is_replay;

	return lifecycle_create(&builder->control, tx, &wanted, &caller, &request->id, &is_replay,
				err);
}

static bool apply(void *arg, struct store_tx *tx, struct error *err)
{
	struct request *request = arg;
	struct control *control = &sim->programs[SIM_BUILDER].control;
	char run[ID_TEXT_SIZE];

	switch (request->kind) {
	case OP_EXTEND:
		return lifecycle_extend(control, tx, request->id,
					request->is_at_least ? EXTEND_AT_LEAST : EXTEND_BY,
					request->ms, &caller, err);
	case OP_DESTROY:
		sim_env_of(request->id)->destroy_was_asked = true;
		return lifecycle_destroy(control, tx, request->id, &caller, err);
	case OP_CHECK:
		return lifecycle_check(control, tx, request->id, NULL, json_object(), &caller, run,
				       err);
	default:
		return apply_create(request, tx, err);
	}
}

static void hear_created(struct request *request)
{
	struct sim_create *create = request->create;

	if (create->was_answered && strcmp(create->id.text, request->id.text) != 0)
		sim_fail("S11 one key, two environments: %s and %s", create->id.text,
			 request->id.text);
	create->was_answered = true;
	create->id = request->id;
}

/* What is answered must be so. */
static void hear(struct request *request)
{
	sim_tell("answered: %s %s",
		 request->kind == OP_EXTEND    ? "extended"
		 : request->kind == OP_DESTROY ? "will be destroyed"
		 : request->kind == OP_CHECK   ? "will be checked"
					       : "accepted",
		 request->id.text + 24);
	if (request->kind == OP_CREATE || request->kind == OP_RETRY)
		hear_created(request);
	if (request->kind == OP_EXTEND) {
		sim->counts.extended++;
		sim_judge_promise(&sim->programs[SIM_BUILDER], request->id);
	}
}

static void settle(void *arg, const struct error *failure)
{
	AUTO(free) struct request *request = arg;

	if (sim->programs[SIM_BUILDER].is_dying)
		return; /* nobody hears a dead program */
	if (failure) {
		sim->counts.gone += failure->code == ERR_GONE;
		sim_tell("refused: %s", failure->message);
	} else {
		hear(request);
	}
	if (request->kind == OP_EXTEND)
		sim_env_of(request->id)->asked_ms -= request->ms;
}

static void submit(void *arg)
{
	turn_add(sim->programs[SIM_BUILDER].control.turn,
		 &(struct turn_work){ .apply = apply, .settle = settle, .arg = arg });
}

/* False: this client has nothing to ask about yet. */
static bool choose(const struct sim_op *op, struct request *request)
{
	if (op->kind == OP_CREATE) {
		request->create = &sim->creates[sim->create_count++];
		request->create->lease_ms = op->ms;
		request->create->with_checks = op->how;
		return true;
	}
	if (!sim->create_count)
		return false;
	request->create = &sim->creates[(size_t)op->which % sim->create_count];
	request->id = request->create->id;
	request->ms = op->ms;
	request->is_at_least = op->how;
	return op->kind == OP_RETRY || request->create->was_answered;
}

void sim_clients_do(const struct sim_op *op)
{
	struct sim_program *builder = &sim->programs[SIM_BUILDER];
	struct request request = { .kind = op->kind };
	struct request *kept;

	if (!choose(op, &request) || !builder->is_up)
		return;
	snprintf(request.key, sizeof(request.key), "key-%d", (int)(request.create - sim->creates));
	memset(request.digest, '0', sizeof(request.digest) - 1);
	kept = xcalloc(1, sizeof(*kept));
	*kept = request;
	if (request.kind == OP_EXTEND)
		sim_env_of(request.id)->asked_ms += request.ms;
	sim_loop_post(builder->control.loop, submit, kept);
}
