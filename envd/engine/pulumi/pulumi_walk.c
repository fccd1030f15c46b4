#include "engine/pulumi/pulumi_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/duration.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_cluster.h"
#include "engine/pulumi/pulumi_config.h"
#include "engine/pulumi/pulumi_events.h"
#include "engine/pulumi/pulumi_policy.h"
#include "engine/pulumi/pulumi_state.h"
#include "engine/pulumi/pulumi_updates.h"
#include "model/target.h"

enum { LOG_BYTES_MAX = 8 << 20 };

enum run_state { RUN_WAITING, RUN_RUNNING, RUN_DONE, RUN_FAILED };

/* One layer of a walk. */
struct layer_run {
	struct walk *walk;
	size_t index;
	enum run_state state;
	struct config_writing *writing; /* the file of its configuration is being written */
	bool makes_stack;               /* `stack init` runs; what was meant comes after it */
	struct tool *tool;
	struct pulumi_events events;
	struct pulumi_update *update; /* NULL: nothing of it is under way */
	int log_fd;
	int64_t started_mono_ms;
};

struct walk {
	const struct walk_spec *spec;
	struct tool_set set;
	struct layer_run *runs;
	size_t failed_count;
	int64_t changed;
	struct error failure; /* the first */
};

static const struct layer_spec *layer_of(const struct layer_run *run)
{
	return &run->walk->spec->place->list->layers[run->index];
}

/* ---- what a layer's programs say ---- */

static int open_log(const struct pulumi_place *place, const char *layer)
{
	AUTO(free) char *path = xasprintf("%s/logs/%s.log", place->folder, layer);
	struct stat status;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	/* Without a log it is built all the same. */
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > LOG_BYTES_MAX &&
	    ftruncate(fd, 0) != 0)
		close(TAKE_FD(fd));
	return fd;
}

static void write_log(const struct layer_run *run, const char *line)
{
	char at[CLOCK_TEXT_SIZE];

	if (run->log_fd >= 0)
		dprintf(run->log_fd, "%s %s\n", clock_format(clock_wall_ms(), at), line);
}

static void on_line(void *arg, int stream, const char *line, size_t length, bool was_cut)
{
	struct layer_run *run = arg;
	AUTO(free) char *masked = place_mask(run->walk->spec->place, line);

	if (masked) {
		line = masked;
		length = strlen(masked);
	}
	if (stream == TOOL_ERR || layer_of(run)->up) {
		write_log(run, line);
		pulumi_events_complain(&run->events, line);
	} else if (!was_cut) {
		pulumi_events_feed(&run->events, line, length);
	}
}

static void on_message(void *arg, const char *message)
{
	write_log(arg, message);
}

static void on_resource(void *arg, const json_t *metadata, bool has_failed)
{
	struct layer_run *run = arg;

	update_add(run->update, metadata, has_failed);
}

/* ---- starting ---- */

static bool start_tool(struct layer_run *run, char **words, const char *input, struct error *err)
{
	const struct pulumi_place *place = run->walk->spec->place;
	bool is_hook = layer_of(run)->up != NULL;
	bool is_good = tool_start(
	    &run->walk->set,
	    &(struct tool_spec){ .argv = (const char *const *)words,
				 .variables = place->variables,
				 .directory = is_hook ? place->request->template_folder
						      : place->projects[run->index].folder,
				 .input = input,
				 .limit_ms = layer_of(run)->limit_ms,
				 .line_bytes_max = PULUMI_EVENT_BYTES_MAX,
				 .on_line = on_line,
				 .arg = run },
	    &run->tool, err);

	cli_words_free(words);
	return is_good;
}

/* `input` is a secret, or NULL. */
static bool tell_cli(struct layer_run *run, const char *const *words, const char *input,
		     struct error *err)
{
	backend_forget(run->walk->spec->place, run->index);
	/* Every one of them: up, destroy and refresh alike believe what they see there. */
	if (!cluster_check(run->walk->spec->place, run->walk->spec->record, err))
		return false;
	return start_tool(
	    run, cli_words(&(struct cli_call){ run->walk->spec->place, run->index, words, NULL }),
	    input, err);
}

static bool start_cli(struct layer_run *run, const char *const *words, struct error *err)
{
	return tell_cli(run, words, NULL, err);
}

static bool start_init(struct layer_run *run, struct error *err)
{
	const char *words[BACKEND_INIT_WORDS];

	backend_init_words(run->walk->spec->place, words);
	return start_cli(run, words, err);
}

