#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/pulumi/pulumi_events.h"

static void feed(struct pulumi_events *events, const char *line)
{
	pulumi_events_feed(events, line, strlen(line));
}

static void only_a_summary_that_says_so_is_a_success(void **state)
{
	struct pulumi_events events = { .layer = "net" };

	(void)state;
	/* What a killed or locked CLI says, whatever its exit status was. */
	feed(&events, "{\"sequence\":0,\"cancelEvent\":{}}");
	assert_false(pulumi_events_succeeded(&events, true));
	feed(&events, "{\"summaryEvent\":{\"resourceChanges\":{\"create\":3,\"same\":2},"
		      "\"result\":\"succeeded\"}}");
	assert_true(pulumi_events_succeeded(&events, true));
	assert_false(pulumi_events_succeeded(&events, false));
	assert_int_equal(events.changed, 3);
	feed(&events, "{\"summaryEvent\":{\"resourceChanges\":{},\"result\":\"failed\"}}");
	assert_false(pulumi_events_succeeded(&events, true));
	pulumi_events_release(&events);
}

static void the_first_error_is_the_one_that_matters(void **state)
{
	struct pulumi_events events = { .layer = "net" };

	(void)state;
	assert_string_equal(pulumi_events_why(&events, "exit status 1"), "exit status 1");
	feed(&events, "{\"diagnosticEvent\":{\"severity\":\"warning\",\"message\":\"careful\"}}");
	feed(&events, "{\"diagnosticEvent\":{\"severity\":\"error\",\"message\":\"no\\n  "
		      "quota\\u001b[0m\"}}");
	feed(&events,
	     "{\"diagnosticEvent\":{\"severity\":\"error\",\"message\":\"update failed\"}}");
	assert_string_equal(pulumi_events_why(&events, "exit status 1"), "no quota?[0m");
	pulumi_events_release(&events);
}

static void what_the_cli_itself_complains_of_counts(void **state)
{
	struct pulumi_events events = { .layer = "net" };

	(void)state;
	pulumi_events_complain(&events, "warning: something");
	pulumi_events_complain(&events, "error: the stack is currently locked by 1 lock(s)");
	assert_string_equal(pulumi_events_why(&events, "exit status 1"),
			    "the stack is currently locked by 1 lock(s)");
	pulumi_events_release(&events);
}

static void a_line_that_is_no_event_is_skipped(void **state)
{
	struct pulumi_events events = { .layer = "net" };

	(void)state;
	feed(&events, "");
	feed(&events, "Downloading plugin: 12%");
	feed(&events, "[1,2]");
	feed(&events, "{\"summaryEvent\":7}");
	feed(&events, "{\"diagnosticEvent\":{\"severity\":3}}");
	assert_false(pulumi_events_succeeded(&events, true));
	pulumi_events_release(&events);
}

static void a_policy_that_forbids_is_the_error_and_is_named(void **state)
{
	struct pulumi_events events = { .layer = "net" };

	(void)state;
	feed(&events, "{\"policyEvent\":{\"resourceUrn\":\"urn:pulumi:s::p::aws:s3:Bucket::logs\","
		      "\"message\":\"use\\ntags\",\"policyName\":\"tags\",\"policyPackName\":"
		      "\"house\",\"enforcementLevel\":\"advisory\"}}");
	assert_int_equal(events.errors, 0);
	feed(&events, "{\"policyEvent\":{\"resourceUrn\":\"urn:pulumi:s::p::aws:s3:Bucket::logs\","
		      "\"message\":\"is\\nopen\",\"policyName\":\"closed\",\"policyPackName\":"
		      "\"house\",\"enforcementLevel\":\"mandatory\"}}");
	assert_string_equal(pulumi_events_why(&events, "x"),
			    "policy \"closed\" of pack \"house\" forbids logs: is open");
	pulumi_events_release(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_summary_that_says_so_is_a_success),
		cmocka_unit_test(the_first_error_is_the_one_that_matters),
		cmocka_unit_test(what_the_cli_itself_complains_of_counts),
		cmocka_unit_test(a_line_that_is_no_event_is_skipped),
		cmocka_unit_test(a_policy_that_forbids_is_the_error_and_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
