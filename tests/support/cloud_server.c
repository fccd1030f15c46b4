#include "tests/support/cloud_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/text.h"

static char *source_path(const char *name)
{
	const char *source = getenv("ENVD_SOURCE");

	return xasprintf("%s/%s", source ? source : ".", name);
}

/* The interpreter of the part; the caller frees. */
static char *moto_python(void)
{
	AUTO(free) char *script = source_path("ci/local/real-parts");
	AUTO(free) char *command = xasprintf("%s moto", script);
	char folder[1024] = "";
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	if (!fgets(folder, sizeof(folder), pipe) || pclose(pipe) != 0)
		fail_msg("moto is not there: %s", command);
	folder[strcspn(folder, "\n")] = '\0';
	return xasprintf("%s/python", folder);
}

static void run(const char *interpreter, const char *program, const int to[2], const int from[2])
{
	dup2(to[0], 0);
	dup2(from[1], 1);
	close(to[1]);
	close(from[0]);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test must not leave it */
	execl(interpreter, interpreter, program, (char *)NULL);
	_exit(127);
}

static struct cloud_server *start(const char *interpreter, const char *program)
{
	struct cloud_server *server = xcalloc(1, sizeof(*server));
	int to[2], from[2];
	char line[64] = "";

	assert_true(pipe(to) == 0 && pipe(from) == 0);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0)
		run(interpreter, program, to, from);
	close(to[0]);
	close(from[1]);
	server->to = fdopen(to[1], "w");
	server->from = fdopen(from[0], "r");
	if (!fgets(line, sizeof(line), server->from))
		fail_msg("%s does not start", program);
	snprintf(server->endpoint, sizeof(server->endpoint), "http://127.0.0.1:%d", atoi(line));
	return server;
}

struct cloud_server *cloud_server_start_aws(void)
{
	AUTO(free) char *interpreter = moto_python();
	AUTO(free) char *program = source_path("tests/support/aws_world.py");

	return start(interpreter, program);
}

struct cloud_server *cloud_server_start_fake(void)
{
	AUTO(free) char *program = source_path("tests/support/fake_clouds.py");

	return start("/usr/bin/python3", program);
}

void cloud_server_stop(struct cloud_server *server)
{
	if (!server)
		return;
	fclose(server->to);
	fclose(server->from);
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	free(server);
}

json_t *cloud_server_tell(struct cloud_server *server, json_t *command)
{
	AUTO(free) char *text = json_to_text(command);
	AUTO(free) char *line = NULL;
	size_t size = 0;
	json_t *answer;

	json_decref(command);
	fprintf(server->to, "%s\n", text);
	fflush(server->to);
	if (getline(&line, &size, server->from) < 0)
		fail_msg("the cloud does not answer %s", text);
	answer = json_loads(line, JSON_DECODE_ANY, NULL);
	if (!answer || json_object_get(answer, "error"))
		fail_msg("the cloud refuses %s: %s", text, line);
	return answer;
}
