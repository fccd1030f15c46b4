/*
 * cloud_server.h - for tests: a cloud on loopback, told what to hold line by line. AWS is real moto
 * (aws_world.py, on the part "moto" of ci/local/real-parts); DigitalOcean and Linode are stand-ins
 * of ours (fake_clouds.py).
 */
#ifndef TESTS_SUPPORT_CLOUD_SERVER_H
#define TESTS_SUPPORT_CLOUD_SERVER_H

#include <stdio.h>
#include <sys/types.h>

#include "base/json_read.h"

struct cloud_server {
	pid_t pid;
	FILE *to, *from;
	char endpoint[64]; /* "http://127.0.0.1:PORT" */
};

struct cloud_server *cloud_server_start_aws(void);
struct cloud_server *cloud_server_start_fake(void);
void cloud_server_stop(struct cloud_server *server);
DEFINE_AUTO(struct cloud_server *, cloud_server_stop)

/* One command, as JSON; its answer, new reference. The program's docstring has the commands. The
 * command is taken. */
json_t *cloud_server_tell(struct cloud_server *server, json_t *command);

#endif
