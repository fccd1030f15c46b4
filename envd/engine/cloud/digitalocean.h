/*
 * digitalocean.h - DigitalOcean: clusters, load balancers, volumes, droplets, firewalls, networks,
 * the registry and DNS records.
 */
#ifndef ENVD_ENGINE_CLOUD_DIGITALOCEAN_H
#define ENVD_ENGINE_CLOUD_DIGITALOCEAN_H

#include "engine/cloud/cloud.h"

extern const struct cloud_adapter cloud_digitalocean;

#endif
