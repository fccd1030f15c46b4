#include "base/option_table.h"

#include <string.h>

#include "base/duration.h"

void option_list_add(struct option_list *list, const char *item)
{
	list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = item;
}

void option_list_release(struct option_list *list)
{
	free(list->items);
	*list = (struct option_list)OPTION_LIST_EMPTY;
}

/* ---- what is being read ---- */

enum { OPTIONS_MAX = 96 };

struct reading {
	const struct option_spec *spec;
	int argc;
	char *const *argv;
	int at; /* the next word */
	struct option_list *arguments;
	/* Rows that the command line gave, so that their variables are not read. */
	const struct option *given[OPTIONS_MAX];
	size_t given_count;
	bool is_over; /* "--" or the first argument was seen */
	bool has_dashes;
	bool is_ending; /* --help and the like */
};

/* One row with the group whose values it fills. */
struct option_place {
	const struct option *row;
	const struct option_group *group;
};

static bool takes_value(const struct option *row)
{
	return row->kind != OPTION_FLAG && row->kind != OPTION_ENDING;
}

static bool place_of(const struct option_spec *spec, const char *name, size_t length, char letter,
		     struct option_place *place)
{
	for (size_t g = 0; g < spec->group_count; g++) {
		for (const struct option *row = spec->groups[g].rows; row->name; row++) {
			bool is_it = name ? strlen(row->name) == length &&
						memcmp(row->name, name, length) == 0
					  : row->letter == letter;

			if (is_it) {
				*place = (struct option_place){ row, &spec->groups[g] };
				return true;
			}
		}
	}
	return false;
}

/* ---- values ---- */

static bool refuse_choice(const struct option *row, const char *what, const char *value,
			  struct error *err)
{
	AUTO(free) char *known = text_join(row->choices, ", ");
	const char *nearest = text_nearest(value, row->choices);
	char shown[64];

	error_set_as(err, ERR_INVALID, "option_value", "%s is \"%s\" (expected one of %s)", what,
		     text_printable(value, shown, sizeof(shown)), known);
	return nearest ? error_hint(err, "did you mean %s?", nearest) : false;
}

static bool read_flag(const char *value, const char *what, bool *into, struct error *err)
{
	static const char *const yes[] = { "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off" };
	char shown[64];

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*into = strcmp(value, yes[i]) == 0;
			return true;
		}
	}
	return error_set_as(err, ERR_INVALID, "option_value",
			    "%s is \"%s\" (expected true or false)", what,
			    text_printable(value, shown, sizeof(shown)));
}

static bool read_choice(const struct option *row, const char *what, const char *value,
			const char **into, struct error *err)
{
	for (size_t i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*into = row->choices[i];
			return true;
		}
	}
	return refuse_choice(row, what, value, err);
}

static bool read_integer(const char *what, const char *value, int64_t *into, struct error *err)
{
	char shown[64];

	return text_to_int64(value, into) ||
	       error_set_as(err, ERR_INVALID, "option_value", "%s is \"%s\" (expected a number)",
			    what, text_printable(value, shown, sizeof(shown)));
}

static bool read_duration(const char *what, const char *value, int64_t *into, struct error *err)
{
	if (duration_parse(value, what, into, err))
		return true;
	err->slug = "option_value";
	return false;
}

/* `what` names the option or the variable in errors. */
static bool store_value(const struct option_place *place, const char *what, const char *value,
			struct error *err)
{
	void *field = (char *)place->group->values + place->row->offset;

	switch (place->row->kind) {
	case OPTION_FLAG:
	case OPTION_ENDING:
		return read_flag(value, what, field, err);
	case OPTION_TEXT:
		*(const char **)field = value;
		return true;
	case OPTION_CHOICE:
		return read_choice(place->row, what, value, field, err);
	case OPTION_LIST:
		option_list_add(field, value);
		return true;
	case OPTION_DURATION:
		return read_duration(what, value, field, err);
	case OPTION_INTEGER:
		return read_integer(what, value, field, err);
	}
	return false;
}

static void remember(struct reading *reading, const struct option *row)
{
	if (row->kind == OPTION_ENDING)
		reading->is_ending = true;
	if (reading->given_count < OPTIONS_MAX)
		reading->given[reading->given_count++] = row;
}

static bool was_given(const struct reading *reading, const struct option *row)
{
	for (size_t i = 0; i < reading->given_count; i++)
		if (reading->given[i] == row)
			return true;
	return false;
}

/* ---- words of the command line ---- */

static const char *nearest_option(const struct option_spec *spec, const char *wrong)
{
	const char *names[OPTIONS_MAX + 1];
	size_t count = 0;

	for (size_t g = 0; g < spec->group_count; g++)
		for (const struct option *row = spec->groups[g].rows; row->name; row++)
			if (count < OPTIONS_MAX)
				names[count++] = row->name;
	names[count] = NULL;
	return text_nearest(wrong, names);
}

