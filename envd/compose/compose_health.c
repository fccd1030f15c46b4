#include "compose/compose_health.h"

#include <string.h>

#include "base/text.h"

#define RETRIES_MAX 1000

struct compose_health compose_health_default(void)
{
	return (struct compose_health){ .kind = COMPOSE_HEALTH_OF_IMAGE,
					.interval_ms = 30000,
					.timeout_ms = 30000,
					.start_interval_ms = 5000,
					.retries = 3 };
}

/* A test in a list begins with how to run it. */
static bool read_listed_test(struct compose_reader *reader, const struct yaml_node *node,
			     struct compose_health *health, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings test = { 0 };
	const char *how;

	if (!compose_list(reader, node, "healthcheck.test", false, &test, err))
		return false;
	how = test.count ? test.items[0] : "";
	if (strcmp(how, "NONE") == 0 && test.count == 1)
		health->kind = COMPOSE_HEALTH_NONE;
	else if (strcmp(how, "CMD") == 0 && test.count >= 2)
		health->kind = COMPOSE_HEALTH_EXEC;
	else if (strcmp(how, "CMD-SHELL") == 0 && test.count == 2)
		health->kind = COMPOSE_HEALTH_SHELL;
	else
		return compose_wrong(reader, node, err,
				     "\"healthcheck.test\" must be [NONE], [CMD, program, ...], "
				     "[CMD-SHELL, command] "
				     "or text");
	for (size_t i = 1; i < test.count; i++)
		compose_strings_add(&health->test, xstrdup(test.items[i]));
	return true;
}

static bool read_test(struct compose_reader *reader, const struct yaml_node *node,
		      struct compose_health *health, struct error *err)
{
	char *command;

	if (node->kind == YAML_LIST)
		return read_listed_test(reader, node, health, err);
	if (!compose_text(reader, node, "healthcheck.test", &command, err))
		return false;
	health->kind = COMPOSE_HEALTH_SHELL;
	compose_strings_add(&health->test, command);
	return true;
}

/* Nothing is not a time to wait, but for the start period it is. */
static bool read_time(struct compose_reader *reader, const struct yaml_node *map, const char *key,
		      int64_t least_ms, int64_t *ms, struct error *err)
{
	const struct yaml_node *node = compose_get(map, key);

	if (!node)
		return true;
	if (!compose_duration_ms(reader, node, key, ms, err))
		return false;
	return (*ms >= least_ms && *ms <= (int64_t)24 * 3600 * 1000) ||
	       compose_wrong(reader, node, err, "\"healthcheck.%s\" must be from %dms to 24h", key,
			     (int)least_ms);
}

static bool read_retries(struct compose_reader *reader, const struct yaml_node *map, int *retries,
			 struct error *err)
{
	const struct yaml_node *node = compose_get(map, "retries");
	int64_t read = *retries;

	if (node && !compose_int64(reader, node, "healthcheck.retries", 1, RETRIES_MAX, &read, err))
		return false;
	*retries = (int)read;
	return true;
}

bool compose_health_read(struct compose_reader *reader, const struct yaml_node *map,
			 struct compose_health *health, struct error *err)
{
	static const char *const known[] = { "test",         "interval",       "timeout", "retries",
					     "start_period", "start_interval", "disable", NULL };
	const struct yaml_node *test, *disable;
	bool is_disabled = false;

	if (!compose_only_keys(reader, map, "healthcheck", known, err))
		return false;
	test = compose_get(map, "test");
	disable = compose_get(map, "disable");
	health->at = compose_place_of(map);
	if ((test && !read_test(reader, test, health, err)) ||
	    !read_time(reader, map, "interval", 1, &health->interval_ms, err) ||
	    !read_time(reader, map, "timeout", 1, &health->timeout_ms, err) ||
	    !read_time(reader, map, "start_period", 0, &health->start_period_ms, err) ||
	    !read_time(reader, map, "start_interval", 1, &health->start_interval_ms, err) ||
	    !read_retries(reader, map, &health->retries, err) ||
	    (disable && !compose_bool(reader, disable, "healthcheck.disable", &is_disabled, err)))
		return false;
	if (is_disabled) {
		compose_strings_release(&health->test);
		health->kind = COMPOSE_HEALTH_NONE;
	}
	return true;
}
