#include "engine/pulumi/pulumi_cluster.h"

#include <curl/curl.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/target_claim.h"
#include "kube/kube_access.h"

enum { ANSWER_MS = 10000 };

/* ---- which one ---- */

/* "https://10.0.0.1:6443 (3f2a9c...)" */
static char *identity_of(const struct kube_access *cluster)
{
	char hash[SHA256_TEXT_SIZE];

	sha256_text(cluster->authority, strlen(cluster->authority), hash);
	return xasprintf("%s (%.12s)", cluster->server, hash);
}

bool cluster_check(const struct pulumi_place *place, struct pulumi_record *record,
		   struct error *err)
{
	AUTO(free) char *path = place_path(place, "kubeconfig");
	AUTO(kube_access_release) struct kube_access cluster = { .server = NULL };
	AUTO(free) char *identity = NULL;
	const char *own = record_fact(record, "cluster");

	if (!target_claim_check(&place->request->target, err))
		return false;
	if (!file_exists(path))
		return true;
	if (!kube_access_load(path, &cluster, err))
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
static void set_up(CURL *curl, const struct kube_access *cluster, const char *url, char *reason)
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
	AUTO(kube_access_release) struct kube_access cluster = { .server = NULL };
	AUTO(free) char *url = NULL;
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code;
	CURL *curl;

	if (!kube_access_load(path, &cluster, err))
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
