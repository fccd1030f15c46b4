/*
 * `envctl exec` and `envctl forward` into real containers, on Podman and on Docker.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/cli_session.h"
#include "tests/support/eventually.h"
#include "tests/support/world.h"

enum { BIG_BYTES = 10 * 1024 * 1024, LIMIT_MS = 30000 };

static const char compose[] =
    "services:\n"
    "  web:\n"
    "    image: localhost/envd-test/busybox:1\n"
    "    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html;"
    " httpd -p 127.0.0.1:8081 -h /www; nc -ll -p 7000 -e cat &"
    " exec httpd -f -p 80 -h /www']\n"
    "    ports: ['80']\n"
    "    healthcheck: { test: [CMD, test, -f, /www/index.html], interval: 100ms, retries: 50 }\n";

struct place {
	struct world *world;
	char *envctl;
	char mark[17]; /* of this test's processes */
};

static struct place places[2];

static void open_place(struct place *place, const char *runtime)
{
	const char *folder = getenv("ENVD_BIN");

	place->envctl = path_join(folder ? folder : "build/bin", "envctl");
	place->world = world_new(runtime);
	world_argument(place->world, "--execs=6");
	world_write(place->world, "small", "template.yaml",
		    "apiVersion: envd/v1\nname: small\nengine: container\nsource: compose.yaml\n"
		    "limits: { provision: 1m, lease: { default: 10m, minimum: 10s, maximum: 1h } "
		    "}\n"
		    "outputs: { url: 'http://{{web.host}}:{{web.port.80}}' }\n");
	world_write(place->world, "small", "compose.yaml", compose);
	world_start(place->world);
	assert_int_equal(
	    world_envctl(place->world, NULL, "create", "small", "--name", "demo", NULL), 0);
}

static int open_places(void **unused)
{
	(void)unused;
	open_place(&places[0], "ENVD_TEST_PODMAN");
	open_place(&places[1], "ENVD_TEST_DOCKER");
	return 0;
}

static int close_places(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		world_free(places[i].world);
		free(places[i].envctl);
	}
	return 0;
}

/* ---- envctl exec in a process of its own ---- */

/* `words`: of a shell in the service. A variable says where the server is. */
static struct cli_session *begin_exec(struct place *place, unsigned short columns,
				      const char *words)
{
	AUTO(free) char *server = xasprintf("ENVCTL_SERVER=%s", place->world->socket);
	const char *const program[] = { place->envctl, "exec", "demo", "web", "--",
					"sh",          "-c",   words,  NULL };
	const char *const variables[] = { server, NULL };

	return cli_start(
	    &(struct cli_spec){ .columns = columns, .variables = variables, .program = program });
}

static struct cli_session *shell(struct place *place, const char *words)
{
	struct cli_session *session = begin_exec(place, 0, words);

	cli_finish(session);
	return session;
}

/* A name that is in the command line of what this test starts, and of nothing else. */
static const char *new_mark(struct place *place)
{
	random_hex(place->mark, sizeof(place->mark) - 1);
	return place->mark;
}

/* The client has the words in its own command line, too, and a shell that starts one. */
static bool is_in_container(const char *line)
{
	return !strstr(line, "envctl");
}

static size_t count_marked(const struct place *place)
{
	AUTO(free) char *mark = xasprintf("argv-%s", place->mark);
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(processes))) {
		AUTO(free) char *path = xasprintf("/proc/%s/cmdline", entry->d_name);
		AUTO(free) char *line = NULL;
		size_t length = 0;
		struct error ignored; /* it has ended */

		if (atoi(entry->d_name) < 1 || !file_read(path, 1 << 20, &line, &length, &ignored))
			continue;
		for (size_t i = 0; i < length; i++)
			if (!line[i])
				line[i] = ' ';
		count += is_in_container(line) && strstr(line, mark);
	}
	closedir(processes);
	return count;
}

static bool some_are_left(void *arg)
{
	return count_marked(arg) > 0;
}

static bool none_is_left(void *arg)
{
	return count_marked(arg) == 0;
}

/* ---- streams ---- */

static void output_errors_and_status_are_the_commands_own(void **state)
{
	AUTO(cli_free)
	struct cli_session *run = shell(*state, "echo out; echo err >&2; echo more; exit 7");

	assert_int_equal(cli_exit_status(run), 7);
	assert_string_equal(text_get(&run->out), "out\nmore\n");
	assert_string_equal(text_get(&run->err), "err\n");
}

