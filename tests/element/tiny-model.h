/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A model that a test can make in a second or two, and the scene it knows: a
 * still picture with sensor noise, into which a bright square may come. */

#pragma once

#include <glib.h>

#define TINY_SIDE 128                         /* pixels */
#define TINY_SIZE (TINY_SIDE * TINY_SIDE * 3) /* bytes, RGB */
#define TINY_RATE 10                          /* analysed frames/s */
#define TINY_OBJECT_X 40                      /* pixels, of the square */
#define TINY_OBJECT_Y 48
#define TINY_OBJECT_SIDE 48

/* Frame `n` of the scene, RGB with rows of 3 * TINY_SIDE bytes. */
void tiny_scene_draw (guint8 *rgb, guint n, gboolean object);

/* Trains the model and saves it in a directory of its own. Ends the program on
 * failure. */
gchar *tiny_model_make (void);

/* Saves a model of the same use that takes a large part of a second for each
 * picture, and has learned nothing. */
gchar *slow_model_make (void);

/* Deletes the file, its directory, and the path. */
void tiny_model_remove (gchar *path);
