#include "model/environment.h"

#include "base/text.h"

static const char *const evidence_names[] = {
#define X(evidence, name) [evidence] = name,
	EVIDENCE_STATES(X)
#undef X
};

struct environment *environment_new(void)
{
	struct environment *made = xcalloc(1, sizeof(*made));

	made->labels = json_object();
	made->pins = json_object();
	made->parameters = json_object();
	made->outputs = json_object();
	made->addresses = json_array();
	made->services = json_array();
	made->blocked_by = json_array();
	return made;
}

void environment_free(struct environment *environment)
{
	if (!environment)
		return;
	for (int i = 0; i < DOCUMENT_COUNT; i++)
		free(environment->stored[i]);
	free(environment->name);
	free(environment->owner);
	free(environment->project);
	free(environment->template_name);
	free(environment->template_folder);
	free(environment->template_digest);
	free(environment->engine);
	free(environment->target);
	free(environment->reason);
	free(environment->message);
	free(environment->check_run);
	free(environment->check_verdict);
	free(environment->currency);
	free(environment->prices_as_of);
	json_decref(environment->quote);
	free(environment->trace_parent);
	json_decref(environment->wishes);
	json_decref(environment->targets_tried);
	json_decref(environment->source);
	json_decref(environment->error);
	json_decref(environment->labels);
	json_decref(environment->pins);
	json_decref(environment->parameters);
	json_decref(environment->outputs);
	json_decref(environment->addresses);
	json_decref(environment->services);
	json_decref(environment->lock);
	json_decref(environment->blocked_by);
	free(environment);
}

const char *env_desired_name(enum env_desired desired)
{
	return desired == DESIRED_PRESENT ? "present" : "absent";
}

const char *evidence_name(enum evidence evidence)
{
	return evidence_names[evidence];
}

enum evidence evidence_parse(const char *name)
{
	for (size_t i = 0; i < EVIDENCE_COUNT; i++)
		if (text_equal(name, evidence_names[i]))
			return (enum evidence)i;
	return EVIDENCE_NONE;
}
