/*
 * The judge of raw bytes against the oracle: it accepts nothing that the oracle refuses, it sees
 * the end of a request at the same byte, and how the bytes are cut into pieces changes nothing.
 */
#include <string.h>

#include "http/http_server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_oracle.h"

static enum http_verdict feed(const char *bytes, size_t length, size_t piece, int *status)
{
	struct http_strict strict;
	enum http_verdict verdict = HTTP_MORE;

	http_strict_init(&strict, &http_server_defaults.limits);
	for (size_t at = 0; at < length; at += piece)
		verdict = http_strict_feed(&strict, bytes + at,
					   length - at < piece ? length - at : piece);
	*status = verdict == HTTP_REFUSED ? strict.refusal_status : 0;
	CLAIM(verdict != HTTP_REFUSED || (*status >= 400 && *status <= 505));
	http_strict_release(&strict);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct oracle_request request;
	int status, again;
	enum http_verdict verdict = feed(bytes, size, size + 1, &status);
	enum oracle_verdict oracle =
	    oracle_read(&http_server_defaults.limits, bytes, size, &request);

	CLAIM(feed(bytes, size, 1, &again) == verdict && again == status);
	CLAIM(feed(bytes, size, 7, &again) == verdict && again == status);
	if (verdict == HTTP_COMPLETE) {
		CLAIM(oracle == ORACLE_COMPLETE);
		CLAIM(feed(bytes, request.length - 1, size, &again) == HTTP_MORE);
	}
	if (verdict == HTTP_MORE)
		CLAIM(oracle == ORACLE_INCOMPLETE);
	return 0;
}