static void output_comes_while_the_command_still_runs(void **state)
{
	AUTO(cli_free)
	struct cli_session *run =
	    begin_exec(*state, 0,
		       "echo first; while [ ! -f /tmp/go ]; do sleep 0.05; done; "
		       "rm /tmp/go; echo second");

	cli_await_out(run, "first\n");
	assert_int_equal(world_envctl(((struct place *)*state)->world, NULL, "exec", "demo", "web",
				      "--", "touch", "/tmp/go", NULL),
			 0);
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(text_get(&run->out), "first\nsecond\n");
}

static void ten_mebibytes_come_back_as_they_went(void **state)
{
	struct place *place = *state;
	AUTO(free) char *sent = path_join(place->world->folder, "sent");
	AUTO(free) char *got = path_join(place->world->folder, "got");
	AUTO(free)
	char *command =
	    xasprintf("head -c %d /dev/urandom >%s && %s --server unix:%s exec demo web -- cat <%s "
		      ">%s && cmp %s %s",
		      BIG_BYTES, sent, place->envctl, place->world->socket, sent, got, sent, got);

	assert_int_equal(system(command), 0);
}

static void a_reader_that_leaves_ends_the_command(void **state)
{
	struct place *place = *state;
	const char *mark = new_mark(place);
	AUTO(free)
	char *command = xasprintf("%s --server unix:%s exec demo web -- sh -c 'yes argv-%s' "
				  "| head -n 1 >%s/line",
				  place->envctl, place->world->socket, mark, place->world->folder);

	assert_int_equal(system(command), 0);
	assert_true(eventually(none_is_left, place, LIMIT_MS));
}

/* ---- refusals ---- */

static void what_cannot_be_run_has_the_status_that_shells_have(void **state)
{
	struct place *place = *state;

	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "demo", "web", "--", "no-such-program", NULL),
	    127);
	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "demo", "web", "--", "/etc/passwd", NULL),
	    126);
}

static void what_is_not_there_is_named(void **state)
{
	struct place *place = *state;

	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "demo", "nobody", "--", "true", NULL), 6);
	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "nothing", "web", "--", "true", NULL), 6);
	assert_int_equal(world_envctl(place->world, NULL, "exec", "demo", "web", "true", NULL), 2);
}

static void a_viewer_may_not(void **state)
{
	struct place *place = *state;
	AUTO(free) char *viewer = NULL;
	AUTO(free) char *command = NULL;

	assert_int_equal(world_envctl(place->world, &viewer, "token", "create", "looker", "--role",
				      "viewer", NULL),
			 0);
	viewer[strcspn(viewer, "\n")] = '\0';
	command = xasprintf("ENVCTL_TOKEN=%s %s --server unix:%s exec demo web -- true 2>/dev/null",
			    viewer, place->envctl, place->world->socket);
	assert_int_equal(WEXITSTATUS(system(command)), 3);
}

static void a_plain_request_is_told_to_upgrade(void **state)
{
	struct place *place = *state;
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:[s]}", "service", "web", "command", "true");
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	answer = world_ask(place->world, "POST", "/v1/environments/demo/exec", body, &status);
	assert_int_equal(status, 426);
	assert_string_equal(json_get_string(answer, "code", ""), "upgrade_required");
}

/* ---- who did it ---- */

static void the_audit_history_has_the_program_and_not_its_arguments(void **state)
{
	struct place *place = *state;
	AUTO(free) char *page = NULL;
	AUTO(free) char *all = NULL;

	assert_int_equal(world_envctl(place->world, NULL, "exec", "demo", "web", "--", "echo",
				      "a-s3cret-argument", NULL),
			 0);
	assert_int_equal(world_envctl(place->world, &page, "audit", "-o", "json", NULL), 0);
	assert_non_null(strstr(page, "\"exec\""));
	assert_non_null(strstr(page, "\"echo\""));
	assert_null(strstr(page, "a-s3cret-argument"));
	all = xasprintf("grep -rq a-s3cret-argument %s", place->world->folder);
	assert_int_not_equal(system(all), 0);
}

/* ---- the end ---- */

/* Two processes, of which the second is in the background and the first stubborn. */
static struct cli_session *begin_stubborn(struct place *place, unsigned short columns)
{
	AUTO(free)
	char *words = xasprintf("trap '' TERM HUP INT; sh -c 'sleep 1000; : argv-%s' & "
				"while :; do sleep 1; : argv-%s; done",
				new_mark(place), place->mark);
	struct cli_session *run = begin_exec(place, columns, words);

	assert_true(eventually(some_are_left, place, LIMIT_MS));
	return run;
}

static void a_killed_client_leaves_no_process_in_the_container(void **state)
{
	AUTO(cli_free) struct cli_session *run = begin_stubborn(*state, 0);

	kill(run->pid, SIGKILL);
	assert_true(eventually(none_is_left, *state, LIMIT_MS));
}

