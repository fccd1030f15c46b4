/*
 * aws.h - AWS: lists by type of what an environment leaves behind, and what its tags find beside.
 *
 * Lists by type are the authority: the tagging API knows nothing of what cannot be tagged and goes
 * on naming things for hours after they are gone, so it only adds types that have no list here.
 */
#ifndef ENVD_ENGINE_CLOUD_AWS_H
#define ENVD_ENGINE_CLOUD_AWS_H

#include "engine/cloud/cloud.h"

extern const struct cloud_adapter cloud_aws;

#endif
