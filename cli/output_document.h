/*
 * output_document.h - a JSON document on stdout, as JSON or as YAML.
 */
#ifndef CLI_OUTPUT_DOCUMENT_H
#define CLI_OUTPUT_DOCUMENT_H

#include "base/text.h"
#include "cli/command.h"

/* True if -o is json, yaml or jsonpath=, and then it is printed. */
bool output_document(const struct cli *cli, const json_t *document);

/* {"apiVersion","kind":"...List","items"}; `items` is borrowed. New reference. */
json_t *output_list(const char *kind, json_t *items);

/* A YAML 1.2 document that reads back as the same JSON. */
void output_yaml(const json_t *document, struct text *into);

#endif
