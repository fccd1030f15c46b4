#include "kube/kube_access.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "base/yaml_read.h"

enum { KUBECONFIG_BYTES_MAX = 1 << 20, WORDS_MAX = 50 };

/* ---- the file ---- */

static const char *text_at(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && node->kind == YAML_SCALAR ? node->text : "";
}

/* The entry called so: clusters and contexts are lists of {name, cluster} and {name, context}. */
static const struct yaml_node *entry_of(const struct yaml_node *root, const char *list,
					const char *name, const char *what)
{
	const struct yaml_node *items = yaml_get(root, list);

	for (size_t i = 0; items && items->kind == YAML_LIST && i < items->count; i++)
		if (strcmp(text_at(items->items[i], "name"), name) == 0)
			return yaml_get(items->items[i], what);
	return NULL;
}

static const struct yaml_node *context_of(const struct yaml_node *root)
{
	return entry_of(root, "contexts", text_at(root, "current-context"), "context");
}

/* "KEY-data" holds it, or KEY names a file that does; NULL: neither is there. */
static bool read_part(const struct yaml_node *node, const char *key, char **part, struct error *err)
{
	AUTO(free) char *data_key = xasprintf("%s-data", key);
	const char *data = text_at(node, data_key), *file = text_at(node, key);
	size_t length;

	if (*data)
		return base64_decode(data, part, &length) ||
		       error_set(err, ERR_INVALID, "its %s is no base64", data_key);
	return *file != '/' || file_read(file, KUBECONFIG_BYTES_MAX, part, NULL, err);
}

static bool read_cluster(const struct yaml_node *root, struct kube_access *access,
			 struct error *err)
{
	const struct yaml_node *context = context_of(root);
	const struct yaml_node *node =
	    context ? entry_of(root, "clusters", text_at(context, "cluster"), "cluster") : NULL;
	size_t length;

	if (!*text_at(root, "current-context"))
		return error_set(err, ERR_INVALID, "it has no current context");
	if (!node || !*text_at(node, "server"))
		return error_set(err, ERR_INVALID,
				 "its current context \"%.80s\" leads to no cluster",
				 text_at(root, "current-context"));
	access->server = xstrdup(text_at(node, "server"));
	for (length = strlen(access->server); length && access->server[length - 1] == '/'; length--)
		access->server[length - 1] = '\0';
	access->server_name = xstrdup(text_at(node, "tls-server-name"));
	access->is_insecure = strcmp(text_at(node, "insecure-skip-tls-verify"), "true") == 0;
	if (!read_part(node, "certificate-authority", &access->authority, err))
		return false;
	if (!access->authority)
		access->authority = xstrdup("");
	return true;
}

/* What cannot be read or parsed names the file by itself. */
static bool open_document(const char *path, struct yaml_document **document,
			  struct kube_access *access, struct error *err)
{
	return yaml_read_file(path, KUBECONFIG_BYTES_MAX, document, err) &&
	       (read_cluster((*document)->root, access, err) || error_wrap(err, "%.200s", path));
}

static bool is_invalid(struct error *err)
{
	err->code = ERR_INVALID;
	err->slug = "kubeconfig_invalid";
	return error_wrap(err, "the kubeconfig");
}

bool kube_access_load(const char *path, struct kube_access *access, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;

	*access = (struct kube_access){ .server = NULL };
	return open_document(path, &document, access, err) || is_invalid(err);
}

/* ---- who we are ---- */

static char *text_or_null(const struct yaml_node *map, const char *key)
{
	const char *text = text_at(map, key);

	return *text ? xstrdup(text) : NULL;
}

static bool read_user(const struct yaml_node *user, struct kube_access *access, struct error *err)
{
	const char *file = text_at(user, "tokenFile");

	if (!read_part(user, "client-certificate", &access->certificate, err) ||
	    !read_part(user, "client-key", &access->key, err))
		return false;
	access->token = text_or_null(user, "token");
	access->user = text_or_null(user, "username");
	access->password = text_or_null(user, "password");
	if (access->token || !*file)
		return true;
	if (!file_read(file, KUBECONFIG_BYTES_MAX, &access->token, NULL, err))
		return false;
	access->token[strcspn(access->token, "\r\n")] = '\0';
	return true;
}

