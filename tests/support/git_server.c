#include "tests/support/git_server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"

static const char first_commit[] =
    "git init -q -b main . && mkdir -p templates/hello && cd templates/hello &&\n"
    "cat > template.yaml <<'END'\n"
    "apiVersion: envd/v1\n"
    "name: hello\n"
    "components:\n"
    "  web: { default: '1', variable: WEB_IMAGE, image: 'localhost/envd-test/busybox:{version}',\n"
    "    branch: 'localhost/envd-test/busybox:{branch}',\n"
    "    pull_request: 'localhost/envd-test/busybox:{number}' }\n"
    "  side: { default: '1', image: 'localhost/envd-test/busybox:{version}',\n"
    "    pull_request: 'localhost/envd-test/busybox:{number}' }\n"
    "limits: { provision: 1m, attempts: 1, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n"
    "END\n"
    "cat > compose.yaml <<'END'\n"
    "services:\n"
    "  web: { image: '${WEB_IMAGE}', command: [sleep, '1000'] }\n"
    "END\n"
    "echo one > version && git add -A && git commit -qm one &&\n"
    "git init -q -b main --bare ../../../repositories/demo.git && git publish\n";

char *git_server_path(const struct git_server *server, const char *name)
{
	return path_join(server->folder, name);
}

static bool has_ports(void *arg)
{
	AUTO(free) char *path = git_server_path(arg, "ports.json");

	return file_exists(path);
}

static void read_ports(struct git_server *server)
{
	AUTO(free) char *path = git_server_path(server, "ports.json");
	AUTO(json_decref) json_t *ports = NULL;
	struct error err;

	assert_true(json_read_file(path, 4096, &ports, &err));
	server->https = (int)json_get_int64(ports, "https", 0);
	server->ssh = (int)json_get_int64(ports, "ssh", 0);
}

/* As ssh-keyscan would have written it. */
static void trust_host(const struct git_server *server)
{
	AUTO(free)
	char *script =
	    xasprintf("printf '[localhost]:%d ' > ../known_hosts && cat ../host_key.pub >> "
		      "../known_hosts",
		      server->ssh);
	AUTO(free) char *nothing = git_server_do(server, script);
}

struct git_server *git_server_start(void)
{
	struct git_server *server = xcalloc(1, sizeof(*server));
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free)
	char *program = xasprintf("%s/tests/support/git_server.py", source ? source : ".");
	AUTO(free) char *work = NULL;
	AUTO(free) char *nothing = NULL;
	struct error err;

	snprintf(server->folder, sizeof(server->folder), "/tmp/envd-git-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	work = git_server_path(server, "work");
	assert_true(folder_make(work, 0755, &err));
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test must not leave it */
		execl(program, program, server->folder, (char *)NULL);
		_exit(127);
	}
	if (!eventually(has_ports, server, 30000))
		fail_msg("the git server does not start");
	read_ports(server);
	nothing = git_server_do(server, first_commit);
	trust_host(server);
	return server;
}

void git_server_end(struct git_server *server)
{
	if (server->pid <= 0)
		return;
	kill(-server->pid, SIGKILL); /* its sshd and git, too */
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	server->pid = 0;
}

void git_server_stop(struct git_server *server)
{
	struct error ignored; /* a folder that stays is only untidy */

	git_server_end(server);
	if (!getenv("ENVD_TEST_KEEP") && !folder_remove(server->folder, &ignored))
		print_message("%s\n", ignored.message);
	free(server);
}

void git_server_set(const struct git_server *server, const char *name, const char *value)
{
	AUTO(free) char *path = git_server_path(server, name);
	struct error err;

	if (value)
		assert_true(file_write_atomically(path, value, strlen(value), 0600, &err));
	else
		unlink(path);
}

