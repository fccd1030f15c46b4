/*
 * pulumi_order.h - which projects the checkout itself would build, and in which order: asked of the
 * template's `order` command, once, before anything is built, and written down for every later job.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_ORDER_H
#define ENVD_ENGINE_PULUMI_PULUMI_ORDER_H

#include "engine/pulumi/pulumi_place.h"

/* Runs it where `place->checkout` lies, writes FOLDER/pulumi/order.json, and chooses the layers.
 * Without an `order`, or when it is known already, nothing is run. ERR_INVALID "order_invalid",
 * "order_failed" with the command's own words. */
NODISCARD bool order_read(struct pulumi_place *place, struct error *err);

#endif
