/*
 * config.h - what is configured in files, and which server is meant.
 *
 *	./.envctl.json, in this folder or one above it up to the repository's root:
 *		{"context": "ci", "defaults": {"ttl": "1h"}}
 *	$XDG_CONFIG_HOME/envctl/config.json (else ~/.config), then /etc/envctl/config.json:
 *		{"current_context": "ci", "defaults": {...},
 *		 "contexts": {"ci": {"server": "https://...", "token_file": "...", "ca": "..."}}}
 *
 * `defaults` holds options by their long name: all those that have a variable. They count after
 * the command line and the variables, the nearer file first. A context holds options that say which
 * server and as whom.
 *
 * A project's file comes with a clone, so with somebody else's pull request: it names a context and
 * never a server, or a token of ours would be sent where it says.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <jansson.h>

#include "base/option_table.h"

struct config;

struct config *config_new(void);
void config_free(struct config *config);
DEFINE_AUTO(struct config *, config_free)

/* For option_spec; reads the files when first asked. ERR_INVALID slug "config_invalid" that names
 * the file and the key. */
struct option_fallback config_fallback(struct config *config);

/* Which context is chosen by the files, and by which; NULL: none. */
NODISCARD bool config_chosen_context(struct config *config, const char **name, const char **where,
				     struct error *err);

/* {"server": ...}, borrowed; ERR_NOT_FOUND slug "unknown_context". `where` names its file. */
NODISCARD bool config_context(struct config *config, const char *name, const json_t **context,
			      const char **where, struct error *err);

/* All of them, {"NAME": {...}}, borrowed names; new reference. */
NODISCARD bool config_contexts(struct config *config, json_t **contexts, struct error *err);

/* Once the files were read; NULL when nothing says where it would be. */
const char *config_user_file(const struct config *config);

/* Changes the user's file: `context` NULL removes it; `is_current` makes it the chosen one. */
NODISCARD bool config_write_context(struct config *config, const char *name, const json_t *context,
				    bool is_current, const char **file, struct error *err);

#endif
