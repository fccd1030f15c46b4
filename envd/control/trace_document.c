#include "control/trace_document.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"

enum { TRACE_ID_LENGTH = 32, SPAN_ID_LENGTH = 16, PARENT_LENGTH = 55 };

/* Values of OTLP's enums. */
enum { KIND_INTERNAL = 1, STATUS_OK = 1, STATUS_ERROR = 2 };

struct document {
	const struct trace_source *source;
	json_t *spans;
	char trace_id[TRACE_ID_LENGTH + 1];
	char root_id[SPAN_ID_LENGTH + 1];
};

struct span {
	const char *name;
	const char *parent; /* span id; "" none */
	int64_t from_ms, to_ms;
	const char *failure; /* NULL: it went well */
	json_t *attributes;  /* stolen; NULL: none */
};

/* ---- ids ---- */

static bool is_hex(const char *text, size_t length)
{
	size_t zeroes = 0;

	for (size_t i = 0; i < length; i++) {
		if (!text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
		zeroes += text[i] == '0';
	}
	return zeroes < length;
}

bool trace_parent_is_valid(const char *text)
{
	return strlen(text) == PARENT_LENGTH && text_starts_with(text, "00-") &&
	       is_hex(text + 3, TRACE_ID_LENGTH) && text[35] == '-' &&
	       is_hex(text + 36, SPAN_ID_LENGTH) && text[52] == '-' &&
	       strspn(text + 53, "0123456789abcdef") == 2;
}

static void set_trace_id(struct document *document)
{
	const struct environment *env = document->source->environment;
	size_t length = 0;

	if (env->trace_parent && trace_parent_is_valid(env->trace_parent)) {
		memcpy(document->trace_id, env->trace_parent + 3, TRACE_ID_LENGTH);
		return;
	}
	/* A UUID has as many digits as a trace id. */
	for (const char *at = env->id.text; *at && length < TRACE_ID_LENGTH; at++)
		if (*at != '-')
			document->trace_id[length++] = *at;
}

static void make_span_id(const struct document *document, const char *name, int64_t from_ms,
			 char into[SPAN_ID_LENGTH + 1])
{
	AUTO(free)
	char *what = xasprintf("%s %s %lld", document->source->environment->id.text, name,
			       (long long)from_ms);
	char digest[SHA256_TEXT_SIZE];

	sha256_text(what, strlen(what), digest);
	memcpy(into, digest, SPAN_ID_LENGTH);
	into[SPAN_ID_LENGTH] = '\0';
}

/* ---- pieces ---- */

static void add_attribute(json_t *attributes, const char *key, const char *value)
{
	if (value && *value)
		json_array_append_new(attributes, json_pack("{s:s, s:{s:s}}", "key", key, "value",
							    "stringValue", value));
}

/* 64-bit numbers are strings in OTLP's JSON. */
static json_t *nanoseconds(int64_t ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld000000", (long long)ms);
	return json_string(text);
}

static void add_span(struct document *document, const struct span *span,
		     char id[SPAN_ID_LENGTH + 1])
{
	int64_t to_ms = span->to_ms > span->from_ms ? span->to_ms : span->from_ms;
	json_t *json;

	make_span_id(document, span->name, span->from_ms, id);
	json =
	    json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "traceId", document->trace_id,
		      "spanId", id, "name", span->name, "kind", KIND_INTERNAL, "startTimeUnixNano",
		      nanoseconds(span->from_ms), "endTimeUnixNano", nanoseconds(to_ms),
		      "attributes", span->attributes ? span->attributes : json_array());
	if (*span->parent)
		json_object_set_new(json, "parentSpanId", json_string(span->parent));
	json_object_set_new(
	    json, "status",
	    span->failure ? json_pack("{s:i, s:s}", "code", STATUS_ERROR, "message", span->failure)
			  : json_pack("{s:i}", "code", STATUS_OK));
	if (json_array_size(document->spans) < TRACE_SPANS_MAX)
		json_array_append_new(document->spans, json);
	else
		json_decref(json);
}

