/*
 * kubeconfig.h - one context put into a kubeconfig file beside those that are there.
 */
#ifndef CLI_KUBECONFIG_H
#define CLI_KUBECONFIG_H

#include "base/json_read.h"

/* What `config` names takes the place of what has the same name; everything else stays as it is.
 * The file is made if it is not there, and is 0600 afterwards. Errors: a file that is no
 * kubeconfig is left alone. */
NODISCARD bool kubeconfig_merge(const char *path, const json_t *config, bool is_used,
				struct error *err);

#endif