/* Its input fills every place on the way, so that nobody reads from it any more. */
static void a_client_killed_while_nobody_reads_its_input_is_noticed(void **state)
{
	struct place *place = *state;
	AUTO(free) char *server = xasprintf("ENVCTL_SERVER=%s", place->world->socket);
	AUTO(free)
	char *words = xasprintf("exec %s exec demo web -- sh -c 'while :; do sleep 1; : argv-%s; "
				"done' </dev/zero",
				place->envctl, new_mark(place));
	const char *const program[] = { "sh", "-c", words, NULL };
	const char *const variables[] = { server, NULL };
	AUTO(cli_free)
	struct cli_session *run =
	    cli_start(&(struct cli_spec){ .variables = variables, .program = program });

	assert_true(eventually(some_are_left, place, LIMIT_MS));
	kill(run->pid, SIGKILL);
	assert_true(eventually(none_is_left, place, LIMIT_MS));
}

static void a_terminal_that_goes_away_leaves_no_process(void **state)
{
	AUTO(cli_free) struct cli_session *run = begin_stubborn(*state, 80);

	kill(run->pid, SIGKILL);
	assert_true(eventually(none_is_left, *state, LIMIT_MS));
}

static void envd_killed_leaves_no_process_either(void **state)
{
	struct place *place = *state;
	AUTO(cli_free) struct cli_session *run = begin_stubborn(place, 0);

	world_end(place->world, SIGKILL);
	assert_true(eventually(none_is_left, place, LIMIT_MS));
	cli_finish(run);
	assert_int_not_equal(cli_exit_status(run), 0);
	world_start(place->world);
}

static void a_signal_reaches_the_command(void **state)
{
	AUTO(cli_free)
	struct cli_session *run =
	    begin_exec(*state, 0,
		       "trap 'echo told; exit 9' INT; echo ready; while :; do sleep "
		       "0.05; done");

	cli_await_out(run, "ready\n");
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_string_equal(text_get(&run->out), "ready\ntold\n");
	assert_int_equal(cli_exit_status(run), 9);
}

static void what_is_left_in_the_background_does_not_keep_us(void **state)
{
	struct place *place = *state;
	AUTO(free)
	char *words = xasprintf("sh -c 'sleep 1000; : argv-%s' & echo done", new_mark(place));
	AUTO(cli_free) struct cli_session *run = shell(place, words);

	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(text_get(&run->out), "done\n");
}

/* ---- terminals ---- */

static void a_terminal_has_its_size_and_is_told_of_another(void **state)
{
	struct winsize size = { .ws_col = 61, .ws_row = 17 };
	AUTO(cli_free)
	struct cli_session *run =
	    begin_exec(*state, 97,
		       "while ! stty size | grep '24 97'; do sleep 0.05; done; "
		       "while ! stty size | grep '17 61'; do sleep 0.05; done; exit 4");

	cli_await(run, "24 97");
	assert_int_equal(ioctl(run->err_fd, TIOCSWINSZ, &size), 0);
	cli_await(run, "17 61");
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 4);
}

static void what_is_typed_reaches_the_command_and_so_does_ctrl_c(void **state)
{
	AUTO(cli_free)
	struct cli_session *run =
	    begin_exec(*state, 80,
		       "read line; echo \"heard $line\"; trap 'echo stopped; exit 5' "
		       "INT; echo waits; while :; do sleep 0.05; done");

	cli_type(run, "words\r");
	cli_await(run, "heard words");
	cli_await(run, "waits");
	cli_type(run, "\003");
	cli_await(run, "stopped");
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 5);
}

/* ---- forward ---- */

static struct cli_session *begin_forward(struct place *place, const char *goal, int *port)
{
	AUTO(free) char *server = xasprintf("ENVCTL_SERVER=%s", place->world->socket);
	const char *const program[] = { place->envctl, "forward", "--through-server",
					"demo",        goal,      NULL };
	const char *const variables[] = { server, NULL };
	struct cli_session *run =
	    cli_start(&(struct cli_spec){ .variables = variables, .program = program });

	cli_await(run, "until Ctrl-C");
	cli_await_out(run, "\n");
	assert_int_equal(sscanf(text_get(&run->out), "127.0.0.1:%d", port), 1);
	return run;
}

static int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Says all of it, tells that it was all, and hears what comes back until the end. */
static void say_and_hear(int fd, const char *words, struct text *heard)
{
	char block[4096];
	ssize_t got;

	assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
	shutdown(fd, SHUT_WR);
	while ((got = read(fd, block, sizeof(block))) > 0)
		text_add_bytes(heard, block, (size_t)got);
	close(fd);
}

