/*
 * template_json.h - a template as the API shows it.
 *
 * { "apiVersion":"envd/v1", "kind":"Template", "name", "description", "engine", "digest",
 *   "trusted": true,
 *   "parameters": [{"name","type","description","variable","default","minimum","maximum","enum",
 *                   "pattern","max_length"}],            absent where they do not apply
 *   "components": [{"name","description","default","versions":[...],"members":[...],
 *                   "branch","pull_request"}],           absent where they do not apply
 *   "limits": {"provision_ms","attempts","lease":{"default_ms","minimum_ms","maximum_ms"}},
 *   "price": {"per_hour":0.12,"currency":"USD","note"},
 *   "outputs": ["url","ca"], "checks": true,
 *   "source": {"name","repository","ref","commit"} }    added by the API for a git source
 */
#ifndef ENVD_WIRE_TEMPLATE_JSON_H
#define ENVD_WIRE_TEMPLATE_JSON_H

#include "model/template.h"

/* New reference. `digest` is of the folder, or NULL when it is not known. */
json_t *template_json(const struct template *template, const char *digest, bool is_trusted);

#endif
