#include <string.h>

#include "base/text.h"
#include "model/check_plan_read.h"
#include "model/pattern.h"
#include "model/placeholder.h"

#define ATTEMPT_MIN_MS 1
#define ATTEMPT_MAX_MS (10 * 60 * 1000)

/* ---- what each kind says ------------------------------------------------------------------- */

static bool require(struct plan_reader *reader, const struct yaml_node *node, const char *key,
		    const void *value, struct error *err)
{
	return value ? true : yaml_error(reader->document, node, err, "\"%s\" is missing", key);
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return true;
	return false;
}

static bool check_headers(struct plan_reader *reader, const struct yaml_node *node,
			  const struct check_pairs *headers, struct error *err)
{
	for (size_t i = 0; i < headers->count; i++) {
		const struct check_pair *header = &headers->items[i];

		if (strpbrk(header->name, " :\t") || has_control(header->name) ||
		    has_control(header->value))
			return yaml_error(reader->document, yaml_get(node, "headers"), err,
					  "header %zu is not a header: no line breaks, and no "
					  "blanks or colons in its name",
					  i + 1);
	}
	return true;
}

static bool check_method(struct plan_reader *reader, const struct yaml_node *node,
			 struct check_http *http, struct error *err)
{
	static const char *const methods[] = { "GET",   "HEAD",   "POST",    "PUT",
					       "PATCH", "DELETE", "OPTIONS", NULL };
	bool has_body = http->has_form || http->json || http->body;

	if (!http->method)
		http->method = xstrdup(has_body ? "POST" : "GET");
	for (size_t i = 0; methods[i]; i++)
		if (strcmp(methods[i], http->method) == 0)
			return true;
	return yaml_error(reader->document, yaml_get(node, "method"), err,
			  "\"%.40s\" is no method (GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS)",
			  http->method);
}

static bool check_http_shape(struct plan_reader *reader, const struct yaml_node *node,
			     struct check_http *http, struct error *err)
{
	if (!require(reader, node, "path", http->path, err))
		return false;
	if (*http->path != '/' && !text_starts_with(http->path, "${"))
		return yaml_error(reader->document, yaml_get(node, "path"), err,
				  "\"path\" must begin with \"/\" (another server is \"base\")");
	if (!http->base)
		return yaml_error(reader->document, node, err,
				  "\"base\" is missing, here and in \"defaults\"");
	if (http->has_form + (http->json != NULL) + (http->body != NULL) > 1)
		return yaml_error(reader->document, node, err,
				  "only one of \"form\", \"json\" and \"body\" can be sent");
	return check_method(reader, node, http, err) &&
	       check_headers(reader, node, &http->headers, err);
}

static bool read_http(struct plan_reader *reader, const struct yaml_node *node,
		      struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "method", "path", "form",   "headers", "json", "body",
					    "base",   "ca",   "follow", "timeout", NULL };
	struct check_http *http = &step->http;

	if (!yaml_only_keys(reader->document, node, keys, err))
		return false;
	http->base = reader->base ? xstrdup(reader->base) : NULL;
	http->ca = reader->ca ? xstrdup(reader->ca) : NULL;
	http->has_form = yaml_get(node, "form") != NULL;
	if (yaml_get(node, "follow") &&
	    !yaml_read_bool(reader->document, node, "follow", &http->follow, err))
		return false;
	return plan_read_text(reader, node, "method", &http->method, err) &&
	       plan_read_text(reader, node, "base", &http->base, err) &&
	       plan_read_text(reader, node, "path", &http->path, err) &&
	       plan_read_text(reader, node, "ca", &http->ca, err) &&
	       plan_read_pairs(reader, node, "headers", &http->headers, err) &&
	       plan_read_pairs(reader, node, "form", &http->form, err) &&
	       plan_read_json(reader, node, "json", &http->json, err) &&
	       plan_read_text(reader, node, "body", &http->body, err) &&
	       check_http_shape(reader, node, http, err);
}

static bool read_tls(struct plan_reader *reader, const struct yaml_node *node,
		     struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "host", "port", "ca", "server_name", "timeout", NULL };
	struct check_tls *tls = &step->tls;

	tls->ca = reader->ca ? xstrdup(reader->ca) : NULL;
	return yaml_only_keys(reader->document, node, keys, err) &&
	       plan_read_text(reader, node, "host", &tls->host, err) &&
	       plan_read_text(reader, node, "port", &tls->port, err) &&
	       plan_read_text(reader, node, "ca", &tls->ca, err) &&
	       plan_read_text(reader, node, "server_name", &tls->server_name, err) &&
	       require(reader, node, "host", tls->host, err) &&
	       require(reader, node, "port", tls->port, err);
}

