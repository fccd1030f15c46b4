/*
 * ids.h - identities: random, fixed size, passed by value.
 *
 * An id is a UUID (RFC 9562, version 4) in lower case. A *name* is what people choose:
 * [a-z][a-z0-9-]{0,39}, and nothing that has the form of an id.
 */
#ifndef ENVD_BASE_IDS_H
#define ENVD_BASE_IDS_H

#include "base/error.h"

#define ID_TEXT_SIZE 37
#define NAME_LENGTH_MAX 40

struct env_id {
	char text[ID_TEXT_SIZE];
};

struct job_id {
	char text[ID_TEXT_SIZE];
};

struct env_id env_id_new(void);
struct job_id job_id_new(void);

/* True if `text` has the form of an id. */
bool id_is_valid(const char *text);

/* `text` must be valid: check first. */
struct env_id env_id_from(const char *text);
struct job_id job_id_from(const char *text);

/* A name that people may give. Error: ERR_INVALID, naming `what` ("environment name"). */
NODISCARD bool name_check(const char *name, const char *what, struct error *err);

void random_bytes(void *into, size_t length);

/* `length` random hexadecimal digits and a NUL; `into` holds length + 1 bytes. */
void random_hex(char *into, size_t length);

#endif
