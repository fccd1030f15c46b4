/*
 * image_marks.h - which images of a target are ours to remove one day, written where it cannot be
 * lost: on the images themselves. Pure.
 *
 * A pulled image gets a second name that holds the first: "127.0.0.1:5000/web:1" becomes
 * "localhost/envd-pulled/INSTANCE/127.0.0.1__5000/web:1" (a digest's colon becomes "-"). A built
 * one has no other name than ours. Removing is taking these names away again, and the one that the
 * pull made: so an image that has a name from anybody else stays.
 */
#ifndef ENVD_ENGINE_CONTAINER_IMAGE_MARKS_H
#define ENVD_ENGINE_CONTAINER_IMAGE_MARKS_H

#include <stdbool.h>

/* The second name, without its tag, and its tag; the caller frees both. */
void image_mark_make(const char *instance, const char *reference, char **name, char **tag);

/* "localhost/envd-build/INSTANCE"; the caller frees. */
char *image_build_name(const char *instance);

/* Is this tag one of ours? `*pulled`: the name that the pull made, freed by the caller; NULL for a
 * built image. */
bool image_mark_read(const char *instance, const char *repo_tag, char **pulled);

#endif
