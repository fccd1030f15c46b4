/*
 * pulumi_engine.h - environments out of Pulumi projects, by the real CLI (templates/pulumi.md).
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_ENGINE_H
#define ENVD_ENGINE_PULUMI_PULUMI_ENGINE_H

#include "engine/engine.h"

extern const struct engine engine_pulumi;

#endif
