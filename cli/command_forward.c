#include "cli/command.h"

#include <string.h>

#include "cli/interrupt.h"
#include "cli/relay.h"

/* SERVICE:PORT as the service sees it, and where that is published. */
struct goal {
	char *service;
	int64_t port;
	const char *host;
	int64_t published;
};

static bool read_port(const char *text, int64_t minimum, const char *what, int64_t *port,
		      struct error *err)
{
	char shown[40];

	if (text_to_int64(text, port) && *port >= minimum && *port <= 65535)
		return true;
	return error_set_as(err, ERR_INVALID, "option_value",
			    "%s \"%s\" is no port (expected %lld to 65535)", what,
			    text_printable(text, shown, sizeof(shown)), (long long)minimum);
}

static bool read_goal(const char *text, struct goal *goal, struct error *err)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon == text)
		return error_set_as(err, ERR_INVALID, "option_value", "\"%s\" is not SERVICE:PORT",
				    text);
	goal->service = xstrndup(text, (size_t)(colon - text));
	return read_port(colon + 1, 1, "PORT", &goal->port, err);
}

/* What is published at all, for the hint; the caller frees. */
static char *published(const json_t *environment)
{
	struct text list = TEXT_EMPTY;
	size_t s, a;
	json_t *service, *address;

	json_array_foreach(json_object_get(environment, "services"), s, service) {
		json_array_foreach(json_object_get(service, "addresses"), a, address) {
			text_format(&list, "%s%s:%lld", list.length ? ", " : "",
				    json_get_string(service, "name", "?"),
				    (long long)json_get_int64(address, "container_port", 0));
		}
	}
	return text_take(&list);
}

static bool find_address(const json_t *environment, struct goal *goal, struct error *err)
{
	AUTO(free) char *others = published(environment);
	size_t s, a;
	json_t *service, *address;

	json_array_foreach(json_object_get(environment, "services"), s, service) {
		if (!text_equal(json_get_string(service, "name", ""), goal->service))
			continue;
		json_array_foreach(json_object_get(service, "addresses"), a, address) {
			if (json_get_int64(address, "container_port", 0) != goal->port)
				continue;
			goal->host = json_get_string(address, "host", "127.0.0.1");
			goal->published = json_get_int64(address, "port", 0);
			return true;
		}
	}
	error_set_as(err, ERR_NOT_FOUND, "port_not_published",
		     "environment \"%s\" publishes no port %lld of a service \"%s\"",
		     json_get_string(environment, "name", "?"), (long long)goal->port,
		     goal->service);
	return error_hint(err, "published are: %s", *others ? others : "none");
}

static void on_refused(void *arg, const char *why)
{
	const struct goal *goal = arg;

	fprintf(stderr, "%s:%lld at %s:%lld: %s\n", goal->service, (long long)goal->port,
		goal->host, (long long)goal->published, why);
}

/* It ends by a signal, or not at all. */
static bool forward(struct goal *goal, const char *name, int64_t local, struct error *err)
{
	struct relay relay = { .host = goal->host,
			       .port = (int)goal->published,
			       .wake_fd = interrupt_fd(),
			       .on_refused = on_refused,
			       .arg = goal };
	int chosen;
	bool done;

	if (!relay_listen(local, &relay.listen_fd, &chosen, err))
		return false;
	/* For scripts: the address is data. */
	printf("127.0.0.1:%d\n", chosen);
	fflush(stdout);
	fprintf(stderr, "goes to %s:%lld of env/%s (%s:%lld) until Ctrl-C\n", goal->service,
		(long long)goal->port, name, goal->host, (long long)goal->published);
	done = relay_run(&relay, err);
	close(relay.listen_fd);
	return done;
}

static bool run(struct cli *cli, const void *unused, const struct option_list *arguments,
		struct error *err)
{
	const char *name = environment_argument(arguments->items[0]);
	AUTO(free) char *path = api_path("/v1/environments/%s", name);
	AUTO(json_decref) json_t *environment = NULL;
	struct goal goal = { NULL, 0, NULL, 0 };
	struct api_client *client;
	int64_t local = 0;
	bool done =
	    read_goal(arguments->items[1], &goal, err) &&
	    (arguments->count < 3 || read_port(arguments->items[2], 0, "LOCAL", &local, err)) &&
	    cli_client(cli, &client, err) && api_get(client, path, &environment, err) &&
	    find_address(environment, &goal, err) && forward(&goal, name, local, err);

	(void)unused;
	free(goal.service);
	return done;
}

const struct command command_forward = {
	.name = "forward",
	.synopsis = "NAME SERVICE:PORT [LOCAL]",
	.summary = "a port of this machine that leads to a published port of a service",
	.about = "Listens on 127.0.0.1:LOCAL (a free port without it, or with 0), prints the "
		 "address, and "
		 "passes\n"
		 "connections on to where the environment publishes PORT of SERVICE, until Ctrl-C. "
		 "Ports that "
		 "the\n"
		 "template does not publish cannot be reached like this.",
	.arguments_min = 2,
	.arguments_max = 3,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
