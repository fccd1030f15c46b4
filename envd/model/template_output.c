#include "model/template_output.h"

#include <string.h>

#include "base/text.h"
#include "model/template_read.h"

#define REFERENCE_LENGTH_MAX 100

enum reference_kind { ENVIRONMENT_ID, ENVIRONMENT_NAME, SERVICE_HOST, SERVICE_PORT };

/* What stands between {{ and }}. */
struct reference {
	enum reference_kind kind;
	char service[REFERENCE_LENGTH_MAX];
	int port;
};

static bool unknown_reference(const char *text, struct error *err)
{
	char shown[REFERENCE_LENGTH_MAX];

	return error_set_as(
	    err, ERR_INVALID, "output_invalid",
	    "{{%s}} is not known (expected environment.id, environment.name, SERVICE.host or "
	    "SERVICE.port.NUMBER)",
	    text_printable(text, shown, sizeof(shown)));
}

static bool is_service_name(const char *name)
{
	size_t length = strlen(name);

	return length && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-") == length;
}

/* Splits "SERVICE.port.443" in place of `service`. */
static bool parse_port(char *service, int *port)
{
	char *last = strrchr(service, '.');
	int64_t number;

	if (!last || !text_to_int64(last + 1, &number) || number < 1 || number > 65535)
		return false;
	*last = '\0';
	if (!text_ends_with(service, ".port"))
		return false;
	service[strlen(service) - strlen(".port")] = '\0';
	*port = (int)number;
	return true;
}

static bool reference_parse(const char *text, struct reference *reference, struct error *err)
{
	*reference = (struct reference){ .kind = SERVICE_HOST };
	if (strcmp(text, "environment.id") == 0) {
		reference->kind = ENVIRONMENT_ID;
		return true;
	}
	if (strcmp(text, "environment.name") == 0) {
		reference->kind = ENVIRONMENT_NAME;
		return true;
	}
	snprintf(reference->service, sizeof(reference->service), "%s", text);
	if (text_ends_with(reference->service, ".host"))
		reference->service[strlen(reference->service) - strlen(".host")] = '\0';
	else if (parse_port(reference->service, &reference->port))
		reference->kind = SERVICE_PORT;
	else
		return unknown_reference(text, err);
	return is_service_name(reference->service) || unknown_reference(text, err);
}

/* Who wants to know about each reference, in order; text between them is added to `into`. */
struct expansion {
	bool (*on_reference)(struct expansion *expansion, const struct reference *reference,
			     struct error *err);
	void *arg;
	struct text into;
};

static bool expand_one(struct expansion *expansion, const char *from, size_t length,
		       struct error *err)
{
	struct reference reference;
	char inside[REFERENCE_LENGTH_MAX];

	while (length && *from == ' ') {
		from++;
		length--;
	}
	while (length && from[length - 1] == ' ')
		length--;
	if (length >= sizeof(inside))
		length = sizeof(inside) - 1;
	memcpy(inside, from, length);
	inside[length] = '\0';
	return reference_parse(inside, &reference, err) &&
	       expansion->on_reference(expansion, &reference, err);
}

