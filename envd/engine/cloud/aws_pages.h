/*
 * aws_pages.h - every page of a list of AWS, in its query dialect.
 */
#ifndef ENVD_ENGINE_CLOUD_AWS_PAGES_H
#define ENVD_ENGINE_CLOUD_AWS_PAGES_H

#include "engine/cloud/aws_api.h"

struct aws_pages {
	const struct aws_service *service;
	const char *action;
	const char *more;  /* "&Scope=Local", or NULL */
	const char *set;   /* where the list is in the answer */
	const char *token; /* where the next page is named; NULL: there is only one */
	const char *asked; /* as what it is asked for */
};

/* All items of all pages. New reference. ERR_EXTERNAL "cloud_invalid" when a page has no list. */
NODISCARD bool aws_pages_read(const struct aws_way *way, const struct aws_pages *pages,
			      json_t **items, struct error *err);

#endif
