#include "engine/pulumi/kube_export.h"

#include <string.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/text.h"
#include "base/yaml_read.h"

enum { KUBECONFIG_BYTES_MAX = 1 << 20 };

/* The entry called so of a list of {name, KIND}; borrowed. */
static json_t *entry_of(const json_t *config, const char *list, const char *name, const char *kind)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(config, list), i, item)
		if (strcmp(json_get_string(item, "name", ""), name) == 0)
			return json_object_get(item, kind);
	return NULL;
}

/* "KEY: /a/file" becomes "KEY-data: ...": there is no such file elsewhere. */
static bool take_in(json_t *entry, const char *key, struct error *err)
{
	const char *path = json_get_string(entry, key, "");
	AUTO(free) char *data_key = xasprintf("%s-data", key);
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *encoded = NULL;
	size_t length;

	if (!*path)
		return true;
	if (json_object_get(entry, data_key)) {
		json_object_del(entry, key);
		return true;
	}
	if (*path != '/')
		return error_set(err, ERR_INVALID, "its %s is no absolute path", key);
	if (!file_read(path, KUBECONFIG_BYTES_MAX, &bytes, &length, err))
		return false;
	encoded = base64_encode(bytes, length, false);
	json_object_set_new(entry, data_key, json_string(encoded));
	json_object_del(entry, key);
	return true;
}

static bool take_token_in(json_t *user, struct error *err)
{
	const char *path = json_get_string(user, "tokenFile", "");
	AUTO(free) char *token = NULL;

	if (!*path || json_object_get(user, "token"))
		return true;
	if (!file_read(path, KUBECONFIG_BYTES_MAX, &token, NULL, err))
		return false;
	token[strcspn(token, "\r\n")] = '\0';
	json_object_set_new(user, "token", json_string(token));
	json_object_del(user, "tokenFile");
	return true;
}

/* Borrows nothing of `cluster`, `user` and `namespace`. */
static json_t *one_context(const char *name, json_t *cluster, json_t *user, const char *namespace)
{
	json_t *context = json_pack("{s:s, s:s}", "cluster", name, "user", name);

	if (namespace)
		json_object_set_new(context, "namespace", json_string(namespace));
	return json_pack("{s:s, s:s, s:[{s:s, s:O}], s:[{s:s, s:O}], s:[{s:s, s:o}], s:s}",
			 "apiVersion", "v1", "kind", "Config", "clusters", "name", name, "cluster",
			 cluster, "users", "name", name, "user", user, "contexts", "name", name,
			 "context", context, "current-context", name);
}

static bool export_current(const json_t *whole, const char *name, json_t **config,
			   struct error *err)
{
	const char *current = json_get_string(whole, "current-context", "");
	const json_t *context = entry_of(whole, "contexts", current, "context");
	json_t *cluster =
	    entry_of(whole, "clusters", json_get_string(context, "cluster", ""), "cluster");
	AUTO(json_decref)
	json_t *user =
	    json_incref(entry_of(whole, "users", json_get_string(context, "user", ""), "user"));

	if (!json_is_object(cluster))
		return error_set(err, ERR_INVALID,
				 "its current context \"%.80s\" leads to no cluster", current);
	if (!json_is_object(user)) {
		json_decref(user);
		user = json_object();
	}
	if (!take_in(cluster, "certificate-authority", err) ||
	    !take_in(user, "client-certificate", err) || !take_in(user, "client-key", err) ||
	    !take_token_in(user, err))
		return false;
	*config = one_context(name, cluster, user, json_get_string(context, "namespace", NULL));
	return true;
}

bool kube_export(const char *path, const char *name, json_t **config, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(json_decref) json_t *whole = NULL;

	if (yaml_read_file(path, KUBECONFIG_BYTES_MAX, &document, err)) {
		whole = yaml_to_json(document->root);
		if (export_current(whole, name, config, err))
			return true;
	}
	err->code = ERR_INVALID;
	err->slug = "kubeconfig_invalid";
	return error_wrap(err, "the kubeconfig");
}

bool pulumi_kubeconfig(const struct engine_request *request, json_t **data, struct error *err)
{
	AUTO(free) char *path = path_join(request->folder, "pulumi/kubeconfig");
	json_t *config;

	if (!file_exists(path))
		return error_set_as(err, ERR_CONFLICT, "no_cluster",
				    "environment \"%s\" has no cluster: it has no kubeconfig",
				    request->environment_name);
	if (!kube_export(path, request->environment_name, &config, err))
		return false;
	*data = json_pack("{s:o}", "kubeconfig", config);
	return true;
}
