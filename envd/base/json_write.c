#include "base/json_write.h"

#include <string.h>

#include "base/json_read.h"

static void begin(struct json_writer *writer, const char *key)
{
	if (writer->needs_comma)
		text_add_char(writer->into, ',');
	writer->needs_comma = true;
	if (!key)
		return;
	text_add_char(writer->into, '"');
	text_add(writer->into, key);
	text_add_bytes(writer->into, "\":", 2);
}

void json_write_open(struct json_writer *writer, const char *key, char bracket)
{
	begin(writer, key);
	text_add_char(writer->into, bracket);
	writer->needs_comma = false;
}

void json_write_close(struct json_writer *writer, char bracket)
{
	text_add_char(writer->into, bracket);
	writer->needs_comma = true;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void add_escaped(struct text *into, unsigned char c)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if ((unsigned char)letters[i] != c)
			continue;
		text_add_char(into, '\\');
		text_add_char(into, letters[i + 1]);
		return;
	}
	text_format(into, "\\u%04X", c);
}

void json_write_text(struct json_writer *writer, const char *key, const char *value)
{
	if (!value) {
		json_write_raw(writer, key, "null");
		return;
	}
	begin(writer, key);
	text_add_char(writer->into, '"');
	while (*value) {
		size_t plain = 0;

		while (value[plain] && is_plain((unsigned char)value[plain]))
			plain++;
		text_add_bytes(writer->into, value, plain);
		value += plain;
		if (*value)
			add_escaped(writer->into, (unsigned char)*value++);
	}
	text_add_char(writer->into, '"');
}

void json_write_integer(struct json_writer *writer, const char *key, int64_t value)
{
	char digits[24], *at = digits + sizeof(digits) - 1;
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	*at = '\0';
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--at = '-';
	json_write_raw(writer, key, at);
}

void json_write_real(struct json_writer *writer, const char *key, double value)
{
	char digits[40];

	snprintf(digits, sizeof(digits), "%.15g", value);
	if (!strpbrk(digits, ".e"))
		strcat(digits, ".0");
	json_write_raw(writer, key, digits);
}

void json_write_bool(struct json_writer *writer, const char *key, bool value)
{
	json_write_raw(writer, key, value ? "true" : "false");
}

void json_write_raw(struct json_writer *writer, const char *key, const char *json)
{
	begin(writer, key);
	text_add(writer->into, json);
}

void json_write_value(struct json_writer *writer, const char *key, const json_t *value)
{
	AUTO(free) char *text = json_to_text(value);

	json_write_raw(writer, key, text);
}