static bool read_tcp(struct plan_reader *reader, const struct yaml_node *node,
		     struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "host", "port", "timeout", NULL };
	struct check_tcp *tcp = &step->tcp;

	return yaml_only_keys(reader->document, node, keys, err) &&
	       plan_read_text(reader, node, "host", &tcp->host, err) &&
	       plan_read_text(reader, node, "port", &tcp->port, err) &&
	       require(reader, node, "host", tcp->host, err) &&
	       require(reader, node, "port", tcp->port, err);
}

static bool read_dns(struct plan_reader *reader, const struct yaml_node *node,
		     struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "service", "name", "timeout", NULL };
	struct check_dns *dns = &step->dns;

	return yaml_only_keys(reader->document, node, keys, err) &&
	       plan_read_text(reader, node, "service", &dns->service, err) &&
	       plan_read_text(reader, node, "name", &dns->name, err) &&
	       require(reader, node, "name", dns->name, err);
}

static bool read_prometheus(struct plan_reader *reader, const struct yaml_node *node,
			    struct check_step *step, struct error *err)
{
	static const char *const keys[] = {
		"base", "ca", "query", "jobs", "ignore", "timeout", NULL
	};
	struct check_prometheus *prometheus = &step->prometheus;

	prometheus->jobs = xcalloc(1, sizeof(char *));
	prometheus->ignore = xcalloc(1, sizeof(char *));
	prometheus->ca = reader->ca ? xstrdup(reader->ca) : NULL;
	return yaml_only_keys(reader->document, node, keys, err) &&
	       plan_read_text(reader, node, "base", &prometheus->base, err) &&
	       plan_read_text(reader, node, "ca", &prometheus->ca, err) &&
	       plan_read_text(reader, node, "query", &prometheus->query, err) &&
	       plan_read_texts(reader, node, "jobs", &prometheus->jobs, err) &&
	       plan_read_texts(reader, node, "ignore", &prometheus->ignore, err) &&
	       require(reader, node, "base", prometheus->base, err);
}

static bool read_exec(struct plan_reader *reader, const struct yaml_node *node,
		      struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "service", "argv", "timeout", NULL };
	struct check_exec *exec = &step->exec;

	if (!yaml_only_keys(reader->document, node, keys, err) ||
	    !plan_read_text(reader, node, "service", &exec->service, err) ||
	    !plan_read_texts(reader, node, "argv", &exec->argv, err) ||
	    !require(reader, node, "service", exec->service, err) ||
	    !require(reader, node, "argv", exec->argv, err))
		return false;
	if (!exec->argv[0])
		return yaml_error(reader->document, yaml_get(node, "argv"), err,
				  "\"argv\" is empty");
	return true;
}

#define RESTARTS_WITHIN_MS (5 * 60 * 1000)

static bool read_kube(struct plan_reader *reader, const struct yaml_node *node,
		      struct check_step *step, struct error *err)
{
	static const char *const keys[] = { "namespaces", "ignore", "restarts_within", "timeout",
					    NULL };
	struct check_kube *kube = &step->kube;

	kube->ignore = xcalloc(1, sizeof(char *));
	kube->restarts_within_ms = RESTARTS_WITHIN_MS;
	if (!yaml_only_keys(reader->document, node, keys, err) ||
	    !plan_read_texts(reader, node, "namespaces", &kube->namespaces, err) ||
	    !plan_read_texts(reader, node, "ignore", &kube->ignore, err) ||
	    !require(reader, node, "namespaces", kube->namespaces, err) ||
	    !plan_read_duration(reader, node, "restarts_within", 1000, 24 * 3600 * 1000,
				&kube->restarts_within_ms, err))
		return false;
	if (!kube->namespaces[0])
		return yaml_error(reader->document, yaml_get(node, "namespaces"), err,
				  "\"namespaces\" is empty");
	return true;
}

/* `expect`: what is expected when the plan says nothing; NULL: it has to. */
// clang-format off
static const struct {
	bool (*read)(struct plan_reader *reader, const struct yaml_node *node,
		     struct check_step *step, struct error *err);
	const char *expect;
} kinds[] = {
	[CHECK_HTTP]       = { read_http,       NULL },
	[CHECK_TLS]        = { read_tls,        NULL },
	[CHECK_TCP]        = { read_tcp,        "connected" },
	[CHECK_DNS]        = { read_dns,        "dns.count >= 1" },
	[CHECK_PROMETHEUS] = { read_prometheus, NULL },
	[CHECK_EXEC]       = { read_exec,       "exit == 0" },
	[CHECK_KUBE]       = { read_kube,       "workloads.unready == 0" },
};
// clang-format on

