/*
 * doctor.h - what is wrong with this machine or the way to the server, and what to do about it.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/api_client.h"

enum finding_kind { FINDING_OK, FINDING_NOTE, FINDING_PROBLEM };

struct findings {
	json_t *items; /* [{"name","status":"ok|note|problem","message","hint"}] */
	size_t problems;
	bool is_server_away;
	bool has_server_runtime; /* the server has a container runtime to build on */
};

/* `hint` is what to do; NULL where there is nothing to do. */
void finding_add(struct findings *findings, enum finding_kind kind, const char *name,
		 const char *hint, const char *format, ...) PRINTF_LIKE(5, 6);

/* The server: does it answer, is its clock ours, what may it build on. */
void doctor_server(struct findings *findings, struct api_client *client);

/* Container runtimes: sockets that are there, and whether they answer. */
void doctor_runtimes(struct findings *findings);

/* Disk, memory, limits, control groups, the group of the socket. */
void doctor_machine(struct findings *findings);

#endif
