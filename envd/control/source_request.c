#include "control/source_request.h"

enum { OBJECTS_MAX = 1000000, FILES_MAX = 20000, TREES_KEPT = 20 };

static json_t *limits_of(const struct settings *settings)
{
	json_int_t bytes = (json_int_t)settings->source_mib_max << 20;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "time_ms",
			 (json_int_t)settings->source_limit_ms, "wire_bytes", bytes, "objects",
			 (json_int_t)OBJECTS_MAX, "files", (json_int_t)FILES_MAX, "checkout_bytes",
			 bytes, "trees", (json_int_t)TREES_KEPT, "keep_ms",
			 (json_int_t)settings->queue_limit_ms + 3600000);
}

static json_t *hosts_of(const struct source_settings *source)
{
	json_t *hosts = json_array();

	for (char **host = source->submodule_hosts; *host; host++)
		json_array_append_new(hosts, json_string(*host));
	return hosts;
}

json_t *source_request(const struct settings *settings, const struct source_settings *source,
		       const char *ref)
{
	AUTO(free) char *folder = xasprintf("%s/sources/%s", settings->data, source->name);

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:b, s:o,"
			 " s:o}",
			 "name", source->name, "repository", source->repository, "ref",
			 ref ? ref : source->ref, "path", source->path, "folder", folder, "user",
			 source->user, "token_file", source->token_file, "ssh_key_file",
			 source->ssh_key_file, "known_hosts", source->known_hosts, "ca_file",
			 source->ca_file, "trusted", source->is_trusted, "submodules",
			 source->with_submodules, "submodule_hosts", hosts_of(source), "limits",
			 limits_of(settings));
}
