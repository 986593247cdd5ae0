/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What each of these test programs has: a directory, and in it a model that has
 * learned the empty scene as encoders leave it. */

#pragma once

#include <check.h>

#include "visits.h"
#include "watching.h"

/* A program whose arguments are those of vaelstm and whatever else it needs
 * (`studio_arguments`): makes the model, runs the tests in this process,
 * returns the exit status. `prepare`: called once before the tests; NULL:
 * nothing. */
int studio_main (int argc, char **argv, const char *name,
    void (*prepare) (void), void (*add_tests) (TCase *));
extern char **studio_arguments;

/* A file or directory in the directory; owned by the caller. Each test uses
 * names of its own. */
char *studio_path (const char *name);

/* Makes a directory and returns its path. */
char *studio_make_directory (const char *name);

/* Runs a program with its arguments, which has to end well. */
void studio_run (const char *const *argv);

/* `vaelstm watch` with these arguments, up to a NULL. */
Watching *studio_watch_args (const char *const *args);
#define studio_watch(...)                                                      \
  studio_watch_args ((const char *const[]){__VA_ARGS__, NULL})

/* Whether this machine lets a process have mounts of its own. */
gboolean studio_can_mount (void);

/* The same as studio_watch_args() in a process that sees an empty file system
 * in memory at a directory, mounted with these options. Only where
 * studio_can_mount(). */
Watching *studio_watch_mounted (
    const char *directory, const char *options, const char *const *args);

/* With these in front, the square is an anomaly and nothing else is: what it
 * scores is more than STUDIO_THRESHOLD by far, and everything else less. */
#define STUDIO_THRESHOLD "1000"
#define STUDIO_MODEL                                                           \
  "-m", studio_model, "--set", "threshold=" STUDIO_THRESHOLD, "--set",         \
      "hold=500000000"
extern char *studio_model;

/* Another such model, by another seed; its path, owned by the caller. It learns
 * from normal.mp4, which shows the empty scene for 30 s. */
char *studio_train (const char *name, const char *seed);

/* Short rolls, in seconds. */
#define STUDIO_ROLL 2
#define STUDIO_ROLLS "--pre-roll", "2", "--post-roll", "2"

#define STUDIO_CLIP ".mkv" /* end of clips' names */

/* Number of files in a directory whose name ends so. */
guint studio_count (const char *directory, const char *end);

/* The file that a member of an event names; fails the test when there is none.
 * Owned by the caller. */
char *studio_file (JsonObject *event, const char *member);

/* Seconds since 1970 of a member in UTC; its form is checked. */
double studio_time (JsonObject *event, const char *member);
