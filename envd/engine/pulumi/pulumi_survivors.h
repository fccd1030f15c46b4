/*
 * pulumi_survivors.h - is any program of an environment still alive?
 *
 * Plugins of Pulumi sit in process groups of their own and finish their creates after the CLI is
 * dead. Within a job the supervisor's guard reaches them all; this is the look before a job begins,
 * at what one before it may have left when guard and supervisor were killed together. Every program
 * of an environment carries a mark in its variables.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_SURVIVORS_H
#define ENVD_ENGINE_PULUMI_PULUMI_SURVIVORS_H

#include "engine/engine.h"

/* Ends what lives and waits until nothing does. ERR_UNAVAILABLE "process_left" names the process
 * that could not be ended. To be called before the first program of a job is started. */
NODISCARD bool survivors_end(const struct engine_request *request, struct error *err);

#endif
