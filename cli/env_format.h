/*
 * env_format.h - variables in the notations of those who read them.
 */
#ifndef CLI_ENV_FORMAT_H
#define CLI_ENV_FORMAT_H

#include "base/error.h"
#include "base/json_read.h"
#include "base/text.h"

/* ENV_NAME, ENV_ID, ENV_URL, ENV_EXPIRES_AT, and ENV_<OUTPUT> for every output of the environment:
 * upper case, what is no letter or digit as '_'. New reference. */
json_t *env_variables(const json_t *environment);

/* `format`: shell (export NAME='value'), dotenv (NAME=value), github (for $GITHUB_ENV), json.
 * ERR_INVALID, slug "variable_not_writable", where dotenv cannot hold a value of several lines. */
NODISCARD bool env_format(const char *format, const json_t *variables, struct text *into,
			  struct error *err);

#endif