/* What the programs of the environment get, and what the file adds. */
static char **login_variables(const struct yaml_node *exec, char *const *variables)
{
	const struct yaml_node *more = yaml_get(exec, "env");
	size_t count = 0, added = more && more->kind == YAML_LIST ? more->count : 0;
	char **all;

	while (variables[count])
		count++;
	all = xcalloc(count + added + 1, sizeof(*all));
	for (size_t i = 0; i < count; i++)
		all[i] = xstrdup(variables[i]);
	for (size_t i = 0; i < added; i++)
		all[count + i] = xasprintf("%s=%s", text_at(more->items[i], "name"),
					   text_at(more->items[i], "value"));
	return all;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static bool take_credential(const char *output, struct kube_access *access, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *status;
	const char *token;

	if (!json_parse(output, strlen(output), "what the login program printed", &answer, err))
		return false;
	status = json_object_get(answer, "status");
	token = json_get_string(status, "token", "");
	if (*token)
		access->token = xstrdup(token);
	if (json_has(status, "clientCertificateData") && json_has(status, "clientKeyData")) {
		access->certificate = xstrdup(json_get_string(status, "clientCertificateData", ""));
		access->key = xstrdup(json_get_string(status, "clientKeyData", ""));
	}
	return access->token || access->certificate ||
	       error_set(err, ERR_EXTERNAL, "the login program gave no token");
}

/* curl compares a certificate with the name in the address alone, and a login is given to nobody
 * whose name was not looked at. */
static bool can_be_verified(const struct kube_access *access, struct error *err)
{
	return !*access->server_name || access->is_insecure ||
	       error_set(err, ERR_INVALID,
			 "it has a tls-server-name, with which its cluster cannot be logged in to");
}

static bool run_login(const struct yaml_node *exec, const struct kube_login *login, char **output,
		      struct error *err)
{
	const struct yaml_node *arguments = yaml_get(exec, "args");
	const char *argv[WORDS_MAX + 2] = { text_at(exec, "command") };
	char **all = login_variables(exec, login->variables);
	bool ran;

	for (size_t i = 0; arguments && arguments->kind == YAML_LIST && i < arguments->count; i++)
		argv[i < WORDS_MAX ? i + 1 : WORDS_MAX] = arguments->items[i]->text;
	ran = login->run(login->arg, argv, all, output, err);
	free_list(all);
	return ran;
}

static bool log_in(const struct yaml_node *user, const struct kube_login *login,
		   struct kube_access *access, struct error *err)
{
	const struct yaml_node *exec = yaml_get(user, "exec");
	AUTO(free) char *output = NULL;

	if (!exec || access->token || access->certificate)
		return true;
	if (run_login(exec, login, &output, err) && take_credential(output, access, err))
		return true;
	err->code = ERR_EXTERNAL;
	err->slug = "login_failed";
	return false;
}

bool kube_access_login(const char *path, const struct kube_login *login, struct kube_access *access,
		       struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	const struct yaml_node *context, *user;

	*access = (struct kube_access){ .server = NULL };
	if (!open_document(path, &document, access, err) || !can_be_verified(access, err))
		return is_invalid(err);
	context = context_of(document->root);
	user = entry_of(document->root, "users", text_at(context, "user"), "user");
	return (read_user(user, access, err) || is_invalid(err)) &&
	       log_in(user, login, access, err);
}

void kube_access_release(struct kube_access *access)
{
	free(access->server);
	free(access->authority);
	free(access->server_name);
	free(access->certificate);
	free(access->key);
	free(access->token);
	free(access->user);
	free(access->password);
	*access = (struct kube_access){ .server = NULL };
}
