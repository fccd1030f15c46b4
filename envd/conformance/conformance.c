#include "conformance/conformance.h"

#include "base/clock.h"
#include "conformance/trials.h"

static const char *const status_names[] = {
	[TRIAL_OK] = "ok",
	[TRIAL_NOTE] = "note",
	[TRIAL_BROKEN] = "broken",
	[TRIAL_NOT_TRIED] = "not_tried",
};

/* A program that hangs would hang again and again; one without a target can do nothing. */
static const char *why_not(const struct rig *rig, const struct trial *trial)
{
	if (trial->is_always_run)
		return NULL;
	if (rig->is_interrupted)
		return "interrupted";
	if (rig->has_hung)
		return "an earlier run did not end";
	return rig->has_answered || trial == trials ? NULL : "probe must answer first";
}

static enum trial_status run_trial(struct rig *rig, const struct trial *trial, struct text *why)
{
	const char *reason = why_not(rig, trial);
	enum trial_status status;

	rig->rule = trial->rule;
	if (reason) {
		text_add(why, reason);
		return TRIAL_NOT_TRIED;
	}
	status = trial->run(rig, why);
	/* What failed because we ended it says nothing about the program. */
	if (rig->is_interrupted && !trial->is_always_run)
		return TRIAL_NOT_TRIED;
	return status;
}

static json_t *trial_json(struct rig *rig, const struct trial *trial)
{
	AUTO(text_release) struct text why = TEXT_EMPTY;
	int64_t started = clock_mono_ms();
	enum trial_status status = run_trial(rig, trial, &why);
	json_t *json;

	text_make_utf8(why.bytes ? why.bytes : (char[]){ "" });
	json = json_pack("{s:s, s:s, s:s, s:I}", "name", trial->name, "status",
			 status_names[status], "message", status == TRIAL_OK ? "" : text_get(&why),
			 "elapsed_ms", (json_int_t)(clock_mono_ms() - started));
	if (status == TRIAL_BROKEN)
		json_object_set_new(json, "rule", json_string(rig->rule));
	return json;
}

bool conformance_run(const struct conformance_spec *spec, json_t **all, struct error *err)
{
	struct rig rig;

	if (!rig_open(&rig, spec, err))
		return false;
	*all = json_array();
	for (size_t i = 0; i < trial_count; i++) {
		json_t *trial = trial_json(&rig, &trials[i]);

		json_array_append_new(*all, trial);
		spec->on_trial(spec->arg, trial);
	}
	rig_close(&rig);
	return true;
}
