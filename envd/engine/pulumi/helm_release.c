#include "engine/pulumi/helm_release.h"

#include <string.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/json_read.h"
#include "base/text.h"

enum { RELEASE_BYTES_MAX = 32 << 20, GZIP_WINDOW = 15 + 16 };

static bool unzip(const char *bytes, size_t length, struct text *text)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length };
	char piece[16384];
	int result = inflateInit2(&stream, GZIP_WINDOW);

	if (result != Z_OK)
		return false;
	while (result == Z_OK && text->length < RELEASE_BYTES_MAX) {
		stream.next_out = (Bytef *)piece;
		stream.avail_out = sizeof(piece);
		result = inflate(&stream, Z_NO_FLUSH);
		text_add_bytes(text, piece, sizeof(piece) - stream.avail_out);
	}
	inflateEnd(&stream);
	return result == Z_STREAM_END;
}

bool helm_release_chart(const char *data, char **name, char **version)
{
	AUTO(free) char *outer = NULL;
	AUTO(free) char *zipped = NULL;
	AUTO(text_release) struct text text = TEXT_EMPTY;
	AUTO(json_decref) json_t *release = NULL;
	const json_t *metadata;
	size_t length;

	if (!base64_decode(data, &outer, &length) || !base64_decode(outer, &zipped, &length) ||
	    !unzip(zipped, length, &text))
		return false;
	release = json_loadb(text_get(&text), text.length, 0, NULL);
	metadata = json_object_get(json_object_get(release, "chart"), "metadata");
	if (!json_get_string(metadata, "name", NULL) || !json_get_string(metadata, "version", NULL))
		return false;
	*name = xstrdup(json_get_string(metadata, "name", ""));
	*version = xstrdup(json_get_string(metadata, "version", ""));
	return true;
}