static void a_port_that_only_the_service_itself_reaches_is_forwarded(void **state)
{
	AUTO(text_release) struct text page = TEXT_EMPTY;
	int port;
	AUTO(cli_free) struct cli_session *run = begin_forward(*state, "web:8081", &port);

	say_and_hear(connect_to(port), "GET /index.html HTTP/1.0\r\n\r\n", &page);
	assert_non_null(strstr(text_get(&page), "hello"));
	kill(run->pid, SIGINT);
	cli_finish(run);
}

static void many_connections_at_once_hear_their_own_words(void **state)
{
	AUTO(free) char *words = xcalloc(1, 200001);
	int port, fds[4];
	AUTO(cli_free) struct cli_session *run = begin_forward(*state, "web:7000", &port);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_to(port);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		AUTO(text_release) struct text heard = TEXT_EMPTY;

		memset(words, 'a' + (int)i, 200000);
		say_and_hear(fds[i], words, &heard);
		assert_string_equal(text_get(&heard), words);
	}
	kill(run->pid, SIGINT);
	cli_finish(run);
}

static void a_port_on_which_nobody_listens_is_named(void **state)
{
	AUTO(text_release) struct text nothing = TEXT_EMPTY;
	int port;
	AUTO(cli_free) struct cli_session *run = begin_forward(*state, "web:4321", &port);
	int fd = connect_to(port);
	char byte;

	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	cli_await(run, "nothing listens on port 4321 of service \"web\"");
	kill(run->pid, SIGINT);
	cli_finish(run);
}

/* ---- limits ---- */

/* What was reached into before is counted until nothing of it is left. */
static bool no_worker_is_left(void *arg)
{
	const struct place *place = arg;
	int pid = (int)place->world->envd;
	AUTO(free)
	char *command = xasprintf("! grep -qs -e --direct $(sed 's,\\([0-9]*\\) ,/proc/\\1/cmdline "
				  ",g' /proc/%d/task/%d/children) /dev/null",
				  pid, pid);

	return system(command) == 0;
}

static void more_commands_than_the_limit_are_refused(void **state)
{
	struct place *place = *state;
	struct cli_session *runs[6];

	assert_true(eventually(no_worker_is_left, place, LIMIT_MS));
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		runs[i] = begin_exec(place, 0, "echo there; exec sleep 1000");
		cli_await_out(runs[i], "there\n");
	}
	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "demo", "web", "--", "true", NULL), 10);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		kill(runs[i]->pid, SIGKILL);
		cli_finish(runs[i]);
		cli_free(runs[i]);
	}
	assert_true(eventually(no_worker_is_left, place, LIMIT_MS));
	assert_int_equal(
	    world_envctl(place->world, NULL, "exec", "demo", "web", "--", "true", NULL), 0);
}

#define ON_BOTH(story)                                                                             \
	cmocka_unit_test_prestate(story, &places[0]), cmocka_unit_test_prestate(story, &places[1])

int main(void)
{
	const struct CMUnitTest stories[] = {
		ON_BOTH(output_errors_and_status_are_the_commands_own),
		ON_BOTH(output_comes_while_the_command_still_runs),
		ON_BOTH(ten_mebibytes_come_back_as_they_went),
		ON_BOTH(a_reader_that_leaves_ends_the_command),
		ON_BOTH(what_cannot_be_run_has_the_status_that_shells_have),
		ON_BOTH(what_is_not_there_is_named),
		ON_BOTH(a_viewer_may_not),
		ON_BOTH(a_plain_request_is_told_to_upgrade),
		ON_BOTH(the_audit_history_has_the_program_and_not_its_arguments),
		ON_BOTH(a_killed_client_leaves_no_process_in_the_container),
		ON_BOTH(a_client_killed_while_nobody_reads_its_input_is_noticed),
		ON_BOTH(a_terminal_that_goes_away_leaves_no_process),
		ON_BOTH(a_signal_reaches_the_command),
		ON_BOTH(what_is_left_in_the_background_does_not_keep_us),
		ON_BOTH(a_terminal_has_its_size_and_is_told_of_another),
		ON_BOTH(what_is_typed_reaches_the_command_and_so_does_ctrl_c),
		ON_BOTH(a_port_that_only_the_service_itself_reaches_is_forwarded),
		ON_BOTH(many_connections_at_once_hear_their_own_words),
		ON_BOTH(a_port_on_which_nobody_listens_is_named),
		ON_BOTH(more_commands_than_the_limit_are_refused),
		ON_BOTH(envd_killed_leaves_no_process_either),
	};

	return cmocka_run_group_tests(stories, open_places, close_places);
}
