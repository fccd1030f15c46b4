/*
 * project.h - for whom environments are made, and how much each may use: `projects:` of the
 * configuration file. The project "default" is always there.
 */
#ifndef ENVD_SETTINGS_PROJECT_H
#define ENVD_SETTINGS_PROJECT_H

#include "base/yaml_read.h"
#include "model/budget.h"
#include "model/quota.h"

enum { PROJECTS_MAX = 1000 };

struct project {
	char *name;
	struct quota quota;
	struct budget budget;
};

struct project_list {
	struct project *items;
	size_t count;
};

/* Adds what the list at `node` says. ERR_INVALID with file, line and column. */
NODISCARD bool projects_read(const struct yaml_document *file, const struct yaml_node *node,
			     struct project_list *projects, struct error *err);
void projects_release(struct project_list *projects);

/* ERR_INVALID "project_unknown", naming those that there are. The quota lives as long as the list.
 */
NODISCARD bool project_find(const struct project_list *projects, const char *name,
			    const struct quota **quota, struct error *err);

/* budget_none for a project that has none, or is not configured. Lives as long as the list. */
const struct budget *project_budget(const struct project_list *projects, const char *name);

#endif
