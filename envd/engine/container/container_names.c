#include "engine/container/container_names.h"

#include <inttypes.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/container/docker_api.h"

char *container_name(struct env_id environment, const char *key)
{
	char digits[13] = "";
	size_t length = 0;

	for (const char *at = environment.text; *at && length < sizeof(digits) - 1; at++)
		if (*at != '-')
			digits[length++] = *at;
	return xasprintf("envd-%s-%s", digits, key);
}

void container_interface_name(const char *network_name, char into[INTERFACE_NAME_SIZE])
{
	char digest[SHA256_TEXT_SIZE];

	sha256_text(network_name, strlen(network_name), digest);
	snprintf(into, INTERFACE_NAME_SIZE, "ev%.12s", digest);
}

json_t *container_labels(const struct engine_request *request)
{
	json_t *labels = json_object();
	char number[24];

	json_object_set_new(labels, LABEL_INSTANCE, json_string(request->instance));
	json_object_set_new(labels, LABEL_ENVIRONMENT, json_string(request->environment.text));
	snprintf(number, sizeof(number), "%" PRId64, request->sequence);
	json_object_set_new(labels, LABEL_SEQUENCE, json_string(number));
	snprintf(number, sizeof(number), "%" PRId64, request->hard_wall_s);
	json_object_set_new(labels, LABEL_HARD_WALL, json_string(number));
	return labels;
}

char *container_label_filter(const char *instance, const struct env_id *environment)
{
	AUTO(free) char *of_instance = xasprintf(LABEL_INSTANCE "=%s", instance);
	AUTO(free)
	char *of_environment =
	    environment ? xasprintf(LABEL_ENVIRONMENT "=%s", environment->text) : NULL;
	const char *const labels[] = { of_instance, of_environment, NULL };

	return docker_label_filter(labels);
}

bool container_labels_match(const json_t *labels, const char *instance,
			    const struct env_id *environment)
{
	return text_equal(json_get_string(labels, LABEL_INSTANCE, NULL), instance) &&
	       (!environment ||
		text_equal(json_get_string(labels, LABEL_ENVIRONMENT, NULL), environment->text));
}
