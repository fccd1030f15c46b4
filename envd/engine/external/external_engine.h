/*
 * external_engine.h - any program as an engine (templates/engines.md is its manual).
 *
 * The program is the target's, else the one that the template's `source` names. One run is one
 * verb: the request on stdin, lines on stdout, stderr into the job's log, SIGTERM to cancel. What
 * it says is held to the same rules as our own workers. It cannot run commands inside a service or
 * show logs.
 */
#ifndef ENVD_ENGINE_EXTERNAL_EXTERNAL_ENGINE_H
#define ENVD_ENGINE_EXTERNAL_EXTERNAL_ENGINE_H

#include "engine/engine.h"

extern const struct engine engine_external;

#endif
