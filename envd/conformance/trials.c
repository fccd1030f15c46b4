#include "conformance/trials.h"

#include <string.h>

#include "base/files.h"

static const char rule_lines[] = "First `hello`, last `result`, one of each.";
static const char rule_proof[] =
    "Nothing is destroyed for envd until a destroy ended well with `state_empty` and nothing "
    "`pending`, and two inventories after it were complete and empty.";

/* ---- asking ---- */

static bool is_about_lines(const struct error *err)
{
	return text_equal(err->slug, "worker_protocol") || text_equal(err->slug, "no_result");
}

/* Its result says ok, or `why` says what it said. */
static bool went_well(struct rig *rig, const struct run *run, size_t which, struct text *why)
{
	if (run->err[which].code == ERR_NONE)
		return true;
	text_format(why, "%s: %s", run->verb, run->err[which].message);
	if (is_about_lines(&run->err[which]))
		rig->rule = rule_lines;
	return false;
}

static bool run_verb(struct rig *rig, const char *verb, struct subject *subject, struct run *run,
		     struct text *why)
{
	*run = (struct run){ .verb = verb, .subjects = { subject } };
	rig_run(rig, run);
	return went_well(rig, run, 0, why);
}

static bool do_verb(struct rig *rig, const char *verb, struct subject *subject, struct text *why)
{
	AUTO(run_release) struct run run;

	return run_verb(rig, verb, subject, &run, why);
}

/* New reference to the items; NULL with the reason in `why` when it failed or is not complete. */
static json_t *list_items(struct rig *rig, struct subject *subject, struct text *why)
{
	AUTO(run_release) struct run run;

	if (!run_verb(rig, "inventory", subject, &run, why))
		return NULL;
	if (json_get_bool(run.data[0], "complete", false))
		return json_incref(json_object_get(run.data[0], "items"));
	text_format(why, "its inventory %s is not complete, so nothing could be proved gone",
		    subject ? "of one environment" : "of the instance");
	rig->rule = rule_proof;
	return NULL;
}

/* ---- lists of items ---- */

static bool is_same_item(const json_t *a, const json_t *b)
{
	return text_equal(json_get_string(a, "kind", ""), json_get_string(b, "kind", "")) &&
	       text_equal(json_get_string(a, "id", ""), json_get_string(b, "id", ""));
}

static bool has_item(const json_t *items, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(items); i++)
		if (is_same_item(json_array_get(items, i), item))
			return true;
	return false;
}

/* The first of `items` that is, or is not, in `others`; NULL: there is none. */
static const json_t *find_item(const json_t *items, const json_t *others, bool is_in)
{
	for (size_t i = 0; i < json_array_size(items); i++)
		if (has_item(others, json_array_get(items, i)) == is_in)
			return json_array_get(items, i);
	return NULL;
}

static void name_item(struct text *why, const char *before, const json_t *item, const char *after)
{
	char kind[80], id[120];

	text_format(why, "%s %s \"%s\" %s", before,
		    text_printable(json_get_string(item, "kind", ""), kind, sizeof(kind)),
		    text_printable(json_get_string(item, "id", ""), id, sizeof(id)), after);
}

static bool is_gone(struct rig *rig, struct subject *subject, struct text *why)
{
	AUTO(json_decref) json_t *items = list_items(rig, subject, why);

	if (!items)
		return false;
	if (!json_array_size(items))
		return true;
	name_item(why, "its inventory still lists", json_array_get(items, 0), "");
	return false;
}

static bool destroy_well(struct rig *rig, struct subject *subject, struct text *why)
{
	AUTO(run_release) struct run run;

	if (!run_verb(rig, "destroy", subject, &run, why))
		return false;
	if (!json_get_bool(run.data[0], "state_empty", false) ||
	    json_get_int64(run.data[0], "pending", 1) != 0) {
		text_format(why, "destroy says state_empty %s, pending %lld",
			    json_get_bool(run.data[0], "state_empty", false) ? "true" : "false",
			    (long long)json_get_int64(run.data[0], "pending", 1));
		rig->rule = rule_proof;
		return false;
	}
	return is_gone(rig, subject, why);
}

static bool plan_well(struct rig *rig, struct subject *subject, struct text *why)
{
	AUTO(run_release) struct run run;

	if (!run_verb(rig, "plan", subject, &run, why))
		return false;
	json_decref(subject->lock);
	subject->lock = json_incref(json_object_get(run.data[0], "lock"));
	return true;
}

static enum trial_status judge(bool is_well)
{
	return is_well ? TRIAL_OK : TRIAL_BROKEN;
}

/* ---- before anything is made; the first two subjects are the story's ---- */

static enum trial_status probe_answers(struct rig *rig, struct text *why)
{
	rig->has_answered = do_verb(rig, "probe", NULL, why);
	return judge(rig->has_answered);
}

