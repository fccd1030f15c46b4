#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/verdict.h"

static enum verdict of_load(bool is_healthy, int64_t held,
			    const struct threshold_result *thresholds, size_t count)
{
	struct threshold_result copy[4];
	struct load_result load = { .generator = { .is_healthy = is_healthy, .held = held },
				    .thresholds = copy,
				    .threshold_count = count };

	for (size_t i = 0; i < count; i++)
		copy[i] = thresholds[i];
	return verdict_of_load(&load);
}

static const struct threshold_result slo_failed = { .kind = THRESHOLD_SLO,
						    .status = THRESHOLD_FAILED };
static const struct threshold_result validity_failed = { .kind = THRESHOLD_VALIDITY,
							 .status = THRESHOLD_FAILED };
static const struct threshold_result offer_failed = { .kind = THRESHOLD_VALIDITY,
						      .status = THRESHOLD_FAILED,
						      .is_about_offer = true };
static const struct threshold_result warn_failed = { .kind = THRESHOLD_WARN,
						     .status = THRESHOLD_FAILED };
static const struct threshold_result too_few = { .kind = THRESHOLD_SLO,
						 .status = THRESHOLD_INSUFFICIENT };
static const struct threshold_result may_be_few = { .kind = THRESHOLD_SLO,
						    .status = THRESHOLD_INSUFFICIENT,
						    .may_be_insufficient = true };

static void a_sick_generator_never_blames_the_product(void **unused)
{
	(void)unused;
	assert_int_equal(of_load(false, 0, &slo_failed, 1), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(false, 0, NULL, 0), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(true, 0, NULL, 0), VERDICT_PASSED);
}

static void the_kind_of_threshold_makes_the_verdict(void **unused)
{
	(void)unused;
	assert_int_equal(of_load(true, 0, &slo_failed, 1), VERDICT_FAILED);
	assert_int_equal(of_load(true, 0, &validity_failed, 1), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(true, 0, &warn_failed, 1), VERDICT_PASSED);
	assert_int_equal(of_load(true, 0, &too_few, 1), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(true, 0, &may_be_few, 1), VERDICT_PASSED);
}

static void a_shortfall_counts_as_the_products_only_when_it_kept_connections_busy(void **unused)
{
	const struct threshold_result both[] = { slo_failed, offer_failed };
	const struct threshold_result invalid[] = { slo_failed, validity_failed };

	(void)unused;
	assert_int_equal(of_load(true, 5, both, 2), VERDICT_FAILED);
	assert_int_equal(of_load(true, 0, both, 2), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(true, 5, &offer_failed, 1), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_load(true, 5, invalid, 2), VERDICT_INCONCLUSIVE);
}

static enum verdict of_smoke(enum check_status a, enum check_status b)
{
	struct smoke_result smoke[] = { { .status = a }, { .status = b } };
	const struct check_report report = { .smoke = smoke, .smoke_count = 2 };

	return verdict_of_report(&report);
}

static void a_failure_outweighs_what_could_not_be_judged(void **unused)
{
	(void)unused;
	assert_int_equal(of_smoke(CHECK_PASSED, CHECK_WARNED), VERDICT_PASSED);
	assert_int_equal(of_smoke(CHECK_FAILED, CHECK_SKIPPED), VERDICT_FAILED);
	assert_int_equal(of_smoke(CHECK_ERROR, CHECK_SKIPPED), VERDICT_INCONCLUSIVE);
	assert_int_equal(of_smoke(CHECK_ERROR, CHECK_FAILED), VERDICT_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sick_generator_never_blames_the_product),
		cmocka_unit_test(the_kind_of_threshold_makes_the_verdict),
		cmocka_unit_test(
		    a_shortfall_counts_as_the_products_only_when_it_kept_connections_busy),
		cmocka_unit_test(a_failure_outweighs_what_could_not_be_judged),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
