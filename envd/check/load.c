#include "check/load.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/latency_histogram.h"
#include "check/generator_health.h"
#include "check/step.h"
#include "model/threshold.h"

/* A wake-up for each request would cost more than the request above some 10,000 a second, so what
 * is due within this time of now waits for the next one. */
#define QUANTUM_US 100
#define PROGRESS_US 5000000

/* One visitor: one connection, one request at a time. */
struct slot {
	struct scenario *scenario;
	size_t step;
	int64_t due_us;
	int64_t sent_us;
	bool is_measured;
	struct slot *next_free;
};

struct generator {
	const struct check_request *request;
	const struct check_load *load;
	CURLM *multi;
	int timer;
	struct slot *slots;
	struct slot *free_slots;
	int64_t in_flight;

	/* Arrival i is due at start_us + i / rate. The first `warmup` of them are not measured. */
	int64_t start_us;
	int64_t measured_us; /* when measuring begins */
	int64_t end_us;
	int64_t warmup;
	int64_t total;
	int64_t next;
	int64_t
	    starved_until_us; /* the last time at which a slot became free while there was none */

	struct latency_histogram *latency;
	struct latency_histogram *latency_ok;
	struct latency_histogram *service_time;
	struct latency_histogram *send_lag;
	int64_t errors;
	int64_t dropped;
	int64_t held;
	int64_t sent_in_time;
	int64_t stall_max_us;
	int64_t armed_us; /* what the timer was set to; 0: it is off */
	int64_t said_us;
	double cpu_start_s;
	bool is_cpu_started;
	char broken[400]; /* why the run makes no sense; empty: it does */
	struct load_result *result;
};

