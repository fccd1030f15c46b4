#include "model/check_plan.h"

#include <string.h>

#include "base/ids.h"
#include "base/text.h"
#include "model/check_plan_read.h"

#define CHECK_NAME_MAX 80

static void auto_plan_reader_release(struct plan_reader *reader)
{
	free(reader->base);
	free(reader->ca);
}

/* ---- names of checks and stages ------------------------------------------------------------ */

/* Names stand in reports, JUnit files and file names. */
static bool is_check_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return *name && strlen(name) <= CHECK_NAME_MAX && strspn(name, allowed) == strlen(name);
}

static bool read_check_name(struct plan_reader *reader, const struct yaml_node *map, char **name,
			    struct error *err)
{
	const char *text;

	if (!yaml_read_string(reader->document, map, "name", &text, err))
		return false;
	if (!is_check_name(text))
		return yaml_error(reader->document, yaml_get(map, "name"), err,
				  "\"%.80s\" is no name (letters, digits, - _ and ., at most %d)",
				  text, CHECK_NAME_MAX);
	*name = xstrdup(text);
	return true;
}

static bool refuse_twice(struct plan_reader *reader, const struct yaml_node *map, const char *name,
			 struct error *err)
{
	return yaml_error(reader->document, yaml_get(map, "name"), err,
			  "there are two checks called \"%s\"", name);
}

/* ---- head ---------------------------------------------------------------------------------- */

static bool check_constant(struct plan_reader *reader, const struct yaml_node *root,
			   const char *key, const char *expected, struct error *err)
{
	const char *text;

	if (!yaml_read_string(reader->document, root, key, &text, err))
		return false;
	return strcmp(text, expected) == 0 ||
	       yaml_error(reader->document, yaml_get(root, key), err,
			  "\"%s\" must be \"%s\" (got \"%.40s\")", key, expected, text);
}

static bool read_head(struct plan_reader *reader, const struct yaml_node *root, struct error *err)
{
	static const char *const keys[] = { "apiVersion", "kind",  "name", "defaults",    "allow",
					    "stages",     "smoke", "load", "description", NULL };
	const char *name;

	if (!yaml_only_keys(reader->document, root, keys, err) ||
	    !check_constant(reader, root, "apiVersion", "envd/v1", err) ||
	    !check_constant(reader, root, "kind", "CheckPlan", err) ||
	    !yaml_read_string(reader->document, root, "name", &name, err))
		return false;
	reader->plan->name = xstrdup(name);
	return name_check(name, "plan name", err) ||
	       plan_error_at(reader, yaml_get(root, "name"), err);
}

static bool read_default_tls(struct plan_reader *reader, const struct yaml_node *defaults,
			     struct error *err)
{
	static const char *const keys[] = { "ca", NULL };
	const struct yaml_node *tls = yaml_get(defaults, "tls");

	return !tls || (yaml_only_keys(reader->document, tls, keys, err) &&
			plan_read_text(reader, tls, "ca", &reader->ca, err));
}

static bool read_defaults(struct plan_reader *reader, const struct yaml_node *root,
			  struct error *err)
{
	static const char *const keys[] = { "base", "timeout", "tls", NULL };
	const struct yaml_node *defaults = yaml_get(root, "defaults");

	reader->timeout_ms = 5000;
	if (!defaults)
		return true;
	return yaml_only_keys(reader->document, defaults, keys, err) &&
	       plan_read_text(reader, defaults, "base", &reader->base, err) &&
	       plan_read_duration(reader, defaults, "timeout", 1, 600000, &reader->timeout_ms,
				  err) &&
	       read_default_tls(reader, defaults, err);
}

static bool read_allow(struct plan_reader *reader, const struct yaml_node *root, struct error *err)
{
	reader->plan->allow = xcalloc(1, sizeof(char *));
	if (!plan_read_texts(reader, root, "allow", &reader->plan->allow, err))
		return false;
	for (size_t i = 0; reader->plan->allow[i]; i++)
		if (!*reader->plan->allow[i] || strpbrk(reader->plan->allow[i], " \t/@"))
			return yaml_error(reader->document, yaml_get(root, "allow")->items[i], err,
					  "\"%.80s\" is neither a host nor host:port",
					  reader->plan->allow[i]);
	return true;
}

