/*
 * jsonpath.h - picking values out of a document, in the part of kubectl's notation that people use:
 *
 *	{.a.b}  {.items[0].x}  {.items[-1].x}  {.items[*].name}  {.items[?(@.state=="ready")].name}
 *	{['a.b']}  {.name}{"\n"}  text outside of braces
 *
 * An expression without braces is taken as if it stood in them. Values are separated by blanks;
 * strings come as they are, everything else as JSON; what is missing is nothing.
 */
#ifndef CLI_JSONPATH_H
#define CLI_JSONPATH_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/* `document` NULL: only look whether it can be read. ERR_INVALID slug "jsonpath_invalid" that names
 * the position. */
NODISCARD bool jsonpath_print(const char *expression, const json_t *document, struct text *into,
			      struct error *err);

#endif
