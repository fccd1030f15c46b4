/*
 * engine_question.h - ask an engine something through a worker of its own and wait for the answer:
 * for the one-shot commands, which may block.
 */
#ifndef REAPER_ENGINE_QUESTION_H
#define REAPER_ENGINE_QUESTION_H

#include "base/json_read.h"

/* Runs `envd worker --direct` beside this program. New reference. The error is the engine's own, or
 * says how its worker ended without an answer. */
NODISCARD bool engine_question_ask(const json_t *request, json_t **data, struct error *err);

#endif
