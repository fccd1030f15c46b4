#include "compose/compose_ports.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define PORTS_MAX 200

static bool refuse(const struct compose_reader *reader, const struct yaml_node *node,
		   const char *text, const char *problem, struct error *err)
{
	char shown[64];

	return compose_wrong(reader, node, err, "port \"%s\" %s",
			     text_printable(text, shown, sizeof(shown)), problem);
}

/* What one entry asks for: a port, or a range of them side by side. */
struct span {
	struct compose_port first;
	int host_last;
	int container_last;
};

static bool to_port(const char *text, int lowest, int *port)
{
	int64_t number;

	if (!text_to_int64(text, &number) || number < lowest || number > 65535)
		return false;
	*port = (int)number;
	return true;
}

/* NUMBER or NUMBER-NUMBER; `lowest` is 0 where 0 means "chosen by the system". */
static bool parse_number(const struct compose_reader *reader, const struct yaml_node *node,
			 const char *text, int lowest, int *first, int *last, struct error *err)
{
	const char *dash = strchr(text, '-');
	AUTO(free) char *from = dash ? xstrndup(text, (size_t)(dash - text)) : xstrdup(text);

	if (!to_port(from, dash ? 1 : lowest, first) ||
	    !to_port(dash ? dash + 1 : from, dash ? 1 : lowest, last))
		return refuse(reader, node, text, "is not a port number", err);
	if (*last < *first || *last - *first >= PORTS_MAX)
		return refuse(reader, node, text, "is no range of at most 200 ports", err);
	return true;
}

static bool parse_protocol(const struct compose_reader *reader, const struct yaml_node *node,
			   const char *text, const char **protocol, struct error *err)
{
	if (strcasecmp(text, "tcp") == 0)
		*protocol = "tcp";
	else if (strcasecmp(text, "udp") == 0)
		*protocol = "udp";
	else
		return compose_unsupported(reader, node, err, "protocol \"%.40s\" is not supported",
					   text);
	return true;
}

static bool parse_address(const struct compose_reader *reader, const struct yaml_node *node,
			  const char *text, char **address, struct error *err)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) != 1 && inet_pton(AF_INET6, text, bytes) != 1)
		return refuse(reader, node, text, "has no IP address in front", err);
	*address = xstrdup(text);
	return true;
}

/* Splits "[ADDRESS:]HOST" in place: [::1]:8080, 127.0.0.1:8080, 127.0.0.1:, 8080. */
static bool parse_host(const struct compose_reader *reader, const struct yaml_node *node,
		       char *text, struct span *span, struct error *err)
{
	char *colon = strrchr(text, ':');
	const char *number = text;

	if (colon) {
		size_t length;

		*colon = '\0';
		number = colon + 1;
		length = strlen(text);
		if (*text == '[' && length > 2 && text[length - 1] == ']') {
			text[length - 1] = '\0';
			text++;
		}
		if (!parse_address(reader, node, text, &span->first.host_address, err))
			return false;
	}
	return !*number ||
	       parse_number(reader, node, number, 0, &span->first.host_port, &span->host_last, err);
}

/* [HOST:]CONTAINER[/PROTOCOL]; `text` is taken apart. */
static bool parse_short(const struct compose_reader *reader, const struct yaml_node *node,
			char *text, bool may_publish, struct span *span, struct error *err)
{
	char *slash = strchr(text, '/'), *colon;
	struct compose_port *port = &span->first;

	if (slash) {
		*slash = '\0';
		if (!parse_protocol(reader, node, slash + 1, &port->protocol, err))
			return false;
	}
	colon = strrchr(text, ':');
	if (colon && !may_publish)
		return refuse(reader, node, text,
			      "is exposed, not published: write only its number", err);
	if (!colon)
		return parse_number(reader, node, text, 1, &port->container_port,
				    &span->container_last, err);
	*colon = '\0';
	return parse_number(reader, node, colon + 1, 1, &port->container_port,
			    &span->container_last, err) &&
	       parse_host(reader, node, text, span, err);
}

/* `mode` says how Swarm publishes, `name` and `app_protocol` are for readers: checked, not used. */
static bool check_remarks(struct compose_reader *reader, const struct yaml_node *map,
			  struct error *err)
{
	static const char *const remarks[] = { "name", "app_protocol", "mode" };

	for (size_t i = 0; i < ARRAY_SIZE(remarks); i++) {
		const struct yaml_node *node = compose_get(map, remarks[i]);
		AUTO(free) char *text = NULL;

		if (!node)
			continue;
		if (!compose_text(reader, node, remarks[i], &text, err))
			return false;
		if (strcmp(remarks[i], "mode") == 0 && strcmp(text, "host") != 0 &&
		    strcmp(text, "ingress") != 0)
			return compose_wrong(
			    reader, node, err,
			    "\"ports.mode\" must be host or ingress (got \"%.40s\")", text);
	}
	return true;
}

