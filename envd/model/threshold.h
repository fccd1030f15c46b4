/*
 * threshold.h - one limit for a load run, in the grammar that k6 users know, with units required:
 *
 *	latency p(95) < 300ms        latency{ok} p(99.9) <= 1s      service_time max < 2s
 *	errors rate < 1%             errors count <= 3              dropped count == 0
 *	achieved rate >= 98%         requests count > 1000          requests rate > 45/s
 *
 * latency: from the moment a request was due, failed ones included ({ok}: only those that met their
 * expectations). service_time: from the moment it was sent. Aggregates of both: p(N) avg min med
 *max. A measured length of time is never exactly equal to anything, so == and != are for counts
 *only.
 */
#ifndef ENVD_MODEL_THRESHOLD_H
#define ENVD_MODEL_THRESHOLD_H

#include "base/error.h"
#include "base/latency_histogram.h"
#include "model/verdict.h"

#define THRESHOLD_TEXT_MAX 200

struct threshold;

NODISCARD bool threshold_parse(const char *text, struct threshold **threshold, struct error *err);
void threshold_free(struct threshold *threshold);
DEFINE_AUTO(struct threshold *, threshold_free)

const char *threshold_text(const struct threshold *threshold);

/* The limit of a latency threshold in microseconds, 0 for any other. */
int64_t threshold_latency_limit_us(const struct threshold *threshold);

/* Is it about how much was offered (achieved, dropped, requests)? */
bool threshold_is_about_offer(const struct threshold *threshold);

/* What a run measured. */
struct load_numbers {
	const struct latency_histogram *latency;
	const struct latency_histogram *latency_ok;
	const struct latency_histogram *service_time;
	int64_t planned;
	int64_t sent_in_time; /* of the planned ones, before the measured time was over */
	int64_t requests;     /* answered or failed; everything that counts in `latency` */
	int64_t errors;
	int64_t dropped;
	double duration_s;
};

/*
 * THRESHOLD_INSUFFICIENT when there are too few samples to say anything: a quantile q needs
 * ln(0.05)/ln(q) of them (p95: 59, p99: 299), so that in 19 of 20 runs at least one lies beyond it;
 * a rate limit needs 3/limit. `saw` is always written.
 */
#define THRESHOLD_SAW_MAX 100
enum threshold_status threshold_judge(const struct threshold *threshold,
				      const struct load_numbers *numbers,
				      char saw[THRESHOLD_SAW_MAX]);

#endif
