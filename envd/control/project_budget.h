/*
 * project_budget.h - what an environment would cost, and whether its project's budget has room for
 * it: asked inside the transaction that accepts it, or extends it, so that two requests cannot both
 * take the last of it. The reservation itself is the environment's row (store/store_spending.h).
 */
#ifndef ENVD_CONTROL_PROJECT_BUDGET_H
#define ENVD_CONTROL_PROJECT_BUDGET_H

#include "control/control.h"
#include "model/environment.h"

// clang-format off: it takes `template` for the keyword of another language
/* Fills in the price and the quote of `environment`, whose template, parameters, lease and limits
 * are known. Errors of quote_make(). */
NODISCARD bool project_budget_quote(const struct control *control, const struct template *template,
				    struct environment *environment, struct error *err);

/* ERR_LIMIT, with the way out as hint: "quota_budget"; "quota_unpriced" and "quota_currency" for
 * what could not be counted, and must not be free of charge. */
NODISCARD bool project_budget_admit(const struct control *control, struct store_tx *tx,
				    const struct template *template,
				    const struct environment *environment, struct error *err);
// clang-format on

/* The same for a longer lease. */
NODISCARD bool project_budget_extend(const struct control *control, struct store_tx *tx,
				     const struct environment *environment, int64_t end_ms,
				     struct error *err);

#endif