/* Those of the template judge whatever is made. */
static bool start_up(struct layer_run *run, struct error *err)
{
	const struct pulumi_place *place = run->walk->spec->place;
	const char *words[5 + 2 * POLICIES_MAX] = { "up", "--yes", "--skip-preview", "--json" };
	AUTO(cli_words_free) char **packs = policy_packs(place);
	size_t count = 4;

	for (char **pack = packs; pack && *pack && count < ARRAY_SIZE(words) - 2; pack++) {
		words[count++] = "--policy-pack";
		words[count++] = *pack;
	}
	words[count] = NULL;
	return start_cli(run, words, err);
}

static bool start_destroy(struct layer_run *run, bool was_begun, struct error *err)
{
	/* The second time it looks first: what was removed by hand meanwhile is no error then. */
	const char *const words[] = { "destroy",
				      "--yes",
				      "--skip-preview",
				      "--json",
				      "--continue-on-error",
				      "--ignore-protect",
				      was_begun ? "--refresh" : NULL,
				      NULL };

	return start_cli(run, words, err);
}

static bool start_hook(struct layer_run *run, struct error *err)
{
	const struct layer_spec *layer = layer_of(run);
	char **words;

	return hook_words(run->walk->spec->place,
			  run->walk->spec->is_down ? layer->down : layer->up, NULL, &words, err) &&
	       start_tool(run, words, NULL, err);
}

static void say(const struct layer_run *run, const char *state, const char *message)
{
	worker_say_layer(run->walk->spec->lines, layer_of(run)->name, state,
			 run->started_mono_ms ? clock_mono_ms() - run->started_mono_ms : 0,
			 message);
}

/* From here on something of it may exist, whatever happens. */
static bool open_run(struct layer_run *run, struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;
	const char *name = layer_of(run)->name;

	run->started_mono_ms = clock_mono_ms();
	run->events = (struct pulumi_events){ .layer = name,
					      .lines = spec->lines,
					      .on_message = on_message,
					      .on_resource = on_resource,
					      .arg = run };
	run->update = update_begin(spec->place, name, spec->is_down ? "destroy" : "up");
	run->log_fd = open_log(spec->place, name);
	if (!record_note_providers(spec->record, spec->place, run->index, err) ||
	    !record_set_mark(spec->record, name, LAYER_BEGUN, err))
		return false;
	say(run, "started", NULL);
	return true;
}

static bool finish(struct layer_run *run, const char *message, struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;

	run->state = RUN_DONE;
	if (!record_set_mark(spec->record, layer_of(run)->name,
			     spec->is_down ? LAYER_GONE : LAYER_UP, err))
		return false;
	say(run, spec->is_down ? "removed" : "ready", message);
	return true;
}

static bool start_stack(struct layer_run *run, struct error *err)
{
	AUTO(state_release) struct pulumi_state state = { .exists = false };

	if (!state_read(run->walk->spec->place, run->index, &state, err))
		return false;
	run->makes_stack = !state.exists;
	return run->makes_stack ? start_init(run, err) : start_up(run, err);
}

/* The next call that writes its file; after the last one, what was meant. */
static bool configure(struct layer_run *run, struct error *err)
{
	const char *const *words;
	char *input;
	bool is_good;

	if (!config_next(run->writing, &words, &input, err))
		return false;
	if (words) {
		is_good = tell_cli(run, words, input, err);
		if (input)
			explicit_bzero(input, strlen(input));
		free(input);
		return is_good;
	}
	is_good = config_end(run->writing, run->walk->spec->record, err);
	config_writing_free(TAKE(run->writing));
	return is_good && start_stack(run, err);
}

static bool begin_up(struct layer_run *run, struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;
	AUTO(state_release) struct pulumi_state state = { .exists = false };

	if (!state_read(spec->place, run->index, &state, err))
		return false;
	if (record_mark(spec->record, layer_of(run)->name) == LAYER_UP && !state.pending_count) {
		run->state = RUN_DONE;
		say(run, "ready", "built by an earlier attempt");
		return true;
	}
	if (!open_run(run, err))
		return false;
	run->state = RUN_RUNNING;
	if (layer_of(run)->up)
		return start_hook(run, err);
	if (!config_begin(spec->place, spec->record, run->index, &run->writing, err))
		return false;
	return run->writing ? configure(run, err) : start_stack(run, err);
}

