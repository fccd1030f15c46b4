#include "api/api_login.h"

#include <string.h>
#include <strings.h>

#include "api/api_context.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "http/http_response.h"
#include "loop/timer.h"
#include "model/login_limit.h"
#include "store/store_audit.h"
#include "store/store_tokens.h"

enum {
	USED_EVERY_MS = 5 * 60000, /* a token's last use is written this often at most */
	FIRST_SUMMARY_MS = 2000,
	SUMMARY_MS = 60000,
	/* Told by name in one summary; the rest is one sum, so that somebody with many addresses
	 * cannot wash the audit history away. */
	ADDRESSES_TOLD = 5,
};

struct api_login {
	struct api *api;
	struct login_limit *limit;
	struct timer *summary;
	int64_t summed_up_mono_ms; /* 0: not yet */
};

/* ---- sums of failures ---- */

struct summary {
	int64_t count;
	int64_t addresses;
	bool is_blocked;
	char from[LOGIN_ADDRESS_SIZE];
};

static bool apply_summary(void *arg, struct store_tx *tx, struct error *err)
{
	const struct summary *summary = arg;
	AUTO(json_decref)
	json_t *detail =
	    json_pack("{s:I, s:I, s:b}", "count", (json_int_t)summary->count, "addresses",
		      (json_int_t)summary->addresses, "blocked", summary->is_blocked);
	const struct audit_entry entry = {
		.at_ms = clock_wall_ms(),
		.who = "",
		.role = role_name(ROLE_NONE),
		.project = "",
		.token = "",
		.from = summary->from,
		.request = "",
		.action = "failed logins",
		.subject = "",
		.detail = detail,
	};

	return store_audit_append(tx, &entry, err);
}

static void settle_summary(void *arg, const struct error *failure)
{
	if (failure)
		log_warn("failed logins are missing in the audit history: %s", failure->message);
	free(arg);
}

static void tell(struct api_login *login, const struct summary *summary)
{
	struct summary *copy = xcalloc(1, sizeof(*copy));

	*copy = *summary;
	log_warn("%lld failed logins from %s%s", (long long)summary->count, summary->from,
		 summary->is_blocked ? ", blocked for a while" : "");
	turn_add(
	    login->api->control->turn,
	    &(struct turn_work){ .apply = apply_summary, .settle = settle_summary, .arg = copy });
}

static void sum_up(void *arg)
{
	struct api_login *login = arg;
	struct login_failures failures;
	struct summary others = { .from = "elsewhere" };
	int64_t now = clock_mono_ms();

	login->summed_up_mono_ms = now;
	for (int told = 0; login_limit_take(login->limit, now, &failures); told++) {
		struct summary one = { failures.count, 1, failures.is_blocked, "" };

		if (told >= ADDRESSES_TOLD) {
			others.count += failures.count;
			others.addresses++;
			continue;
		}
		memcpy(one.from, failures.address, sizeof(one.from));
		tell(login, &one);
	}
	if (others.count)
		tell(login, &others);
}

static void start_summary(struct api_login *login)
{
	int64_t wait_ms = FIRST_SUMMARY_MS;

	if (timer_is_set(login->summary))
		return;
	if (login->summed_up_mono_ms)
		wait_ms = login->summed_up_mono_ms + SUMMARY_MS - clock_mono_ms();
	timer_set_ms(login->summary, wait_ms > FIRST_SUMMARY_MS ? wait_ms : FIRST_SUMMARY_MS);
}

/* ---- tokens ---- */

static bool refuse(struct api_login *login, struct http_request *request, struct error *err)
{
	int64_t wait_ms =
	    login_limit_fail(login->limit, http_request_peer(request)->address, clock_mono_ms());
	char seconds[24];

	start_summary(login);
	if (!wait_ms)
		return false;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_ms + 999) / 1000);
	http_response_header(request, "Retry-After", seconds);
	error_set_as(err, ERR_LIMIT, "too_many_failed_logins",
		     "too many failed logins from your address: wait %s s", seconds);
	return error_hint(err, "a token that is good is not affected");
}

static bool apply_used(void *arg, struct store_tx *tx, struct error *err)
{
	return store_token_set_used(tx, arg, clock_wall_ms(), err);
}

static void settle_used(void *arg, const struct error *failure)
{
	(void)failure; /* the next use of the token tries again */
	free(arg);
}

