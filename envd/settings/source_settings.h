/*
 * source_settings.h - `sources:` of the configuration file: git repositories that hold templates.
 */
#ifndef ENVD_SETTINGS_SOURCE_SETTINGS_H
#define ENVD_SETTINGS_SOURCE_SETTINGS_H

#include "base/yaml_read.h"

/* What is not given is NULL, unless said otherwise. */
struct source_settings {
	char *name;
	char *repository;
	char *ref;  /* NULL: the default branch */
	char *path; /* "" unless given */
	char *user; /* "git" unless given */
	char *token_file;
	char *ssh_key_file;
	char *known_hosts;
	char *ca_file;
	bool is_trusted; /* false unless given */
	bool with_submodules;
	char **submodule_hosts; /* ends with NULL; never NULL itself */
};

/* `source` is to be released whether or not it could be read. ERR_INVALID with file:line:column. */
NODISCARD bool source_settings_read(const struct yaml_document *file, const struct yaml_node *at,
				    struct source_settings *source, struct error *err);
void source_settings_release(struct source_settings *source);

#endif