static bool read_stages(struct plan_reader *reader, const struct yaml_node *root, struct error *err)
{
	struct check_plan *plan = reader->plan;
	const struct yaml_node *list;

	if (!plan_read_texts(reader, root, "stages", &plan->stages, err) ||
	    !plan_read_list(reader, root, "stages", CHECK_PLAN_ITEMS_MAX, &list, err))
		return false;
	if (!list) {
		plan->stages = xcalloc(2, sizeof(char *));
		plan->stages[0] = xstrdup("checks");
	} else if (!list->count) {
		return yaml_error(reader->document, list, err, "\"stages\" is empty");
	}
	for (; plan->stages[plan->stage_count]; plan->stage_count++) {
		const char *name = plan->stages[plan->stage_count];

		if (!is_check_name(name))
			return yaml_error(reader->document, list->items[plan->stage_count], err,
					  "\"%.80s\" is no name for a stage", name);
		for (size_t i = 0; i < plan->stage_count; i++)
			if (strcmp(plan->stages[i], name) == 0)
				return yaml_error(reader->document, list->items[plan->stage_count],
						  err, "stage \"%s\" is there twice", name);
	}
	return true;
}

/* ---- smoke --------------------------------------------------------------------------------- */

static bool read_stage(struct plan_reader *reader, const struct yaml_node *map,
		       struct check_smoke *smoke, struct error *err)
{
	const struct check_plan *plan = reader->plan;
	const char *name, *nearest;

	if (!yaml_get(map, "stage") && plan->stage_count == 1)
		return true;
	if (!yaml_read_string(reader->document, map, "stage", &name, err))
		return false;
	for (; smoke->stage < plan->stage_count; smoke->stage++)
		if (strcmp(plan->stages[smoke->stage], name) == 0)
			return true;
	nearest = text_nearest(name, (const char *const *)plan->stages);
	yaml_error(reader->document, yaml_get(map, "stage"), err, "unknown stage \"%.80s\"", name);
	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : false;
}

static bool read_steps(struct plan_reader *reader, const struct yaml_node *list,
		       struct check_step **steps, size_t *count, struct error *err)
{
	static const char *const keys[] = { CHECK_STEP_KEYS, "eventually", NULL };

	if (!list->count)
		return yaml_error(reader->document, list, err, "\"steps\" is empty");
	*steps = xcalloc(list->count, sizeof(**steps));
	for (size_t i = 0; i < list->count; i++) {
		struct check_step *step = &(*steps)[(*count)++];

		if (!yaml_only_keys(reader->document, list->items[i], keys, err) ||
		    !plan_read_eventually(reader, list->items[i], &step->eventually, err) ||
		    !check_step_read(reader, list->items[i], step, err))
			return false;
	}
	return true;
}

/* A check of one step may leave out "steps" and say what it does itself. */
static bool read_smoke_steps(struct plan_reader *reader, const struct yaml_node *map,
			     struct check_smoke *smoke, struct error *err)
{
	static const char *const own_keys[] = { "name",        "stage", "eventually",
						"description", "only",  CHECK_STEP_KEYS,
						NULL };
	static const char *const list_keys[] = { "name", "stage", "eventually", "description",
						 "only", "steps", NULL };
	const struct yaml_node *list;

	if (!plan_read_list(reader, map, "steps", CHECK_PLAN_STEPS_MAX, &list, err))
		return false;
	if (list)
		return yaml_only_keys(reader->document, map, list_keys, err) &&
		       read_steps(reader, list, &smoke->steps, &smoke->step_count, err);
	smoke->steps = xcalloc(1, sizeof(*smoke->steps));
	smoke->step_count = 1;
	return yaml_only_keys(reader->document, map, own_keys, err) &&
	       check_step_read(reader, map, &smoke->steps[0], err);
}

/* "only: { profile: [full] }" */
static bool read_only(struct plan_reader *reader, const struct yaml_node *map,
		      struct check_smoke *smoke, struct error *err)
{
	const struct yaml_node *only = yaml_get(map, "only");

