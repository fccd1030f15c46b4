#include "engine/container/container_guard.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/spawn.h"
#include "engine/container/container_inventory.h"

#define CHAIN "NETAVARK_ISOLATION_1"

/* The exit status of `iptables ARGUMENTS`; -1 if it could not be run. */
static int run_iptables(const char *const *arguments)
{
	static const char *const programs[] = { "/usr/sbin/iptables", "/sbin/iptables" };
	static const char *const variables[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	static const int fds[] = { -1, -1, -1 };
	const char *argv[16] = { access(programs[0], X_OK) == 0 ? programs[0] : programs[1], "-w",
				 "5" };
	struct error ignored; /* that it cannot be run is an answer */
	int status;
	pid_t pid;

	for (size_t i = 0; arguments[i] && i + 4 < ARRAY_SIZE(argv); i++)
		argv[i + 3] = arguments[i];
	if (!spawn(
		&(struct spawn_spec){
		    .argv = argv, .variables = variables, .fds = fds, .fd_count = ARRAY_SIZE(fds) },
		&pid, &ignored))
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_chain(void)
{
	const char *const arguments[] = { "-S", CHAIN, NULL };

	return run_iptables(arguments) == 0;
}

/* "-C" asks for the jump, "-D" removes it, "-I" puts it first. */
static bool jump(const char *command, const char *comment)
{
	const char *const arguments[] = { command, "FORWARD", "-m",  "comment", "--comment",
					  comment, "-j",      CHAIN, NULL };

	return run_iptables(arguments) == 0;
}

void guard_keep(const struct runtime *runtime, const struct engine_request *request,
		struct worker_lines *lines)
{
	AUTO(free) char *comment = xasprintf("envd %s", request->instance);

	if (!runtime->is_podman || (!runtime->is_remote && geteuid() == 0 && !has_chain()))
		return;
	/* The firewall of another machine is out of reach. */
	if (runtime->is_remote || (!jump("-C", comment) && !jump("-I", comment)))
		worker_say_log(lines, "warn",
			       "when one environment ends, others may reach each other for a "
			       "while: Podman removes a firewall rule of all, and only root on "
			       "its machine can keep it");
}

void guard_drop(struct runtime *runtime, const struct engine_request *request)
{
	AUTO(free) char *comment = xasprintf("envd %s", request->instance);
	AUTO(json_decref) json_t *items = NULL;
	struct error ignored; /* not known is not empty: it stays */
	const json_t *item;
	size_t i;

	if (!runtime->is_podman || runtime->is_remote ||
	    !inventory_take(runtime, request->instance, NULL, &items, &ignored))
		return;
	json_array_foreach(items, i, item)
		if (strcmp(json_get_string(item, "kind", ""), "network") == 0)
			return;
	jump("-D", comment);
}