static void auto_generator_release(struct generator *generator)
{
	for (int64_t i = 0; generator->slots && i < generator->load->connections; i++) {
		struct slot *slot = &generator->slots[i];

		if (slot->scenario)
			curl_multi_remove_handle(generator->multi, slot->scenario->exchange->curl);
		scenario_free(slot->scenario);
	}
	free(generator->slots);
	curl_multi_cleanup(generator->multi);
	if (generator->timer >= 0)
		close(generator->timer);
	latency_histogram_free(generator->latency);
	latency_histogram_free(generator->latency_ok);
	latency_histogram_free(generator->service_time);
	latency_histogram_free(generator->send_lag);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int64_t due_us(const struct generator *generator, int64_t arrival)
{
	return generator->start_us +
	       (int64_t)((double)arrival * 1e6 / generator->load->rate_per_second);
}

/* ---- what came of a request ---------------------------------------------------------------- */

static void note_error(struct generator *generator, const struct check_step *step, const char *why)
{
	if (!generator->result->first_error)
		generator->result->first_error =
		    xasprintf("%s %.100s: %s", step->http.method, step->http.path, why);
}

static void record(struct generator *generator, const struct slot *slot, int64_t now_us, bool is_ok)
{
	if (!slot->is_measured) {
		generator->result->warmup_requests++;
		generator->result->warmup_errors += !is_ok;
		return;
	}
	latency_histogram_record(generator->latency, now_us - slot->due_us);
	latency_histogram_record(generator->service_time, now_us - slot->sent_us);
	if (is_ok)
		latency_histogram_record(generator->latency_ok, now_us - slot->due_us);
	else
		generator->errors++;
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool keeps_body(const struct check_step *step)
{
	for (size_t i = 0; i < step->capture_count; i++)
		if (strcmp(step->captures[i].subject, "body") == 0 ||
		    strncmp(step->captures[i].subject, "json.", 5) == 0)
			return true;
	for (size_t i = 0; i < step->expectation_count; i++) {
		const char *subject = expectation_subject(step->expectations[i].that);

		if (strcmp(subject, "body") == 0 || strncmp(subject, "json.", 5) == 0)
			return true;
	}
	return false;
}

static bool send_step(struct generator *generator, struct slot *slot)
{
	const struct check_step *step = &generator->load->steps[slot->step];
	struct http_exchange *exchange = slot->scenario->exchange;
	struct error err;

	if (!http_exchange_prepare(exchange, &step->http, slot->scenario->scope, step->timeout_ms,
				   keeps_body(step), &err)) {
		snprintf(generator->broken, sizeof(generator->broken), "%.300s", err.message);
		return false;
	}
	curl_easy_setopt(exchange->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(exchange->curl, CURLOPT_PRIVATE, slot);
	slot->sent_us = clock_mono_us();
	curl_multi_add_handle(generator->multi, exchange->curl);
	return true;
}

static void start_arrival(struct generator *generator, int64_t now_us)
{
	struct slot *slot = generator->free_slots;

	slot->step = 0;
	slot->due_us = due_us(generator, generator->next);
	slot->is_measured = generator->next >= generator->warmup;
	generator->next++;
	if (slot->is_measured) {
		/* Late because no connection was free is the product's doing, not ours. */
		if (slot->due_us < generator->starved_until_us)
			generator->held++;
		else
			latency_histogram_record(generator->send_lag, now_us - slot->due_us);
		generator->sent_in_time += now_us < generator->end_us;
	}
	scenario_clear(slot->scenario);
	if (!send_step(generator, slot))
		return;
	generator->free_slots = slot->next_free;
	generator->in_flight++;
}

static void send_due(struct generator *generator)
{
	while (generator->next < generator->total && generator->free_slots && !*generator->broken) {
		int64_t now_us = clock_mono_us();

		if (due_us(generator, generator->next) > now_us)
			break;
		start_arrival(generator, now_us);
	}
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void free_slot(struct generator *generator, struct slot *slot, int64_t now_us)
{
	if (!generator->free_slots)
		generator->starved_until_us = now_us;
	slot->next_free = generator->free_slots;
	generator->free_slots = slot;
	generator->in_flight--;
}

static bool judge(struct generator *generator, struct slot *slot, CURLcode code)
{
	const struct check_step *step = &generator->load->steps[slot->step];
	char why[400];
	struct error err;

	if (http_exchange_finish(slot->scenario->exchange, code, &err)) {
		if (step_judge_exchange(slot->scenario, step, why, sizeof(why)))
			return true;
	} else {
		snprintf(why, sizeof(why), "%.300s", err.message);
		if (err.code == ERR_DENIED || err.code == ERR_INVALID)
			snprintf(generator->broken, sizeof(generator->broken), "%.300s (%s)",
				 err.message, err.slug);
	}
	note_error(generator, step, why);
	return false;
}

static void on_done(struct generator *generator, struct slot *slot, CURLcode code)
{
	int64_t now_us = clock_mono_us();
	bool is_ok;

	curl_multi_remove_handle(generator->multi, slot->scenario->exchange->curl);
	is_ok = judge(generator, slot, code);
	record(generator, slot, now_us, is_ok);
	/* A visitor who was turned away does not go on. */
	if (is_ok && slot->step + 1 < generator->load->step_count && !*generator->broken) {
		slot->step++;
		slot->due_us = now_us;
		if (send_step(generator, slot))
			return;
	}
	free_slot(generator, slot, now_us);
}

static void receive(struct generator *generator)
{
	int running, left;
	CURLMsg *message;

	curl_multi_perform(generator->multi, &running);
	while ((message = curl_multi_info_read(generator->multi, &left))) {
		struct slot *slot = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		on_done(generator, slot, message->data.result);
	}
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void arm(struct generator *generator)
{
	int64_t now_us = clock_mono_us(), at_us = 0;
	struct itimerspec when = { 0 };

	if (generator->next < generator->total && generator->free_slots) {
		at_us = due_us(generator, generator->next);
		if (at_us < now_us + QUANTUM_US)
			at_us = now_us + QUANTUM_US;
	}
	when.it_value.tv_sec = at_us / 1000000;
	when.it_value.tv_nsec = at_us % 1000000 * 1000;
	timerfd_settime(generator->timer, TFD_TIMER_ABSTIME, &when, NULL);
	generator->armed_us = at_us;
}

static void note_stall(struct generator *generator, int64_t us)
{
	if (us > generator->stall_max_us && clock_mono_us() > generator->measured_us)
		generator->stall_max_us = us;
}

static void wait_for_something(struct generator *generator)
{
	struct curl_waitfd timer = { .fd = generator->timer, .events = CURL_WAIT_POLLIN };
	uint64_t expirations;

	arm(generator);
	curl_multi_poll(generator->multi, &timer, 1, 1000, NULL);
	if (generator->armed_us)
		note_stall(generator, clock_mono_us() - generator->armed_us);
	/* Only to make it quiet again; what is due is a question for the clock. */
	if (timer.revents && read(generator->timer, &expirations, sizeof(expirations)) < 0)
		return;
}

static void say_progress(struct generator *generator, int64_t now_us)
{
	if (now_us - generator->said_us < PROGRESS_US || !generator->request->lines)
		return;
	generator->said_us = now_us;
	worker_say_progress(generator->request->lines,
			    "load check %s: %" PRId64 " of %" PRId64 " sent, %" PRId64 " errors",
			    generator->load->name, generator->next, generator->total,
			    generator->errors);
}

/* ---- the run ------------------------------------------------------------------------------- */

/* After the end, what was held gets as long as one request may take. */
static int64_t drain_limit_us(const struct generator *generator)
{
	int64_t until_us = generator->end_us + generator->load->steps[0].timeout_ms * 1000;
	const struct check_request *request = generator->request;
	int64_t deadline_us;

	if (!request->deadline_at_ms)
		return until_us;
	deadline_us = clock_mono_us() + (request->deadline_at_ms - clock_wall_ms()) * 1000;
	return until_us < deadline_us ? until_us : deadline_us;
}

static void drop_rest(struct generator *generator)
{
	int64_t now_us = clock_mono_us();

	for (; generator->next < generator->total; generator->next++) {
		if (generator->next < generator->warmup)
			continue;
		latency_histogram_record(generator->latency,
					 now_us - due_us(generator, generator->next));
		generator->dropped++;
		generator->errors++;
	}
}

static void start_cpu_clock(struct generator *generator)
{
	if (generator->is_cpu_started || clock_mono_us() < generator->measured_us)
		return;
	generator->is_cpu_started = true;
	generator->cpu_start_s = cpu_seconds();
}

static void run(struct generator *generator)
{
	int64_t limit_us = drain_limit_us(generator);

	while ((generator->next < generator->total || generator->in_flight) &&
	       !*generator->broken) {
		int64_t now_us = clock_mono_us();

		start_cpu_clock(generator);
		send_due(generator);
		receive(generator);
		if (now_us > limit_us)
			drop_rest(generator);
		note_stall(generator, clock_mono_us() - now_us);
		say_progress(generator, now_us);
		if (generator->next < generator->total || generator->in_flight)
			wait_for_something(generator);
	}
}

static bool raise_descriptor_limit(struct generator *generator)
{
	rlim_t needed = (rlim_t)generator->load->connections + 64;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= needed)
		return true;
	limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	if (limit.rlim_cur >= needed && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return true;
	snprintf(generator->broken, sizeof(generator->broken),
		 "%" PRId64 " connections need more file descriptors than this process may have",
		 generator->load->connections);
	return false;
}

static void set_up(struct generator *generator)
{
	const struct check_load *load = generator->load;

	generator->latency = latency_histogram_new();
	generator->latency_ok = latency_histogram_new();
	generator->service_time = latency_histogram_new();
	generator->send_lag = latency_histogram_new();
	generator->multi = curl_multi_init();
	generator->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!generator->multi || generator->timer < 0)
		abort(); /* no memory, or no descriptors although we made sure of them */
	curl_multi_setopt(generator->multi, CURLMOPT_MAXCONNECTS, (long)load->connections);
	generator->warmup = (int64_t)((double)load->warmup_ms * load->rate_per_second / 1000);
	generator->total =
	    generator->warmup + (int64_t)((double)load->duration_ms * load->rate_per_second / 1000);
}

static void make_slots(struct generator *generator, struct address_guard *guard)
{
	generator->slots = xcalloc((size_t)generator->load->connections, sizeof(struct slot));
	for (int64_t i = generator->load->connections; i-- > 0;) {
		struct slot *slot = &generator->slots[i];

		slot->scenario = scenario_new(generator->request, guard);
		slot->next_free = generator->free_slots;
		generator->free_slots = slot;
	}
	generator->start_us = clock_mono_us() + 1000;
	generator->measured_us = due_us(generator, generator->warmup);
	generator->end_us = due_us(generator, generator->total);
	generator->said_us = generator->start_us;
}

/* ---- the result ---------------------------------------------------------------------------- */

static struct latency_summary summary_of(const struct latency_histogram *histogram)
{
	return (struct latency_summary){
		.p50_us = latency_histogram_quantile_us(histogram, 0.5),
		.p90_us = latency_histogram_quantile_us(histogram, 0.9),
		.p95_us = latency_histogram_quantile_us(histogram, 0.95),
		.p99_us = latency_histogram_quantile_us(histogram, 0.99),
		.max_us = latency_histogram_max_us(histogram),
		.mean_us = latency_histogram_mean_us(histogram),
	};
}

static int64_t tightest_limit_us(const struct check_load *load)
{
	int64_t tightest_us = 0;

	for (size_t i = 0; i < load->threshold_count; i++) {
		int64_t us = threshold_latency_limit_us(load->thresholds[i].that);

		if (us > 0 && (!tightest_us || us < tightest_us))
			tightest_us = us;
	}
	return tightest_us;
}

static void judge_generator(const struct generator *generator, struct load_result *result)
{
	int64_t measured_us = clock_mono_us() - generator->measured_us;
	const struct generator_numbers numbers = {
		.send_lag = generator->send_lag,
		.latency_p50_us = result->latency.p50_us,
		.tightest_limit_us = tightest_limit_us(generator->load),
		.stall_max_us = generator->stall_max_us,
		.cpu_percent =
		    generator->is_cpu_started && measured_us > 0
			? (cpu_seconds() - generator->cpu_start_s) * 1e8 / (double)measured_us
			: 0,
		.held = generator->held,
	};

	generator_judge(&numbers, &result->generator);
}

static void judge_thresholds(const struct generator *generator, struct load_result *result)
{
	const struct check_load *load = generator->load;
	const struct load_numbers numbers = {
		.latency = generator->latency,
		.latency_ok = generator->latency_ok,
		.service_time = generator->service_time,
		.planned = generator->total - generator->warmup,
		.sent_in_time = generator->sent_in_time,
		.requests = result->requests,
		.errors = generator->errors,
		.dropped = generator->dropped,
		.duration_s = (double)load->duration_ms / 1000,
	};

	result->thresholds = xcalloc(load->threshold_count, sizeof(*result->thresholds));
	for (size_t i = 0; i < load->threshold_count; i++) {
		const struct check_threshold *threshold = &load->thresholds[i];
		struct threshold_result *judged = &result->thresholds[result->threshold_count++];
		char saw[THRESHOLD_SAW_MAX];

		judged->text = xstrdup(threshold_text(threshold->that));
		judged->kind = threshold->kind;
		judged->status = threshold_judge(threshold->that, &numbers, saw);
		judged->saw = xstrdup(saw);
		judged->may_be_insufficient = threshold->allow_too_few;
		judged->is_about_offer = threshold_is_about_offer(threshold->that);
	}
}

/* The threshold that made the verdict. */
static const struct threshold_result *decisive(const struct load_result *result)
{
	enum threshold_kind kind =
	    result->verdict == VERDICT_FAILED ? THRESHOLD_SLO : THRESHOLD_VALIDITY;

	for (size_t i = 0; i < result->threshold_count; i++)
		if (result->thresholds[i].status == THRESHOLD_FAILED &&
		    result->thresholds[i].kind == kind)
			return &result->thresholds[i];
	for (size_t i = 0; i < result->threshold_count; i++)
		if (result->thresholds[i].status == THRESHOLD_INSUFFICIENT &&
		    !result->thresholds[i].may_be_insufficient)
			return &result->thresholds[i];
	return NULL;
}

static char *message_of(const struct generator *generator, const struct load_result *result)
{
	const struct threshold_result *threshold = decisive(result);

	if (*generator->broken)
		return xstrdup(generator->broken);
	if (result->verdict == VERDICT_PASSED)
		return xstrdup("");
	if (!result->generator.is_healthy)
		return xasprintf("the generator was not well: %s", result->generator.why);
	return threshold ? xasprintf("%s: saw %s", threshold->text, threshold->saw) : xstrdup("");
}

static void fill_result(const struct generator *generator, struct load_result *result)
{
	const struct check_load *load = generator->load;

	result->planned_per_second = load->rate_per_second;
	result->achieved_per_second =
	    (double)generator->sent_in_time * 1000 / (double)load->duration_ms;
	result->requests = (int64_t)latency_histogram_count(generator->latency);
	result->errors = generator->errors;
	result->dropped = generator->dropped;
	result->duration_ms = load->duration_ms;
	result->latency = summary_of(generator->latency);
	result->service_time = summary_of(generator->service_time);
	judge_generator(generator, result);
	judge_thresholds(generator, result);
	result->verdict = *generator->broken ? VERDICT_INCONCLUSIVE : verdict_of_load(result);
	result->message = message_of(generator, result);
}

void load_run(const struct check_request *request, struct address_guard *guard,
	      const struct check_load *load, struct load_result *result)
{
	AUTO(generator_release)
	struct generator generator = {
		.request = request, .load = load, .timer = -1, .result = result
	};

	result->name = xstrdup(load->name);
	set_up(&generator);
	if (raise_descriptor_limit(&generator)) {
		make_slots(&generator, guard);
		run(&generator);
	}
	fill_result(&generator, result);
}
