#include "compose/compose_profiles.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_service.h"

#define VARIABLE "COMPOSE_PROFILES"

static bool is_asked_for(const char *asked, const char *profile)
{
	size_t length = strlen(profile);

	while (*asked) {
		size_t item;

		asked += strspn(asked, ", ");
		item = strcspn(asked, ", ");
		if ((item == 1 && *asked == '*') ||
		    (item == length && strncmp(asked, profile, length) == 0))
			return true;
		asked += item;
	}
	return false;
}

static bool is_active(const struct compose_service *service, const char *asked)
{
	for (size_t i = 0; i < service->profiles.count; i++)
		if (is_asked_for(asked, service->profiles.items[i]))
			return true;
	return !service->profiles.count;
}

static const struct compose_service *needed_inactive(const struct compose_file *file,
						     const struct compose_dependency *need,
						     const char *asked)
{
	const struct compose_service *needed = compose_service_find(file, need->service);

	return needed && !is_active(needed, asked) ? needed : NULL;
}

static bool check_needs(const struct compose_file *file, const struct compose_service *service,
			const char *asked, struct error *err)
{
	for (size_t i = 0; i < service->needs.count; i++) {
		const struct compose_dependency *need = &service->needs.items[i];
		const struct compose_service *needed = needed_inactive(file, need, asked);

		if (!needed || !need->is_required)
			continue;
		compose_error(file, need->at, "compose_invalid", err,
			      "service \"%s\": service \"%.80s\" is only there with the profile "
			      "\"%.40s\"",
			      service->name, need->service, needed->profiles.items[0]);
		return error_hint(err, "ask for it in " VARIABLE ", or write \"required: false\"");
	}
	return true;
}

static void drop_needs(const struct compose_file *file, struct compose_service *service,
		       const char *asked)
{
	struct compose_dependencies *needs = &service->needs;
	size_t kept = 0;

	for (size_t i = 0; i < needs->count; i++) {
		if (needed_inactive(file, &needs->items[i], asked))
			free(needs->items[i].service);
		else
			needs->items[kept++] = needs->items[i];
	}
	needs->count = kept;
}

bool compose_profiles_select(const struct compose_reader *reader, struct error *err)
{
	struct compose_file *file = reader->file;
	const char *asked = json_get_string(reader->variables, VARIABLE, "");
	size_t kept = 0;

	for (size_t i = 0; i < file->service_count; i++) {
		if (file->services[i].profiles.count)
			json_object_set_new(reader->variables_used, VARIABLE, json_true());
		if (is_active(&file->services[i], asked) &&
		    !check_needs(file, &file->services[i], asked, err))
			return false;
	}
	for (size_t i = 0; i < file->service_count; i++)
		drop_needs(file, &file->services[i], asked);
	for (size_t i = 0; i < file->service_count; i++) {
		if (is_active(&file->services[i], asked))
			file->services[kept++] = file->services[i];
		else
			compose_service_release(&file->services[i]);
	}
	file->service_count = kept;
	return kept || compose_wrong(reader, reader->root, err,
				     "there are no services without a profile, and " VARIABLE
				     " asks for none of theirs");
}
