/*
 * kube_access.h - a kubeconfig file: which cluster its current context leads to, and who we are
 * there.
 */
#ifndef ENVD_ENGINE_PULUMI_KUBE_ACCESS_H
#define ENVD_ENGINE_PULUMI_KUBE_ACCESS_H

#include "base/error.h"

struct kube_access {
	char *server;      /* "https://10.0.0.1:6443", without a slash at its end */
	char *authority;   /* PEM; "" where there is none */
	char *server_name; /* whom the certificate is of, if not the server; "" */
	bool is_insecure;

	/* After kube_access_login(); NULL where the file has none. */
	char *certificate, *key; /* PEM */
	char *token;
	char *user, *password;
};

/* The cluster alone. ERR_INVALID "kubeconfig_invalid". */
NODISCARD bool kube_access_load(const char *path, struct kube_access *access, struct error *err);

/* The user, too. A file may say that a program has to be asked for a token (`exec`, as those of
 * EKS do); it is run with `variables` (they end with NULL) in `folder`. ERR_INVALID
 * "kubeconfig_invalid", ERR_EXTERNAL "login_failed". */
NODISCARD bool kube_access_login(const char *path, char *const *variables, const char *folder,
				 struct kube_access *access, struct error *err);

void kube_access_release(struct kube_access *access);

static inline void auto_kube_access_release(struct kube_access *access)
{
	kube_access_release(access);
}

#endif
