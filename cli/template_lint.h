/*
 * template_lint.h - what lint looks at in a template, beyond what reading it finds.
 */
#ifndef CLI_TEMPLATE_LINT_H
#define CLI_TEMPLATE_LINT_H

#include "base/error.h"
#include "base/text.h"

/*
 * The template in `folder`: template.yaml, its compose file with the defaults, its checks, and what
 * they say of each other. `notes` gets a line for each thing that is allowed but worth knowing.
 */
NODISCARD bool template_lint(const char *folder, struct text *notes, struct error *err);

#endif
