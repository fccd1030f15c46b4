/*
 * kube_access.h - a kubeconfig file: which cluster its current context leads to, and who we are
 * there.
 */
#ifndef ENVD_KUBE_ACCESS_H
#define ENVD_KUBE_ACCESS_H

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

/* How to run the program that a file says has to be asked for a token (`exec`, as those of EKS do):
 * `argv[0]` as it stands there, in these `variables` and what the file adds. `output` is what it
 * printed, freed by the caller. */
struct kube_login {
	char *const *variables; /* end with NULL */
	bool (*run)(void *arg, const char *const *argv, char *const *variables, char **output,
		    struct error *err);
	void *arg;
};

/* The user, too. ERR_INVALID "kubeconfig_invalid", ERR_EXTERNAL "login_failed". */
NODISCARD bool kube_access_login(const char *path, const struct kube_login *login,
				 struct kube_access *access, struct error *err);

void kube_access_release(struct kube_access *access);

static inline void auto_kube_access_release(struct kube_access *access)
{
	kube_access_release(access);
}

#endif
