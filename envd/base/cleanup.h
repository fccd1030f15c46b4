/*
 * cleanup.h - a variable names its own end.
 *
 * AUTO(release) makes the compiler call `release` when the variable goes out of scope, on every
 * path. The argument is the *name of the release function*, so there is nothing to learn per type:
 *
 *	AUTO(json_decref) json_t *body = NULL;
 *	return TAKE(body);
 *
 * The header of a type declares DEFINE_AUTO(type, release) once. Release functions accept NULL.
 */
#ifndef ENVD_BASE_CLEANUP_H
#define ENVD_BASE_CLEANUP_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define AUTO(release) __attribute__((cleanup(auto_##release)))

#define DEFINE_AUTO(type, release)                                                                 \
	static inline void auto_##release(type *slot)                                              \
	{                                                                                          \
		if (*slot)                                                                         \
			release(*slot);                                                            \
	}

/* free() takes any pointer and descriptors start at 0, so these are written out by hand. */
static inline void auto_free(void *slot)
{
	free(*(void **)slot);
}

static inline void auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void auto_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Move a pointer out of a variable that would release it. */
#define TAKE(variable)                                                                             \
	({                                                                                         \
		__typeof__(variable) taken_ = (variable);                                          \
		(variable) = NULL;                                                                 \
		taken_;                                                                            \
	})

/* The same for a descriptor. */
#define TAKE_FD(variable)                                                                          \
	({                                                                                         \
		int taken_ = (variable);                                                           \
		(variable) = -1;                                                                   \
		taken_;                                                                            \
	})

/* Allocation never fails: what a client can grow is bounded before it is allocated, and the
 * store holds the truth, so aborting on a machine without memory loses nothing. */
void *xcalloc(size_t count, size_t size) __attribute__((returns_nonnull));
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((returns_nonnull));
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));

#endif
