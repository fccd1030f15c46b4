#include "engine/container/container_exec.h"

#include "base/clock.h"
#include "base/duration.h"
#include "engine/container/container_names.h"
#include "engine/container/docker_stream.h"

/* Frames are at least 8 bytes each; what is collected here is cut once more when they are undone.
 */
#define FRAMES_BYTES_MAX (4 * EXEC_OUTPUT_BYTES_MAX)

static void next_call(struct exec_run *run, struct docker_call *call,
		      void (*on_end)(struct docker_call *call))
{
	docker_call_free(run->call);
	run->call = call;
	call->arg = run;
	call->on_end = on_end;
	docker_begin(run->docker, call);
}

static void on_looked(struct docker_call *call)
{
	struct exec_run *run = call->arg;
	AUTO(json_decref) json_t *answer = NULL;

	if (!docker_json(call, &answer, &run->err)) {
		run->is_done = true;
		return;
	}
	/* Podman may close the stream before it has noted the end. */
	if (json_get_bool(answer, "Running", false) &&
	    clock_mono_ms() - run->begun_mono_ms < run->time_limit_ms) {
		next_call(run, docker_call_new("GET", "/exec/%s/json", run->id), on_looked);
		return;
	}
	run->status = (int)json_get_int64(answer, "ExitCode", -1);
	run->output =
	    docker_stream_text(text_get(&run->frames), run->frames.length, EXEC_OUTPUT_BYTES_MAX);
	run->is_done = true;
}

static bool on_frames(struct docker_call *call, const char *bytes, size_t length)
{
	struct exec_run *run = call->arg;

	/* More is read and dropped: a full pipe would stop the command. */
	if (run->frames.length + length <= FRAMES_BYTES_MAX)
		text_add_bytes(&run->frames, bytes, length);
	return true;
}

static void on_ran(struct docker_call *call)
{
	struct exec_run *run = call->arg;
	char limit[DURATION_TEXT_SIZE];

	if (docker_succeeded(call)) {
		next_call(run, docker_call_new("GET", "/exec/%s/json", run->id), on_looked);
		return;
	}
	docker_refusal(call, &run->err);
	if (run->err.code == ERR_TIMEOUT)
		error_set_as(&run->err, ERR_TIMEOUT, "exec_timeout",
			     "the command did not end within %s",
			     duration_format(run->time_limit_ms, limit));
	run->is_done = true;
}

static void on_made(struct docker_call *call)
{
	struct exec_run *run = call->arg;
	AUTO(json_decref) json_t *answer = NULL;
	struct docker_call *start;

	if (!docker_json(call, &answer, &run->err)) {
		run->is_done = true;
		return;
	}
	run->id = xstrdup(json_get_string(answer, "Id", ""));
	start = docker_call_new("POST", "/exec/%s/start", run->id);
	start->body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", 0);
	start->time_limit_ms = run->time_limit_ms;
	start->on_bytes = on_frames;
	next_call(run, start, on_ran);
}

void exec_begin(struct exec_run *run, struct docker *docker, const char *container, json_t *argv,
		int64_t time_limit_ms)
{
	struct docker_call *make = docker_call_new("POST", "/containers/%s/exec", container);

	*run = (struct exec_run){
		.docker = docker,
		.time_limit_ms = time_limit_ms > 0 ? time_limit_ms : DOCKER_CALL_LIMIT_MS,
		.begun_mono_ms = clock_mono_ms(),
	};
	make->body = json_pack("{s:b, s:b, s:b, s:b, s:O}", "AttachStdin", 0, "AttachStdout", 1,
			       "AttachStderr", 1, "Tty", 0, "Cmd", argv);
	next_call(run, make, on_made);
}

void exec_release(struct exec_run *run)
{
	docker_call_free(run->call);
	text_release(&run->frames);
	free(run->id);
	free(run->output);
	*run = (struct exec_run){ 0 };
}

bool container_exec(const struct engine_request *request, const char *service,
		    const char *const *argv, int64_t time_limit_ms,
		    struct engine_exec_result *result, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(free) char *name = container_name(request->environment, service);
	AUTO(json_decref) json_t *list = json_array();
	AUTO(exec_release) struct exec_run run = { 0 };

	if (!runtime_open(request, &runtime, err))
		return false;
	for (; *argv; argv++)
		json_array_append_new(list, json_string(*argv));
	exec_begin(&run, runtime.docker, name, list, time_limit_ms);
	while (!run.is_done)
		docker_turn(runtime.docker, 1000);
	if (run.err.code != ERR_NONE) {
		*err = run.err;
		return error_wrap(err, "service \"%s\"", service);
	}
	result->status = run.status;
	result->output = TAKE(run.output);
	return true;
}
