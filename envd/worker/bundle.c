#include "worker/bundle.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/files.h"
#include "engine/container/container_tar.h"

#define SUFFIX ".tar.gz"

/* The list of files itself, and what tar adds to each. */
enum { ROOM_FOR_LIST = 65536, FILE_OVERHEAD = 1536 };

struct bundle {
	char *folder;
	size_t bytes_max;
	struct text tar;
	json_t *files;
};

struct bundle *bundle_new(const char *folder, size_t bytes_max)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	bundle->folder = xstrdup(folder);
	bundle->bytes_max = bytes_max;
	bundle->files = json_array();
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	free(bundle->folder);
	text_release(&bundle->tar);
	json_decref(bundle->files);
	free(bundle);
}

const json_t *bundle_files(const struct bundle *bundle)
{
	return bundle->files;
}

size_t bundle_room(const struct bundle *bundle)
{
	size_t taken = bundle->tar.length + ROOM_FOR_LIST + FILE_OVERHEAD;

	return taken < bundle->bytes_max ? bundle->bytes_max - taken : 0;
}

static void put(struct bundle *bundle, const char *name, const char *bytes, size_t length)
{
	AUTO(free) char *path = path_join(bundle->folder, name);
	struct tar_file file = { .name = path, .bytes = bytes, .length = length, .mode = 0600 };
	struct error ignored; /* a name too long for tar: the list shows that it is not there */

	if (!tar_add_file(&bundle->tar, &file, &ignored))
		return;
}

void bundle_add(struct bundle *bundle, const char *name, const char *bytes, size_t length,
		bool keeps_end)
{
	size_t room = bundle_room(bundle), fits = length < room ? length : room;

	put(bundle, name, keeps_end ? bytes + length - fits : bytes, fits);
	json_array_append_new(bundle->files, json_pack("{s:s, s:I, s:b}", "name", name, "bytes",
						       (json_int_t)fits, "cut", fits < length));
}

static bool compress_all(const struct text *tar, struct text *into, struct error *err)
{
	enum { GZIP = 15 + 16, CHUNK = 65536 };
	AUTO(free) unsigned char *chunk = xcalloc(1, CHUNK);
	z_stream stream = { 0 };
	int result;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return error_set(err, ERR_INTERNAL, "zlib cannot be started");
	stream.next_in = (unsigned char *)tar->bytes;
	stream.avail_in = (unsigned)tar->length;
	do {
		stream.next_out = chunk;
		stream.avail_out = CHUNK;
		result = deflate(&stream, Z_FINISH);
		text_add_bytes(into, chunk, CHUNK - stream.avail_out);
	} while (result == Z_OK);
	deflateEnd(&stream);
	return result == Z_STREAM_END ||
	       error_set(err, ERR_INTERNAL, "zlib could not compress (%d)", result);
}

bool bundle_write(struct bundle *bundle, const char *path, int64_t *bytes, struct error *err)
{
	AUTO(text_release) struct text packed = TEXT_EMPTY;
	AUTO(free) char *list = json_dumps(bundle->files, JSON_INDENT(2));

	put(bundle, "FILES.json", list, strlen(list));
	tar_end(&bundle->tar);
	if (!compress_all(&bundle->tar, &packed, err) ||
	    !file_write_atomically(path, packed.bytes, packed.length, 0600, err))
		return false;
	*bytes = (int64_t)packed.length;
	return true;
}

/* ---- the folder ---- */

struct kept {
	char *path;
	int64_t bytes;
	struct timespec at;
};

static bool find_oldest(const char *folder, const char *keep, struct kept *oldest, int64_t *sum)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	*oldest = (struct kept){ NULL, 0, { 0, 0 } };
	*sum = 0;
	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *path = path_join(folder, entry->d_name);
		struct stat status;

		if (!text_ends_with(path, SUFFIX) || lstat(path, &status) != 0)
			continue;
		*sum += status.st_size;
		if (strcmp(path, keep) == 0 ||
		    (oldest->path && (status.st_mtim.tv_sec > oldest->at.tv_sec ||
				      (status.st_mtim.tv_sec == oldest->at.tv_sec &&
				       status.st_mtim.tv_nsec >= oldest->at.tv_nsec))))
			continue;
		free(oldest->path);
		*oldest = (struct kept){ TAKE(path), status.st_size, status.st_mtim };
	}
	if (dir)
		closedir(dir);
	return oldest->path != NULL;
}

void bundle_prune(const char *folder, const char *keep, int64_t bytes_max)
{
	struct kept oldest;
	int64_t sum;
	bool goes_on = true;

	while (goes_on && find_oldest(folder, keep, &oldest, &sum)) {
		goes_on = sum > bytes_max && unlink(oldest.path) == 0;
		free(oldest.path);
	}
}
