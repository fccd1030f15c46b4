/*
 * log.h - one line per event to stderr, key=value, identity first:
 *
 *	level=warn env=7f3c... msg="destroy failed, retrying in 60s: pulumi: exit status 255"
 *
 * base, model, store, loop and jobs do not log above debug: they return errors. control, api and
 * the mains do, once, where it is decided. error = someone must act; warn = went wrong and we carry
 * on (say how); info = a state changed; debug = for us.
 */
#ifndef ENVD_BASE_LOG_H
#define ENVD_BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);
NODISCARD bool log_level_parse(const char *name, enum log_level *level, struct error *err);

/* The program's name, printed with every line. A literal. */
void log_set_program(const char *name);

/* `identity` is "env=...", "job=...", or NULL; the message is quoted and escaped here. */
void log_line(enum log_level level, const char *identity, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, NULL, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, NULL, __VA_ARGS__)

#endif
