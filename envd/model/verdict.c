#include "model/verdict.h"

#define X(constant, name) [constant] = name,
static const char *const verdict_names[] = { VERDICTS(X) };
static const char *const check_status_names[] = { CHECK_STATUSES(X) };
static const char *const threshold_kind_names[] = { THRESHOLD_KINDS(X) };
static const char *const threshold_status_names[] = { THRESHOLD_STATUSES(X) };
#undef X

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

const char *check_status_name(enum check_status status)
{
	return check_status_names[status];
}

const char *threshold_kind_name(enum threshold_kind kind)
{
	return threshold_kind_names[kind];
}

const char *threshold_status_name(enum threshold_status status)
{
	return threshold_status_names[status];
}

void expectation_results_free(struct expectation_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(results[i].text);
		free(results[i].saw);
	}
	free(results);
}

static void smoke_release(struct smoke_result *smoke)
{
	free(smoke->name);
	free(smoke->stage);
	free(smoke->message);
	free(smoke->blocked_by);
	expectation_results_free(smoke->expectations, smoke->expectation_count);
}

static void load_release(struct load_result *load)
{
	free(load->name);
	free(load->message);
	free(load->first_error);
	for (size_t i = 0; i < load->threshold_count; i++) {
		free(load->thresholds[i].text);
		free(load->thresholds[i].saw);
	}
	free(load->thresholds);
}

void check_report_free(struct check_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->smoke_count; i++)
		smoke_release(&report->smoke[i]);
	for (size_t i = 0; i < report->load_count; i++)
		load_release(&report->load[i]);
	free(report->smoke);
	free(report->load);
	free(report->id);
	free(report->environment_id);
	free(report->environment_name);
	free(report->plan);
	free(report);
}

static bool has_failed(const struct load_result *load, enum threshold_kind kind)
{
	for (size_t i = 0; i < load->threshold_count; i++)
		if (load->thresholds[i].kind == kind &&
		    load->thresholds[i].status == THRESHOLD_FAILED)
			return true;
	return false;
}

/* Is a failed validity threshold one that the product has to answer for? */
static bool is_products_shortfall(const struct load_result *load,
				  const struct threshold_result *threshold)
{
	return threshold->is_about_offer && load->generator.held > 0 &&
	       has_failed(load, THRESHOLD_SLO);
}

static bool is_invalid(const struct load_result *load)
{
	for (size_t i = 0; i < load->threshold_count; i++) {
		const struct threshold_result *threshold = &load->thresholds[i];

		if (threshold->kind == THRESHOLD_VALIDITY &&
		    threshold->status == THRESHOLD_FAILED &&
		    !is_products_shortfall(load, threshold))
			return true;
	}
	return false;
}

static bool has_too_few(const struct load_result *load)
{
	for (size_t i = 0; i < load->threshold_count; i++)
		if (load->thresholds[i].status == THRESHOLD_INSUFFICIENT &&
		    load->thresholds[i].kind != THRESHOLD_WARN &&
		    !load->thresholds[i].may_be_insufficient)
			return true;
	return false;
}

enum verdict verdict_of_load(const struct load_result *load)
{
	if (!load->generator.is_healthy || is_invalid(load))
		return VERDICT_INCONCLUSIVE;
	if (has_failed(load, THRESHOLD_SLO))
		return VERDICT_FAILED;
	return has_too_few(load) ? VERDICT_INCONCLUSIVE : VERDICT_PASSED;
}

enum verdict verdict_of_report(const struct check_report *report)
{
	enum verdict verdict = VERDICT_PASSED;

	for (size_t i = 0; i < report->smoke_count; i++) {
		if (report->smoke[i].status == CHECK_FAILED)
			return VERDICT_FAILED;
		if (report->smoke[i].status == CHECK_ERROR)
			verdict = VERDICT_INCONCLUSIVE;
	}
	for (size_t i = 0; i < report->load_count; i++) {
		if (report->load[i].verdict == VERDICT_FAILED)
			return VERDICT_FAILED;
		if (report->load[i].verdict == VERDICT_INCONCLUSIVE)
			verdict = VERDICT_INCONCLUSIVE;
	}
	return verdict;
}
