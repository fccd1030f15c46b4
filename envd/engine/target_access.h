/*
 * target_access.h - what programs need to work on a target of the targets file: its name and
 * credentials. Credentials come as references (where they are); what they are is looked up
 * here, in the worker, when a program is about to be started, and goes to that program as a
 * variable.
 */
#ifndef ENVD_ENGINE_TARGET_ACCESS_H
#define ENVD_ENGINE_TARGET_ACCESS_H

#include "engine/engine.h"

struct variable_list {
	char **items; /* "NAME=VALUE", ends with NULL; NULL while there are none */
	size_t count;
};
/* Takes `variable` over. */
void variable_list_add(struct variable_list *list, char *variable);
/* Overwrites what it frees: secrets are among them. */
void variable_list_release(struct variable_list *list);
static inline void auto_variable_list_release(struct variable_list *list)
{
	variable_list_release(list);
}

/* ENVD_TARGET, ENVD_CLAIM and its credentials. ERR_INVALID "credential_missing" naming the variable
 * and the target, never a value. */
NODISCARD bool target_variables(const struct engine_target *target, struct variable_list *list,
				struct error *err);

#endif
