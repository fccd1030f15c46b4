/*
 * idle_engine: an external engine that makes nothing, at once: what is left is the price of the
 * control plane. Sleeps for the milliseconds of the parameter "linger" in its create.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *answer_to(const char *task)
{
	if (strcmp(task, "plan") == 0)
		return "\"lock\":{},\"layers\":[]";
	if (strcmp(task, "create") == 0)
		return "\"outputs\":{},\"addresses\":[],\"services\":[]";
	if (strcmp(task, "inspect") == 0)
		return "\"healthy\":true,\"services\":[],\"drift\":[]";
	if (strcmp(task, "recover") == 0)
		return "\"found\":0";
	if (strcmp(task, "destroy") == 0)
		return "\"state_empty\":true,\"pending\":0,\"left\":[]";
	if (strcmp(task, "inventory") == 0)
		return "\"complete\":true,\"items\":[]";
	return "\"runtime\":\"idle\",\"version\":\"1\",\"warnings\":[]";
}

/* The request is ours and small: looking for the key is enough. */
static void find_task(const char *request, char task[32])
{
	const char *at = strstr(request, "\"task\"");
	const char *begin = at ? strchr(at + 6, '"') : NULL;

	snprintf(task, 32, "%.*s", begin ? (int)strcspn(begin + 1, "\"") : 0,
		 begin ? begin + 1 : "");
}

int main(void)
{
	static char request[1 << 20];
	size_t length = fread(request, 1, sizeof(request) - 1, stdin);
	const char *linger;
	char task[32];

	request[length] = '\0';
	find_task(request, task);
	printf("{\"type\":\"hello\",\"protocol\":1,\"task\":\"%s\",\"program\":\"idle 1\"}\n",
	       task);
	fflush(stdout);
	linger = strstr(request, "\"linger\":");
	if (linger && strcmp(task, "create") == 0)
		usleep((useconds_t)strtol(linger + 9, NULL, 10) * 1000);
	printf("{\"type\":\"result\",\"ok\":true,\"data\":{%s}}\n", answer_to(task));
	return 0;
}