	if (!only)
		return true;
	if (only->kind != YAML_MAP || !only->count)
		return yaml_error(reader->document, only, err,
				  "\"only\" must be a map of parameters and lists of values");
	for (size_t i = 0; i < only->count; i++) {
		const struct yaml_node *values = only->items[i];

		for (size_t k = 0; values->kind == YAML_LIST && k < values->count; k++)
			if (values->items[k]->kind != YAML_SCALAR)
				return yaml_error(reader->document, values->items[k], err,
						  "a value of \"only\" must be a plain one");
		if (values->kind != YAML_LIST || !values->count)
			return yaml_error(reader->document, values, err,
					  "expected a list of values of parameter \"%.60s\"",
					  only->keys[i]->text);
	}
	return plan_read_json(reader, map, "only", &smoke->only, err);
}

static bool read_smoke(struct plan_reader *reader, const struct yaml_node *map,
		       struct check_smoke *smoke, struct error *err)
{
	const struct check_plan *plan = reader->plan;

	reader->capture_count = 0;
	if (map->kind != YAML_MAP)
		return yaml_error(reader->document, map, err, "a check must be a map (got %s)",
				  yaml_kind_name(map));
	if (!read_check_name(reader, map, &smoke->name, err))
		return false;
	for (const struct check_smoke *other = plan->smoke; other < smoke; other++)
		if (strcmp(other->name, smoke->name) == 0)
			return refuse_twice(reader, map, smoke->name, err);
	return read_stage(reader, map, smoke, err) && read_only(reader, map, smoke, err) &&
	       plan_read_eventually(reader, map, &smoke->eventually, err) &&
	       read_smoke_steps(reader, map, smoke, err);
}

static bool read_smokes(struct plan_reader *reader, const struct yaml_node *root, struct error *err)
{
	struct check_plan *plan = reader->plan;
	const struct yaml_node *list;

	if (!plan_read_list(reader, root, "smoke", CHECK_PLAN_CHECKS_MAX, &list, err))
		return false;
	plan->smoke = xcalloc(list ? list->count : 0, sizeof(*plan->smoke));
	for (size_t i = 0; list && i < list->count; i++)
		if (!read_smoke(reader, list->items[i], &plan->smoke[plan->smoke_count++], err))
			return false;
	return true;
}

/* ---- load ---------------------------------------------------------------------------------- */

static bool read_rate(struct plan_reader *reader, const struct yaml_node *map, double *rate,
		      struct error *err)
{
	const struct yaml_node *node = yaml_get(map, "rate");
	const char *text;
	int used = 0;

	if (!yaml_read_string(reader->document, map, "rate", &text, err))
		return false;
	if (sscanf(text, "%12lf%n", rate, &used) != 1 || strcmp(text + used, "/s") != 0)
		return yaml_error(reader->document, node, err,
				  "\"rate\" is written as 50/s (got \"%.40s\")", text);
	if (!(*rate >= 0.1 && *rate <= LOAD_RATE_MAX))
		return yaml_error(reader->document, node, err,
				  "\"rate\" must be between 0.1/s and %d/s", LOAD_RATE_MAX);
	return true;
}

static bool read_threshold_kind(struct plan_reader *reader, const struct yaml_node *map,
				struct check_threshold *threshold, struct error *err)
{
	const char *name;

	if (!yaml_get(map, "kind"))
		return true;
	if (!yaml_read_string(reader->document, map, "kind", &name, err))
		return false;
	for (int kind = THRESHOLD_SLO; kind <= THRESHOLD_WARN; kind++)
		if (strcmp(threshold_kind_name((enum threshold_kind)kind), name) == 0) {
			threshold->kind = (enum threshold_kind)kind;
			return true;
		}
	return yaml_error(reader->document, yaml_get(map, "kind"), err,
			  "\"kind\" is slo, validity or warn (got \"%.40s\")", name);
}

static bool read_threshold(struct plan_reader *reader, const struct yaml_node *node,
			   struct check_threshold *threshold, struct error *err)
{
	static const char *const keys[] = { "that", "kind", "allow_too_few", NULL };
	const char *text = node->text;

