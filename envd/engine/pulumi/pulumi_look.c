#include "engine/pulumi/pulumi_look.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/tool_set.h"
#include "engine/pulumi/pulumi_build.h"
#include "engine/pulumi/pulumi_listing.h"
#include "engine/pulumi/pulumi_state.h"

enum { LOG_BYTES_MAX = 16 << 20, PROBE_LIMIT_MS = 30000 };

/* ---- what there is ---- */

static const char *state_words(enum layer_mark mark, const struct pulumi_state *state)
{
	static const char *const words[] = {
		[LAYER_UNTOUCHED] = "waiting",
		[LAYER_BEGUN] = "unfinished",
		[LAYER_UP] = "running",
		[LAYER_GONE] = "removed",
	};

	return state->pending_count ? "unfinished" : words[mark];
}

static json_t *service_of(const struct pulumi_place *place, const struct pulumi_record *record,
			  size_t index)
{
	const struct layer_spec *layer = &place->list->layers[index];
	enum layer_mark mark = record_mark(record, layer->name);
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	struct error err;
	bool is_read = state_read(place, index, &state, &err);
	const char *words = is_read ? state_words(mark, &state) : "unknown";

	return json_pack("{s:s, s:s, s:s, s:I}", "name", layer->name, "state", words, "health",
			 strcmp(words, "running") == 0 ? "healthy" : "none", "resources",
			 (json_int_t)state.resource_count);
}

json_t *look_services(const struct pulumi_place *place, const struct pulumi_record *record)
{
	json_t *services = json_array();

	for (size_t i = 0; i < place->list->count; i++)
		json_array_append_new(services, service_of(place, record, i));
	return services;
}

/* ---- outputs ---- */

/* Programs such as MARA's export whole kubeconfigs in clear. */
static bool has_credentials(const char *text)
{
	static const char *const marks[] = { "client-key-data", "PRIVATE KEY-----",
					     "token:", "\"token\":" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(text, marks[i]))
			return true;
	return false;
}

static bool find_output(const struct pulumi_place *place, const struct template_output *output,
			json_t **value, struct error *err)
{
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	AUTO(free) char *text = NULL;
	const json_t *found;
	size_t index = 0;

	if (!layer_graph_find(place->list->graph, output->layer, &index))
		return error_set_as(err, ERR_INVALID, "output_missing",
				    "output \"%s\" is of layer \"%s\", which is not there",
				    output->name, output->layer);
	if (!state_read(place, index, &state, err))
		return false;
	found = state_output(&state, output->output);
	if (!found)
		return error_set_as(err, ERR_INVALID, "output_missing",
				    "output \"%s\": layer \"%s\" has no output \"%s\"",
				    output->name, output->layer, output->output);
	text = json_is_string(found) ? xstrdup(json_string_value(found))
				     : json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
	/* It would lie in our store and in reports. */
	if (state_value_is_secret(found) || has_credentials(text))
		return error_set_as(err, ERR_INVALID, "output_secret",
				    "output \"%s\": \"%s\" of layer \"%s\" is a secret",
				    output->name, output->output, output->layer);
	*value = json_string(text);
	return true;
}

static bool find_outputs(const struct pulumi_place *place, json_t **outputs, struct error *err)
{
	const struct template_subject subject = {
		.environment_id = place->request->environment.text,
		.environment_name = place->request->environment_name,
	};

	if (!template_outputs(place->template, &subject, outputs, err))
		return false;
	for (size_t i = 0; i < place->template->output_count; i++) {
		json_t *value = NULL;

		if (!place->template->outputs[i].layer)
			continue;
		if (!find_output(place, &place->template->outputs[i], &value, err)) {
			json_decref(*outputs);
			*outputs = NULL;
			return false;
		}
		json_object_set_new(*outputs, place->template->outputs[i].name, value);
	}
	return true;
}

bool look_result(const struct pulumi_place *place, const struct pulumi_record *record, json_t *lock,
		 json_t **data, struct error *err)
{
	json_t *outputs;

	if (!find_outputs(place, &outputs, err))
		return false;
	*data = json_pack("{s:o, s:[], s:o, s:O?}", "outputs", outputs, "addresses", "services",
			  look_services(place, record), "lock", lock);
	return true;
}

/* ---- verbs ---- */