/* ---- the environment, its queue, its lease ---- */

static json_t *attributes_of(const struct trace_source *source)
{
	const struct environment *env = source->environment;
	json_t *attributes = json_array();

	add_attribute(attributes, "envd.environment.id", env->id.text);
	add_attribute(attributes, "envd.environment.name", env->name);
	add_attribute(attributes, "envd.template", env->template_name);
	add_attribute(attributes, "envd.owner", env->owner);
	add_attribute(attributes, "envd.target", env->target);
	add_attribute(attributes, "envd.reason", env->reason);
	add_attribute(attributes, "envd.check.verdict", env->check_verdict);
	return attributes;
}

static void add_environment(struct document *document)
{
	const struct environment *env = document->source->environment;
	AUTO(free) char *name = xasprintf("environment %s", env->template_name);
	char parent[SPAN_ID_LENGTH + 1] = "";

	if (env->trace_parent && trace_parent_is_valid(env->trace_parent))
		memcpy(parent, env->trace_parent + 36, SPAN_ID_LENGTH);
	add_span(document,
		 &(struct span){ .name = name,
				 .parent = parent,
				 .from_ms = env->created_at_ms,
				 .to_ms = env->ended_at_ms,
				 .failure =
				     env->error ? json_get_string(env->error, "message", "") : NULL,
				 .attributes = attributes_of(document->source) },
		 document->root_id);
}

static void add_phases(struct document *document)
{
	const struct environment *env = document->source->environment;
	int64_t queued_until_ms =
	    env->provisioning_at_ms ? env->provisioning_at_ms : env->unwanted_at_ms;
	char id[SPAN_ID_LENGTH + 1];

	add_span(document,
		 &(struct span){ .name = "queue",
				 .parent = document->root_id,
				 .from_ms = env->created_at_ms,
				 .to_ms = queued_until_ms },
		 id);
	if (env->ready_at_ms)
		add_span(document,
			 &(struct span){ .name = "lease",
					 .parent = document->root_id,
					 .from_ms = env->ready_at_ms,
					 .to_ms = env->unwanted_at_ms },
			 id);
	if (env->kept_at_ms)
		add_span(document,
			 &(struct span){ .name = "kept",
					 .parent = document->root_id,
					 .from_ms = env->kept_at_ms,
					 .to_ms = env->unwanted_at_ms },
			 id);
}

/* ---- below a job: rows of its time ---- */

static bool is_in_job(const struct history_row *row, const struct job_row *job, const char *kind)
{
	return strcmp(row->kind, kind) == 0 && row->data && row->at_ms >= job->intent_at_ms &&
	       row->at_ms <= job->ended_at_ms;
}

static void add_layers(struct document *document, const struct job_row *job, const char *parent)
{
	char id[SPAN_ID_LENGTH + 1];

	for (size_t i = 0; i < document->source->history->count; i++) {
		const struct history_row *row = &document->source->history->rows[i];
		const char *state = json_get_string(row->data, "state", "");
		AUTO(free) char *name = NULL;

		/* Its end tells how long it took; a beginning that has no end tells nothing. */
		if (!is_in_job(row, job, HISTORY_LAYER) || strcmp(state, "started") == 0)
			continue;
		name = xasprintf("layer %s", json_get_string(row->data, "name", "?"));
		add_span(document,
			 &(struct span){
			     .name = name,
			     .parent = parent,
			     .from_ms = row->at_ms - json_get_int64(row->data, "elapsed_ms", 0),
			     .to_ms = row->at_ms,
			     .failure = strcmp(state, "failed") == 0
					    ? json_get_string(row->data, "message", "failed")
					    : NULL },
			 id);
	}
}

struct stage {
	char *name;
	int64_t from_ms, to_ms;
	const char *failure;
};

static void end_stage(struct document *document, struct stage *stage, const char *parent)
{
	char id[SPAN_ID_LENGTH + 1];
	AUTO(free) char *name = stage->name ? xasprintf("stage %s", stage->name) : NULL;

	if (name)
		add_span(document,
			 &(struct span){ .name = name,
					 .parent = parent,
					 .from_ms = stage->from_ms,
					 .to_ms = stage->to_ms,
					 .failure = stage->failure },
			 id);
	free(stage->name);
	*stage = (struct stage){ .from_ms = stage->to_ms };
}

