#include "cli/dry_run.h"

#include "base/duration.h"
#include "cli/output_document.h"
#include "cli/quote_view.h"

const char *const dry_runs[] = { "client", "server", NULL };

/* ---- here ---- */

static void print_request(const struct creation *creation)
{
	AUTO(json_decref)
	json_t *document =
	    json_pack("{s:s, s:s, s:s, s:O}", "apiVersion", "envd/v1", "kind", "CreateRequest",
		      "idempotency_key", creation->key, "request", creation->request);
	AUTO(free) char *text = NULL;

	if (output_document(creation->cli, document))
		return;
	text = json_dumps(creation->request, JSON_INDENT(2));
	printf("POST /v1/environments\nIdempotency-Key: %s\n\n%s\n", creation->key, text);
}

/* ---- there ---- */

static void print_map(const char *label, const json_t *map)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)map, name, value) {
		AUTO(free)
		char *other = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

		printf("  %-11s %s=%s\n", label, name, other ? other : json_string_value(value));
		label = "";
	}
}

/* What nobody has a price for is not free. */
static void add_sums(const json_t *quote, struct text *words)
{
	const char *currency = json_get_string(quote, "currency", "");
	size_t all = json_array_size(json_object_get(quote, "components"));
	long long missing = (long long)json_get_int64(quote, "missing", 0);

	if (missing > 0 && (size_t)missing == all) {
		text_add(words, "not known: none of its components has a price");
		return;
	}
	quote_range(quote, "low_microcents_per_hour", "high_microcents_per_hour", words);
	text_format(words, " %s an hour, ", currency);
	quote_range(quote, "low_microcents", "high_microcents", words);
	text_format(words, " %s until its lease ends", currency);
	if (missing > 0)
		text_format(words, ", WITHOUT %lld of %zu components that have no price", missing,
			    all);
}

static void print_price(const json_t *quote)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;

	add_sums(quote, &words);
	quote_remark(quote, &words);
	printf("  %-11s %s\n", "price", text_get(&words));
	quote_print(quote);
}

static void print_plan(const json_t *plan)
{
	const json_t *plan_quote = json_object_get(plan, "quote");
	const json_t *target = json_object_get(plan, "target");
	const json_t *quota = json_object_get(plan, "quota"), *item;
	const char *label = "not checked";
	char lease[DURATION_TEXT_SIZE];
	size_t i;

	if (json_get_string(plan, "exists", NULL))
		printf("nothing would be made: the key is that of env/%s (%s)\n",
		       json_get_string(plan, "name", "?"), json_get_string(plan, "exists", "?"));
	else
		printf("%s would be made\n", json_get_string(plan, "name", "an environment"));
	printf("  %-11s %s (%s)\n", "template", json_get_string(plan, "template", "?"),
	       json_get_string(plan, "template_digest", "?"));
	print_map("versions", json_object_get(plan, "versions"));
	print_map("parameters", json_object_get(plan, "parameters"));
	printf("  %-11s %s\n", "lease",
	       duration_format(json_get_int64(plan, "lease_seconds", 0) * 1000, lease));
	if (json_is_object(plan_quote))
		print_price(plan_quote);
	printf("  %-11s %s (%s)\n", "target", json_get_string(target, "name", "?"),
	       json_get_string(target, "engine", "?"));
	printf("  %-11s %lld of %lld environments\n", "quota",
	       (long long)json_get_int64(quota, "environments_then", 0),
	       (long long)json_get_int64(quota, "environments_max", 0));
	json_array_foreach(json_object_get(plan, "not_checked"), i, item) {
		printf("  %-11s %s\n", label, json_string_value(item));
		label = "";
	}
}

static bool ask_for_plan(struct creation *creation, bool *has_changes, struct error *err)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "POST",
		.path = "/v1/environments?dry_run=true",
		.body = creation->request,
		.idempotency_key = creation->key,
		.timeout_ms = CREATE_CALL_MS,
	};

	if (!api_call(creation->client, &request, &answer, err))
		return false;
	*has_changes = text_equal(json_get_string(answer.json, "would", ""), "create");
	if (!output_document(creation->cli, answer.json))
		print_plan(answer.json);
	return true;
}

bool dry_run(struct creation *creation, const char *where, bool *has_changes, struct error *err)
{
	if (cli_prints(creation->cli, "name"))
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--dry-run makes nothing that -o name could print");
	if (text_equal(where, "client")) {
		*has_changes = true;
		print_request(creation);
		return true;
	}
	return ask_for_plan(creation, has_changes, err);
}
