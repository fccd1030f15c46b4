/*
 * report.h - one environment on paper: what was asked, what was built, checked and spent, and the
 * proof that it is gone.
 *
 * The input is the report document (kind "Report": environment, lock, layers, checks, history,
 * proofs). It is data that we stored, so nothing in it is refused: what is missing is left out.
 *
 * Formats: json (the document itself), markdown (fits a GitHub step summary), junit (the subset
 * that Jenkins, GitLab and GitHub's readers all understand), text (terminal, no colour).
 */
#ifndef ENVD_REPORT_REPORT_H
#define ENVD_REPORT_REPORT_H

#include <jansson.h>

#include "base/error.h"

/* `text` is the caller's to free; `content_type` is a literal. ERR_INVALID for an unknown format,
 * naming the known ones. */
NODISCARD bool report_render(const char *format, const json_t *report, char **text,
			     const char **content_type, struct error *err);

#endif
