/*
 * output_error.h - a failure, the same way every time:
 *
 *	error[unknown_template]: there is no template "mara-lokal"
 *	  cause: ...
 *	  hint:  did you mean mara-local?
 *
 * With -o json, one JSON object. In GitHub Actions one annotation more.
 */
#ifndef CLI_OUTPUT_ERROR_H
#define CLI_OUTPUT_ERROR_H

#include "cli/command.h"

void output_error(const struct cli *cli, const struct error *err);

#endif
