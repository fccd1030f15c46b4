#include "engine/pulumi/pulumi_engine.h"

#include "engine/pulumi/kube_export.h"
#include "engine/pulumi/kube_forward.h"
#include "engine/pulumi/pulumi_build.h"
#include "engine/pulumi/pulumi_destroy.h"
#include "engine/pulumi/pulumi_login.h"
#include "engine/pulumi/pulumi_look.h"
#include "engine/pulumi/pulumi_resources.h"
#include "engine/pulumi/pulumi_updates.h"

const struct engine engine_pulumi = {
	.name = "pulumi",
	.settle_ms = 5000,
	.plan = pulumi_plan,
	.create = pulumi_create,
	.inspect = pulumi_inspect,
	.recover = pulumi_recover,
	.destroy = pulumi_destroy,
	.inventory = pulumi_inventory,
	.dial = pulumi_dial,
	.cluster = pulumi_cluster_of,
	.kubeconfig = pulumi_kubeconfig,
	.logs = pulumi_logs,
	.resources = pulumi_resources,
	.updates = pulumi_updates,
	.probe = pulumi_probe,
};
