#include "engine/container/container_engine.h"

#include "engine/container/container_attach.h"
#include "engine/container/container_create.h"
#include "engine/container/container_destroy.h"
#include "engine/container/container_dial.h"
#include "engine/container/container_exec.h"
#include "engine/container/container_inspect.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_logs.h"
#include "engine/container/container_plan.h"
#include "engine/container/container_state.h"
#include "engine/container/image_collect.h"

const struct engine engine_container = {
	.name = "container",
	.settle_ms = 500,
	.plan = container_plan,
	.create = container_create,
	.inspect = container_inspect,
	.recover = container_recover,
	.destroy = container_destroy,
	.inventory = container_inventory,
	.exec = container_exec,
	.attach = container_attach,
	.dial = container_dial,
	.logs = container_logs,
	.state = container_state,
	.probe = container_probe,
	.images = container_images,
};