	if (node->kind != YAML_SCALAR) {
		if (!yaml_only_keys(reader->document, node, keys, err) ||
		    !yaml_read_string(reader->document, node, "that", &text, err) ||
		    !read_threshold_kind(reader, node, threshold, err) ||
		    (yaml_get(node, "allow_too_few") &&
		     !yaml_read_bool(reader->document, node, "allow_too_few",
				     &threshold->allow_too_few, err)))
			return false;
	}
	return threshold_parse(text, &threshold->that, err) || plan_error_at(reader, node, err);
}

static bool read_thresholds(struct plan_reader *reader, const struct yaml_node *map,
			    struct check_load *load, struct error *err)
{
	const struct yaml_node *list;

	if (!plan_read_list(reader, map, "thresholds", CHECK_PLAN_ITEMS_MAX, &list, err))
		return false;
	if (!list || !list->count)
		return yaml_error(reader->document, list ? list : map, err,
				  "\"thresholds\" is missing: this check could not fail");
	load->thresholds = xcalloc(list->count, sizeof(*load->thresholds));
	for (size_t i = 0; i < list->count; i++)
		if (!read_threshold(reader, list->items[i],
				    &load->thresholds[load->threshold_count++], err))
			return false;
	return true;
}

static bool read_load_steps(struct plan_reader *reader, const struct yaml_node *map,
			    struct check_load *load, struct error *err)
{
	const struct yaml_node *list;

	if (!plan_read_list(reader, map, "steps", CHECK_PLAN_STEPS_MAX, &list, err))
		return false;
	if (!list)
		return yaml_error(reader->document, map, err, "\"steps\" is missing");
	if (!read_steps(reader, list, &load->steps, &load->step_count, err))
		return false;
	for (size_t i = 0; i < load->step_count; i++) {
		if (load->steps[i].kind != CHECK_HTTP)
			return yaml_error(reader->document, list->items[i], err,
					  "a load check has steps of kind http only");
		if (load->steps[i].eventually.is_given)
			return yaml_error(reader->document, list->items[i], err,
					  "a load check never retries: no \"eventually\" here");
	}
	return true;
}

static bool read_load(struct plan_reader *reader, const struct yaml_node *map,
		      struct check_load *load, struct error *err)
{
	static const char *const keys[] = { "name",       "rate",        "duration",
					    "warmup",     "connections", "steps",
					    "thresholds", "description", NULL };
	const struct check_plan *plan = reader->plan;

	reader->capture_count = 0;
	load->connections = 32;
	if (!yaml_only_keys(reader->document, map, keys, err) ||
	    !read_check_name(reader, map, &load->name, err))
		return false;
	for (const struct check_load *other = plan->load; other < load; other++)
		if (strcmp(other->name, load->name) == 0)
			return refuse_twice(reader, map, load->name, err);
	if (!yaml_get(map, "duration"))
		return yaml_error(reader->document, map, err, "\"duration\" is missing");
	return read_rate(reader, map, &load->rate_per_second, err) &&
	       plan_read_duration(reader, map, "duration", 100, LOAD_DURATION_MAX_MS,
				  &load->duration_ms, err) &&
	       plan_read_duration(reader, map, "warmup", 0, LOAD_DURATION_MAX_MS, &load->warmup_ms,
				  err) &&
	       plan_read_integer(reader, map, "connections", 1, LOAD_CONNECTIONS_MAX,
				 &load->connections, err) &&
	       read_load_steps(reader, map, load, err) && read_thresholds(reader, map, load, err);
}

