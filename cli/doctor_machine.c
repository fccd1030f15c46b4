#include "cli/doctor.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/files.h"

/* An environment of the bank takes about 1 GiB of memory; images and logs a few GiB of disk. */
#define MIB ((int64_t)1024 * 1024)
enum {
	DISK_PROBLEM_MIB = 1024,
	DISK_NOTE_MIB = 5 * 1024,
	MEMORY_NOTE_MIB = 1024,
	FILES_NOTE = 1024
};

static void look_at_disk(struct findings *findings, const char *path)
{
	struct statvfs status;
	int64_t free_mib;

	if (!path || statvfs(path, &status) != 0)
		return;
	free_mib = (int64_t)(status.f_bavail * status.f_frsize) / MIB;
	if (free_mib >= DISK_NOTE_MIB)
		finding_add(findings, FINDING_OK, "disk", NULL, "%s: %lld MiB free", path,
			    (long long)free_mib);
	else
		finding_add(findings, free_mib < DISK_PROBLEM_MIB ? FINDING_PROBLEM : FINDING_NOTE,
			    "disk", "free some: podman system prune, docker system prune",
			    "%s: only %lld MiB free", path, (long long)free_mib);
}

static void look_at_disks(struct findings *findings)
{
	const char *home = getenv("HOME");
	AUTO(free) char *own = home ? xasprintf("%s/.local/share/containers", home) : NULL;
	const char *data = getenv("ENVD_DATA");

	look_at_disk(findings, data && *data ? data : "/var/lib/envd");
	look_at_disk(findings, "/var/lib/containers");
	look_at_disk(findings, "/var/lib/docker");
	look_at_disk(findings, own);
	look_at_disk(findings, "/tmp");
}

/* One number behind `label` in a file such as /proc/meminfo; -1 without. */
static int64_t number_behind(const char *path, const char *label)
{
	AUTO(free) char *bytes = NULL;
	struct error ignored; /* not there: nothing to say about it */
	const char *at;

	if (!file_read(path, 65536, &bytes, NULL, &ignored))
		return -1;
	at = strstr(bytes, label);
	return at ? strtoll(at + strlen(label), NULL, 10) : -1;
}

static void look_at_memory(struct findings *findings)
{
	int64_t free_mib = number_behind("/proc/meminfo", "MemAvailable:") / 1024;

	if (free_mib < 0)
		return;
	if (free_mib < MEMORY_NOTE_MIB)
		finding_add(findings, FINDING_NOTE, "memory",
			    "end environments (envctl list) or other programs",
			    "only %lld MiB available; an environment may not fit",
			    (long long)free_mib);
	else
		finding_add(findings, FINDING_OK, "memory", NULL, "%lld MiB available",
			    (long long)free_mib);
}

static void look_at_files(struct findings *findings)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_cur < FILES_NOTE)
		finding_add(findings, FINDING_NOTE, "open files",
			    "ulimit -n 65536, or LimitNOFILE=65536 in the unit",
			    "a process may open only %llu files",
			    (unsigned long long)limit.rlim_cur);
	else
		finding_add(findings, FINDING_OK, "open files", NULL, "up to %llu a process",
			    (unsigned long long)limit.rlim_cur);
}

/* Version 2 has one file; version 1 a folder a controller. */
static bool has_controller(const char *name)
{
	AUTO(free) char *folder = xasprintf("/sys/fs/cgroup/%s", name);
	AUTO(free) char *bytes = NULL;
	struct error ignored; /* no version 2 here */

	if (file_read("/sys/fs/cgroup/cgroup.controllers", 4096, &bytes, NULL, &ignored))
		return strstr(bytes, name) != NULL;
	return file_exists(folder);
}

static void look_at_controllers(struct findings *findings)
{
	static const char *const wanted[] = { "memory", "cpu", "pids" };
	AUTO(text_release) struct text missing = TEXT_EMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!has_controller(wanted[i]))
			text_format(&missing, "%s%s", missing.length ? ", " : "", wanted[i]);
	if (missing.length)
		finding_add(
		    findings, FINDING_NOTE, "limits",
		    "enable the controllers of control groups; without them a template's limits "
		    "are not enforced",
		    "the kernel offers no limits for %s here", text_get(&missing));
	else
		finding_add(findings, FINDING_OK, "limits", NULL,
			    "memory, cpu and pids can be limited");
}

static bool is_member(gid_t group)
{
	gid_t groups[256];
	int count = getgroups(ARRAY_SIZE(groups), groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return getegid() == group;
}

static void look_at_group(struct findings *findings)
{
	const struct group *group = getgrnam("envd");

	if (geteuid() == 0)
		finding_add(findings, FINDING_OK, "group", NULL, "root may do everything");
	else if (!group)
		finding_add(
		    findings, FINDING_NOTE, "group",
		    "only to share one envd among users: groupadd envd, then usermod -aG envd USER",
		    "there is no group envd, so only the user who runs envd may use it");
	else if (!is_member(group->gr_gid))
		finding_add(findings, FINDING_NOTE, "group",
			    "usermod -aG envd USER, then log in again",
			    "you are not in group envd, so only an envd of your own will answer");
	else
		finding_add(findings, FINDING_OK, "group", NULL, "you are in group envd");
}

void doctor_machine(struct findings *findings)
{
	look_at_disks(findings);
	look_at_memory(findings);
	look_at_files(findings);
	look_at_controllers(findings);
	look_at_group(findings);
}
