/*
 * files.h - whole files, atomically. All paths are used as given; nothing here follows a policy on
 * links (see engine/ for trees that belong to somebody else).
 */
#ifndef ENVD_BASE_FILES_H
#define ENVD_BASE_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Everything up to `bytes_max`, NUL added; the caller frees. ERR_LIMIT beyond, ERR_NOT_FOUND when
 * there is no such file. `length` may be NULL. */
NODISCARD bool file_read(const char *path, size_t bytes_max, char **bytes, size_t *length,
			 struct error *err);

/* Temporary file in the same folder, fsync, rename, fsync of the folder: after a crash the old or
 * the new content is there, never half of one. */
NODISCARD bool file_write_atomically(const char *path, const void *bytes, size_t length,
				     mode_t mode, struct error *err);
/* The same without waiting for the disk: whoever reads finds the old or the new content, and a loss
 * of power may leave either, or none. For what is of no use after one, and for the daemon's loop.
 */
NODISCARD bool file_replace(const char *path, const void *bytes, size_t length, mode_t mode,
			    struct error *err);

/* mkdir -p. Existing folders keep their mode. */
NODISCARD bool folder_make(const char *path, mode_t mode, struct error *err);

/* rm -r, without following links; a missing path is success. */
NODISCARD bool folder_remove(const char *path, struct error *err);

/* Regular files and folders only, mode kept; a link or special file is an error that names it, and
 * so is more than `files_max` files and folders or `bytes_max` bytes in all. */
struct copy_limits {
	size_t files_max;
	size_t bytes_max;
};
NODISCARD bool folder_copy(const char *from, const char *to, const struct copy_limits *limits,
			   struct error *err);

bool file_exists(const char *path);

/* All of it, or errno says why not. */
bool fd_write_all(int fd, const char *bytes, size_t length);
/* Everything that `fd` still has, at most `bytes_max`: ERR_LIMIT beyond, naming `path`. */
struct text;
NODISCARD bool fd_read_all(int fd, const char *path, size_t bytes_max, struct text *content,
			   struct error *err);

/* "a/b"; the caller frees. */
char *path_join(const char *folder, const char *name);

/* The folder that holds the running program; the caller frees. */
char *path_of_program_folder(void);

/* SHA-256 of bytes as 64 lower-case hexadecimal digits and NUL. */
#define SHA256_TEXT_SIZE 65
void sha256_text(const void *bytes, size_t length, char into[SHA256_TEXT_SIZE]);

/* SHA-256 over a folder's tree: for every file in byte order of its relative path, the path, a NUL,
 * its size and its content. The same limits as folder_copy. */
NODISCARD bool folder_digest(const char *path, const struct copy_limits *limits,
			     char into[SHA256_TEXT_SIZE], struct error *err);

/*
 * A folder's tree without reading its files: a hash of names, inodes, sizes, modes and times. Two
 * looks that are equal saw the same content, if the first was taken when nothing had just changed:
 * a change may not move the clock of a file system if it follows within its tick.
 */
struct folder_look {
	uint64_t hash;
	bool is_settled; /* the newest change was a second ago or more */
};
NODISCARD bool folder_look(const char *path, const struct copy_limits *limits,
			   struct folder_look *look, struct error *err);

#endif
