#include "cli/command.h"

#include <string.h>

#include "cli/forward_named.h"
#include "cli/interrupt.h"
#include "cli/relay.h"
#include "cli/tunnel_link.h"

struct forward_options {
	bool is_through_server;
};

// clang-format off
static const struct option rows[] = {
	{ "through-server", 0, OPTION_FLAG, offsetof(struct forward_options, is_through_server), NULL, NULL, "also for a port that is published", NULL },
	OPTIONS_END,
};
// clang-format on

/* SERVICE:PORT as the service sees it, and where that is published. */
struct goal {
	char *service;
	int64_t port;
	const char *host; /* NULL: nowhere that we could reach */
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

/* What is published on the server's loopback is on ours only when that is one machine. */
static bool is_here(const char *host, const struct api_client *client)
{
	bool is_loopback = text_starts_with(host, "127.") || text_equal(host, "localhost") ||
			   text_equal(host, "::1");

	return !is_loopback || api_client_is_local(client);
}

static void find_address(const json_t *environment, const struct api_client *client,
			 struct goal *goal)
{
	size_t s, a;
	json_t *service, *address;

	json_array_foreach(json_object_get(environment, "services"), s, service) {
		if (!text_equal(json_get_string(service, "name", ""), goal->service))
			continue;
		json_array_foreach(json_object_get(service, "addresses"), a, address) {
			const char *host = json_get_string(address, "host", "127.0.0.1");

			if (json_get_int64(address, "container_port", 0) != goal->port ||
			    !is_here(host, client))
				continue;
			goal->host = host;
			goal->published = json_get_int64(address, "port", 0);
			return;
		}
	}
}

/* A name that is wrong is said at once, and not with the first connection. */
static bool check_service(const json_t *environment, const struct goal *goal, struct error *err)
{
	AUTO(text_release) struct text names = TEXT_EMPTY;
	bool is_in_cluster = false;
	size_t i;
	json_t *service;

	json_array_foreach(json_object_get(environment, "services"), i, service) {
		const char *name = json_get_string(service, "name", "?");

		if (text_equal(name, goal->service))
			return true;
		is_in_cluster = is_in_cluster || json_has(service, "resources");
		text_format(&names, "%s%s", names.length ? ", " : "", name);
	}
	/* Layers are no services: what is in the cluster only the cluster knows. */
	if (is_in_cluster)
		return true;
	error_set_as(err, ERR_NOT_FOUND, "service_not_found",
		     "environment \"%s\" has no service \"%s\"",
		     json_get_string(environment, "name", "?"), goal->service);
	return error_hint(err, "there are: %s", names.length ? text_get(&names) : "none");
}

static void on_refused(void *arg, const char *why)
{
	const struct goal *goal = arg;

	fprintf(stderr, "%s:%lld at %s:%lld: %s\n", goal->service, (long long)goal->port,
		goal->host, (long long)goal->published, why);
}

static void on_failure(void *arg, const struct error *failure)
{
	const struct goal *goal = arg;

	fprintf(stderr, "%s:%lld: %s\n", goal->service, (long long)goal->port, failure->message);
}

static bool relay_directly(struct goal *goal, int listen_fd, struct error *err)
{
	struct relay relay = { .host = goal->host,
			       .port = (int)goal->published,
			       .listen_fd = listen_fd,
			       .wake_fd = interrupt_fd(),
			       .on_refused = on_refused,
			       .arg = goal };

	return relay_run(&relay, err);
}

static bool relay_through_server(struct goal *goal, struct api_client *client, const char *name,
				 int listen_fd, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/forward", name);
	AUTO(json_decref)
	json_t *body =
	    json_pack("{s:s, s:I}", "service", goal->service, "port", (json_int_t)goal->port);
	const struct tunnel_links links = { .listen_fd = listen_fd,
					    .wake_fd = interrupt_fd(),
					    .client = client,
					    .path = path,
					    .body = body,
					    .on_failure = on_failure,
					    .arg = goal };

	return tunnel_links_run(&links, err);
}

/* It ends by a signal, or not at all. */
static bool forward(struct goal *goal, struct api_client *client, const char *name, int64_t local,
		    struct error *err)
{
	AUTO(free)
	char *way = goal->host ? xasprintf("%s:%lld", goal->host, (long long)goal->published)
			       : xasprintf("through %s", api_client_server(client));
	AUTO(close) int listen_fd = -1;
	int chosen;

