/*
 * compose_env_file.h - a file of NAME=value lines, as `env_file:` and .env have them. For compose/
 * only.
 *
 * Blank lines, # comments, `export `, 'literal', "with \n escapes and ${VARIABLES}", plain values
 * with ${VARIABLES} and comments behind blanks. Quoted values may have several lines. A raw file is
 * read as it stands: everything behind the first = up to the line's end.
 */
#ifndef ENVD_COMPOSE_COMPOSE_ENV_FILE_H
#define ENVD_COMPOSE_COMPOSE_ENV_FILE_H

#include <jansson.h>

#include "base/error.h"

struct compose_env_source {
	const char *bytes;
	const char *path;        /* as named in errors */
	const json_t *variables; /* go before what the file itself has set; may be NULL */
	json_t *used;            /* object: names that the file mentions become keys */
	bool is_raw;
};

/* Into `pairs`, an object: later lines win over earlier ones. A NAME without "=" takes the
 * variable of that name, or is left out. Error: ERR_INVALID, "PATH:LINE: what". */
NODISCARD bool compose_env_parse(const struct compose_env_source *source, json_t *pairs,
				 struct error *err);

#endif
