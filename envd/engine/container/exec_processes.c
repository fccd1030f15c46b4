#include "engine/container/exec_processes.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/files.h"
#include "engine/container/container_exec.h"

enum { PROC_BYTES_MAX = 1 << 20, SHELL_LIMIT_MS = 5000 };

static bool look(struct docker *docker, const struct exec_mark *mark, json_t **answer,
		 struct error *err)
{
	return docker_get(docker, answer, err, "/exec/%s/json", mark->id);
}

bool exec_look(struct docker *docker, const struct exec_mark *mark, struct exec_state *state,
	       struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;

	if (!look(docker, mark, &answer, err))
		return false;
	state->is_running = json_get_bool(answer, "Running", false);
	state->status = (int)json_get_int64(answer, "ExitCode", -1);
	return true;
}

/* ---- on our machine ---- */

struct search {
	char *variable;
	const char *container_id;
	pid_t leader; /* 0: not known */
	int signal_number;
	int found;
};

static bool read_of(pid_t pid, const char *file, char **content, size_t *length)
{
	AUTO(free) char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	struct error ignored; /* it has ended, or is not ours to look at */

	return file_read(path, PROC_BYTES_MAX, content, length, &ignored);
}

static bool has_variable(pid_t pid, const char *variable)
{
	AUTO(free) char *variables = NULL;
	size_t length = 0;

	if (!read_of(pid, "environ", &variables, &length))
		return false;
	for (const char *at = variables; at < variables + length; at += strlen(at) + 1)
		if (strcmp(at, variable) == 0)
			return true;
	return false;
}

/* Field 6 of stat, behind a name that may hold anything. */
static pid_t session_of(pid_t pid)
{
	AUTO(free) char *stat = NULL;
	size_t length;
	const char *end;
	int session = 0;

	if (!read_of(pid, "stat", &stat, &length))
		return 0;
	end = strrchr(stat, ')');
	return end && sscanf(end + 1, " %*c %*d %*d %d", &session) == 1 ? session : 0;
}

static bool is_in_session(const struct search *search, pid_t pid)
{
	AUTO(free) char *groups = NULL;
	size_t length;

	return search->leader && session_of(pid) == search->leader &&
	       read_of(pid, "cgroup", &groups, &length) && strstr(groups, search->container_id);
}

/* Looked at only once it is held, so that a number that is used again hits nobody. */
static void signal_if_its(struct search *search, pid_t pid)
{
	AUTO(close) int held = pidfd_open(pid, 0);

	if (held >= 0 && (has_variable(pid, search->variable) || is_in_session(search, pid)) &&
	    pidfd_send_signal(held, search->signal_number, NULL, 0) == 0)
		search->found++;
}

static int signal_here(const struct exec_mark *mark, const json_t *answer, int signal_number)
{
	const char *container = json_get_string(answer, "ContainerID", "");
	struct search search = {
		.variable = xasprintf(EXEC_MARK "=%s", mark->value),
		.container_id = container,
		.leader = *container ? (pid_t)json_get_int64(answer, "Pid", 0) : 0,
		.signal_number = signal_number,
	};
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes)))
		if (isdigit((unsigned char)entry->d_name[0]))
			signal_if_its(&search, (pid_t)atoi(entry->d_name));
	if (processes)
		closedir(processes);
	free(search.variable);
	return search.found;
}

/* ---- elsewhere ---- */

static void signal_inside(struct runtime *runtime, const struct exec_mark *mark, int signal_number)
{
	AUTO(exec_release) struct exec_run run = { 0 };
	AUTO(free)
	char *script = xasprintf("for p in /proc/[0-9]*; do "
				 "grep -qs " EXEC_MARK "=%s \"$p/environ\" && kill -%d ${p#/proc/};"
				 " done",
				 mark->value, signal_number);
	AUTO(json_decref) json_t *argv = json_pack("[s, s, s]", "/bin/sh", "-c", script);

	/* Without a shell there is nothing more that could be done: it ends with its container. */
	exec_begin(&run, runtime->docker, mark->container, argv, SHELL_LIMIT_MS);
	while (!run.is_done)
		docker_turn(runtime->docker, 1000);
}

void exec_signal(struct runtime *runtime, const struct exec_mark *mark, int signal_number)
{
	AUTO(json_decref) json_t *answer = NULL;
	struct error ignored; /* without an answer the mark is still there to go by */
	bool is_known = look(runtime->docker, mark, &answer, &ignored);

	if (!runtime->is_remote && signal_here(mark, answer, signal_number) > 0)
		return;
	if (is_known && json_get_bool(answer, "Running", false))
		signal_inside(runtime, mark, signal_number);
}
