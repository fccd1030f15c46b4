/*
 * console_link.h - where a cloud's own console shows a thing. A table of types, nothing else: no
 * cloud is asked, and a link promises neither that the thing is there nor that the reader may see
 * it.
 */
#ifndef ENVD_MODEL_CONSOLE_LINK_H
#define ENVD_MODEL_CONSOLE_LINK_H

#include <jansson.h>

/* `type` is Pulumi's ("aws:ec2/vpc:Vpc"); `subject` holds text that a link is made of: "id",
 * "region", "domain". NULL: the type has no page of its own, or what its address needs is not
 * there. The caller frees. */
char *console_link(const char *type, const json_t *subject);

#endif
