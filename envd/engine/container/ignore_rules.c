#include "engine/container/ignore_rules.h"

#include <string.h>

#include "base/text.h"

#define RULES_MAX 1000
#define PATTERN_BYTES_MAX 512
/* A hostile pattern ("**a**a**a...") may not cost more than this many steps a path. */
#define STEPS_MAX 20000

struct rule {
	char *pattern;
	bool takes_back;
};

struct ignore_rules {
	struct rule *items;
	size_t count;
	bool take_back;
};

/* "./a/", "/a" and "a" are one: the caller frees. */
static char *plain_pattern(const char *line, size_t length)
{
	while (length > 0 && strchr(" \t\r", line[length - 1]))
		length--;
	while (length > 1 && line[length - 1] == '/')
		length--;
	if (length > 1 && line[0] == '.' && line[1] == '/') {
		line++;
		length--;
	}
	while (length > 0 && *line == '/') {
		line++;
		length--;
	}
	return xstrndup(line, length);
}

static void add_line(struct ignore_rules *rules, const char *line, size_t length)
{
	struct rule rule = { 0 };

	while (length > 0 && strchr(" \t", *line)) {
		line++;
		length--;
	}
	if (length == 0 || *line == '#' || length > PATTERN_BYTES_MAX || rules->count == RULES_MAX)
		return;
	if (*line == '!') {
		rule.takes_back = true;
		line++;
		length--;
	}
	rule.pattern = plain_pattern(line, length);
	if (!rule.pattern[0]) {
		free(rule.pattern);
		return;
	}
	rules->take_back = rules->take_back || rule.takes_back;
	rules->items = xrealloc(rules->items, rules->count + 1, sizeof(rule));
	rules->items[rules->count++] = rule;
}

struct ignore_rules *ignore_rules_new(const char *text)
{
	struct ignore_rules *rules = xcalloc(1, sizeof(*rules));

	while (*text) {
		size_t length = strcspn(text, "\n");

		add_line(rules, text, length);
		text += length + (text[length] == '\n');
	}
	return rules;
}

void ignore_rules_free(struct ignore_rules *rules)
{
	if (!rules)
		return;
	for (size_t i = 0; i < rules->count; i++)
		free(rules->items[i].pattern);
	free(rules->items);
	free(rules);
}

bool ignore_rules_take_back(const struct ignore_rules *rules)
{
	return rules->take_back;
}

/* One "[...]" against one character; `*pattern` is moved behind it. */
static bool class_fits(const char **pattern, char c)
{
	const char *at = *pattern + 1;
	bool is_negated = *at == '^' || *at == '!', fits = false;

	at += is_negated;
	for (bool is_first = true; *at && (*at != ']' || is_first); is_first = false) {
		char low = *at++, high = low;

		if (at[0] == '-' && at[1] && at[1] != ']') {
			high = at[1];
			at += 2;
		}
		fits = fits || (low <= c && c <= high);
	}
	*pattern = *at ? at + 1 : at;
	return fits != is_negated && c != '/';
}

static bool fits(const char *pattern, const char *path, int *steps);

/* `pattern` is behind "**": it may stand for any number of parts, or none. */
static bool rest_fits(const char *pattern, const char *path, int *steps)
{
	if (!*pattern)
		return true;
	if (*pattern == '/' && fits(pattern + 1, path, steps))
		return true;
	for (; *path; path++)
		if (fits(pattern, path, steps))
			return true;
	return false;
}

static bool star_fits(const char *pattern, const char *path, int *steps)
{
	for (;; path++) {
		if (fits(pattern, path, steps))
			return true;
		if (!*path || *path == '/')
			return false;
	}
}

/* The pattern fits the whole path, or a folder that it is in. */
static bool fits(const char *pattern, const char *path, int *steps)
{
	for (;;) {
		if (--*steps < 0)
			return false;
		if (!*pattern)
			return !*path || *path == '/';
		if (pattern[0] == '*' && pattern[1] == '*')
			return rest_fits(pattern + 2, path, steps);
		if (*pattern == '*')
			return star_fits(pattern + 1, path, steps);
		if (!*path)
			return false;
		if (*pattern == '[') {
			if (!class_fits(&pattern, *path++))
				return false;
			continue;
		}
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '?' && *path != '/') {
			pattern++;
			path++;
			continue;
		}
		if (*pattern++ != *path++)
			return false;
	}
}

bool ignore_rules_fit(const struct ignore_rules *rules, const char *path)
{
	bool is_ignored = false;

	for (size_t i = 0; i < rules->count; i++) {
		int steps = STEPS_MAX;

		if (fits(rules->items[i].pattern, path, &steps))
			is_ignored = !rules->items[i].takes_back;
	}
	return is_ignored;
}
