/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files for a test to play and to write, in a directory of its own. */

#pragma once

#include <glib.h>

#define RECORDING_FRAMES 100
#define RECORDING_DURATION (10 * GST_SECOND)

/* A test's checked fixture: makes the directory, and deletes it with all that
 * is in it. */
void recording_set_up (void);
void recording_tear_down (void);

/* The path of a file in the directory. Owned by the caller. */
gchar *recording_path (const gchar *name);

/* A ball that moves, 10 frames/s in H.264. muxer: an element. Returns the
 * file's path, owned by the caller. */
gchar *recording_make (const gchar *muxer);
