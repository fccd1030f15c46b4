/*
 * tracer.h - when an environment has ended, its life is sent to an OpenTelemetry collector as one
 * trace (OTLP/HTTP, JSON), if a setting says where.
 *
 * It is an extra: one trace is on its way at a time, a bounded number waits, and what cannot be
 * sent is counted and forgotten. Nothing ever waits for a collector.
 */
#ifndef ENVD_CONTROL_TRACER_H
#define ENVD_CONTROL_TRACER_H

#include "control/control.h"

struct tracer;

/* After the meter. `*tracer` NULL: none is wanted. The name of the endpoint is looked up here. */
NODISCARD bool tracer_new(struct control *control, struct tracer **tracer, struct error *err);
void tracer_free(struct tracer *tracer);

#endif