static bool begin_down(struct layer_run *run, struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;
	enum layer_mark mark = record_mark(spec->record, layer_of(run)->name);
	AUTO(state_release) struct pulumi_state state = { .exists = false };

	if (!state_read(spec->place, run->index, &state, err))
		return false;
	if (layer_of(run)->up
		? !layer_of(run)->down || mark == LAYER_UNTOUCHED || mark == LAYER_GONE
		: !state_has_anything(&state)) {
		run->state = RUN_DONE;
		return mark == LAYER_UNTOUCHED || mark == LAYER_GONE || finish(run, NULL, err);
	}
	if (!open_run(run, err))
		return false;
	run->state = RUN_RUNNING;
	return layer_of(run)->up ? start_hook(run, err)
				 : start_destroy(run, mark == LAYER_BEGUN, err);
}

/* ---- ending ---- */

static void fail(struct layer_run *run, const struct error *why)
{
	struct walk *walk = run->walk;

	run->state = RUN_FAILED;
	/* Of several, the one that another target may not have says most. */
	if (!walk->failed_count++ ||
	    (target_is_exhausted(why->slug) && !target_is_exhausted(walk->failure.slug)))
		walk->failure = *why;
	update_end(TAKE(run->update), why->message);
	say(run, "failed", why->message);
}

static bool explain(const struct layer_run *run, const struct tool_end *end,
		    const char *without_words, struct error *err)
{
	AUTO(free) char *ending = tool_end_words(end);
	const char *why = pulumi_events_why(&run->events, without_words ? without_words : ending);
	char limit[DURATION_TEXT_SIZE];

	if (end->was_over_limit)
		return error_set_as(err, ERR_TIMEOUT, "layer_timed_out",
				    "layer \"%s\" was not done after %s: %s", layer_of(run)->name,
				    duration_format(layer_of(run)->limit_ms, limit), why);
	if (run->events.exhaustion && !run->walk->spec->is_down)
		return error_set_as(err, ERR_LIMIT, run->events.exhaustion, "layer \"%s\": %s",
				    layer_of(run)->name, why);
	return error_set_as(err, ERR_EXTERNAL, "layer_failed", "layer \"%s\": %s",
			    layer_of(run)->name, why);
}

/* What Pulumi said must fit what its books say. */
static bool judge(const struct layer_run *run, const struct tool_end *end, bool must_be_empty,
		  struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;
	AUTO(state_release) struct pulumi_state state = { .exists = false };

	if (layer_of(run)->up)
		return tool_ended_well(end) || explain(run, end, NULL, err);
	if (!state_keep(spec->place, run->index, err) ||
	    !state_read(spec->place, run->index, &state, err))
		return false;
	if (!pulumi_events_succeeded(&run->events, tool_ended_well(end)))
		return explain(run, end, NULL, err);
	if (state.pending_count)
		return explain(run, end, "it left operations under way", err);
	return !must_be_empty || !state_has_anything(&state) ||
	       explain(run, end, "something is left in its state", err);
}

static bool end_run(struct layer_run *run, const struct tool_end *end, struct error *err)
{
	const struct walk_spec *spec = run->walk->spec;
	AUTO(free) char *message = NULL;
	struct error ignored;

	backend_forget(spec->place, run->index);
	if (run->writing || run->makes_stack) {
		if (!tool_ended_well(end))
			return explain(run, end, NULL, err);
		run->makes_stack = false;
		return tools_may_start(err) &&
		       (run->writing ? configure(run, err) : start_up(run, err));
	}
	run->walk->changed += run->events.changed;
	if (!record_note_providers(spec->record, spec->place, run->index, err) ||
	    !judge(run, end, spec->is_down, err)) {
		/* No other mark is set that would write down what was noted. */
		(void)!record_set_mark(spec->record, layer_of(run)->name, LAYER_BEGUN, &ignored);
		return false;
	}
	message = xasprintf("%lld changed", (long long)run->events.changed);
	return finish(run, message, err);
}

static void close_run(struct layer_run *run)
{
	update_end(TAKE(run->update), NULL);
	pulumi_events_release(&run->events);
	config_writing_free(TAKE(run->writing));
	if (run->log_fd >= 0)
		close(TAKE_FD(run->log_fd));
}

/* ---- all of them ---- */

static bool is_done(const struct walk *walk, size_t index)
{
	return walk->runs[index].state == RUN_DONE;
}

static bool needs(const struct layer *layer, size_t index)
{
	for (size_t i = 0; i < layer->need_count; i++)
		if (layer->needs[i] == index)
			return true;
	return false;
}

/* Of two stacks that share a file the second takes the keys that the first has made. */
static bool shares_unfinished_file(const struct walk *walk, size_t index)
{
	const struct pulumi_project *projects = walk->spec->place->projects;

	for (size_t i = 0; i < walk->spec->place->list->count; i++)
		if (walk->runs[i].writing &&
		    text_equal(projects[i].config_folder, projects[index].config_folder))
			return true;
	return false;
}

