#include "check/generator_health.h"

#include <stdio.h>

#define SEND_LAG_US 5000
#define SEND_LAG_WITHOUT_LIMIT_US 100000
#define STALL_US 250000
#define CPU_PERCENT 80.0

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void generator_judge(const struct generator_numbers *numbers, struct generator_health *health)
{
	int64_t lag_us = latency_histogram_quantile_us(numbers->send_lag, 0.99);
	int64_t lag_max_us = numbers->tightest_limit_us ? SEND_LAG_US : SEND_LAG_WITHOUT_LIMIT_US;

	lag_max_us = most(lag_max_us, numbers->latency_p50_us / 10);
	lag_max_us = most(lag_max_us, numbers->tightest_limit_us / 10);
	*health = (struct generator_health){ .is_healthy = true,
					     .send_lag_p99_us = lag_us,
					     .stall_max_us = numbers->stall_max_us,
					     .cpu_percent = numbers->cpu_percent,
					     .held = numbers->held };
	if (lag_us > lag_max_us)
		snprintf(health->why, sizeof(health->why),
			 "requests were sent up to %.1f ms late (p99; at most %.1f ms)",
			 (double)lag_us / 1000, (double)lag_max_us / 1000);
	else if (numbers->stall_max_us > STALL_US)
		snprintf(health->why, sizeof(health->why),
			 "the generator paused for %.0f ms (at most %d ms)",
			 (double)numbers->stall_max_us / 1000, STALL_US / 1000);
	else if (numbers->cpu_percent > CPU_PERCENT)
		snprintf(health->why, sizeof(health->why),
			 "the generator used %.0f %% of a core (at most %.0f %%)",
			 numbers->cpu_percent, CPU_PERCENT);
	health->is_healthy = !*health->why;
}
