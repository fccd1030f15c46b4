/*
 * target_file.h - targets.yaml: the clusters and cloud accounts that environments may be built on.
 *
 *	targets:
 *	  - name: lab-1
 *	    kind: k3s                         # a word of your own; also a label
 *	    kubeconfig: /etc/envd/lab-1.yaml  # copied for each environment
 *	    labels: { site: lab, rack: "3" }
 *	    environments: 1                   # as long as one has it, nobody else gets it
 *	    credentials:                      # where they are, never what they are
 *	      AWS_ACCESS_KEY_ID: { file: /etc/envd/aws.id }
 *	    inventory: [/etc/envd/lab, list]  # what is on it, as a JSON list
 *	    clean: [/etc/envd/lab, clean]     # empty it
 *
 * What is listed here is given to nobody while something may be left on it.
 */
#ifndef ENVD_SETTINGS_TARGET_FILE_H
#define ENVD_SETTINGS_TARGET_FILE_H

#include "base/error.h"
#include "settings/settings.h"

enum { TARGETS_MAX = 500, TARGET_PLACES_MAX = 1000, TARGET_WORDS_MAX = 32 };

/* Replaces those that an earlier reading had listed; on failure everything stays as it was. Error:
 * ERR_INVALID, "FILE:LINE:COLUMN: what was wrong and what was expected". */
NODISCARD bool target_file_read(struct settings *settings, const char *path, struct error *err);

void target_release(struct target *target);

#endif
