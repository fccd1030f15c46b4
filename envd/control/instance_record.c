#include "control/instance_record.h"

#include <dirent.h>
#include <string.h>

#include "base/files.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/log.h"

static const char system_folder[] = "/var/lib/envd-instance";

static char *user_folder(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state)
		return path_join(state, "envd-instance");
	return xasprintf("%s/.local/state/envd-instance", home ? home : "");
}

static json_t *record_of(const struct control *control)
{
	json_t *targets = json_array();

	for (size_t i = 0; i < control->settings->target_count; i++) {
		const struct target *target = &control->settings->targets[i];

		json_array_append_new(targets,
				      json_pack("{s:s, s:s, s:s*}", "name", target->name, "engine",
						target->engine, "socket", target->socket));
	}
	return json_pack("{s:s, s:s, s:o}", "instance", store_instance(control->store), "data",
			 control->settings->data, "targets", targets);
}

static bool write_record(const char *folder, const char *instance, const char *text,
			 struct error *err)
{
	AUTO(free) char *path = path_join(folder, instance);

	return folder_make(folder, 0755, err) &&
	       file_write_atomically(path, text, strlen(text), 0644, err);
}

void instance_record_keep(const struct control *control)
{
	AUTO(json_decref) json_t *record = record_of(control);
	AUTO(free) char *text = json_to_text(record);
	AUTO(free) char *user = user_folder();
	struct error err;

	if (getuid() == 0 &&
	    write_record(system_folder, store_instance(control->store), text, &err))
		return;
	if (!write_record(user, store_instance(control->store), text, &err))
		log_warn("the instance id is kept in the data folder only (%s): if that is lost, "
			 "note %s",
			 err.message, store_instance(control->store));
}

json_t *instance_record_list(void)
{
	AUTO(free) char *user = user_folder();
	const char *const folders[] = { system_folder, user };
	json_t *ids = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		AUTO(closedir) DIR *dir = opendir(folders[i]);
		struct dirent *entry;

		while (dir && (entry = readdir(dir)))
			if (id_is_valid(entry->d_name))
				json_array_append_new(ids, json_string(entry->d_name));
	}
	return ids;
}
