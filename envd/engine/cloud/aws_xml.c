#include <expat.h>
#include <string.h>

#include "engine/cloud/aws_api.h"

enum { DEPTH_MAX = 30, NODES_MAX = 2000000 };

struct level {
	char *name;
	json_t *json; /* NULL: no element was in it yet */
	struct text text;
};

struct reading {
	XML_Parser parser;
	struct level levels[DEPTH_MAX + 1];
	size_t depth, nodes;
	const char *why;
};

static void refuse(struct reading *reading, const char *why)
{
	reading->why = why;
	XML_StopParser(reading->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *reading = arg;

	(void)attributes; /* namespaces, which nobody here needs */
	if (reading->depth >= DEPTH_MAX || ++reading->nodes > NODES_MAX) {
		refuse(reading, "it is too big");
		return;
	}
	reading->levels[++reading->depth] =
	    (struct level){ .name = xstrdup(name), .text = TEXT_EMPTY };
}

static void on_text(void *arg, const XML_Char *bytes, int length)
{
	struct reading *reading = arg;

	text_add_bytes(&reading->levels[reading->depth].text, bytes, (size_t)length);
}

static bool is_list(const char *name)
{
	return strcmp(name, "item") == 0 || strcmp(name, "member") == 0;
}

/* What comes twice is a list, too (S3 has no other). */
static void put(struct level *parent, const char *name, json_t *value)
{
	json_t *old;

	if (is_list(name) && (!parent->json || json_is_array(parent->json))) {
		parent->json = parent->json ? parent->json : json_array();
		json_array_append_new(parent->json, value);
		return;
	}
	if (!json_is_object(parent->json)) {
		json_decref(parent->json);
		parent->json = json_object();
	}
	old = json_object_get(parent->json, name);
	if (!old) {
		json_object_set_new(parent->json, name, value);
		return;
	}
	if (!json_is_array(old)) {
		json_object_set_new(parent->json, name, json_pack("[O]", old));
		old = json_object_get(parent->json, name);
	}
	json_array_append_new(old, value);
}

static void level_release(struct level *level)
{
	free(level->name);
	json_decref(level->json);
	text_release(&level->text);
	*level = (struct level){ .name = NULL };
}

static void on_end(void *arg, const XML_Char *name)
{
	struct reading *reading = arg;
	struct level *level = &reading->levels[reading->depth--];
	json_t *value =
	    level->json ? json_incref(level->json) : json_string(text_get(&level->text));

	put(&reading->levels[reading->depth], name, value);
	level_release(level);
}

/* No answer of AWS has one, and entities of their own are how XML is made to explode. */
static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public_id, int has_internal)
{
	(void)name, (void)system, (void)public_id, (void)has_internal;
	refuse(arg, "it has a document type");
}

bool aws_xml(const char *bytes, size_t length, json_t **json, struct error *err)
{
	struct reading reading = { .parser = XML_ParserCreate(NULL) };
	bool is_good;

	if (!reading.parser)
		abort();
	XML_SetUserData(reading.parser, &reading);
	XML_SetElementHandler(reading.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reading.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
	is_good = XML_Parse(reading.parser, bytes, (int)length, 1) == XML_STATUS_OK;
	if (is_good)
		*json = TAKE(reading.levels[0].json);
	else
		error_set_as(err, ERR_EXTERNAL, "cloud_invalid", "an answer is no XML: %s",
			     reading.why ? reading.why
					 : XML_ErrorString(XML_GetErrorCode(reading.parser)));
	for (size_t i = 0; i <= DEPTH_MAX; i++)
		level_release(&reading.levels[i]);
	XML_ParserFree(reading.parser);
	return is_good;
}
