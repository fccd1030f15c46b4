/*
 * environment_view.h - an environment document in words.
 */
#ifndef CLI_ENVIRONMENT_VIEW_H
#define CLI_ENVIRONMENT_VIEW_H

#include "base/json_read.h"
#include "base/text.h"
#include "cli/command.h"

/* "1h58m left", "ended", "-": from expires_at; for the table. */
void environment_expiry(const json_t *environment, struct text *into);

/* "0.12 USD" of a number in `cost`, "0.12 USD*" where the prices are examples; "-" where it is
 * missing. */
void environment_money(const json_t *environment, const char *key, struct text *into);

enum tone environment_state_tone(const char *state);

/* Name, state, addresses, expiry, checks, cost: one line each. */
void environment_print(const struct cli *cli, const json_t *environment);

/* The proofs that it is gone. */
void environment_print_proofs(const struct cli *cli, const json_t *environment);

bool environment_is_in(const json_t *environment, const char *state);

/* No more than what is destroyed will come of it: failed, destroying or destroyed. */
bool environment_is_ending(const json_t *environment);

/* Why it is not ready and will not be: sets `err` by the reason and the cli's cause; returns
 * false. */
bool environment_failure(struct cli *cli, const json_t *environment, struct error *err);

#endif