/* ---- captures ------------------------------------------------------------------------------ */

static bool compile_match(struct plan_reader *reader, const struct yaml_node *node,
			  struct check_capture *capture, struct error *err)
{
	const char *match;

	if (!yaml_get(node, "match"))
		return true;
	if (!yaml_read_string(reader->document, node, "match", &match, err))
		return false;
	if (!pattern_compile(match, &capture->regex, err))
		return plan_error_at(reader, yaml_get(node, "match"), err);
	capture->match = xstrdup(match);
	return true;
}

static bool read_decoding(struct plan_reader *reader, const struct yaml_node *node,
			  struct check_capture *capture, struct error *err)
{
	const char *decoding;

	if (!yaml_get(node, "decode"))
		return true;
	if (!yaml_read_string(reader->document, node, "decode", &decoding, err))
		return false;
	capture->is_base64 = strcmp(decoding, "base64") == 0;
	return capture->is_base64 || yaml_error(reader->document, yaml_get(node, "decode"), err,
						"\"decode\" is base64 (got \"%.40s\")", decoding);
}

static bool read_capture(struct plan_reader *reader, const struct yaml_node *key,
			 const struct yaml_node *node, const struct check_step *step,
			 struct check_capture *capture, struct error *err)
{
	static const char *const keys[] = { "from", "match", "decode", NULL };
	const char *subject = node->text;

	capture->name = xstrdup(key->text);
	if (placeholder_name_length(key->text) != strlen(key->text) || strchr(key->text, '.') ||
	    strlen(key->text) > PLACEHOLDER_NAME_MAX)
		return yaml_error(reader->document, key, err,
				  "\"%.40s\" is no name for a capture (letters, digits, - and _)",
				  key->text);
	if (node->kind != YAML_SCALAR &&
	    (!yaml_only_keys(reader->document, node, keys, err) ||
	     !yaml_read_string(reader->document, node, "from", &subject, err) ||
	     !compile_match(reader, node, capture, err) ||
	     !read_decoding(reader, node, capture, err)))
		return false;
	capture->subject = xstrdup(subject);
	return expectation_check_subject(subject, step->kind, err) ||
	       plan_error_at(reader, node, err);
}

static bool read_captures(struct plan_reader *reader, const struct yaml_node *node,
			  struct check_step *step, struct error *err)
{
	const struct yaml_node *map = yaml_get(node, "capture");

	if (!map)
		return true;
	if (map->kind != YAML_MAP || map->count > CHECK_PLAN_ITEMS_MAX)
		return yaml_error(reader->document, map, err,
				  "\"capture\" must be a map of at most %d names",
				  CHECK_PLAN_ITEMS_MAX);
	step->captures = xcalloc(map->count, sizeof(*step->captures));
	for (size_t i = 0; i < map->count; i++) {
		struct check_capture *capture = &step->captures[step->capture_count++];

		if (!read_capture(reader, map->keys[i], map->items[i], step, capture, err))
			return false;
	}
	for (size_t i = 0; i < step->capture_count; i++)
		reader->captures[reader->capture_count++] = step->captures[i].name;
	return true;
}

/* ---- expectations -------------------------------------------------------------------------- */

static bool read_severity(struct plan_reader *reader, const struct yaml_node *node,
			  struct check_expectation *expectation, struct error *err)
{
	static const char *const keys[] = { "that", "severity", NULL };
	const char *severity = "fail";

	if (!yaml_only_keys(reader->document, node, keys, err) ||
	    (yaml_get(node, "severity") &&
	     !yaml_read_string(reader->document, node, "severity", &severity, err)))
		return false;
	expectation->is_warning = strcmp(severity, "warn") == 0;
	if (expectation->is_warning || strcmp(severity, "fail") == 0)
		return true;
	return yaml_error(reader->document, yaml_get(node, "severity"), err,
			  "\"severity\" is fail or warn (got \"%.40s\")", severity);
}

static bool read_expectation(struct plan_reader *reader, const struct yaml_node *node,
			     const struct check_step *step, struct check_expectation *expectation,
			     struct error *err)
{
	const char *text = node->text, *reference;

	if (node->kind != YAML_SCALAR &&
	    (!read_severity(reader, node, expectation, err) ||
	     !yaml_read_string(reader->document, node, "that", &text, err)))
		return false;
	if (!expectation_parse(text, step->kind, &expectation->that, err))
		return plan_error_at(reader, node, err);
	for (size_t i = 0; (reference = expectation_reference(expectation->that, i)); i++)
		if (!plan_note_reference(reader, node, reference, err))
			return false;
	return true;
}

