#include "engine/engine.h"

#include "base/text.h"
#include "engine/container/container_engine.h"
#include "engine/external/external_engine.h"
#include "engine/pulumi/pulumi_engine.h"

static const struct engine *const engines[] = { &engine_container, &engine_external,
						&engine_pulumi };

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (text_equal(engines[i]->name, name))
			return engines[i];
	return NULL;
}