static bool read_loads(struct plan_reader *reader, const struct yaml_node *root, struct error *err)
{
	struct check_plan *plan = reader->plan;
	const struct yaml_node *list;

	if (!plan_read_list(reader, root, "load", CHECK_PLAN_CHECKS_MAX, &list, err))
		return false;
	plan->load = xcalloc(list ? list->count : 0, sizeof(*plan->load));
	for (size_t i = 0; list && i < list->count; i++)
		if (!read_load(reader, list->items[i], &plan->load[plan->load_count++], err))
			return false;
	if (!plan->load_count && !plan->smoke_count)
		return yaml_error(reader->document, root, err,
				  "a plan without checks: \"smoke\" and \"load\" are empty");
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

bool check_plan_parse(const char *bytes, size_t length, const char *file, struct check_plan **plan,
		      struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(check_plan_free) struct check_plan *made = NULL;
	AUTO(plan_reader_release) struct plan_reader reader = { 0 };
	const struct yaml_node *root;

	if (length > CHECK_PLAN_BYTES_MAX)
		return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes", file,
				 CHECK_PLAN_BYTES_MAX);
	if (!yaml_parse(bytes, length, file, &document, err))
		return false;
	made = xcalloc(1, sizeof(*made));
	reader.document = document;
	reader.plan = made;
	root = document->root;
	if (!read_head(&reader, root, err) || !read_defaults(&reader, root, err) ||
	    !read_allow(&reader, root, err) || !read_stages(&reader, root, err) ||
	    !read_smokes(&reader, root, err) || !read_loads(&reader, root, err))
		return false;
	*plan = TAKE(made);
	return true;
}

bool check_plan_from_json(const json_t *json, const char *file, struct check_plan **plan,
			  struct error *err)
{
	/* Indented: libyaml refuses a key that is further than 1024 bytes from its line's start. */
	AUTO(free) char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENCODE_ANY);

	if (!text)
		return error_set(err, ERR_INVALID, "%s is not JSON that can be written", file);
	return check_plan_parse(text, strlen(text), file, plan, err);
}

static void smoke_release(struct check_smoke *smoke)
{
	for (size_t i = 0; i < smoke->step_count; i++)
		check_step_release(&smoke->steps[i]);
	json_decref(smoke->only);
	free(smoke->steps);
	free(smoke->name);
}

static void load_release(struct check_load *load)
{
	for (size_t i = 0; i < load->step_count; i++)
		check_step_release(&load->steps[i]);
	for (size_t i = 0; i < load->threshold_count; i++)
		threshold_free(load->thresholds[i].that);
	free(load->steps);
	free(load->thresholds);
	free(load->name);
}

void check_plan_free(struct check_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->smoke_count; i++)
		smoke_release(&plan->smoke[i]);
	for (size_t i = 0; i < plan->load_count; i++)
		load_release(&plan->load[i]);
	for (size_t i = 0; i < plan->name_count; i++) {
		free(plan->names[i].name);
		free(plan->names[i].place);
	}
	free(plan->smoke);
	free(plan->load);
	free(plan->names);
	check_texts_free(plan->allow);
	check_texts_free(plan->stages);
	free(plan->name);
	free(plan);
}

static bool is_known(const char *name, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

bool check_plan_check_names(const struct check_plan *plan, const char *const *known,
			    struct error *err)
{
	for (size_t i = 0; i < plan->name_count; i++) {
		const struct check_name *needed = &plan->names[i];
		const char *nearest;

		if (is_known(needed->name, known))
			continue;
		nearest = text_nearest(needed->name, known);
		error_set_as(err, ERR_INVALID, "check_name_unknown",
			     "%s: \"${%s}\" is neither captured before nor an output of this "
			     "environment",
			     needed->place, needed->name);
		return nearest ? error_hint(err, "did you mean \"${%s}\"?", nearest) : false;
	}
	return true;
}

/* "3" and 3 are the same word in a plan; the caller frees. */
static char *word_of(const json_t *value)
{
	return json_is_string(value) ? xstrdup(json_string_value(value))
				     : json_dumps(value ? value : json_null(), JSON_ENCODE_ANY);
}

static bool has_value(const json_t *values, const json_t *parameter)
{
	AUTO(free) char *word = word_of(parameter);

	for (size_t i = 0; i < json_array_size(values); i++) {
		AUTO(free) char *one = word_of(json_array_get(values, i));

		if (strcmp(one, word) == 0)
			return true;
	}
	return false;
}

bool check_smoke_applies(const struct check_smoke *smoke, const json_t *parameters)
{
	const char *name;
	json_t *values;

	json_object_foreach(smoke->only, name, values)
		if (!has_value(values, json_object_get(parameters, name)))
			return false;
	return true;
}
