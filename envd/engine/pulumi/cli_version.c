#include "engine/pulumi/cli_version.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"

enum { KEPT_BYTES_MAX = 8192 };

static bool is_compiled(int fd)
{
	char magic[4];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

/* NULL where the file alone does not say what runs. */
static json_t *identity_of(const char *program)
{
	AUTO(free) char *path = realpath(program, NULL);
	AUTO(close) int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat file;

	if (fd < 0 || !text_ends_with(path, "/pulumi") || !is_compiled(fd) || fstat(fd, &file) != 0)
		return NULL;
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "path", path, "device",
			 (json_int_t)file.st_dev, "inode", (json_int_t)file.st_ino, "bytes",
			 (json_int_t)file.st_size, "changed_s", (json_int_t)file.st_ctim.tv_sec,
			 "changed_ns", (json_int_t)file.st_ctim.tv_nsec);
}

static char *file_in(const char *folder)
{
	return path_join(folder, "pulumi-version.json");
}

char *cli_version_known(const char *folder, const char *program)
{
	AUTO(free) char *path = file_in(folder);
	AUTO(json_decref) json_t *identity = identity_of(program);
	AUTO(json_decref) json_t *kept = NULL;
	struct error ignored; /* then it is asked */
	const char *version;

	if (!identity || !json_read_file(path, KEPT_BYTES_MAX, &kept, &ignored) ||
	    !json_equal(json_object_get(kept, "program"), identity))
		return NULL;
	version = json_get_string(kept, "version", NULL);
	return version ? xstrdup(version) : NULL;
}

void cli_version_note(const char *folder, const char *program, const char *version,
		      int64_t asked_ms)
{
	AUTO(free) char *path = file_in(folder);
	AUTO(json_decref) json_t *kept = NULL;
	AUTO(free) char *text = NULL;
	json_t *identity = identity_of(program);
	struct error ignored;

	if (json_get_int64(identity, "changed_s", INT64_MAX) >= asked_ms / 1000 - 1) {
		json_decref(identity);
		return;
	}
	kept = json_pack("{s:o, s:s}", "program", identity, "version", version);
	text = json_to_text(kept);
	(void)!file_replace(path, text, strlen(text), 0600, &ignored);
}
