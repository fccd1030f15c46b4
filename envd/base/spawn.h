/*
 * spawn.h - start a program with nothing of ours leaking into it.
 *
 * The child gets exactly the descriptors that are named, the default signal dispositions and mask
 * (SIGPIPE too: an ignored one survives exec), its own variables and no controlling terminal unless
 * asked. Used by loop/child.c (daemon), jobs/ (supervisors), worker/ (tasks, external engines) and
 * the reaper's one-shot commands.
 */
#ifndef ENVD_BASE_SPAWN_H
#define ENVD_BASE_SPAWN_H

#include <sys/types.h>

#include "base/error.h"

#define SPAWN_FDS_MAX 16

struct spawn_spec {
	const char *const *argv;      /* argv[0] is an absolute path */
	const char *const *variables; /* the whole environment of the process, NULL-terminated */
	const char *directory;        /* NULL: ours */
	/* The child's descriptors 0..fd_count-1; -1 means /dev/null. At least three. */
	const int *fds;
	size_t fd_count;
	bool new_session;      /* setsid(); otherwise its own process group */
	bool dies_with_parent; /* PR_SET_PDEATHSIG SIGTERM */
};

/* Returns when the program runs. Error: ERR_EXTERNAL slug "program_not_found" when argv[0] cannot
 * be executed (the caller learns it here and not from an exit status of 127). */
NODISCARD bool spawn(const struct spawn_spec *spec, pid_t *pid, struct error *err);

/* Those of our variables that are named, as "NAME=VALUE" and NULL; "PREFIX*" names all that begin
 * so. The caller frees the array; the strings are ours. */
char **variables_pick(const char *const *names);

/* What our own workers may see of our variables, secrets of templates (ENVD_SECRET_...) included;
 * ends with NULL. */
const char *const *variables_of_workers(void);
/* What other programs may see: external engines. */
const char *const *variables_of_programs(void);

/* For processes that are forked and not executed: default dispositions, nothing blocked. */
void signals_reset(void);

/* Make `fds` the descriptors 0..fd_count-1 of this process (-1: /dev/null). */
NODISCARD bool descriptors_place(const int *fds, size_t fd_count);

/* Who a process is: a pid alone is not an identity (it is used again). */
struct process_identity {
	pid_t pid;
	long long start_ticks; /* field 22 of /proc/PID/stat */
	char boot_id[40];
};

/* False when there is no such process (zombies count as gone). */
bool process_identity_of(pid_t pid, struct process_identity *identity);

/* Same pid, same start, same boot: it lives. */
bool process_is_alive(const struct process_identity *identity);

/* pidfd that is proved to be of that very process (identity checked before and after opening), or
 * -1 when it is gone. */
int process_open(const struct process_identity *identity);

/* Signal through a pidfd; never a bare pid. False when it is gone. */
bool process_signal(const struct process_identity *identity, int signal_number);

#endif