static enum trial_status unknown_is_refused(struct rig *rig, struct text *why)
{
	AUTO(run_release) struct run run = { .verb = "no-such-task" };

	rig_run(rig, &run);
	if (run.err[0].code == ERR_NONE) {
		text_add(why, "it says ok to a task that does not exist");
		return TRIAL_BROKEN;
	}
	if (!is_about_lines(&run.err[0]) && !text_equal(run.err[0].slug, "run_ended"))
		return TRIAL_OK;
	text_add(why, run.err[0].message);
	return TRIAL_BROKEN;
}

static enum trial_status nothing_is_listed(struct rig *rig, struct text *why)
{
	struct subject *one = rig_subject(rig, why);
	struct subject *other = one ? rig_subject(rig, why) : NULL;

	return judge(other && is_gone(rig, one, why) && is_gone(rig, NULL, why));
}

static enum trial_status destroying_nothing(struct rig *rig, struct text *why)
{
	return judge(destroy_well(rig, &rig->subjects[0], why));
}

static enum trial_status plan_changes_nothing(struct rig *rig, struct text *why)
{
	return judge(plan_well(rig, &rig->subjects[0], why) &&
		     plan_well(rig, &rig->subjects[1], why) &&
		     plan_well(rig, &rig->subjects[0], why) && is_gone(rig, NULL, why));
}

/* ---- made ---- */

static enum trial_status two_are_created(struct rig *rig, struct text *why)
{
	AUTO(run_release)
	struct run run = { .verb = "create", .subjects = { &rig->subjects[0], &rig->subjects[1] } };

	rig_run(rig, &run);
	if (!went_well(rig, &run, 0, why) || !went_well(rig, &run, 1, why))
		return TRIAL_BROKEN;
	rig->create_ms = run.took_ms > 1 ? run.took_ms : 2;
	return TRIAL_OK;
}

static bool was_created(const struct rig *rig, struct text *why)
{
	if (!rig->create_ms)
		text_add(why, "no create ended well");
	return rig->create_ms;
}

static bool lists_of_both(struct rig *rig, json_t *items[2], struct text *why)
{
	for (size_t i = 0; i < 2; i++) {
		items[i] = list_items(rig, &rig->subjects[i], why);
		if (!items[i])
			return false;
	}
	return true;
}

/* Frees what it is given. */
static bool apart(json_t *items[2], bool were_listed, struct text *why)
{
	const json_t *shared = find_item(items[0], items[1], true);
	bool is_well =
	    were_listed && !shared && json_array_size(items[0]) && json_array_size(items[1]);

	if (shared)
		name_item(why, "", shared, "is listed for both environments");
	else if (were_listed && !is_well)
		text_add(why, "create ended well and the inventory lists nothing of it");
	json_decref(items[0]);
	json_decref(items[1]);
	return is_well;
}

static enum trial_status each_lists_its_own(struct rig *rig, struct text *why)
{
	json_t *items[2] = { NULL, NULL };
	bool were_listed;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	were_listed = lists_of_both(rig, items, why);
	return judge(apart(items, were_listed, why));
}

static const char *wrong_label(const struct rig *rig, const struct subject *subject,
			       const json_t *item)
{
	if (!text_equal(json_get_string(item, "instance", ""), rig->instance))
		return "instance";
	if (!text_equal(json_get_string(item, "environment", ""), subject->id.text))
		return "environment";
	if (json_get_int64(item, "sequence", -1) != subject->sequence)
		return "sequence";
	if (json_get_int64(item, "hard_wall_s", -1) != rig->hard_wall_s)
		return "hard_wall_s";
	return NULL;
}

static enum trial_status items_are_labelled(struct rig *rig, struct text *why)
{
	AUTO(json_decref) json_t *items = NULL;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	items = list_items(rig, &rig->subjects[0], why);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *wrong = wrong_label(rig, &rig->subjects[0], item);

		if (!wrong)
			continue;
		name_item(why, "", item, "has another ");
		text_format(why, "\"%s\" than the request", wrong);
		return TRIAL_BROKEN;
	}
	return judge(items);
}

/* Everything of both is listed for the whole instance. */
static enum trial_status whole_target_lists_all(struct rig *rig, struct text *why)
{
	AUTO(json_decref) json_t *all = NULL;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	all = list_items(rig, NULL, why);
	for (size_t i = 0; i < 2 && all; i++) {
		AUTO(json_decref) json_t *items = list_items(rig, &rig->subjects[i], why);
		const json_t *missing = find_item(items, all, false);

		if (missing)
			name_item(why, "", missing, "is not listed for the whole instance");
		if (missing || !items)
			return TRIAL_BROKEN;
	}
	return judge(all);
}

