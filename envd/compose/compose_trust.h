/*
 * compose_trust.h - what a Compose file may not ask of the machine it runs on.
 *
 * Much is refused for everybody by compose_parse() because it is no key that envd honours:
 * network_mode, pid, ipc, userns_mode, security_opt, external networks and so on. Here is the rest:
 *
 * - nobody: a bind mount of a container runtime's socket, of a folder that holds one, or of /proc;
 * - a template whose source is not trusted: privileged, cap_add, devices, sysctls, group_add; a
 *   bind mount out of its folder (absolute paths, "..", "~", links) or one that can be written to
 *   (root in a container is root to the files it writes); file of configs and secrets likewise out
 *   of its folder, as env_file, include and extends (compose_origin.h asks before it reads), and
 *   build.context and build.dockerfile; build.network: host; an
 *   address of a cloud's metadata service in any text that reaches a container, extra_hosts and dns
 *   included; host-gateway; a host address other than loopback.
 *
 * It looks at the file system for links, and at nothing else of it.
 */
#ifndef ENVD_COMPOSE_COMPOSE_TRUST_H
#define ENVD_COMPOSE_COMPOSE_TRUST_H

#include "compose/compose.h"

/*
 * `template_folder` is where the file's relative paths start. Error: ERR_DENIED, slug
 * "template_not_trusted" (or "runtime_socket"), "PATH:LINE:COLUMN: " and the key that is refused.
 */
NODISCARD bool compose_check_trust(const struct compose_file *file, bool is_trusted,
				   const char *template_folder, struct error *err);

/*
 * The absolute path of a bind mount's source or a config's file, links resolved; the caller frees.
 * Call after compose_check_trust(). Error: ERR_NOT_FOUND, naming the place `at`.
 */
NODISCARD bool compose_path_resolve(const struct compose_file *file, struct compose_place at,
				    const char *template_folder, const char *path, char **resolved,
				    struct error *err);

/* For compose/ only: why a relative path leads out of the folder ("is an absolute path"), or NULL.
 */
const char *compose_path_outside(const char *template_folder, const char *path);

/* For compose/ only: ERR_DENIED, slug "template_not_trusted", with the hint that goes with it. */
bool compose_deny(const struct compose_file *file, struct compose_place at, struct error *err,
		  const char *format, ...) PRINTF_LIKE(4, 5);

#endif