static bool unknown_long(const struct option_spec *spec, const char *name, size_t length,
			 struct error *err)
{
	AUTO(free) char *wrong = xstrndup(name, length);
	const char *nearest = nearest_option(spec, wrong);
	char shown[64];

	error_set_as(err, ERR_INVALID, "unknown_option", "unknown option --%s",
		     text_printable(wrong, shown, sizeof(shown)));
	return nearest ? error_hint(err, "did you mean --%s?", nearest)
		       : error_hint(err, "%s --help lists the options", spec->program);
}

static bool unknown_letter(const struct option_spec *spec, char letter, struct error *err)
{
	char one[2] = { letter, '\0' }, shown[8];

	error_set_as(err, ERR_INVALID, "unknown_option", "unknown option -%s",
		     text_printable(one, shown, sizeof(shown)));
	return error_hint(err, "%s --help lists the options", spec->program);
}

/* The value is the next word, unless that looks like an option: then it was forgotten. */
static bool next_value(struct reading *reading, const struct option *row, const char *what,
		       const char **value, struct error *err)
{
	const char *word = reading->at < reading->argc ? reading->argv[reading->at] : NULL;

	if (!word || (word[0] == '-' && word[1])) {
		error_set_as(err, ERR_INVALID, "option_value", "%s needs a value", what);
		return error_hint(err, "write %s %s%s", what,
				  row->value_name ? row->value_name : "VALUE",
				  word ? ", or with = if the value starts with a dash" : "");
	}
	reading->at++;
	*value = word;
	return true;
}

static bool read_long(struct reading *reading, const char *word, struct error *err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const char *value = equals ? equals + 1 : NULL;
	struct option_place place;
	char what[80];

	if (!place_of(reading->spec, name, length, 0, &place))
		return unknown_long(reading->spec, name, length, err);
	snprintf(what, sizeof(what), "--%s", place.row->name);
	remember(reading, place.row);
	if (!value && !takes_value(place.row))
		value = "true";
	return (value || next_value(reading, place.row, what, &value, err)) &&
	       store_value(&place, what, value, err);
}

static bool read_letters(struct reading *reading, const char *word, struct error *err)
{
	for (const char *at = word + 1; *at; at++) {
		struct option_place place;
		const char *value = at + 1;
		char what[3] = { '-', *at, '\0' };

		if (!place_of(reading->spec, NULL, 0, *at, &place))
			return unknown_letter(reading->spec, *at, err);
		remember(reading, place.row);
		if (!takes_value(place.row)) {
			if (!store_value(&place, what, "true", err))
				return false;
			continue;
		}
		if (*value == '=')
			value++;
		else if (!*value && !next_value(reading, place.row, what, &value, err))
			return false;
		return store_value(&place, what, value, err);
	}
	return true;
}

static bool read_argument(struct reading *reading, const char *word, struct error *err)
{
	char shown[64];

	if (reading->arguments->count == reading->spec->arguments_max) {
		error_set_as(err, ERR_INVALID, "argument_unexpected", "unexpected argument \"%s\"",
			     text_printable(word, shown, sizeof(shown)));
		return error_hint(err, "usage: %s %s", reading->spec->program,
				  reading->spec->synopsis);
	}
	option_list_add(reading->arguments, word);
	reading->arguments->behind_dashes += reading->has_dashes;
	reading->is_over |= reading->spec->stops_at_argument;
	return true;
}

static bool read_word(struct reading *reading, struct error *err)
{
	const char *word = reading->argv[reading->at++];

	if (reading->is_over || word[0] != '-' || !word[1])
		return read_argument(reading, word, err);
	if (strcmp(word, "--") == 0) {
		reading->is_over = reading->has_dashes = true;
		return true;
	}
	return word[1] == '-' ? read_long(reading, word, err) : read_letters(reading, word, err);
}

static void note_origin(struct reading *reading, const struct option *row,
			enum option_origin origin, const char *where)
{
	struct option_origins *origins = reading->spec->origins;

	if (!origins || origins->count == ARRAY_SIZE(origins->items))
		return;
	origins->items[origins->count].row = row;
	origins->items[origins->count].origin = origin;
	origins->items[origins->count++].where = where;
}

enum option_origin option_origin(const struct option_origins *origins, const struct option *row,
				 const char **where)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (origins->items[i].row == row) {
			*where = origins->items[i].where;
			return origins->items[i].origin;
		}
	}
	*where = NULL;
	return OPTION_BY_DEFAULT;
}

static bool read_fallback(struct reading *reading, const struct option_place *place,
			  struct error *err)
{
	const struct option_fallback *fallback = reading->spec->fallback;
	const char *value = NULL, *where = NULL;
	AUTO(free) char *what = NULL;

	if (!fallback)
		return true;
	if (!fallback->find(fallback->arg, place->row, &value, &where, err))
		return false;
	if (!value)
		return true;
	note_origin(reading, place->row, OPTION_BY_FALLBACK, where);
	what = xasprintf("\"%s\" in %s", place->row->name, where);
	return store_value(place, what, value, err);
}

