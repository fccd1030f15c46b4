/*
 * The CI agent is another machine: a network namespace of its own, joined to ours by one cable. It
 * has a token, the CA and envctl; it creates an environment on the real runtime, checks it, uses it
 * at its published address, and destroys it. Needs root.
 *
 * On Docker, which lets forwarded packets in to a published port. Podman leaves that to the policy
 * of the FORWARD chain, and that is DROP on a machine that has Docker too, as this one.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/certificates.h"
#include "tests/support/world.h"

struct machine {
	struct world *world;
	char namespace[32];
	char cable[16]; /* our end */
	char here[32];  /* our address on the cable, at which the agent reaches us */
	char folder[96];
	char server[80];
	char id[37];
};

/* The exit status; what it printed goes to `output` (may be NULL), freed by the caller. */
static int run(char **output, const char *command)
{
	struct text text = TEXT_EMPTY;
	FILE *pipe = popen(command, "r");
	char block[4096];
	size_t got;
	int status;

	assert_non_null(pipe);
	while ((got = fread(block, 1, sizeof(block), pipe)) > 0)
		text_add_bytes(&text, block, got);
	status = pclose(pipe);
	if (output)
		*output = text_take(&text);
	text_release(&text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void must_run(const char *command)
{
	if (run(NULL, command) != 0)
		fail_msg("this failed: %s", command);
}

/* On the agent, with nothing of our own environment but the path. */
static int on_agent(const struct machine *machine, char **output, const char *command)
{
	const char *folder = getenv("ENVD_BIN");
	AUTO(free)
	char *whole = xasprintf("ip netns exec %s env -i PATH=\"%s:$PATH\" HOME=/nonexistent "
				"ENVCTL_SERVER=%s ENVCTL_CA=%s/ca.pem ENVCTL_TOKEN_FILE=%s/token "
				"%s 2>>%s/log",
				machine->namespace, folder ? folder : "build/bin", machine->server,
				machine->folder, machine->folder, command, machine->world->folder);

	return run(output, whole);
}

static void lay_cable(struct machine *machine)
{
	int number = (int)getpid() % 250 + 1;
	AUTO(free) char *command = NULL;

	snprintf(machine->namespace, sizeof(machine->namespace), "envd-agent-%d", (int)getpid());
	snprintf(machine->cable, sizeof(machine->cable), "ea%d", (int)getpid());
	snprintf(machine->here, sizeof(machine->here), "10.213.%d.1", number);
	command = xasprintf("set -e; ip netns add %s; ip link add %s type veth peer name eth0 "
			    "netns %s; ip addr add %s/30 dev %s; ip link set %s up; "
			    "ip -n %s link set lo up; ip -n %s addr add 10.213.%d.2/30 dev eth0; "
			    "ip -n %s link set eth0 up",
			    machine->namespace, machine->cable, machine->namespace, machine->here,
			    machine->cable, machine->cable, machine->namespace, machine->namespace,
			    number, machine->namespace);
	must_run(command);
}

static void write_configuration(const struct machine *machine)
{
	AUTO(free) char *path = path_join(machine->folder, "envd.yaml");
	AUTO(free)
	char *text = xasprintf("projects: [ { name: web, environments: 2 } ]\n"
			       "targets:\n"
			       "  - { name: local, engine: container, socket: '%s',"
			       " publish_address: '%s' }\n",
			       machine->world->runtime, machine->here);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

static void give_argument(struct machine *machine, const char *option, const char *file)
{
	AUTO(free) char *argument = xasprintf("%s%s/%s", option, machine->folder, file);

	world_argument(machine->world, argument);
}

static void find_server(struct machine *machine)
{
	AUTO(free) char *path = path_join(machine->world->folder, "log");
	AUTO(free) char *words = xasprintf("listening on %s:", machine->here);
	AUTO(free) char *log = NULL;
	struct error err;
	const char *at;

	assert_true(file_read(path, 16 << 20, &log, NULL, &err));
	at = strstr(log, words);
	assert_non_null(at);
	snprintf(machine->server, sizeof(machine->server), "https://%s:%d", machine->here,
		 atoi(at + strlen(words)));
}

static void give_token(const struct machine *machine)
{
	AUTO(free) char *path = path_join(machine->folder, "token");
	AUTO(free) char *token = NULL;
	struct error err;

	assert_int_equal(
	    world_envctl(machine->world, &token, "token", "create", "agent", "--project=web", NULL),
	    0);
	assert_true(file_write_atomically(path, token, strlen(token), 0600, &err));
}

static int start(void **state)
{
	struct machine *machine = xcalloc(1, sizeof(*machine));
	AUTO(free) char *listen = NULL, *alternative = NULL;
	struct error err;

	*state = machine;
	machine->world = world_new("ENVD_TEST_DOCKER");
	snprintf(machine->folder, sizeof(machine->folder), "%s/agent", machine->world->folder);
	assert_true(folder_make(machine->folder, 0700, &err));
	lay_cable(machine);
	certificates_ca(machine->folder, "ca");
	alternative = xasprintf("IP:%s", machine->here);
	certificates_issue(machine->folder, "ca", "server", alternative);
	write_configuration(machine);
	world_write_small_template(machine->world, "small", true);
	listen = xasprintf("--listen=%s:0", machine->here);
	world_argument(machine->world, listen);
	give_argument(machine, "--tls-certificate=", "server.pem");
	give_argument(machine, "--tls-key=", "server.key");
	give_argument(machine, "--config=", "envd.yaml");
	world_start(machine->world);
	find_server(machine);
	give_token(machine);
	return 0;
}

static int end(void **state)
{
	struct machine *machine = *state;
	AUTO(free) char *command = NULL;

	if (machine->world)
		world_free(machine->world);
	/* The namespace takes its end of the cable along, and that end takes ours. */
	command = xasprintf("ip netns del %s 2>/dev/null; ip link del %s 2>/dev/null; true",
			    machine->namespace, machine->cable);
	run(NULL, command);
	free(machine);
	return 0;
}

/* ---- the story ---- */

static void the_agent_gets_in_with_its_token_and_not_without(void **state)
{
	struct machine *machine = *state;
	AUTO(free) char *version = NULL;

	assert_int_equal(on_agent(machine, &version, "envctl list"), 0);
	assert_int_equal(on_agent(machine, NULL, "env -u ENVCTL_TOKEN_FILE envctl list"), 3);
	assert_int_equal(on_agent(machine, NULL, "env -u ENVCTL_CA envctl list"), 3);
	/* It is another machine: what listens on our loopback is not there. */
	assert_int_not_equal(on_agent(machine, NULL, "curl -s http://127.0.0.1:22"), 0);
}

static void the_agent_creates_and_checks_an_environment(void **state)
{
	struct machine *machine = *state;
	AUTO(json_decref) json_t *environment = NULL;

	assert_int_equal(on_agent(machine, NULL, "envctl create small --name agents --ttl 5m"), 0);
	assert_int_equal(on_agent(machine, NULL, "envctl check agents"), 0);
	environment = world_ask(machine->world, "GET", "/v1/environments/agents", NULL, NULL);
	assert_string_equal(json_get_string(environment, "owner", ""), "web/agent");
	assert_string_equal(json_get_string(environment, "project", ""), "web");
	snprintf(machine->id, sizeof(machine->id), "%s", json_get_string(environment, "id", ""));
	assert_true(world_count(machine->world, "envd-environment", machine->id) > 0);
}

static void the_agent_uses_it_at_its_published_address(void **state)
{
	struct machine *machine = *state;
	AUTO(free) char *shown = NULL;
	AUTO(free) char *page = NULL;

	assert_int_equal(on_agent(machine, &shown, "envctl env agents -o dotenv"), 0);
	assert_non_null(strstr(shown, machine->here));
	assert_int_equal(on_agent(machine, &page,
				  "sh -c 'eval \"$(envctl env agents)\"; "
				  "curl -sS --max-time 20 \"$ENV_URL\"'"),
			 0);
	assert_string_equal(page, "hello\n");
}

static void the_agent_destroys_it_and_nothing_is_left(void **state)
{
	struct machine *machine = *state;

	assert_int_equal(on_agent(machine, NULL, "envctl destroy agents"), 0);
	assert_int_equal(world_count(machine->world, "envd-environment", machine->id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_agent_gets_in_with_its_token_and_not_without),
		cmocka_unit_test(the_agent_creates_and_checks_an_environment),
		cmocka_unit_test(the_agent_uses_it_at_its_published_address),
		cmocka_unit_test(the_agent_destroys_it_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, start, end);
}