static enum trial_status inspect_finds_it_well(struct rig *rig, struct text *why)
{
	AUTO(run_release) struct run run = { .verb = NULL };
	AUTO(free) char *drift = NULL;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	if (!run_verb(rig, "inspect", &rig->subjects[0], &run, why))
		return TRIAL_BROKEN;
	if (json_get_bool(run.data[0], "healthy", false))
		return TRIAL_OK;
	drift = json_to_text(json_object_get(run.data[0], "drift"));
	text_format(why, "create ended well and inspect says \"healthy\": false, drift %.200s",
		    drift);
	return TRIAL_BROKEN;
}

/* ---- repeated ---- */

static bool lists_the_same(const json_t *before, const json_t *after, const char *verb,
			   struct text *why)
{
	const json_t *more = find_item(after, before, false);
	const json_t *less = find_item(before, after, false);

	if (more)
		name_item(why, verb, more, "as well");
	else if (less)
		name_item(why, verb, less, "no longer");
	return !more && !less;
}

static enum trial_status does_no_harm(struct rig *rig, const char *verb, const char *says,
				      struct text *why)
{
	AUTO(json_decref) json_t *before = NULL, *after = NULL;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	before = list_items(rig, &rig->subjects[0], why);
	if (!before || !do_verb(rig, verb, &rig->subjects[0], why))
		return TRIAL_BROKEN;
	after = list_items(rig, &rig->subjects[0], why);
	return judge(after && lists_the_same(before, after, says, why));
}

static enum trial_status creating_again(struct rig *rig, struct text *why)
{
	return does_no_harm(rig, "create", "after a second create there is", why);
}

static enum trial_status recovering_what_is_well(struct rig *rig, struct text *why)
{
	return does_no_harm(rig, "recover", "after recover there is", why);
}

/* ---- ended ---- */

static enum trial_status destroying_one(struct rig *rig, struct text *why)
{
	AUTO(json_decref) json_t *before = NULL, *after = NULL;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	before = list_items(rig, &rig->subjects[1], why);
	if (!before || !destroy_well(rig, &rig->subjects[0], why))
		return TRIAL_BROKEN;
	after = list_items(rig, &rig->subjects[1], why);
	return judge(after &&
		     lists_the_same(before, after, "of the other environment there is", why));
}

static enum trial_status destroying_again(struct rig *rig, struct text *why)
{
	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	return judge(destroy_well(rig, &rig->subjects[0], why));
}

/* A failure will do: what matters is that nobody takes it for well. */
static enum trial_status destroyed_is_not_healthy(struct rig *rig, struct text *why)
{
	AUTO(run_release)
	struct run run = { .verb = "inspect", .subjects = { &rig->subjects[0] } };

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	rig_run(rig, &run);
	if (run.err[0].code == ERR_NONE && json_get_bool(run.data[0], "healthy", false)) {
		text_add(why, "inspect says \"healthy\": true of what was destroyed");
		return TRIAL_BROKEN;
	}
	if (is_about_lines(&run.err[0]))
		return judge(went_well(rig, &run, 0, why));
	return TRIAL_OK;
}

/* ---- stopped in the middle ---- */

/* A new environment, whose create is stopped; NULL when it could not be planned. */
static struct subject *stopped_create(struct rig *rig, struct run *run, struct text *why)
{
	struct subject *subject = rig_subject(rig, why);

	if (!subject || !plan_well(rig, subject, why))
		return NULL;
	run->verb = "create";
	run->subjects[0] = subject;
	rig_run(rig, run);
	return subject;
}

static enum trial_status stopped_politely(struct rig *rig, struct text *why)
{
	AUTO(run_release) struct run run = { .stop = STOP_POLITELY, .stop_at_first_line = true };
	struct subject *subject;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	run.stop_after_ms = rig->create_ms / 2;
	subject = stopped_create(rig, &run, why);
	if (!subject)
		return TRIAL_BROKEN;
	if (run.was_killed) {
		text_format(why, "it still ran %lld ms after SIGTERM",
			    (long long)rig->spec->grace_ms);
		rig->rule = "SIGTERM means: stop soon, leave things so that `destroy` finds "
			    "them, give a result.";
		return TRIAL_BROKEN;
	}
	if (!destroy_well(rig, subject, why))
		return TRIAL_BROKEN;
	if (!run.was_stopped) {
		text_add(why, "create had ended before it could be stopped");
		return TRIAL_NOT_TRIED;
	}
	if (!is_about_lines(&run.err[0]) && !text_equal(run.err[0].slug, "run_ended"))
		return TRIAL_OK;
	text_add(why, "it gave no result: envd has to ask it to recover before anything else");
	return TRIAL_NOTE;
}

/* Where it hurts is not known: as soon as it says something, and in two places by time. */
static enum trial_status killed(struct rig *rig, struct text *why)
{
	size_t stopped = 0;

