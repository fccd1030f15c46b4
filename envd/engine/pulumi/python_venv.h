/*
 * python_venv.h - virtual environments, one for each list of requirements and version of Python,
 * kept in the data folder and shared by all environments.
 *
 *	DATA/python/KEY/       made in its place (its scripts name it), `complete` when it is whole
 *	DATA/python/KEY.lock   held while it is made: a second create waits and finds it made
 */
#ifndef ENVD_ENGINE_PULUMI_PYTHON_VENV_H
#define ENVD_ENGINE_PULUMI_PYTHON_VENV_H

#include "engine/pulumi/pulumi_place.h"

struct python_need {
	const struct pulumi_place *place; /* with its variables: PIP_... of the template count */
	const char *folder;               /* DATA/python */
	const char *requirements;         /* file */
};

/* The folder of it, made if need be; the caller frees. ERR_INVALID "python_missing",
 * "requirements_missing"; ERR_EXTERNAL "requirements_failed" with pip's line that matters. */
NODISCARD bool python_venv(const struct python_need *need, struct worker_lines *lines, char **venv,
			   struct error *err);

/* That Python is there at all. ERR_INVALID "python_missing". */
NODISCARD bool python_check(const struct pulumi_place *place, struct error *err);

/* Of the requirements alone, for the lock. */
NODISCARD bool requirements_hash(const char *path, char *into, struct error *err);

#endif
