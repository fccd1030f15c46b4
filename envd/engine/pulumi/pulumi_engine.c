#include "engine/pulumi/pulumi_engine.h"

#include "engine/pulumi/pulumi_build.h"
#include "engine/pulumi/pulumi_destroy.h"
#include "engine/pulumi/pulumi_look.h"

const struct engine engine_pulumi = {
	.name = "pulumi",
	.settle_ms = 5000,
	.plan = pulumi_plan,
	.create = pulumi_create,
	.inspect = pulumi_inspect,
	.recover = pulumi_recover,
	.destroy = pulumi_destroy,
	.inventory = pulumi_inventory,
	.logs = pulumi_logs,
	.probe = pulumi_probe,
};
