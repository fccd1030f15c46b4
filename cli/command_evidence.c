#include "cli/command.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "cli/interrupt.h"

struct evidence_options {
	const char *file;
	bool is_fresh;
};

// clang-format off
static const struct option rows[] = {
	{ "output-file", 'O', OPTION_TEXT, offsetof(struct evidence_options, file),     "FILE", NULL, "where to write it (default NAME-evidence.tar.gz; - for stdout)", NULL },
	{ "fresh",       0,   OPTION_FLAG, offsetof(struct evidence_options, is_fresh), NULL,   NULL, "take it now, also when there is some already", NULL },
	OPTIONS_END,
};
// clang-format on

enum { WAIT_LIMIT_MS = 45000, LOOK_MS = 250 };

static bool fetch(struct api_client *client, const char *name, struct api_answer *answer,
		  struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/evidence", name);
	struct api_request request = { .path = path };

	return api_call(client, &request, answer, err);
}

static bool ask(struct api_client *client, const char *name, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/evidence", name);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .method = "POST", .path = path };

	return api_call(client, &request, &answer, err);
}

static void pause_a_little(void)
{
	struct pollfd wake = { .fd = interrupt_fd(), .events = POLLIN };

	poll(&wake, 1, LOOK_MS);
}

/* The server gives it up by itself in half a minute, and then says so. */
static bool fetch_when_there(struct api_client *client, const char *name, struct api_answer *answer,
			     struct error *err)
{
	int64_t until_ms = clock_mono_ms() + WAIT_LIMIT_MS;

	while (!fetch(client, name, answer, err)) {
		if (!text_equal(err->slug, "evidence_pending") || clock_mono_ms() > until_ms ||
		    interrupt_signal())
			return false;
		pause_a_little();
	}
	return true;
}

/* Of one that failed it is there; of one that lives it is taken. */
static bool get(struct api_client *client, const char *name, bool is_fresh,
		struct api_answer *answer, struct error *err)
{
	if (!is_fresh) {
		if (fetch_when_there(client, name, answer, err))
			return true;
		if (!text_equal(err->slug, "no_evidence"))
			return false;

		struct error refused;

		/* Why there is none says more than that none can be taken of what is gone. */
		if (!ask(client, name, &refused))
			return refused.code == ERR_GONE ? false : (*err = refused, false);
		return fetch_when_there(client, name, answer, err);
	}
	return ask(client, name, err) && fetch_when_there(client, name, answer, err);
}

static bool save(const char *name, const char *file, const struct api_answer *answer,
		 struct error *err)
{
	AUTO(free) char *path = file ? xstrdup(file) : xasprintf("%s-evidence.tar.gz", name);

	if (strcmp(path, "-") == 0) {
		fwrite(answer->bytes, 1, answer->length, stdout);
		return true;
	}
	/* Not for everybody: it holds what the services said. */
	if (!file_write_atomically(path, answer->bytes, answer->length, 0600, err))
		return false;
	printf("%s\n", path);
	fprintf(stderr, "%zu bytes; look inside: tar -tzf %s\n", answer->length, path);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct evidence_options *options = values;
	const char *name = environment_argument(arguments->items[0]);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_client *client;

	return cli_client(cli, &client, err) &&
	       get(client, name, options->is_fresh, &answer, err) &&
	       save(name, options->file, &answer, err);
}

const struct command command_evidence = {
	.name = "evidence",
	.synopsis = "NAME",
	.summary = "fetch what was there when an environment failed, also when it is gone",
	.about = "A tar.gz with the logs of every service, the runtime's state, the lock, the "
		 "history and\n"
		 "the report. It is taken before a failed environment is destroyed, and of a live "
		 "one when\n"
		 "you ask. What looks like a secret is replaced by ***.",
	.rows = rows,
	.values_size = sizeof(struct evidence_options),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