static bool is_healthy(const json_t *services)
{
	size_t i;
	json_t *service;

	json_array_foreach((json_t *)(uintptr_t)services, i, service)
		if (strcmp(json_get_string(service, "state", ""), "running") != 0)
			return false;
	return true;
}

bool pulumi_inspect(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };
	json_t *services;
	bool is_there;

	if (!place_reopen(request, lines, &place, &is_there, err))
		return false;
	if (!is_there) {
		*data = json_pack("{s:[], s:[], s:b}", "services", "drift", "healthy", 0);
		return true;
	}
	if (!record_open(&place, &record, err))
		return false;
	services = look_services(&place, &record);
	*data =
	    json_pack("{s:o, s:[], s:b, s:o}", "services", services, "drift", "healthy",
		      is_healthy(services), "forwards", layer_forwards_json(&place.list->forwards));
	return true;
}

bool pulumi_inventory(const struct engine_request *request, const struct env_id *environment,
		      struct worker_lines *lines, json_t **data, struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };
	bool is_there;

	if (!environment)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "what Pulumi made is listed by each environment's template");
	if (!place_reopen(request, lines, &place, &is_there, err))
		return false;
	if (!is_there) {
		*data = json_pack("{s:b, s:[]}", "complete", 1, "items");
		return true;
	}
	if (!record_open(&place, &record, err))
		return false;
	*data = listing_inventory(&place, &record);
	return true;
}

static void say_log_line(struct worker_lines *lines, const char *layer, const char *line)
{
	size_t at = strcspn(line, " ");
	AUTO(json_decref)
	json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:s}", "type", "line", "service", layer,
				   "stream", "stdout", "at", json_stringn(line, at), "text",
				   line[at] ? line + at + 1 : "");

	if (object)
		worker_say(lines, object);
}

static bool say_log(const struct engine_request *request, const char *layer, int64_t tail,
		    struct worker_lines *lines, struct error *err)
{
	AUTO(free) char *path = xasprintf("%s/pulumi/logs/%s.log", request->folder, layer);
	AUTO(free) char *bytes = NULL;
	int64_t count = 0;

	if (!file_exists(path))
		return true;
	if (!file_read(path, LOG_BYTES_MAX, &bytes, NULL, err))
		return false;
	for (const char *at = bytes; *at; at++)
		count += *at == '\n';
	for (char *line = bytes, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		text_make_utf8(line);
		if (tail <= 0 || count-- <= tail)
			say_log_line(lines, layer, line);
	}
	return true;
}

bool pulumi_logs(const struct engine_request *request, const char *service, bool follow,
		 int64_t tail_lines, struct worker_lines *lines, struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };

	(void)follow; /* what a program said while it ran; it does not go on */
	if (!place_open(request, &place, err))
		return false;
	for (size_t i = 0; i < place.list->count; i++)
		if ((!service || strcmp(service, place.list->layers[i].name) == 0) &&
		    !say_log(request, place.list->layers[i].name, tail_lines, lines, err))
			return false;
	return true;
}

bool pulumi_probe(const struct engine_request *request, json_t **data, struct error *err)
{
	const char *program = request->target.program ? request->target.program : "/usr/bin/env";
	const char *const own[] = { program, "version", NULL };
	const char *const found[] = { program, "pulumi", "version", NULL };
	static char skip[] = "PULUMI_SKIP_UPDATE_CHECK=true", home[] = "HOME=/nonexistent";
	AUTO(free) char *path = xasprintf("PATH=%s", getenv("PATH") ? getenv("PATH") : "");
	char *const variables[] = { path, skip, home, NULL };
	AUTO(free) char *output = NULL;
	struct tool_end end;

	if (!tool_run(&(struct tool_spec){ .argv = request->target.program ? own : found,
					   .variables = variables,
					   .directory = "/",
					   .limit_ms = PROBE_LIMIT_MS },
		      4096, &output, &end, err))
		return false;
	if (!tool_ended_well(&end))
		return error_set_as(err, ERR_UNAVAILABLE, "pulumi_missing",
				    "there is no pulumi on the server's PATH");
	output[strcspn(output, "\n")] = '\0';
	*data = json_pack("{s:s, s:s, s:s, s:[]}", "runtime", "pulumi", "version", output, "api",
			  "", "warnings");
	return true;
}
