#include "source/git_transport.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "source/known_hosts.h"

enum { TOKEN_BYTES_MAX = 4096, KNOWN_HOSTS_BYTES_MAX = 1 << 20 };

/* For callbacks: libgit2 hears "no", we keep why. */
static int say_no(struct git_transport_state *state)
{
	state->has_failed = true;
	return GIT_EUSER;
}

static int on_credentials(git_credential **out, const char *url, const char *user_from_url,
			  unsigned int allowed, void *arg)
{
	struct git_transport_state *state = arg;
	const struct source_spec *spec = state->spec;
	const char *user = user_from_url ? user_from_url : spec->user;

	(void)url;
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user);
	if (state->questions++ > 0) {
		error_set_as(&state->failure, ERR_EXTERNAL, "source_denied",
			     "\"%s\" refused the %s", state->address.host,
			     state->token ? "token" : "key");
		return say_no(state);
	}
	if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && state->token)
		return git_credential_userpass_plaintext_new(out, user, state->token);
	if ((allowed & GIT_CREDENTIAL_SSH_KEY) && spec->ssh_key_file)
		return git_credential_ssh_key_new(out, user, NULL, spec->ssh_key_file, "");
	error_set_as(&state->failure, ERR_EXTERNAL, "source_denied",
		     "\"%s\" asks who we are, and nothing is configured to answer with",
		     state->address.host);
	error_hint(&state->failure, "set %s of source \"%s\"",
		   state->address.scheme == GIT_SCHEME_SSH ? "ssh_key_file" : "token_file",
		   spec->name);
	return say_no(state);
}

static int check_host_key(struct git_transport_state *state, const git_cert_hostkey *cert)
{
	struct host_key key = { state->address.host, state->address.port, cert->hostkey,
				cert->hostkey_len };

	if (!(cert->type & GIT_CERT_SSH_RAW))
		key.length = 0;
	if (known_hosts_check(state->known_hosts ? state->known_hosts : "",
			      state->spec->known_hosts ? state->spec->known_hosts : "known_hosts",
			      &key, &state->failure))
		return 0;
	return say_no(state);
}

static int on_certificate(git_cert *cert, int is_valid, const char *host, void *arg)
{
	struct git_transport_state *state = arg;

	if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2)
		return check_host_key(state, (const git_cert_hostkey *)(const void *)cert);
	if (is_valid && cert->cert_type == GIT_CERT_X509 &&
	    strcasecmp(host, state->address.host) == 0)
		return 0;
	error_set_as(
	    &state->failure, ERR_EXTERNAL, "certificate_invalid",
	    "the certificate of \"%s\" is not valid: not signed by a CA that is trusted here, "
	    "for another name, or out of date",
	    host);
	error_hint(&state->failure, "for a CA of your own set ca_file of source \"%s\"",
		   state->spec->name);
	return say_no(state);
}

static bool is_too_much(struct git_transport_state *state, const git_indexer_progress *progress)
{
	const struct source_limits *limits = &state->spec->limits;

	if ((int64_t)progress->received_bytes > limits->wire_bytes)
		return !error_set_as(&state->failure, ERR_LIMIT, "source_too_large",
				     "the repository is too large: more than %lld MiB to fetch",
				     (long long)(limits->wire_bytes >> 20));
	if ((int64_t)progress->total_objects > limits->objects)
		return !error_set_as(
		    &state->failure, ERR_LIMIT, "source_too_large",
		    "the repository is too large: %u objects to fetch, at most %lld",
		    progress->total_objects, (long long)limits->objects);
	if (clock_mono_ms() > state->spec->deadline_at_ms)
		return !error_set_as(&state->failure, ERR_EXTERNAL, "source_timeout",
				     "fetching took longer than %lld s",
				     (long long)limits->time_ms / 1000);
	return false;
}

static int on_progress(const git_indexer_progress *progress, void *arg)
{
	struct git_transport_state *state = arg;

	return is_too_much(state, progress) ? say_no(state) : 0;
}

git_remote_callbacks git_transport_callbacks(struct git_transport_state *state)
{
	git_remote_callbacks callbacks;

	git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
	callbacks.credentials = on_credentials;
	callbacks.certificate_check = on_certificate;
	callbacks.transfer_progress = on_progress;
	callbacks.payload = state;
	return callbacks;
}

