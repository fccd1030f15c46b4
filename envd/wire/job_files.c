#include "wire/job_files.h"

#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	enum error_code code;
	const char *slug;
} outcomes[] = {
#define X(outcome, name, code, slug) [outcome] = { name, code, slug },
	JOB_OUTCOMES(X)
#undef X
};

const char *job_outcome_name(enum job_outcome outcome)
{
	return outcomes[outcome].name;
}

enum job_outcome job_outcome_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (text_equal(outcomes[i].name, name))
			return (enum job_outcome)i;
	return JOB_UNKNOWN;
}

bool job_outcome_error(enum job_outcome outcome, const char *message, struct error *err)
{
	return error_set_as(err, outcomes[outcome].code, outcomes[outcome].slug, "%s", message);
}

json_t *process_identity_to_json(const struct process_identity *identity)
{
	return json_pack("{s:i, s:I, s:s}", "pid", (int)identity->pid, "start_ticks",
			 (json_int_t)identity->start_ticks, "boot_id", identity->boot_id);
}

bool process_identity_from_json(const json_t *json, struct process_identity *identity,
				struct error *err)
{
	const char *boot_id;
	int64_t pid, start_ticks;

	if (!json_read_int64(json, "pid", &pid, err) ||
	    !json_read_int64(json, "start_ticks", &start_ticks, err) ||
	    !json_read_string(json, "boot_id", &boot_id, err))
		return false;
	if (pid <= 0 || pid > INT32_MAX || strlen(boot_id) >= sizeof(identity->boot_id))
		return error_set(err, ERR_CORRUPT, "no process can have this identity");
	identity->pid = (pid_t)pid;
	identity->start_ticks = start_ticks;
	memcpy(identity->boot_id, boot_id, strlen(boot_id) + 1);
	return true;
}