/* Nothing of the machine's or the user's git is seen. */
char *git_server_do(const struct git_server *server, const char *script)
{
	AUTO(free)
	char *command = xasprintf(
	    "cd %s/work && export HOME=%s GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=4"
	    " GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0=t GIT_CONFIG_KEY_1=user.email"
	    " GIT_CONFIG_VALUE_1=t@example.com GIT_CONFIG_KEY_2=alias.publish"
	    " GIT_CONFIG_VALUE_2='push -q --force %s/repositories/demo.git "
	    "refs/heads/*:refs/heads/*"
	    " refs/tags/*:refs/tags/*'"
	    " GIT_CONFIG_KEY_3=protocol.file.allow GIT_CONFIG_VALUE_3=always\n set -e\n%s",
	    server->folder, server->folder, server->folder, script);
	struct text output = TEXT_EMPTY;
	FILE *pipe = popen(command, "re");
	char block[1024];
	size_t got;
	char *said;

	assert_non_null(pipe);
	while ((got = fread(block, 1, sizeof(block), pipe)) > 0)
		text_add_bytes(&output, block, got);
	if (pclose(pipe) != 0)
		fail_msg("this failed: %s", script);
	said = text_take(&output);
	said[strcspn(said, "\n")] = '\0';
	return said;
}

char *git_server_url(const struct git_server *server, const char *scheme, const char *repository)
{
	if (strcmp(scheme, "ssh") == 0)
		return xasprintf("ssh://root@localhost:%d%s/repositories/%s", server->ssh,
				 server->folder, repository);
	return xasprintf("https://localhost:%d/%s", server->https, repository);
}

json_t *git_server_source(const struct git_server *server, const char *ref)
{
	AUTO(free) char *url = git_server_url(server, "https", "demo.git");
	AUTO(free) char *folder = git_server_path(server, "source");
	AUTO(free) char *ca = git_server_path(server, "ca.pem");

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
			 "name", "demo", "repository", url, "ref", ref, "folder", folder, "ca_file",
			 ca, "limits", "time_ms", (json_int_t)60000, "wire_bytes",
			 (json_int_t)64 << 20, "objects", (json_int_t)100000, "files",
			 (json_int_t)1000, "checkout_bytes", (json_int_t)64 << 20, "trees",
			 (json_int_t)5, "keep_ms", (json_int_t)3600000);
}

/* In the HOME of the test, so that a test can put a configuration there that must not matter. */
pid_t git_server_begin(const struct git_server *server, json_t *source, const char *answer)
{
	AUTO(json_decref)
	json_t *request =
	    json_pack("{s:i, s:s, s:o}", "protocol", 1, "task", "source", "source", source);
	AUTO(free) char *text = json_to_text(request);
	AUTO(free) char *asked = xasprintf("%s/%s.request", server->folder, answer);
	AUTO(free) char *path = git_server_path(server, answer);
	AUTO(free)
	char *program = path_join(getenv("ENVD_BIN") ? getenv("ENVD_BIN") : "build/bin", "envd");
	struct error err;
	pid_t pid;
	int fd;

	assert_true(file_write_atomically(asked, text, strlen(text), 0600, &err));
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	setpgid(0, 0);
	setenv("HOME", server->folder, 1);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execl(program, program, "worker", "--direct", asked, (char *)NULL);
	_exit(127);
}

json_t *git_server_finish(const struct git_server *server, pid_t pid, const char *answer)
{
	AUTO(free) char *path = git_server_path(server, answer);
	AUTO(free) char *said = NULL;
	struct error err;
	json_t *result;
	char *last;

	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	assert_true(file_read(path, 1 << 20, &said, NULL, &err));
	last = strstr(said, "{\"type\":\"result\"");
	if (!last || !(result = json_loads(last, 0, NULL)))
		fail_msg("no result: %s", said);
	return result;
}

json_t *git_server_ask(const struct git_server *server, json_t *source)
{
	return git_server_finish(server, git_server_begin(server, source, "answer"), "answer");
}