	if (!relay_listen(local, &listen_fd, &chosen, err))
		return false;
	/* For scripts: the address is data. */
	printf("127.0.0.1:%d\n", chosen);
	fflush(stdout);
	fprintf(stderr, "goes to %s:%lld of env/%s (%s) until Ctrl-C\n", goal->service,
		(long long)goal->port, name, way);
	if (goal->host)
		return relay_directly(goal, listen_fd, err);
	return relay_through_server(goal, client, name, listen_fd, err);
}

static bool read_local(const struct option_list *arguments, int64_t otherwise, int64_t *local,
		       struct error *err)
{
	*local = otherwise;
	return arguments->count < 3 || read_port(arguments->items[2], 0, "LOCAL", local, err);
}

/* Those that the template has names for: all of them, or the one that is named. */
static bool forward_by_name(struct cli *cli, const struct option_list *arguments, struct error *err)
{
	const char *name = environment_argument(arguments->items[0]);
	const char *one = arguments->count > 1 ? arguments->items[1] : NULL;
	AUTO(json_decref) json_t *forwards = NULL;
	struct api_client *client;
	int64_t local;

	return read_local(arguments, -1, &local, err) && cli_client(cli, &client, err) &&
	       forward_named_fetch(client, name, one, &forwards, err) &&
	       forward_named_run(client, name, forwards, local, err);
}

static bool forward_port(struct cli *cli, const struct forward_options *options,
			 const struct option_list *arguments, struct error *err)
{
	const char *name = environment_argument(arguments->items[0]);
	AUTO(free) char *path = api_path("/v1/environments/%s", name);
	AUTO(json_decref) json_t *environment = NULL;
	struct goal goal = { NULL, 0, NULL, 0 };
	struct api_client *client;
	int64_t local = 0;
	bool done = read_goal(arguments->items[1], &goal, err) &&
		    read_local(arguments, 0, &local, err) && cli_client(cli, &client, err) &&
		    api_get(client, path, &environment, err) &&
		    check_service(environment, &goal, err);

	if (done && !options->is_through_server)
		find_address(environment, client, &goal);
	done = done && forward(&goal, client, name, local, err);
	free(goal.service);
	return done;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	bool has_port = arguments->count > 1 && strchr(arguments->items[1], ':');

	return has_port ? forward_port(cli, values, arguments, err)
			: forward_by_name(cli, arguments, err);
}

const struct command command_forward = {
	.name = "forward",
	.synopsis = "NAME [SERVICE:PORT | FORWARD] [LOCAL]",
	.summary = "a port of this machine that leads to a port of a service",
	.about =
	    "Listens on 127.0.0.1:LOCAL (a free port without it, or with 0), prints the address, "
	    "and\n"
	    "passes connections on to PORT of SERVICE, until Ctrl-C. Where the environment "
	    "publishes that\n"
	    "port they go there directly. Else they go through the server, which needs the "
	    "permission that\n"
	    "`envctl exec` needs, and reaches also what listens on the service's loopback alone; "
	    "there the\n"
	    "container runtime must be on the server's machine.\n\n"
	    "Of an environment with a cluster, SERVICE is SERVICE.NAMESPACE, and its template may "
	    "have names\n"
	    "for what people look at: without SERVICE:PORT all of these are opened, with FORWARD "
	    "that one.\n"
	    "No kubectl and no access to the cluster is needed: the server asks its API server.\n\n"
	    "  envctl forward NAME\n"
	    "  envctl forward NAME grafana 3000\n"
	    "  envctl forward NAME prometheus-grafana.prometheus:80",
	.rows = rows,
	.values_size = sizeof(struct forward_options),
	.arguments_min = 1,
	.arguments_max = 3,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
