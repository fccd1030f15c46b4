#include "sweep_command.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "control/instance_record.h"
#include "sweep.h"

enum { EXIT_FINE = 0, EXIT_USAGE = 2, EXIT_NOT_DONE = 4, BUSY_TRIES = 500 };

#define AT(field) offsetof(struct sweep_options, field)

// clang-format off
static const struct option rows[] = {
	{ "help", 'h', OPTION_ENDING, AT(help), NULL, NULL, "show this help", NULL },
	{ "dry-run", 'n', OPTION_FLAG, AT(dry_run), NULL, NULL, "list what would be removed, remove nothing", NULL },
	{ "confirm", 0, OPTION_INTEGER, AT(confirm), "COUNT", NULL,
	  "also remove what the guards keep, if it is exactly COUNT environments", NULL },
	{ "no-store", 0, OPTION_FLAG, AT(no_store), NULL, NULL,
	  "the data folder is lost: go by labels and hard walls alone (needs --instance)", NULL },
	{ "instance", 0, OPTION_TEXT, AT(instance), "ID", NULL, "the lost installation's id", NULL },
	{ "scheduled", 0, OPTION_FLAG, AT(scheduled), NULL, NULL, "print only what was done", NULL },
	OPTIONS_END,
};
// clang-format on

static const char about[] =
    "Find what carries this installation's labels and is in no store, and remove it.\n"
    "\n"
    "Past its hard wall a thing is removed at once. A younger one is removed when two complete\n"
    "listings, a sweep interval apart, have shown it, or when --confirm says how many there are.\n"
    "Images that envd pulled or built and that nothing uses go after --image-keep.\n"
    "Records of what ended long ago (--keep-ended, --keep-ended-max) are forgotten on the way.";

/* What one run of the command owns. */
struct command {
	struct sweep_options options;
	struct settings settings;
	struct sweep sweep;
};

static bool name_instance(struct command *command, struct error *err)
{
	AUTO(json_decref) json_t *known = NULL;
	AUTO(free) char *list = NULL;

	if (command->options.instance && id_is_valid(command->options.instance)) {
		memcpy(command->sweep.instance, command->options.instance,
		       sizeof(command->sweep.instance));
		return true;
	}
	known = instance_record_list();
	list = json_to_text(known);
	error_set(err, ERR_INVALID,
		  command->options.instance ? "--instance must be an id"
					    : "--no-store needs --instance ID");
	return error_hint(err, "on record: %s", list);
}

static bool open_store(struct command *command, struct error *err)
{
	if (command->options.no_store)
		return name_instance(command, err);
	if (command->options.instance)
		return error_set(err, ERR_INVALID, "--instance goes with --no-store");
	for (int i = 0; !store_open(command->settings.data, false, &command->sweep.store, err);
	     i++) {
		if (strcmp(err->slug, "store_busy") != 0 || i == BUSY_TRIES)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	snprintf(command->sweep.instance, sizeof(command->sweep.instance), "%s",
		 store_instance(command->sweep.store));
	return true;
}

static int fail(const struct error *err)
{
	fprintf(stderr, "envd-reaper: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
	return err->code == ERR_INVALID ? EXIT_USAGE : EXIT_NOT_DONE;
}

static int run(struct command *command)
{
	struct sweep *sweep = &command->sweep;
	struct error err;

	sweep->options = &command->options;
	sweep->settings = &command->settings;
	sweep->out = stdout;
	sweep->errors = stderr;
	if (!open_store(command, &err))
		return fail(&err);
	sweep_run(sweep);
	store_close(sweep->store);
	return sweep->failures ? EXIT_NOT_DONE : EXIT_FINE;
}

int sweep_main(int argc, char **argv)
{
	struct command command = { .sweep.now_ms = clock_wall_ms() };
	struct option_group group = { "Sweep", rows, &command.options };
	struct settings_usage usage = { "envd-reaper sweep", about, &group };
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	struct error err;
	int status;

	if (!settings_read(&command.settings, &usage, argc, argv, &arguments, &err))
		return fail(&err);
	if (command.options.help) {
		AUTO(free) char *help = settings_help(&usage);

		fputs(help, stdout);
		status = EXIT_FINE;
	} else {
		status = run(&command);
	}
	settings_release(&command.settings);
	return status;
}
