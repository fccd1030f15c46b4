#include "control/admission.h"

#include <string.h>

#include "base/byte_size.h"
#include "compose/compose.h"
#include "model/pins.h"

static bool read_services(const struct template_entry *entry, const json_t *pins,
			  const json_t *parameters, struct compose_file **file, struct error *err)
{
	AUTO(json_decref) json_t *versions = NULL;
	AUTO(json_decref) json_t *variables = NULL;
	struct compose_request asked = {
		.folder = entry->folder,
		.is_trusted = entry->is_trusted,
		.sources = (const char *const *)entry->template->sources,
	};

	if (!pins_resolve(entry->template, pins, &versions, err))
		return false;
	variables = pins_variables(entry->template, versions, parameters);
	/* Known to the engine when it builds; no amount of memory depends on them. */
	json_object_set_new(variables, "ENVD_ENVIRONMENT", json_string("x"));
	json_object_set_new(variables, "ENVD_NAME", json_string("x"));
	json_object_set_new(variables, "ENVD_PUBLISH_ADDRESS", json_string("127.0.0.1"));
	asked.variables = variables;
	return compose_load(&asked, file, err);
}

static int64_t sum_of(const struct compose_file *file)
{
	int64_t sum = 0;

	for (size_t i = 0; i < file->service_count; i++) {
		int64_t limit = file->services[i].limits.memory_bytes;

		limit = limit ? limit : ADMISSION_SERVICE_BYTES;
		sum = limit > INT64_MAX - sum ? INT64_MAX : sum + limit;
	}
	return sum;
}

static int64_t need_of(const struct template_entry *entry, const json_t *pins,
		       const json_t *parameters)
{
	AUTO(compose_free) struct compose_file *file = NULL;
	struct error ignored; /* the build says what is wrong, with more to go by */

	if (entry->template->limits.memory_bytes)
		return entry->template->limits.memory_bytes;
	if (strcmp(entry->template->engine, "container") != 0 ||
	    !read_services(entry, pins, parameters, &file, &ignored))
		return ADMISSION_SERVICE_BYTES;
	return sum_of(file);
}

bool admission_need(const struct target *target, const struct template_entry *entry,
		    const json_t *pins, const json_t *parameters, int64_t *bytes, struct error *err)
{
	char needed[BYTE_SIZE_TEXT], max[BYTE_SIZE_TEXT];

	*bytes = 0;
	if (target->memory_bytes_max == 0)
		return true;
	*bytes = need_of(entry, pins, parameters);
	if (*bytes <= target->memory_bytes_max)
		return true;
	error_set_as(err, ERR_INVALID, "memory_never_fits",
		     "template \"%s\" needs %s of memory, and target \"%s\" has %s in all",
		     entry->template->name, byte_size_format(*bytes, needed), target->name,
		     byte_size_format(target->memory_bytes_max, max));
	return error_hint(err, "lower the memory limits of its services, or limits.memory of its "
			       "template");
}
