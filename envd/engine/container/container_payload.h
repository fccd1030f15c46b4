/*
 * container_payload.h - the files that go into a container before it starts: its configs and
 * secrets, with what is in them.
 *
 * They are copied in by the runtime's archive call and not mounted, so that a runtime on another
 * machine gets them too. A secret's value is in no line, no log, no label and nothing that can be
 * inspected: it goes from its file or variable into the container.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_PAYLOAD_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_PAYLOAD_H

#include "engine/container/container_plan.h"

#define SECRET_VARIABLE_PREFIX "ENVD_SECRET_"

/*
 * Fills in planned->files. A secret's `environment: NAME` is a variable of the template, or else,
 * for a trusted one, ENVD_SECRET_NAME of this process. Errors name the place: compose_invalid for
 * what could not be seen in the container, secret_missing.
 */
NODISCARD bool payload_read(const struct engine_request *request, const struct container_plan *plan,
			    struct planned_service *planned, struct error *err);
void payload_release(struct planned_service *planned);

#endif
