/*
 * The small languages that people write on command lines and in bodies: durations, numbers, pins.
 */
#include <string.h>

#include "base/duration.h"
#include "base/json_read.h"
#include "base/text.h"
#include "model/pins.h"
#include "tests/fuzz/fuzz.h"

static const char template_text[] =
    "apiVersion: envd/v1\nname: t\nengine: container\nsource: compose.yaml\n"
    "components:\n"
    "  web: { default: '1', versions: ['1', '2'], image: 'web:{version}' }\n"
    "  any: { default: latest, image: 'any:{version}' }\n"
    "  all: { members: [web], versions: ['1', '2'] }\n";

static void try_duration(const char *text)
{
	int64_t ms, us, again;
	struct error err;
	char shown[DURATION_TEXT_SIZE];
	bool is_duration = duration_parse(text, "x", &ms, &err);

	if (!is_duration) {
		CLAIM(err.message[0]);
		return;
	}
	CLAIM(ms >= 0 && ms <= INT64_C(10) * 366 * 86400 * 1000);
	CLAIM(text[0] >= '0' && text[0] <= '9');
	CLAIM(duration_parse_us(text, "x", &us, &err) && us / 1000 == ms);
	duration_format(ms, shown);
	CLAIM(strlen(shown) < sizeof(shown));
	/* Two units at most are shown, so no more than is shown. */
	if (duration_parse(shown, "x", &again, &err))
		CLAIM(again <= ms + 60 * 60 * 1000);
}

static void try_number(const char *text)
{
	AUTO(free) char *shown = NULL;
	int64_t value;

	if (!text_to_int64(text, &value))
		return;
	CLAIM(value >= 0);
	CLAIM(strspn(text, "0123456789") == strlen(text));
	shown = xasprintf("%lld", (long long)value);
	while (*text == '0' && text[1])
		text++;
	CLAIM(strcmp(shown, text) == 0);
}

static void try_pin(const struct template *template, const char *component, const char *version)
{
	AUTO(json_decref) json_t *pins = json_object(), *versions = NULL;
	const char *key;
	struct error err;
	json_t *value;

	if (json_object_set_new(pins, component, json_string(version)) < 0)
		return; /* no UTF-8: jansson would not have let it in */
	if (!pins_check(template, pins, &err)) {
		CLAIM(err.message[0]);
		return;
	}
	if (!pins_resolve(template, pins, &versions, &err))
		return;
	json_object_foreach(versions, key, value)
		CLAIM(json_is_string(value) && json_string_length(value) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct template *template;
	AUTO(free) char *text = NULL;
	struct error err;
	char *equals;

	if (!template)
		CLAIM(template_parse(template_text, strlen(template_text), "t", NULL, &template,
				     &err));
	text = strndup((const char *)data, size);
	try_duration(text);
	try_number(text);
	equals = strchr(text, '=');
	try_pin(template, "web", text);
	if (!equals)
		return 0;
	*equals = '\0';
	try_pin(template, text, equals + 1);
	return 0;
}
