/*
 * env_format.h - variables in the notations of those who read them.
 */
#ifndef CLI_ENV_FORMAT_H
#define CLI_ENV_FORMAT_H

#include "base/error.h"
#include "base/json_read.h"
#include "base/text.h"

#define ENV_PREFIX "ENV_"

/* Letters, digits and '_', beginning with no digit and ending with '_'; none by which a shell, a
 * loader or a CI runner is told what to do, because the rest of a name is the template's.
 * ERR_INVALID, slug "option_value". */
NODISCARD bool env_prefix_check(const char *prefix, struct error *err);

/* With ENV_PREFIX: ENV_NAME, ENV_ID, ENV_URL, ENV_EXPIRES_AT, and ENV_<OUTPUT> for every output of
 * the environment: upper case, what is no letter or digit as '_'. New reference. */
json_t *env_variables(const json_t *environment, const char *prefix);

/* `format`: shell (export NAME='value'), dotenv (NAME=value), github (for $GITHUB_ENV), json.
 * ERR_INVALID, slug "variable_not_writable", where dotenv cannot hold a value of several lines. */
NODISCARD bool env_format(const char *format, const json_t *variables, struct text *into,
			  struct error *err);

#endif
