#include "engine/container/container_health.h"

#include <string.h>

#include "base/json_read.h"

#define FIRST_WAIT_MS 50
#define WAIT_MAX_MS 1000
#define NS_PER_MS 1000000
#define DEFAULT_INTERVAL_MS 30000
#define DEFAULT_START_INTERVAL_MS 5000
#define DEFAULT_RETRIES 3

static json_t *shell_argv(const char *command)
{
	return json_pack("[s, s, s]", "/bin/sh", "-c", command);
}

static int64_t image_ms(const json_t *image_check, const char *key, int64_t otherwise_ms)
{
	int64_t ns = json_get_int64(image_check, key, 0);

	return ns > 0 ? ns / NS_PER_MS : otherwise_ms;
}

static json_t *image_argv(const json_t *image_check)
{
	json_t *test = json_object_get(image_check, "Test");
	const char *kind = json_string_value(json_array_get(test, 0));
	json_t *argv;

	if (kind && strcmp(kind, "CMD-SHELL") == 0 && json_is_string(json_array_get(test, 1)))
		return shell_argv(json_string_value(json_array_get(test, 1)));
	if (!kind || strcmp(kind, "CMD") != 0 || json_array_size(test) < 2)
		return NULL;
	argv = json_copy(test);
	json_array_remove(argv, 0);
	return argv;
}

static void init_from_image(struct health_check *check, const json_t *image_config)
{
	const json_t *image_check = json_object_get(image_config, "Healthcheck");
	int64_t retries = json_get_int64(image_check, "Retries", 0);

	check->argv = image_argv(image_check);
	check->interval_ms = image_ms(image_check, "Interval", DEFAULT_INTERVAL_MS);
	check->timeout_ms = image_ms(image_check, "Timeout", DEFAULT_INTERVAL_MS);
	check->start_period_ms = image_ms(image_check, "StartPeriod", 0);
	check->start_interval_ms =
	    image_ms(image_check, "StartInterval", DEFAULT_START_INTERVAL_MS);
	check->retries = retries > 0 && retries < 1000 ? (int)retries : DEFAULT_RETRIES;
}

void health_check_init(struct health_check *check, const struct compose_health *health,
		       const json_t *image_config)
{
	*check = (struct health_check){
		.interval_ms = health->interval_ms,
		.timeout_ms = health->timeout_ms,
		.start_period_ms = health->start_period_ms,
		.start_interval_ms = health->start_interval_ms,
		.retries = health->retries,
	};
	switch (health->kind) {
	case COMPOSE_HEALTH_OF_IMAGE:
		init_from_image(check, image_config);
		break;
	case COMPOSE_HEALTH_NONE:
		break;
	case COMPOSE_HEALTH_EXEC:
		check->argv = json_array();
		for (size_t i = 0; i < health->test.count; i++)
			json_array_append_new(check->argv, json_string(health->test.items[i]));
		break;
	case COMPOSE_HEALTH_SHELL:
		check->argv = shell_argv(health->test.items[0]);
		break;
	}
}

void health_check_release(struct health_check *check)
{
	json_decref(check->argv);
	check->argv = NULL;
}

json_t *health_check_to_json(const struct health_check *check)
{
	return json_pack("{s:O?, s:I, s:I, s:I, s:I, s:i}", "argv", check->argv, "interval_ms",
			 (json_int_t)check->interval_ms, "timeout_ms",
			 (json_int_t)check->timeout_ms, "start_period_ms",
			 (json_int_t)check->start_period_ms, "start_interval_ms",
			 (json_int_t)check->start_interval_ms, "retries", check->retries);
}

void health_check_from_json(struct health_check *check, const json_t *json)
{
	json_t *argv = json_object_get(json, "argv");

	*check = (struct health_check){
		.argv = json_is_array(argv) ? json_incref(argv) : NULL,
		.interval_ms = json_get_int64(json, "interval_ms", DEFAULT_INTERVAL_MS),
		.timeout_ms = json_get_int64(json, "timeout_ms", DEFAULT_INTERVAL_MS),
		.start_period_ms = json_get_int64(json, "start_period_ms", 0),
		.start_interval_ms =
		    json_get_int64(json, "start_interval_ms", DEFAULT_START_INTERVAL_MS),
		.retries = (int)json_get_int64(json, "retries", DEFAULT_RETRIES),
	};
}

void health_start(struct health *health, int64_t now_mono_ms)
{
	*health = (struct health){ .started_mono_ms = now_mono_ms, .wait_ms = FIRST_WAIT_MS };
}

static bool failure_counts(const struct health *health, const struct health_check *check,
			   int64_t now_mono_ms)
{
	if (now_mono_ms - health->started_mono_ms < check->start_period_ms)
		return false;
	return health->counted_mono_ms == 0
		   ? now_mono_ms - health->started_mono_ms >= check->interval_ms
		   : now_mono_ms - health->counted_mono_ms >= check->interval_ms;
}

static int64_t longest_wait_ms(const struct health *health, const struct health_check *check,
			       int64_t now_mono_ms)
{
	bool is_starting = now_mono_ms - health->started_mono_ms < check->start_period_ms;
	int64_t interval_ms = is_starting && check->start_interval_ms > 0 ? check->start_interval_ms
									  : check->interval_ms;

	return interval_ms < WAIT_MAX_MS ? interval_ms : WAIT_MAX_MS;
}

enum health_verdict health_note(struct health *health, const struct health_check *check,
				bool passed, int64_t now_mono_ms)
{
	int64_t longest_ms = longest_wait_ms(health, check, now_mono_ms);
	int64_t next_ms = health->wait_ms * 3 / 2;

	if (passed)
		return HEALTH_HEALTHY;
	if (failure_counts(health, check, now_mono_ms)) {
		health->counted_mono_ms = now_mono_ms;
		health->failures++;
	}
	if (health->failures >= check->retries)
		return HEALTH_UNHEALTHY;
	health->wait_ms = next_ms < longest_ms ? next_ms : longest_ms;
	return HEALTH_STARTING;
}
