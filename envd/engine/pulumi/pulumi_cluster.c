#include "engine/pulumi/pulumi_cluster.h"

#include <curl/curl.h>
#include <string.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/text.h"
#include "base/yaml_read.h"
#include "engine/target_claim.h"

enum { KUBECONFIG_BYTES_MAX = 1 << 20, ANSWER_MS = 10000 };

struct cluster {
	char *server;
	char *authority; /* PEM; "" where there is none */
	char *server_name;
	bool is_insecure;
};

static void cluster_release(struct cluster *cluster)
{
	free(cluster->server);
	free(cluster->authority);
	free(cluster->server_name);
	*cluster = (struct cluster){ NULL, NULL, NULL, false };
}

static inline void auto_cluster_release(struct cluster *cluster)
{
	cluster_release(cluster);
}

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

static bool read_authority(const struct yaml_node *node, char **authority, struct error *err)
{
	const char *data = text_at(node, "certificate-authority-data");
	const char *file = text_at(node, "certificate-authority");
	size_t length;

	if (*data)
		return base64_decode(data, authority, &length) ||
		       error_set(err, ERR_INVALID, "its certificate-authority-data is no base64");
	if (*file == '/')
		return file_read(file, KUBECONFIG_BYTES_MAX, authority, NULL, err);
	*authority = xstrdup("");
	return true;
}

static bool read_cluster(const struct yaml_document *document, struct cluster *cluster,
			 struct error *err)
{
	const char *current = text_at(document->root, "current-context");
	const struct yaml_node *context = entry_of(document->root, "contexts", current, "context");
	const struct yaml_node *node =
	    context ? entry_of(document->root, "clusters", text_at(context, "cluster"), "cluster")
		    : NULL;

	if (!node || !*text_at(node, "server"))
		return error_set(err, ERR_INVALID,
				 "its current context \"%.80s\" leads to no cluster", current);
	cluster->server = xstrdup(text_at(node, "server"));
	cluster->server_name = xstrdup(text_at(node, "tls-server-name"));
	cluster->is_insecure = strcmp(text_at(node, "insecure-skip-tls-verify"), "true") == 0;
	return read_authority(node, &cluster->authority, err);
}

static bool load(const char *path, struct cluster *cluster, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;

	*cluster = (struct cluster){ NULL, NULL, NULL, false };
	if (yaml_read_file(path, KUBECONFIG_BYTES_MAX, &document, err) &&
	    read_cluster(document, cluster, err))
		return true;
	err->code = ERR_INVALID;
	err->slug = "kubeconfig_invalid";
	return error_wrap(err, "the kubeconfig");
}

/* ---- which one ---- */

/* "https://10.0.0.1:6443 (3f2a9c...)" */
static char *identity_of(const struct cluster *cluster)
{
	char hash[SHA256_TEXT_SIZE];

	sha256_text(cluster->authority, strlen(cluster->authority), hash);
	return xasprintf("%s (%.12s)", cluster->server, hash);
}

bool cluster_check(const struct pulumi_place *place, struct pulumi_record *record,
		   struct error *err)
{
	AUTO(free) char *path = place_path(place, "kubeconfig");
	AUTO(cluster_release) struct cluster cluster = { NULL, NULL, NULL, false };
	AUTO(free) char *identity = NULL;
	const char *own = record_fact(record, "cluster");

	if (!target_claim_check(&place->request->target, err))
		return false;
	if (!file_exists(path))
		return true;
	if (!load(path, &cluster, err))
		return false;
	identity = identity_of(&cluster);
	if (!own)
		return record_set_fact(record, "cluster", identity, err);
	if (strcmp(own, identity) == 0)
		return true;
	error_set_as(err, ERR_CONFLICT, "other_cluster",
		     "the kubeconfig leads to cluster %.150s, but the environment is on %.150s: "
		     "nothing is done there",
		     identity, own);
	return error_hint(err, "the address, and the beginning of the digest of its authority");
}

/* ---- does it answer ---- */

static size_t ignore(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * count;
}

/* Who we are does not matter: "who are you?" is an answer, too. */
static void set_up(CURL *curl, const struct cluster *cluster, const char *url, char *reason)
{
	struct curl_blob authority = { cluster->authority, strlen(cluster->authority),
				       CURL_BLOB_COPY };

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	if (*cluster->authority)
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &authority);
	/* As the file's own user has decided. The answer is not used for anything. */
	if (cluster->is_insecure || *cluster->server_name) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, cluster->is_insecure ? 0L : 1L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

bool cluster_answers(const char *path, struct error *err)
{
	AUTO(cluster_release) struct cluster cluster = { NULL, NULL, NULL, false };
	AUTO(free) char *url = NULL;
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code;
	CURL *curl;

	if (!load(path, &cluster, err))
		return false;
	url = xasprintf("%s/version", cluster.server);
	curl = curl_easy_init();
	if (!curl)
		return error_set(err, ERR_INTERNAL, "cannot start a transfer");
	set_up(curl, &cluster, url, reason);
	code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return code == CURLE_OK ||
	       error_set_as(err, ERR_UNAVAILABLE, "cluster_unreachable",
			    "cluster %.200s does not answer: %s", cluster.server,
			    *reason ? reason : curl_easy_strerror(code));
}
