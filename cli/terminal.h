/*
 * terminal.h - what a stream can show: is it a terminal, how wide, in colour.
 *
 * Colour is decided per stream, in this order: --color, NO_COLOR, TERM=dumb, FORCE_COLOR or
 * CLICOLOR_FORCE, then whether it is a terminal.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "base/cleanup.h"

enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARNING, TONE_FAINT, TONE_STRONG };

struct terminal {
	FILE *stream;
	bool is_terminal;
	bool has_colour;
	size_t width; /* 0: not a terminal, write lines as long as they are */
};

/* `color`: "always", "never" or "auto". */
struct terminal terminal_of(FILE *stream, const char *color);

/* The escape that begins a tone, and the one that ends it; "" without colour. */
const char *terminal_tone(const struct terminal *terminal, enum tone tone);
const char *terminal_plain(const struct terminal *terminal);

/* Columns that UTF-8 text takes: one per character, none for escapes. Our texts have no wide
 * characters. */
size_t text_columns(const char *text);

#endif
