#include "compose/compose_naming.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* Letters, digits, "-" and "." as RFC 1123 has them; "_" because Docker takes it. */
static bool is_host(const char *name, size_t length_max)
{
	size_t length = strlen(name);

	return length && length <= length_max && isalnum((unsigned char)*name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		   length;
}

static bool read_host(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		      size_t length_max, char **name, struct error *err)
{
	char shown[80];

	return compose_text(reader, node, what, name, err) &&
	       (is_host(*name, length_max) ||
		compose_wrong(reader, node, err, "\"%s\": \"%s\" is no host name", what,
			      text_printable(*name, shown, sizeof(shown))));
}

bool compose_hostname_read(struct compose_reader *reader, const struct yaml_node *node,
			   struct compose_service *service, struct error *err)
{
	return read_host(reader, node, "hostname", 63, &service->naming.hostname, err);
}

bool compose_domainname_read(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_service *service, struct error *err)
{
	return read_host(reader, node, "domainname", 253, &service->naming.domainname, err);
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

bool compose_dns_read(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_service *service, struct error *err)
{
	struct compose_list *dns = &service->naming.dns;

	if (!compose_set(reader, node, "dns", true, dns, err))
		return false;
	for (size_t i = 0; i < dns->texts.count; i++)
		if (!is_address(dns->texts.items[i]))
			return compose_wrong(reader, node, err,
					     "\"dns\": \"%.60s\" is no IP address",
					     dns->texts.items[i]);
	return true;
}

bool compose_dns_search_read(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_service *service, struct error *err)
{
	return compose_set(reader, node, "dns_search", true, &service->naming.dns_search, err);
}

bool compose_dns_opt_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	return compose_set(reader, node, "dns_opt", false, &service->naming.dns_opt, err);
}

/* ---- extra_hosts --------------------------------------------------------------------------- */

/* Kept as HOST:ADDRESS, which is what runtimes take. */
static bool add_host(const struct compose_reader *reader, const struct yaml_node *at,
		     const char *host, const char *address, struct compose_list *list,
		     struct error *err)
{
	size_t length = strlen(address);
	bool has_brackets = length > 2 && *address == '[' && address[length - 1] == ']';
	AUTO(free)
	char *plain = has_brackets ? xstrndup(address + 1, length - 2) : xstrdup(address);
	AUTO(free) char *text = xasprintf("%s:%s", host, plain);
	char shown[100];

	if (!is_host(host, 253) || !(is_address(plain) || strcmp(plain, "host-gateway") == 0))
		return compose_wrong(
		    reader, at, err,
		    "\"extra_hosts\": \"%s\" must be HOST=ADDRESS with an IP address "
		    "or host-gateway",
		    text_printable(text, shown, sizeof(shown)));
	for (size_t i = 0; i < list->texts.count; i++)
		if (strcmp(list->texts.items[i], text) == 0)
			return true;
	compose_strings_add(&list->texts, TAKE(text));
	return true;
}

static bool read_listed(struct compose_reader *reader, const struct yaml_node *node,
			struct compose_list *list, struct error *err)
{
	AUTO(free) char *text = NULL;
	char *sign;

	if (!compose_text(reader, node, "extra_hosts", &text, err))
		return false;
	sign = text + strcspn(text, "=:");
	if (!*sign)
		return compose_wrong(reader, node, err,
				     "\"extra_hosts\": \"%.80s\" must be HOST=ADDRESS", text);
	*sign = '\0';
	return add_host(reader, node, text, sign + 1, list, err);
}

static bool read_mapped(struct compose_reader *reader, const struct yaml_node *key,
			const struct yaml_node *item, struct compose_list *list, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings addresses = { 0 };

	if (!compose_list(reader, item, "extra_hosts", true, &addresses, err))
		return false;
	for (size_t i = 0; i < addresses.count; i++)
		if (!add_host(reader, item, key->text, addresses.items[i], list, err))
			return false;
	return true;
}

bool compose_extra_hosts_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	struct compose_list *list = &service->naming.extra_hosts;

	list->at = compose_place_of(node);
	if (node->kind == YAML_SCALAR)
		return compose_wrong(reader, node, err,
				     "\"extra_hosts\" must be a map or a list (got %s)",
				     yaml_kind_name(node));
	if (node->count > 200)
		return compose_wrong(reader, node, err, "\"extra_hosts\": more than %d", 200);
	for (size_t i = 0; i < node->count; i++)
		if (!(node->kind == YAML_MAP
			  ? read_mapped(reader, node->keys[i], node->items[i], list, err)
			  : read_listed(reader, node->items[i], list, err)))
			return false;
	return true;
}

void compose_naming_release(struct compose_naming *naming)
{
	free(naming->hostname);
	free(naming->domainname);
	compose_strings_release(&naming->dns.texts);
	compose_strings_release(&naming->dns_search.texts);
	compose_strings_release(&naming->dns_opt.texts);
	compose_strings_release(&naming->extra_hosts.texts);
}