/* Everything that has to be there, or gone, before it. */
static bool is_free(const struct walk *walk, size_t index)
{
	const struct layer_graph *graph = walk->spec->place->list->graph;

	if (shares_unfinished_file(walk, index))
		return false;
	for (size_t i = 0; i < graph->count; i++) {
		bool is_first = walk->spec->is_down ? needs(&graph->layers[i], index)
						    : needs(&graph->layers[index], i);

		if (is_first && !is_done(walk, i))
			return false;
	}
	return true;
}

static void begin(struct layer_run *run)
{
	struct error why;

	if (run->walk->spec->is_down ? begin_down(run, &why) : begin_up(run, &why))
		return;
	fail(run, &why);
	close_run(run);
}

/* True when something changed: another look may find more. */
static bool begin_free_ones(struct walk *walk)
{
	const struct layer_list *list = walk->spec->place->list;
	bool has_begun = false;

	for (size_t i = 0; i < list->count; i++) {
		size_t index = list->graph->order[walk->spec->is_down ? list->count - 1 - i : i];
		struct layer_run *run = &walk->runs[index];

		if (tools_are_stopping() || walk->set.count >= (size_t)list->parallel ||
		    (walk->failed_count && !walk->spec->is_down))
			return false;
		if (run->state != RUN_WAITING || !is_free(walk, index))
			continue;
		begin(run);
		has_begun = true;
	}
	return has_begun;
}

static struct layer_run *run_of(struct walk *walk, const struct tool *tool)
{
	for (size_t i = 0; i < walk->spec->place->list->count; i++)
		if (walk->runs[i].tool == tool)
			return &walk->runs[i];
	return NULL;
}

static void take_end(struct walk *walk)
{
	struct tool_end end;
	struct tool *tool = tool_set_wait(&walk->set, &end);
	struct layer_run *run = tool ? run_of(walk, tool) : NULL;
	struct error why;

	tool_free(tool);
	if (!run)
		return;
	run->tool = NULL;
	if (!end_run(run, &end, &why))
		fail(run, &why);
	if (run->state != RUN_RUNNING)
		close_run(run);
}

static bool sum_up(const struct walk *walk, struct error *err)
{
	if (walk->failed_count) {
		*err = walk->failure;
		if (walk->failed_count > 1)
			error_wrap(err, "%zu layers failed", walk->failed_count);
		/* What was interrupted because we were told to stop says so. */
		if (tools_are_stopping()) {
			err->code = ERR_UNAVAILABLE;
			err->slug = "job_stopped";
		}
		return false;
	}
	for (size_t i = 0; i < walk->spec->place->list->count; i++)
		if (walk->runs[i].state != RUN_DONE)
			return error_set_as(err, ERR_UNAVAILABLE, "job_stopped",
					    "it was asked to stop before layer \"%s\"",
					    walk->spec->place->list->layers[i].name);
	return true;
}

bool walk_layers(const struct walk_spec *spec, int64_t *changed, struct error *err)
{
	size_t count = spec->place->list->count;
	AUTO(free) struct layer_run *runs = xcalloc(count, sizeof(*runs));
	struct walk walk = { .spec = spec, .runs = runs };
	bool is_good = tools_may_start(err);

	for (size_t i = 0; i < count; i++)
		runs[i] = (struct layer_run){ .walk = &walk, .index = i, .log_fd = -1 };
	while (is_good) {
		while (begin_free_ones(&walk))
			;
		if (!walk.set.count)
			break;
		take_end(&walk);
	}
	tool_set_close(&walk.set);
	*changed = walk.changed;
	return is_good && sum_up(&walk, err);
}

bool walk_one(const struct walk_spec *spec, size_t layer, const char *const *words,
	      struct error *err)
{
	struct walk walk = { .spec = spec };
	struct layer_run run = { .walk = &walk,
				 .index = layer,
				 .log_fd =
				     open_log(spec->place, spec->place->list->layers[layer].name) };
	struct tool_end end;
	bool is_good;

	run.events = (struct pulumi_events){ .layer = spec->place->list->layers[layer].name,
					     .on_message = on_message,
					     .on_resource = on_resource,
					     .arg = &run };
	run.update = update_begin(spec->place, spec->place->list->layers[layer].name, words[0]);
	is_good = tools_may_start(err) && start_cli(&run, words, err);
	if (is_good) {
		tool_free(tool_set_wait(&walk.set, &end));
		backend_forget(spec->place, layer);
		is_good = judge(&run, &end, false, err);
	}
	if (!is_good)
		update_end(TAKE(run.update), err->message);
	tool_set_close(&walk.set);
	close_run(&run);
	return is_good;
}
