/*
 * compose_naming.h - how a service is called and how it finds others: `hostname`, `domainname`,
 * `dns`, `dns_search`, `dns_opt`, `extra_hosts`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_NAMING_H
#define ENVD_COMPOSE_COMPOSE_NAMING_H

#include "compose/compose_reader.h"

compose_read_key compose_hostname_read, compose_domainname_read, compose_dns_read,
    compose_dns_search_read, compose_dns_opt_read, compose_extra_hosts_read;

void compose_naming_release(struct compose_naming *naming);

#endif