/* The first line, without blanks around it. */
static bool read_token(const char *path, char **token, struct error *err)
{
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!file_read(path, TOKEN_BYTES_MAX, &bytes, NULL, err))
		return error_wrap(err, "token_file");
	bytes[strcspn(bytes, "\r\n")] = '\0';
	length = strcspn(bytes, " \t");
	if (!length || bytes[length] || !text_is_utf8(bytes, length))
		return error_set_as(err, ERR_EXTERNAL, "source_denied",
				    "token_file \"%s\" does not hold a token in its first line",
				    path);
	*token = TAKE(bytes);
	return true;
}

static bool is_own_host(const struct git_transport_state *state)
{
	struct git_address own;
	struct error ignored; /* then it is not */
	bool is_same;

	if (!git_address_parse(state->spec->repository, &own, &ignored))
		return false;
	is_same = own.scheme == state->address.scheme && own.port == state->address.port &&
		  strcmp(own.host, state->address.host) == 0;
	git_address_release(&own);
	return is_same;
}

bool git_transport_open(struct git_transport_state *state, const struct source_spec *spec,
			const char *url, struct error *err)
{
	*state = (struct git_transport_state){ .spec = spec };
	if (!git_address_parse(url, &state->address, err))
		return false;
	if (spec->token_file && state->address.scheme == GIT_SCHEME_HTTPS && is_own_host(state) &&
	    !read_token(spec->token_file, &state->token, err))
		return false;
	return state->address.scheme != GIT_SCHEME_SSH || !spec->known_hosts ||
	       file_read(spec->known_hosts, KNOWN_HOSTS_BYTES_MAX, &state->known_hosts, NULL, err);
}

void git_transport_release(struct git_transport_state *state)
{
	if (state->token)
		explicit_bzero(state->token, strlen(state->token));
	free(state->token);
	free(state->known_hosts);
	git_address_release(&state->address);
}

/* Our limits that libgit2 keeps by itself, before it asks us: it has no code for them. */
static bool is_over_a_limit(const struct error *err)
{
	return strstr(err->message, "too many objects") || strstr(err->message, "too large") ||
	       strstr(err->message, "exceeds");
}

bool git_transport_error(struct git_transport_state *state, struct error *err)
{
	if (!state->has_failed) {
		git_library_error(err, "fetching");
		if (is_over_a_limit(err))
			error_set_as(
			    err, ERR_LIMIT, "source_too_large",
			    "the repository is too large: more than %lld objects to fetch, "
			    "or one of more than %lld MiB",
			    (long long)state->spec->limits.objects,
			    (long long)(state->spec->limits.checkout_bytes >> 20));
		if (strstr(err->message, "redirect"))
			error_hint(err, "redirects are not followed: configure the final address");
	} else {
		*err = state->failure;
	}
	return error_wrap(err, "repository \"%s\"", state->address.url);
}

bool git_library_error(struct error *err, const char *doing)
{
	const git_error *last = git_error_last();
	char shown[300];

	return error_set_as(
	    err, ERR_EXTERNAL, "source_failed", "%s: %s", doing,
	    text_printable(last && last->message ? last->message : "failed", shown, sizeof(shown)));
}

/* Nothing but what we say: no configuration of the machine or of its users. */
static bool shut_out_configuration(void)
{
	static const git_config_level_t levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA,
						     GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
						     GIT_CONFIG_LEVEL_GLOBAL };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, (int)levels[i], "") < 0)
			return false;
	return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1) == 0;
}

bool git_library_start(struct error *err)
{
	return (git_libgit2_init() >= 0 && shut_out_configuration()) ||
	       git_library_error(err, "setting libgit2 up");
}

bool git_library_open(const struct source_spec *spec, struct error *err)
{
	if (!git_library_start(err))
		return false;
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)spec->limits.objects) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE,
			     (size_t)spec->limits.checkout_bytes) < 0)
		return git_library_error(err, "setting libgit2 up");
	if (spec->ca_file &&
	    git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, spec->ca_file, NULL) < 0)
		return git_library_error(err, "reading ca_file");
	return true;
}
