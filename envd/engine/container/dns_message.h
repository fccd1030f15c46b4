/*
 * dns_message.h - the one question we ask of a name server, and whether it knew. Pure; RFC
 * 1035 4.1.
 */
#ifndef ENVD_ENGINE_CONTAINER_DNS_MESSAGE_H
#define ENVD_ENGINE_CONTAINER_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_QUESTION_BYTES_MAX 272

/* For an IPv4 address of `name`, a host name. Returns its length; 0: no name server could be asked
 * for that (empty, or a part longer than 63 bytes, or too long in all). */
size_t dns_question(const char *name, uint16_t id, unsigned char into[DNS_QUESTION_BYTES_MAX]);

enum dns_answer {
	DNS_KNOWN,   /* at least one record */
	DNS_UNKNOWN, /* no such name, none of that kind, refused, or it has trouble */
	DNS_NOT_OURS /* not an answer to that question: go on waiting */
};
enum dns_answer dns_answer(const unsigned char *bytes, size_t length, uint16_t id);

#endif