static bool expand(struct expansion *expansion, const char *text, struct error *err)
{
	const char *open, *close;

	while ((open = strstr(text, "{{"))) {
		close = strstr(open, "}}");
		if (!close)
			return error_set_as(err, ERR_INVALID, "output_invalid",
					    "\"{{\" without \"}}\"");
		text_add_bytes(&expansion->into, text, (size_t)(open - text));
		if (!expand_one(expansion, open + 2, (size_t)(close - open) - 2, err))
			return false;
		text = close + 2;
	}
	text_add(&expansion->into, text);
	return true;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool accept(struct expansion *expansion, const struct reference *reference,
		   struct error *err)
{
	(void)expansion;
	(void)reference;
	(void)err;
	return true;
}

static bool read_text(const struct template_item *item, struct template_output *output,
		      struct error *err)
{
	struct expansion expansion = { .on_reference = accept, .into = TEXT_EMPTY };
	struct error wrong;
	bool fine = expand(&expansion, item->map->text, &wrong);

	text_release(&expansion.into);
	output->text = xstrdup(item->map->text);
	return fine || yaml_error(item->document, item->map, err, "%s", wrong.message);
}

static bool read_file(const struct template_item *item, struct template_output *output,
		      struct error *err)
{
	static const char *const known[] = { "service", "file", NULL };

	if (!yaml_only_keys(item->document, item->map, known, err) ||
	    !yaml_copy_string(item->document, item->map, "service", NULL, &output->service, err) ||
	    !yaml_copy_string(item->document, item->map, "file", NULL, &output->file, err))
		return false;
	if (!output->service || !is_service_name(output->service))
		return yaml_error(item->document, item->map, err,
				  "output \"%s\" needs a \"service\"", output->name);
	if (!output->file || output->file[0] != '/')
		return yaml_error(
		    item->document, item->map, err,
		    "output \"%s\" needs a \"file\": an absolute path in the container",
		    output->name);
	return true;
}

static bool read_layer(const struct template_item *item, struct template_output *output,
		       struct error *err)
{
	static const char *const known[] = { "layer", "output", NULL };

	if (!yaml_only_keys(item->document, item->map, known, err) ||
	    !yaml_copy_string(item->document, item->map, "layer", NULL, &output->layer, err) ||
	    !yaml_copy_string(item->document, item->map, "output", NULL, &output->output, err))
		return false;
	return (output->output && *output->output && *output->layer) ||
	       yaml_error(item->document, item->map, err, "output \"%s\" needs an \"output\"",
			  output->name);
}

bool template_output_read(const struct yaml_document *document, const struct yaml_node *name,
			  const struct yaml_node *node, struct template_output *output,
			  struct error *err)
{
	const struct template_item item = { document, name, node };
	bool fine;

	*output = (struct template_output){ .name = xstrdup(name->text) };
	if (!template_check_key(document, name, "output", err))
		fine = false;
	else if (yaml_get(node, "layer"))
		fine = read_layer(&item, output, err);
	else if (node->kind == YAML_MAP)
		fine = read_file(&item, output, err);
	else if (node->kind == YAML_SCALAR && *node->text)
		fine = read_text(&item, output, err);
	else
		fine = yaml_error(document, node, err,
				  "output \"%s\" must be text, or a map of service and file, or of "
				  "layer and output",
				  name->text);
	if (!fine)
		template_output_release(output);
	return fine;
}

void template_output_release(struct template_output *output)
{
	free(output->name);
	free(output->text);
	free(output->service);
	free(output->file);
	free(output->layer);
	free(output->output);
	*output = (struct template_output){ 0 };
}

/* ---- filling in ---------------------------------------------------------------------------- */

/* The address of a service; `port` 0: whichever is first. */
static const json_t *find_address(const json_t *addresses, const char *service, int port)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *address = json_array_get(addresses, i);

		if (strcmp(json_get_string(address, "service", ""), service) == 0 &&
		    (!port || json_get_int64(address, "container_port", 0) == port))
			return address;
	}
	return NULL;
}

static bool add_value(struct expansion *expansion, const struct reference *reference,
		      struct error *err)
{
	const struct template_subject *subject = expansion->arg;
	const json_t *address;

	switch (reference->kind) {
	case ENVIRONMENT_ID:
		text_add(&expansion->into, subject->environment_id);
		return true;
	case ENVIRONMENT_NAME:
		text_add(&expansion->into, subject->environment_name);
		return true;
	case SERVICE_HOST:
	case SERVICE_PORT:
		break;
	}
	address = find_address(subject->addresses, reference->service, reference->port);
	if (!address && reference->port)
		return error_set_as(err, ERR_INVALID, "output_invalid",
				    "service \"%s\" does not publish port %d", reference->service,
				    reference->port);
	if (!address)
		return error_set_as(err, ERR_INVALID, "output_invalid",
				    "service \"%s\" publishes no port", reference->service);
	if (reference->kind == SERVICE_HOST)
		text_add(&expansion->into, json_get_string(address, "host", ""));
	else
		text_format(&expansion->into, "%d", (int)json_get_int64(address, "port", 0));
	return true;
}

bool template_output_text(const struct template_output *output,
			  const struct template_subject *subject, char **text, struct error *err)
{
	struct template_subject copy = *subject;
	struct expansion expansion = { .on_reference = add_value,
				       .arg = &copy,
				       .into = TEXT_EMPTY };

	if (!expand(&expansion, output->text, err)) {
		text_release(&expansion.into);
		return error_wrap(err, "output \"%s\"", output->name);
	}
	*text = text_take(&expansion.into);
	return true;
}

struct listener {
	void (*on_service)(void *arg, const char *service, int port);
	void *arg;
};

static bool tell_service(struct expansion *expansion, const struct reference *reference,
			 struct error *err)
{
	const struct listener *listener = expansion->arg;

	(void)err;
	if (reference->kind == SERVICE_HOST || reference->kind == SERVICE_PORT)
		listener->on_service(listener->arg, reference->service, reference->port);
	return true;
}

void template_output_services(const struct template_output *output,
			      void (*on_service)(void *arg, const char *service, int port),
			      void *arg)
{
	struct listener listener = { on_service, arg };
	struct expansion expansion = { .on_reference = tell_service,
				       .arg = &listener,
				       .into = TEXT_EMPTY };
	struct error ignored; /* template_output_read() has accepted the text */

	if (output->service)
		on_service(arg, output->service, 0);
	else if (output->text)
		(void)!expand(&expansion, output->text, &ignored);
	text_release(&expansion.into);
}
