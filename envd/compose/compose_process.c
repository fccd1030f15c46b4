#include "compose/compose_process.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

bool compose_init_read(struct compose_reader *reader, const struct yaml_node *node,
		       struct compose_service *service, struct error *err)
{
	return compose_bool(reader, node, "init", &service->process.has_init, err);
}

bool compose_stop_signal_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	char **signal = &service->process.stop_signal;
	size_t length;

	if (!compose_text(reader, node, "stop_signal", signal, err))
		return false;
	length = strlen(*signal);
	return (length && length <= 20 && isalnum((unsigned char)**signal) &&
		strspn(*signal, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") == length) ||
	       compose_wrong(
		   reader, node, err,
		   "\"stop_signal\" must be a signal, such as SIGTERM or 15 (got \"%.40s\")",
		   *signal);
}

bool compose_stop_grace_period_read(struct compose_reader *reader, const struct yaml_node *node,
				    struct compose_service *service, struct error *err)
{
	int64_t *ms = &service->process.stop_grace_ms;

	if (!compose_duration_ms(reader, node, "stop_grace_period", ms, err))
		return false;
	service->process.has_stop_grace = true;
	return *ms <= COMPOSE_STOP_GRACE_MAX_MS ||
	       compose_wrong(reader, node, err, "\"stop_grace_period\" must be at most %d s",
			     COMPOSE_STOP_GRACE_MAX_MS / 1000);
}

bool compose_shm_size_read(struct compose_reader *reader, const struct yaml_node *node,
			   struct compose_service *service, struct error *err)
{
	return compose_bytes(reader, node, "shm_size", &service->process.shm_bytes, err);
}

/* Whether `up` shows the output: nobody is attached to an environment, so there is nothing to do.
 */
bool compose_attach_read(struct compose_reader *reader, const struct yaml_node *node,
			 struct compose_service *service, struct error *err)
{
	bool unused;

	(void)service;
	return compose_bool(reader, node, "attach", &unused, err);
}

/* ---- ulimits ------------------------------------------------------------------------------- */

static const char *const ulimit_names[] = { "as",    "core",    "cpu",      "data",   "fsize",
					    "locks", "memlock", "msgqueue", "nice",   "nofile",
					    "nproc", "rss",     "rtprio",   "rttime", "sigpending",
					    "stack", NULL };

static bool check_ulimit_name(const struct compose_reader *reader, const struct yaml_node *key,
			      struct error *err)
{
	const char *nearest = text_nearest(key->text, ulimit_names);
	char shown[40];

	for (size_t i = 0; ulimit_names[i]; i++)
		if (strcmp(ulimit_names[i], key->text) == 0)
			return true;
	compose_wrong(reader, key, err, "\"ulimits\": \"%s\" is not known",
		      text_printable(key->text, shown, sizeof(shown)));
	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : false;
}

static bool read_ulimit_map(struct compose_reader *reader, const struct yaml_node *map,
			    struct compose_ulimit *limit, struct error *err)
{
	static const char *const known[] = { "soft", "hard", NULL };
	const struct yaml_node *soft, *hard;

	if (!compose_only_keys(reader, map, "ulimits", known, err))
		return false;
	soft = compose_get(map, "soft");
	hard = compose_get(map, "hard");
	if (!soft || !hard)
		return compose_wrong(reader, map, err, "\"ulimits.%s\" needs both soft and hard",
				     limit->name);
	if (!compose_int64(reader, soft, "soft", -1, INT64_MAX, &limit->soft, err) ||
	    !compose_int64(reader, hard, "hard", -1, INT64_MAX, &limit->hard, err))
		return false;
	return limit->hard == -1 || (limit->soft != -1 && limit->soft <= limit->hard) ||
	       compose_wrong(reader, map, err, "\"ulimits.%s\": soft must not be above hard",
			     limit->name);
}

bool compose_ulimits_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	struct compose_process *process = &service->process;

	if (node->kind != YAML_MAP)
		return compose_wrong(reader, node, err, "\"ulimits\" must be a map (got %s)",
				     yaml_kind_name(node));
	process->ulimits = xcalloc(node->count + 1, sizeof(*process->ulimits));
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];
		struct compose_ulimit *limit = &process->ulimits[process->ulimit_count];

		if (!check_ulimit_name(reader, node->keys[i], err))
			return false;
		limit->name = xstrdup(node->keys[i]->text);
		process->ulimit_count++;
		if (item->kind == YAML_MAP) {
			if (!read_ulimit_map(reader, item, limit, err))
				return false;
			continue;
		}
		if (!compose_int64(reader, item, limit->name, -1, INT64_MAX, &limit->soft, err))
			return false;
		limit->hard = limit->soft;
	}
	return true;
}

/* ---- logging ------------------------------------------------------------------------------- */

/* Output is read back from the runtime, so it has to be kept where the runtime finds it. */
static bool read_driver(struct compose_reader *reader, const struct yaml_node *node, char **driver,
			struct error *err)
{
	if (!compose_text(reader, node, "logging.driver", driver, err))
		return false;
	return strcmp(*driver, "json-file") == 0 || strcmp(*driver, "local") == 0 ||
	       compose_unsupported(reader, node, err,
				   "\"logging.driver\": \"%.40s\" is not supported (expected "
				   "json-file or local)",
				   *driver);
}

static bool read_log_options(struct compose_reader *reader, const struct yaml_node *map,
			     struct compose_pairs *options, struct error *err)
{
	static const char *const known[] = { "max-size", "max-file", NULL };

	return compose_only_keys(reader, map, "logging.options", known, err) &&
	       compose_pairs(reader, map, "logging.options", false, options, err);
}

bool compose_logging_read(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_service *service, struct error *err)
{
	static const char *const known[] = { "driver", "options", NULL };
	const struct yaml_node *driver, *options;

	if (!compose_only_keys(reader, node, "logging", known, err))
		return false;
	driver = compose_get(node, "driver");
	options = compose_get(node, "options");
	return (!driver || read_driver(reader, driver, &service->process.log_driver, err)) &&
	       (!options || read_log_options(reader, options, &service->process.log_options, err));
}

void compose_process_release(struct compose_process *process)
{
	for (size_t i = 0; i < process->ulimit_count; i++)
		free(process->ulimits[i].name);
	free(process->ulimits);
	free(process->stop_signal);
	free(process->log_driver);
	compose_pairs_release(&process->log_options);
}