static bool parse_long(struct compose_reader *reader, const struct yaml_node *map,
		       struct span *span, struct error *err)
{
	static const char *const known[] = { "target", "published",    "host_ip", "protocol",
					     "name",   "app_protocol", "mode",    NULL };
	const struct yaml_node *target = compose_get(map, "target"), *published, *address,
			       *protocol;
	struct compose_port *port = &span->first;
	AUTO(free) char *number = NULL;
	AUTO(free) char *text = NULL;
	AUTO(free) char *name = NULL;
	AUTO(free) char *host = NULL;

	if (!compose_only_keys(reader, map, "ports", known, err))
		return false;
	if (!target)
		return compose_wrong(reader, map, err, "\"ports.target\" is missing");
	published = compose_get(map, "published");
	address = compose_get(map, "host_ip");
	protocol = compose_get(map, "protocol");
	return compose_text(reader, target, "target", &number, err) &&
	       parse_number(reader, target, number, 1, &port->container_port, &span->container_last,
			    err) &&
	       (!published || (compose_text(reader, published, "published", &text, err) &&
			       parse_number(reader, published, text, 0, &port->host_port,
					    &span->host_last, err))) &&
	       (!address || (compose_text(reader, address, "host_ip", &host, err) &&
			     parse_address(reader, address, host, &port->host_address, err))) &&
	       (!protocol || (compose_text(reader, protocol, "protocol", &name, err) &&
			      parse_protocol(reader, protocol, name, &port->protocol, err))) &&
	       check_remarks(reader, map, err);
}

static bool parse_span(struct compose_reader *reader, const struct yaml_node *node,
		       bool may_publish, struct span *span, struct error *err)
{
	AUTO(free) char *text = NULL;
	int count, host_count;

	*span = (struct span){ .first = { .protocol = "tcp", .at = compose_place_of(node) } };
	if (node->kind == YAML_MAP && may_publish) {
		if (!parse_long(reader, node, span, err))
			return false;
	} else if (!compose_text(reader, node, may_publish ? "ports" : "expose", &text, err) ||
		   !parse_short(reader, node, text, may_publish, span, err)) {
		return false;
	}
	count = span->container_last - span->first.container_port;
	host_count = span->host_last - span->first.host_port;
	return !span->first.host_port || count == host_count ||
	       compose_wrong(reader, node, err,
			     "\"ports\": %d host ports for %d ports of the container",
			     host_count + 1, count + 1);
}

static bool is_same(const struct compose_port *a, const struct compose_port *b)
{
	return a->container_port == b->container_port && strcmp(a->protocol, b->protocol) == 0;
}

/* What an environment publishes is found by its container's port, so each can be there once; one
 * that was merged over another takes its place. */
static bool check_twice(const struct compose_reader *reader, const struct yaml_node *node,
			struct compose_ports *ports, struct error *err)
{
	struct compose_port *last = &ports->items[ports->count - 1];

	for (size_t i = 0; i + 1 < ports->count; i++) {
		struct compose_port *old = &ports->items[i];

		if (!is_same(old, last))
			continue;
		if (!compose_is_over(last->at, old->at))
			return compose_wrong(reader, node, err, "port %d/%s is there twice",
					     last->container_port, last->protocol);
		free(old->host_address);
		*old = *last;
		ports->count--;
		return true;
	}
	return true;
}

static bool add_span(const struct compose_reader *reader, const struct yaml_node *node,
		     const struct span *span, struct compose_ports *ports, struct error *err)
{
	int count = span->container_last - span->first.container_port + 1;

	for (int i = 0; i < count; i++) {
		struct compose_port *port;

		if (ports->count == PORTS_MAX)
			return compose_wrong(reader, node, err, "more than %d ports", PORTS_MAX);
		port = &ports->items[ports->count++];
		*port = span->first;
		port->container_port += i;
		port->host_port += port->host_port ? i : 0;
		if (span->first.host_address)
			port->host_address = xstrdup(span->first.host_address);
		if (!check_twice(reader, node, ports, err))
			return false;
	}
	return true;
}

static bool read_ports(struct compose_reader *reader, const struct yaml_node *list,
		       bool may_publish, struct compose_ports *ports, struct error *err)
{
	const char *what = may_publish ? "ports" : "expose";

	if (list->kind != YAML_LIST)
		return compose_wrong(reader, list, err, "\"%s\" must be a list (got %s)", what,
				     yaml_kind_name(list));
	if (list->count > PORTS_MAX)
		return compose_wrong(reader, list, err, "\"%s\": more than %d", what, PORTS_MAX);
	ports->items = xcalloc(PORTS_MAX, sizeof(*ports->items));
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml_node *node = list->items[i];
		struct span span;
		bool fine = parse_span(reader, node, may_publish, &span, err) &&
			    add_span(reader, node, &span, ports, err);

		free(span.first.host_address);
		if (!fine)
			return false;
	}
	return true;
}

bool compose_ports_read(struct compose_reader *reader, const struct yaml_node *list,
			struct compose_ports *ports, struct error *err)
{
	return read_ports(reader, list, true, ports, err);
}

bool compose_expose_read(struct compose_reader *reader, const struct yaml_node *list,
			 struct compose_ports *ports, struct error *err)
{
	return read_ports(reader, list, false, ports, err);
}

void compose_ports_release(struct compose_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		free(ports->items[i].host_address);
	free(ports->items);
	*ports = (struct compose_ports){ 0 };
}
