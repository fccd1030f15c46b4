#include "engine_question.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/text.h"
#include "wire/worker_lines.h"

/* A request is far smaller than a pipe holds, so it is written whole before anybody reads. */
static bool give_request(const json_t *request, int fd, struct error *err)
{
	AUTO(free) char *text = json_to_text(request);
	size_t length = strlen(text);

	return (length < 60000 && write(fd, text, length) == (ssize_t)length) ||
	       error_set(err, ERR_INTERNAL, "the request to the worker is too large");
}

static bool start_worker(int input, int output, pid_t *pid, struct error *err)
{
	AUTO(free) char *folder = path_of_program_folder();
	AUTO(free) char *program = path_join(folder, "envd");
	const char *const argv[] = { program, "worker", "--direct", "/dev/stdin", NULL };
	struct spawn_spec spec = {
		.argv = argv,
		.variables = (const char *const *)environ,
		.fds = (const int[]){ input, output, STDERR_FILENO },
		.fd_count = 3,
		.dies_with_parent = true,
	};

	return spawn(&spec, pid, err);
}

static bool find_result(char *output, json_t **result)
{
	char *rest = output;

	*result = NULL;
	for (char *line; (line = strsep(&rest, "\n"));) {
		enum worker_line_type type;
		json_t *object;
		struct error ignored; /* a broken line is no result */

		if (!*line || !worker_line_parse(line, strlen(line), &type, &object, &ignored))
			continue;
		if (type == WORKER_RESULT && !*result)
			*result = json_incref(object);
		json_decref(object);
	}
	return *result != NULL;
}

static bool read_to_end(int fd, struct text *output)
{
	char block[16384];
	ssize_t got;

	while ((got = read(fd, block, sizeof(block))) > 0 || (got < 0 && errno == EINTR))
		if (got > 0 && output->length < 64u << 20)
			text_add_bytes(output, block, (size_t)got);
	return got == 0;
}

static bool answer_of(struct text *output, int status, json_t **data, struct error *err)
{
	AUTO(free) char *bytes = text_take(output);
	AUTO(json_decref) json_t *result = NULL;

	if (!find_result(bytes, &result))
		return error_set_as(err, ERR_EXTERNAL, "no_answer",
				    "the engine's worker ended without an answer (status %d)",
				    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	if (worker_result_error(result, err))
		return false;
	*data = json_incref(json_object_get(result, "data"));
	return *data != NULL || error_set(err, ERR_EXTERNAL, "the engine's answer has no data");
}

bool engine_question_ask(const json_t *request, json_t **data, struct error *err)
{
	AUTO(text_release) struct text output = TEXT_EMPTY;
	int in[2], out[2], status = 0;
	bool started;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return error_set_errno(err, errno, "cannot make a pipe");
	}
	started = give_request(request, in[1], err) && start_worker(in[0], out[1], &pid, err);
	close(in[0]);
	close(in[1]);
	close(out[1]);
	if (started) {
		read_to_end(out[0], &output);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	close(out[0]);
	return started && answer_of(&output, status, data, err);
}
