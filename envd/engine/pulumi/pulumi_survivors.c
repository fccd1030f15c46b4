#include "engine/pulumi/pulumi_survivors.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_place.h"

enum { WAIT_MS = 10000, LOOK_MS = 50, VARIABLES_MAX = 1 << 20 };

static bool carries(pid_t pid, const char *mark)
{
	AUTO(free) char *path = xasprintf("/proc/%d/environ", (int)pid);
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(text_release) struct text text = TEXT_EMPTY;
	char block[16384];
	ssize_t got;

	while (fd >= 0 && text.length < VARIABLES_MAX && (got = read(fd, block, sizeof(block))) > 0)
		text_add_bytes(&text, block, (size_t)got);
	for (size_t at = 0; at < text.length; at += strlen(text.bytes + at) + 1)
		if (strcmp(text.bytes + at, mark) == 0)
			return true;
	return false;
}

/* In a pid namespace of ours /proc is still the machine's, and its numbers are not ours to signal;
 * but then whatever ran before was in one too, and has died with it. */
static bool numbers_are_ours(void)
{
	char link[32];
	ssize_t length = readlink("/proc/self", link, sizeof(link) - 1);

	link[length > 0 ? length : 0] = '\0';
	return atoi(link) == (int)getpid();
}

/* 0: none lives. */
static pid_t find(const char *mark, bool kills)
{
	AUTO(closedir) DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (dir && (entry = readdir(dir))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) || !carries(pid, mark))
			continue;
		found = pid;
		if (kills)
			kill(pid, SIGKILL);
	}
	return found;
}

bool survivors_end(const struct engine_request *request, struct error *err)
{
	AUTO(free) char *mark = place_mark(request);
	int64_t until_mono_ms = clock_mono_ms() + WAIT_MS;
	bool kills = numbers_are_ours();
	pid_t pid;

	while ((pid = find(mark, kills))) {
		if (clock_mono_ms() > until_mono_ms)
			return error_set_as(
			    err, ERR_UNAVAILABLE, "process_left",
			    "process %d of an earlier job of this environment is still alive",
			    (int)pid);
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}
