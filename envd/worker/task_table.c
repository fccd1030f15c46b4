#include <string.h>

#include "worker/task.h"

static const struct task tasks[] = {
	// clang-format off
	{ "plan",      task_plan,      TASK_NEEDS_ENVIRONMENT },
	{ "create",    task_create,    TASK_NEEDS_ENVIRONMENT },
	{ "inspect",   task_inspect,   TASK_NEEDS_ENVIRONMENT },
	{ "recover",   task_recover,   TASK_NEEDS_ENVIRONMENT },
	{ "destroy",   task_destroy,   TASK_NEEDS_ENVIRONMENT },
	{ "vacate",    task_destroy,   TASK_NEEDS_ENVIRONMENT }, /* it is wanted, but not here */
	{ "inventory", task_inventory, TASK_NEEDS_TARGET },
	{ "check",     task_check,     TASK_NEEDS_ENVIRONMENT },
	{ "logs",      task_logs,      TASK_NEEDS_ENVIRONMENT },
	{ "evidence",  task_evidence,  TASK_NEEDS_ENVIRONMENT },
	{ "resources", task_resources, TASK_NEEDS_ENVIRONMENT },
	{ "updates",   task_updates,   TASK_NEEDS_ENVIRONMENT },
	{ "kubeconfig", task_kubeconfig, TASK_NEEDS_ENVIRONMENT },
	{ "probe",     task_probe,     TASK_NEEDS_TARGET },
	{ "images",    task_images,    TASK_NEEDS_TARGET },
	{ "target-inventory", task_target_inventory, TASK_NEEDS_TARGET },
	{ "target-clean", task_target_clean, TASK_NEEDS_TARGET },
	{ "exec",      task_exec,      TASK_NEEDS_ENVIRONMENT },
	{ "forward",   task_forward,   TASK_NEEDS_ENVIRONMENT },
	{ "source",    task_source,    TASK_NEEDS_NOTHING },
	{ NULL,        NULL,           TASK_NEEDS_TARGET },
	// clang-format on
};

int task_run(const json_t *request)
{
	return task_run_one_of(tasks, request);
}

bool task_has_client(const json_t *request)
{
	const char *name = json_get_string(request, "task", "");

	return strcmp(name, "exec") == 0 || strcmp(name, "forward") == 0;
}