	if (!was_created(rig, why))
		return TRIAL_NOT_TRIED;
	for (int i = 0; i < 3 && !rig->is_interrupted; i++) {
		AUTO(run_release)
		struct run run = { .stop = STOP_BY_FORCE, .stop_at_first_line = i == 0 };
		struct subject *subject;

		run.stop_after_ms = rig->create_ms * (i + 1) / 4;
		subject = stopped_create(rig, &run, why);
		if (!subject || !do_verb(rig, "recover", subject, why) ||
		    !destroy_well(rig, subject, why))
			return TRIAL_BROKEN;
		stopped += run.was_stopped;
	}
	if (stopped)
		return TRIAL_OK;
	text_add(why, "create had ended each time before it could be killed");
	return TRIAL_NOT_TRIED;
}

/* ---- of all runs ---- */

static enum trial_status nothing_runs_on(struct rig *rig, struct text *why)
{
	text_add(why, text_get(&rig->leftovers));
	if (rig->leftovers.length)
		text_add(why, " behind, which envd ends");
	return judge(!rig->leftovers.length);
}

static enum trial_status no_secret_is_said(struct rig *rig, struct text *why)
{
	if (rig->has_said_canary)
		text_add(why, "it printed the value of a variable that begins with ENVD_EXTERNAL_");
	return judge(!rig->has_said_canary);
}

static enum trial_status lines_are_kept(struct rig *rig, struct text *why)
{
	text_add(why, text_get(&rig->rule_break));
	return judge(!rig->rule_break.length);
}

static bool has_anything(struct rig *rig, struct subject *subject)
{
	AUTO(text_release) struct text ignored = TEXT_EMPTY; /* asked again after the destroy */

	return !is_gone(rig, subject, &ignored);
}

/* What failed trials left, too. */
static enum trial_status nothing_is_left(struct rig *rig, struct text *why)
{
	AUTO(json_decref) json_t *items = NULL;
	AUTO(text_release) struct text failure = TEXT_EMPTY;

	for (size_t i = 0; i < rig->subject_count; i++) {
		struct subject *subject = &rig->subjects[i];

		if (!has_anything(rig, subject) && i > 1)
			continue;
		text_clear(&failure);
		if (!destroy_well(rig, subject, &failure))
			text_format(why, "%senvironment %s: %s", why->length ? "; " : "",
				    subject->id.text, text_get(&failure));
	}
	if (why->length)
		return TRIAL_BROKEN;
	return judge(is_gone(rig, NULL, why));
}

// clang-format off
const struct trial trials[] = {
	{ "probe answers", "probe: is the target there?", probe_answers, false },
	{ "a task that does not exist is refused", "A task that the program does not know is a failure like any other: hello, and a result that says so.", unknown_is_refused, false },
	{ "nothing is listed before anything was made", "inventory: list what really exists.", nothing_is_listed, false },
	{ "destroying what is not there is success", "destroy: remove everything of the environment; what is not there is success.", destroying_nothing, false },
	{ "planning twice changes nothing", "plan: resolve the pins to what cannot move; change nothing.", plan_changes_nothing, false },
	{ "two environments are created at once", "create: build what the lock says.", two_are_created, false },
	{ "each environment lists its own things", "inventory: list what really exists.", each_lists_its_own, false },
	{ "everything says whose it is", "Label what you make: a sweep with no database must be able to tell whose it is and when it is overdue.", items_are_labelled, false },
	{ "the whole target lists both", "With `environment` null it lists everything of `instance`, of any environment.", whole_target_lists_all, false },
	{ "inspect finds what was created healthy", "inspect: look.", inspect_finds_it_well, false },
	{ "creating again makes nothing more", "Every verb may come again and must then do no harm.", creating_again, false },
	{ "recover leaves alone what is well", "recover: look, clean up what is half-made.", recovering_what_is_well, false },
	{ "destroying one leaves the other alone", "destroy: remove everything of the environment.", destroying_one, false },
	{ "destroying again is success", "Every verb may come again and must then do no harm.", destroying_again, false },
	{ "what was destroyed is not healthy", "inspect: look.", destroyed_is_not_healthy, false },
	{ "SIGTERM while creating, then destroy: nothing left", "SIGTERM means: stop soon, leave things so that `destroy` finds them, give a result.", stopped_politely, false },
	{ "kill -9 while creating, recover, destroy: nothing left", rule_proof, killed, false },
	{ "no process lives on after a run", "Every process that the program started is ended with it; what shall live on must belong to somebody else.", nothing_runs_on, true },
	{ "no credential is printed", "Never print secrets.", no_secret_is_said, true },
	{ "every run keeps to the lines", rule_lines, lines_are_kept, true },
	{ "in the end nothing is left", rule_proof, nothing_is_left, true },
};
// clang-format on

const size_t trial_count = ARRAY_SIZE(trials);
