/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Small videos and images for tests, made on the spot by GStreamer's good
 * plugins. Failing to make them fails the test. */

#pragma once

#include <glib.h>

/* A new empty folder; footage_remove() deletes it with what is in it. */
char *footage_folder (void);
void footage_remove (char *folder);

/* Runs a pipeline to its end. */
void footage_run (const char *pipeline);

/* n frames of a ball that moves, 160x120, 10 frames a second, Motion JPEG in
 * the container of the muxer ("qtmux", "matroskamux", "avimux"). Returns its
 * path. */
char *footage_video (
    const char *folder, const char *name, const char *muxer, unsigned n);

/* n PNG images of 48x32, all pixels of image i of luma 8*i + 16. The pattern
 * makes the names. */
void footage_images (
    const char *folder, const char *pattern, unsigned first, unsigned n);

/* Keeps the first share (0..1) of a file in a new file; returns its path. */
char *footage_cut (const char *path, const char *name, double share);

/* A file of text; returns its path. */
char *footage_text (const char *folder, const char *name, const char *text);