static bool expect_default(struct plan_reader *reader, const struct yaml_node *node,
			   struct check_step *step, struct error *err)
{
	if (!kinds[step->kind].expect)
		return yaml_error(reader->document, node, err,
				  "\"expect\" is missing: this step could not fail");
	step->expectations = xcalloc(1, sizeof(*step->expectations));
	step->expectation_count = 1;
	return expectation_parse(kinds[step->kind].expect, step->kind, &step->expectations[0].that,
				 err);
}

static bool read_expectations(struct plan_reader *reader, const struct yaml_node *node,
			      struct check_step *step, struct error *err)
{
	const struct yaml_node *list;

	if (!plan_read_list(reader, node, "expect", CHECK_PLAN_ITEMS_MAX, &list, err))
		return false;
	if (!list || !list->count)
		return expect_default(reader, node, step, err);
	step->expectations = xcalloc(list->count, sizeof(*step->expectations));
	for (size_t i = 0; i < list->count; i++) {
		struct check_expectation *expectation =
		    &step->expectations[step->expectation_count++];

		if (!read_expectation(reader, list->items[i], step, expectation, err))
			return false;
	}
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool find_kind(struct plan_reader *reader, const struct yaml_node *node,
		      enum check_kind *kind, const struct yaml_node **spec, struct error *err)
{
	*spec = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct yaml_node *found = yaml_get(node, check_kind_name((enum check_kind)i));

		if (found && *spec)
			return yaml_error(reader->document, found, err,
					  "a step does one thing: this one is %s already",
					  check_kind_name(*kind));
		if (found) {
			*kind = (enum check_kind)i;
			*spec = found;
		}
	}
	return *spec ? true
		     : yaml_error(reader->document, node, err,
				  "expected one of http, tls, tcp, dns, prometheus, exec and kube");
}

bool check_step_read(struct plan_reader *reader, const struct yaml_node *node,
		     struct check_step *step, struct error *err)
{
	const struct yaml_node *spec;

	step->line = node->line;
	step->timeout_ms = reader->timeout_ms;
	/* The order of reading is the order of running: a request knows earlier captures only, an
	 * expectation those of its own step too. */
	return find_kind(reader, node, &step->kind, &spec, err) &&
	       kinds[step->kind].read(reader, spec, step, err) &&
	       plan_read_duration(reader, spec, "timeout", ATTEMPT_MIN_MS, ATTEMPT_MAX_MS,
				  &step->timeout_ms, err) &&
	       read_captures(reader, node, step, err) && read_expectations(reader, node, step, err);
}

static void pairs_release(struct check_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
}

static void http_release(struct check_http *http)
{
	free(http->method);
	free(http->base);
	free(http->path);
	free(http->ca);
	free(http->body);
	json_decref(http->json);
	pairs_release(&http->headers);
	pairs_release(&http->form);
}

static void kind_release(struct check_step *step)
{
	switch (step->kind) {
	case CHECK_HTTP:
		http_release(&step->http);
		break;
	case CHECK_TLS:
		free(step->tls.host);
		free(step->tls.port);
		free(step->tls.ca);
		free(step->tls.server_name);
		break;
	case CHECK_TCP:
		free(step->tcp.host);
		free(step->tcp.port);
		break;
	case CHECK_DNS:
		free(step->dns.service);
		free(step->dns.name);
		break;
	case CHECK_PROMETHEUS:
		free(step->prometheus.base);
		free(step->prometheus.ca);
		free(step->prometheus.query);
		check_texts_free(step->prometheus.jobs);
		check_texts_free(step->prometheus.ignore);
		break;
	case CHECK_EXEC:
		free(step->exec.service);
		check_texts_free(step->exec.argv);
		break;
	case CHECK_KUBE:
		check_texts_free(step->kube.namespaces);
		check_texts_free(step->kube.ignore);
		break;
	}
}

void check_step_release(struct check_step *step)
{
	kind_release(step);
	for (size_t i = 0; i < step->expectation_count; i++)
		expectation_free(step->expectations[i].that);
	free(step->expectations);
	for (size_t i = 0; i < step->capture_count; i++) {
		struct check_capture *capture = &step->captures[i];

		if (capture->match)
			regfree(&capture->regex);
		free(capture->match);
		free(capture->subject);
		free(capture->name);
	}
	free(step->captures);
}
