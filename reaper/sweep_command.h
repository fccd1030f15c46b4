/*
 * sweep_command.h - `envd-reaper sweep`. The running reaper starts it as a child of its own.
 */
#ifndef REAPER_SWEEP_COMMAND_H
#define REAPER_SWEEP_COMMAND_H

/* `argv[0]` is "sweep". Exit status: 0 nothing is left, or nothing may be removed yet; 2 usage; 4
 * it could not be listed or removed, or a guard stopped it. */
int sweep_main(int argc, char **argv);

#endif