/* An empty variable counts as one that is not set, as CI systems define many that way. */
static bool read_variable(struct reading *reading, const struct option_place *place,
			  struct error *err)
{
	const char *value = place->row->variable ? getenv(place->row->variable) : NULL;

	if (was_given(reading, place->row)) {
		note_origin(reading, place->row, OPTION_BY_LINE, NULL);
		return true;
	}
	if (!value || !*value)
		return read_fallback(reading, place, err);
	note_origin(reading, place->row, OPTION_BY_VARIABLE, NULL);
	return store_value(place, place->row->variable, value, err);
}

static bool read_variables(struct reading *reading, struct error *err)
{
	for (size_t g = 0; g < reading->spec->group_count; g++) {
		const struct option_group *group = &reading->spec->groups[g];

		for (const struct option *row = group->rows; row->name; row++) {
			struct option_place place = { row, group };

			if (!read_variable(reading, &place, err))
				return false;
		}
	}
	return true;
}

bool options_parse(const struct option_spec *spec, int argc, char *const *argv,
		   struct option_list *arguments, struct error *err)
{
	struct reading reading = {
		.spec = spec, .argc = argc, .argv = argv, .at = 1, .arguments = arguments
	};

	while (reading.at < argc && !reading.is_ending)
		if (!read_word(&reading, err))
			return false;
	if (reading.is_ending)
		return true;
	if (!read_variables(&reading, err))
		return false;
	if (arguments->count >= spec->arguments_min)
		return true;
	error_set_as(err, ERR_INVALID, "argument_missing", "%s needs %s", spec->program,
		     spec->synopsis);
	return error_hint(err, "%s --help tells more", spec->program);
}

/* ---- help ---- */

enum { HELP_COLUMN = 30, HELP_WIDTH_MIN = 50 };

/* Words of `words`, broken before `width`; further lines start at `indent`, where the first is. */
static void add_wrapped(struct text *into, const char *words, size_t indent, size_t width)
{
	size_t column = indent;

	while (*words) {
		size_t length = strcspn(words, " ");

		if (width && column > indent && column + 1 + length > width) {
			text_format(into, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			text_add_char(into, ' ');
			column++;
		}
		text_add_bytes(into, words, length);
		column += length;
		words += length + strspn(words + length, " ");
	}
	text_add_char(into, '\n');
}

static void add_row_help(struct text *into, const struct option *row, size_t width)
{
	AUTO(text_release) struct text left = TEXT_EMPTY;
	AUTO(text_release) struct text right = TEXT_EMPTY;
	bool is_narrow = width && width < HELP_WIDTH_MIN;
	size_t indent = is_narrow ? 8 : HELP_COLUMN;

	if (row->letter)
		text_format(&left, "  -%c, ", row->letter);
	else
		text_add(&left, "      ");
	text_format(&left, "--%s", row->name);
	if (takes_value(row))
		text_format(&left, " %s", row->value_name ? row->value_name : "VALUE");
	text_add(&right, row->help);
	if (row->kind == OPTION_CHOICE) {
		AUTO(free) char *known = text_join(row->choices, "|");

		text_format(&right, ": %s", known);
	}
	if (row->kind == OPTION_LIST)
		text_add(&right, " (may be repeated)");
	if (row->variable)
		text_format(&right, " [$%s]", row->variable);
	if (left.length + 1 >= indent)
		text_format(into, "%s\n%*s", text_get(&left), (int)indent, "");
	else
		text_format(into, "%-*s", (int)indent, text_get(&left));
	add_wrapped(into, text_get(&right), indent, width);
}

void options_help(const struct option_spec *spec, size_t width, struct text *into)
{
	const char *about = spec->about ? spec->about : "";
	bool says_where = spec->stops_at_argument || strstr(spec->synopsis, "[OPTIONS]");

	text_format(into, "usage: %s%s%s%s%s\n\n", spec->program,
		    spec->stops_at_argument ? " [OPTIONS]" : "", *spec->synopsis ? " " : "",
		    spec->synopsis, says_where ? "" : " [OPTIONS]");
	text_add(into, about);
	if (*about && !text_ends_with(about, "\n"))
		text_add_char(into, '\n');
	for (size_t g = 0; g < spec->group_count; g++) {
		text_format(into, "%s%s:\n", *about || g ? "\n" : "", spec->groups[g].title);
		for (const struct option *row = spec->groups[g].rows; row->name; row++)
			if (row->help)
				add_row_help(into, row, width);
	}
}

bool option_pair(const char *text, const char *what, char *into, size_t size, const char **value,
		 struct error *err)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0;
	char shown[64];

	if (!length || length >= size) {
		return error_set_as(err, ERR_INVALID, "option_value", "%s \"%s\" is not NAME=VALUE",
				    what, text_printable(text, shown, sizeof(shown)));
	}
	memcpy(into, text, length);
	into[length] = '\0';
	*value = equals + 1;
	return true;
}