/* Stages follow each other; the steps of one are told as they end. */
static void add_stages(struct document *document, const struct job_row *job, const char *parent)
{
	struct stage stage = { .from_ms = job->running_at_ms, .to_ms = job->running_at_ms };

	for (size_t i = 0; i < document->source->history->count; i++) {
		const struct history_row *row = &document->source->history->rows[i];
		const char *name = json_get_string(row->data, "stage", NULL);
		const char *status = json_get_string(row->data, "status", "");

		if (!is_in_job(row, job, HISTORY_CHECK) || !name)
			continue;
		if (stage.name && strcmp(stage.name, name) != 0)
			end_stage(document, &stage, parent);
		if (!stage.name)
			stage.name = xstrdup(name);
		stage.to_ms = row->at_ms;
		if (strcmp(status, "failed") == 0 || strcmp(status, "error") == 0)
			stage.failure = json_get_string(row->data, "message", status);
	}
	end_stage(document, &stage, parent);
}

/* When the first of the two listings was taken that proved it gone; 0: nothing did. */
static int64_t listed_at_ms(const json_t *proofs)
{
	for (size_t i = 0; i < json_array_size(proofs); i++) {
		const json_t *proof = json_array_get(proofs, i);
		const json_t *listed =
		    json_object_get(json_object_get(proof, "detail"), "listed_at_ms");

		if (strcmp(json_get_string(proof, "kind", ""), "inventory_empty") == 0)
			return (int64_t)json_integer_value(json_array_get(listed, 0));
	}
	return 0;
}

/* From the first listing to the step that they allowed. */
static void add_proof(struct document *document, const struct job_row *job, const char *parent)
{
	int64_t from_ms = listed_at_ms(document->source->proofs);
	char id[SPAN_ID_LENGTH + 1];

	/* Of several attempts it is the last one's. */
	if (from_ms >= job->intent_at_ms && from_ms <= job->ended_at_ms)
		add_span(document,
			 &(struct span){ .name = "proof",
					 .parent = parent,
					 .from_ms = from_ms,
					 .to_ms = document->source->environment->ended_at_ms },
			 id);
}

static void add_job(struct document *document, const struct job_row *job)
{
	bool went_well = text_equal(job->outcome, "completed");
	json_t *attributes = json_array();
	char id[SPAN_ID_LENGTH + 1];

	add_attribute(attributes, "envd.job.id", job->id.text);
	add_attribute(attributes, "envd.job.outcome", job->outcome);
	add_span(document,
		 &(struct span){ .name = job->kind,
				 .parent = document->root_id,
				 .from_ms = job->intent_at_ms,
				 .to_ms = job->ended_at_ms,
				 .failure = went_well ? NULL : job->outcome,
				 .attributes = attributes },
		 id);
	if (strcmp(job->kind, "create") == 0)
		add_layers(document, job, id);
	if (strcmp(job->kind, "check") == 0)
		add_stages(document, job, id);
	if (strcmp(job->kind, "destroy") == 0)
		add_proof(document, job, id);
}

json_t *trace_document(const struct trace_source *source)
{
	struct document document = { .source = source, .spans = json_array() };
	json_t *resource = json_array();

	set_trace_id(&document);
	add_environment(&document);
	add_phases(&document);
	for (size_t i = 0; i < source->jobs->count; i++)
		if (source->jobs->items[i]->ended_at_ms)
			add_job(&document, source->jobs->items[i]);
	add_attribute(resource, "service.name", "envd");
	add_attribute(resource, "service.version", ENVD_VERSION);
	add_attribute(resource, "service.instance.id", source->instance);
	return json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:o}]}]}", "resourceSpans", "resource",
			 "attributes", resource, "scopeSpans", "scope", "name", "envd", "version",
			 ENVD_VERSION, "spans", document.spans);
}
