#include "engine/container/container_tar.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK 512
#define REGULAR '0'
#define FOLDER '5'

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char changed_at[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

/* A long path is cut at a '/' into prefix and name. */
static bool set_name(struct header *header, const char *name, struct error *err)
{
	size_t length = strlen(name);
	const char *cut = NULL;

	if (length <= sizeof(header->name)) {
		memcpy(header->name, name, length);
		return true;
	}
	for (const char *at = name + length - 1; at > name; at--)
		if (*at == '/' && (size_t)(name + length - at - 1) <= sizeof(header->name))
			cut = at;
	if (!cut || cut + 1 == name + length || (size_t)(cut - name) > sizeof(header->prefix))
		return error_set(err, ERR_INVALID, "path \"%s\" is too long for an archive", name);
	memcpy(header->prefix, name, (size_t)(cut - name));
	memcpy(header->name, cut + 1, (size_t)(name + length - cut - 1));
	return true;
}

static void set_checksum(struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += bytes[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

static bool add(struct text *tar, const struct tar_file *file, char type, struct error *err)
{
	static const char zeroes[BLOCK];
	struct header header = { 0 };

	if (file->uid < 0 || file->uid > 07777777 || file->gid < 0 || file->gid > 07777777)
		return error_set(err, ERR_INVALID, "owner of \"%s\" is out of range", file->name);
	if (!set_name(&header, file->name, err))
		return false;
	snprintf(header.mode, sizeof(header.mode), "%07o", (unsigned)file->mode & 07777);
	snprintf(header.uid, sizeof(header.uid), "%07" PRIo64, file->uid);
	snprintf(header.gid, sizeof(header.gid), "%07" PRIo64, file->gid);
	snprintf(header.size, sizeof(header.size), "%011zo", file->length);
	/* The same files make the same archive: no time of ours. */
	snprintf(header.changed_at, sizeof(header.changed_at), "%011o", 0U);
	header.type = type;
	memcpy(header.magic, "ustar", 6);
	memcpy(header.version, "00", 2);
	set_checksum(&header);
	text_add_bytes(tar, &header, BLOCK);
	if (file->length > 0)
		text_add_bytes(tar, file->bytes, file->length);
	text_add_bytes(tar, zeroes, (BLOCK - file->length % BLOCK) % BLOCK);
	return true;
}

bool tar_add_file(struct text *tar, const struct tar_file *file, struct error *err)
{
	return add(tar, file, REGULAR, err);
}

bool tar_add_folder(struct text *tar, const char *name, struct error *err)
{
	return add(tar, &(struct tar_file){ .name = name, .mode = 0755 }, FOLDER, err);
}

void tar_end(struct text *tar)
{
	static const char zeroes[2 * BLOCK];

	text_add_bytes(tar, zeroes, sizeof(zeroes));
}

static bool read_octal(const char *digits, size_t size, size_t *value)
{
	*value = 0;
	for (size_t i = 0; i < size && digits[i] >= '0' && digits[i] <= '7'; i++)
		*value = *value * 8 + (size_t)(digits[i] - '0');
	return digits[0] >= '0' && digits[0] <= '7';
}

bool tar_first_file(const char *tar, size_t tar_length, const char **bytes, size_t *length,
		    struct error *err)
{
	size_t at = 0;

	while (at + BLOCK <= tar_length) {
		struct header header;
		size_t size;

		memcpy(&header, tar + at, BLOCK);
		at += BLOCK;
		if (!read_octal(header.size, sizeof(header.size), &size) || size > tar_length - at)
			break;
		if (header.type == REGULAR || header.type == '\0') {
			*bytes = tar + at;
			*length = size;
			return true;
		}
		at += (size + BLOCK - 1) / BLOCK * BLOCK;
		if (at > tar_length)
			break;
	}
	return error_set(err, ERR_EXTERNAL, "there is no regular file in the archive");
}
