/*
 * api_kubeconfig.h - handler: who may reach into an environment gets what leads to its cluster.
 */
#ifndef ENVD_API_API_KUBECONFIG_H
#define ENVD_API_API_KUBECONFIG_H

struct http_request;

void api_give_kubeconfig(void *api, struct http_request *request);

#endif
