/*
 * top_view.h - the screen of `envctl top`: what needs a person first, then what ends next. Draws
 * into a text and asks nobody.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include <jansson.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/terminal.h"

struct top_view {
	struct terminal terminal;
	size_t height;  /* rows of the terminal; 0: as many as there are */
	int64_t now_ms; /* wall clock */
	const char *server;
	json_t *environments; /* as the server lists them, in the order of top_view_sort() */
	size_t selected;
	bool has_faults_only;
	bool is_away;      /* the server does not answer: what is shown is old */
	char message[200]; /* last line; "": the keys */
};

/* New reference: what needs a person first, then by end; only faults where asked. */
json_t *top_view_sort(const json_t *environments, bool has_faults_only, int64_t now_ms);

/* Lines that fit, each ended by "\n". */
void top_view_draw(const struct top_view *view, struct text *into);

#endif