static void note_use(struct api_login *login, const struct token_row *row)
{
	if (clock_wall_ms() - row->last_used_at_ms < USED_EVERY_MS)
		return;
	turn_add(login->api->control->turn, &(struct turn_work){ .apply = apply_used,
								 .settle = settle_used,
								 .arg = xstrdup(row->id) });
}

/* That it has expired or was revoked is told only to who has it. */
static bool judge(const struct token_row *row, bool is_good, struct error *err)
{
	char at[CLOCK_TEXT_SIZE];

	if (!is_good) {
		error_set_as(err, ERR_STRANGER, "token_refused", "the token is not one of ours");
		return error_hint(err, "was it copied whole? an admin makes another: envctl token "
				       "create");
	}
	if (row->revoked_at_ms)
		return error_set_as(err, ERR_STRANGER, "token_revoked",
				    "the token %s (\"%s\") was revoked at %s", row->id, row->name,
				    clock_format_seconds(row->revoked_at_ms, at));
	if (row->expires_at_ms <= clock_wall_ms())
		return error_set_as(err, ERR_STRANGER, "token_expired",
				    "the token %s (\"%s\") expired at %s", row->id, row->name,
				    clock_format_seconds(row->expires_at_ms, at));
	return true;
}

static bool find_token(struct api_login *login, struct http_request *request, const char *sent,
		       struct token_row *row, struct error *err)
{
	const char *text = strncasecmp(sent, "Bearer ", 7) == 0 ? sent + 7 : "";
	char id[TOKEN_ID_SIZE] = "";
	bool is_token = token_parse(text, id), found = false, is_good;

	if (is_token && !store_token_find(login->api->control->store, id, row, &found, err))
		return false;
	is_good = token_matches(text, found ? row->digest : NULL);
	if (!judge(row, is_good, err))
		return refuse(login, request, err);
	return true;
}

static bool by_token(struct api_login *login, struct http_request *request, const char *sent,
		     struct caller *caller, struct error *err)
{
	struct token_row row = { .n = 0 };

	if (!find_token(login, request, sent, &row, err))
		return false;
	note_use(login, &row);
	*caller = (struct caller){ .role = row.role, .token_expires_at_ms = row.expires_at_ms };
	snprintf(caller->name, sizeof(caller->name), "%s/%s", row.project, row.name);
	snprintf(caller->project, sizeof(caller->project), "%s", row.project);
	snprintf(caller->token, sizeof(caller->token), "%s", row.id);
	return true;
}

/* ---- */

static bool missing(struct error *err)
{
	error_set_as(err, ERR_STRANGER, "token_missing", "this needs a token");
	return error_hint(err, "give it in ENVCTL_TOKEN or ENVCTL_TOKEN_FILE; an admin makes one: "
			       "envctl token create");
}

/* Only who may work on every project may choose one; a token has its own. */
static bool choose_project(struct api_login *login, const struct http_request *request,
			   struct caller *caller, struct error *err)
{
	const char *asked = http_request_header(request, "Envd-Project");
	const struct quota *ignored;

	if (!asked || strcmp(asked, caller->project) == 0)
		return true;
	if (*caller->token || permission_is_bound(caller, MAY_CREATE))
		return error_set_as(err, ERR_DENIED, "not_your_project",
				    "\"%s\" works in project \"%s\" only", caller->name,
				    caller->project);
	if (!project_find(&login->api->control->settings->projects, asked, &ignored, err))
		return false;
	snprintf(caller->project, sizeof(caller->project), "%s", asked);
	return true;
}

bool api_login_caller(struct api_login *login, struct http_request *request, struct caller *caller,
		      struct error *err)
{
	const char *sent = http_request_header(request, "Authorization");
	const struct http_peer *peer = http_request_peer(request);
	bool is_known;

	if (sent)
		is_known = by_token(login, request, sent, caller, err);
	else if (peer->kind != HTTP_PEER_UNIX)
		is_known = missing(err);
	else
		is_known = api_auth_caller(&login->api->auth, peer, caller, err);
	if (!is_known)
		return false;
	snprintf(caller->from, sizeof(caller->from), "%s", peer->address);
	return choose_project(login, request, caller, err);
}

struct api_login *api_login_new(struct api *api)
{
	struct api_login *login = xcalloc(1, sizeof(*login));

	login->api = api;
	login->limit = login_limit_new();
	login->summary = timer_new(api->control->loop, sum_up, login);
	return login;
}

void api_login_free(struct api_login *login)
{
	if (!login)
		return;
	timer_free(login->summary);
	login_limit_free(login->limit);
	free(login);
}
