/*
 * cli_version.h - the version that a program named itself, as long as its file is the same.
 *
 * `pulumi version` takes a third of a second, twice before the first layer of every environment.
 * What it said is kept with the identity of its file (device, inode, size, time of change, which
 * nobody can set back). A script, or a program of another name behind a link, may choose anew each
 * time what it runs: such a one is asked each time.
 */
#ifndef ENVD_ENGINE_PULUMI_CLI_VERSION_H
#define ENVD_ENGINE_PULUMI_CLI_VERSION_H

#include <stdint.h>

/* NULL: not known, it must be asked. `folder` is the data folder. The caller frees. */
char *cli_version_known(const char *folder, const char *program);

/* For the next one; what cannot be kept is asked again. So is a file that may have changed while it
 * was asked, at `asked_ms` (wall clock). */
void cli_version_note(const char *folder, const char *program, const char *version,
		      int64_t asked_ms);

#endif
